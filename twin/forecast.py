"""Forecasts from the posterior: the same equations run on, nothing measured, uncertainty growing by process noise.

Glucose is predicted with the whole filter. Heart rate follows its causes within minutes, so that only their way to the
horizon matters: the slow ones are moved there in closed form, the fast ones come to rest there, for the mean and for
seven points that each lean one of the states by which heart rate is uncertain (DECISIONS.md: what it costs).
"""

import math

import numpy as np

from twin import channels as c_
from twin import observe as o_
from twin import observe_glucose as g_
from twin import record as r_
from twin.blocks import fast, metabolic
from twin.blocks.fast_few import FEW, PAIR, STEP_MINUTES, STEPS, heart_rates, relax
from twin.blocks.fast_parameters import UNMEASURED_MINUTES
from twin.filter.points import draw
from twin.forecast_body import learn_heart
from twin.inputs import fast_inputs
from twin.jit import kernel
from twin.learned import glucose as learned
from twin.learned.causes import causes_now
from twin.learned.network import GlucoseWeights
from twin.learned.weights import Weights
from twin.predict import predict_fast, predict_metabolic
from twin.shapes import Array, Matrix, Points, Record, Vector
from twin.summary import covariance_of, mean_of, spread_of
from twin.take import basal_rate
from twin.workspace import Rooms, Work

FORECASTS = 2  # heart rate, glucose
# Of one forecast: mean, sd, five quantiles (nan: those of the mechanism's law), the learned part's share.
MEAN, SD, QUANTILES, LEARNED, FORECAST = 0, 1, 2, 7, 8
# A reading below 70 mg/dL within 30 min; and where something is learned: that an episode begins soon, and what the trend
# alone expects in 30 min [mg/dL].
CHANCES = 3
Z = np.array([-1.6448536269514722, -0.6744897501960817, 0.0, 0.6744897501960817, 1.6448536269514722])
LEARNED_MINUTES = 120.0  # the last horizon that is learned
LOW_MG_DL, LOW_WITHIN_S, LOW_STEP_S = 70.0, 1800.0, 300.0
SETTLING_S = STEP_MINUTES * STEPS * 60.0
AROUSAL_MINUTES = 30.0
LEANED = np.array(
    [fast.AROUSAL, fast.UNMEASURED, fast.RESTING, fast.MET_GAIN, fast.SLEEP_FALL, fast.CIRCADIAN]
)
DEMAND_DOWN = (
    7  # the point that leans unmeasured demand the other way: rest is a floor, so that the mean is shifted
)
OTHER_SD = 2.0  # bpm: noise of pressure, resistance and drive on their way


@kernel
def forecast_heart_rate(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizons: Vector, w: Work, out: Array
) -> None:
    """Predictive mean and sd of a heart-rate reading at each horizon (ascending, nan ends them) into `out` (h, FORECAST)."""
    h = 0
    while h < horizons.shape[0] and math.isfinite(horizons[h]):
        if horizons[h] <= SETTLING_S:
            ahead_mean, ahead_cov = w.ahead_mean, w.ahead_covariance
            ahead_mean[:], ahead_cov[:, :] = mean, covariance
            predict_fast(ahead_mean, ahead_cov, now, now + horizons[h], record, True, w)
            draw(ahead_mean, ahead_cov, w.factor, w.points, fast.STRIDE)
            o_.expect_fast(c_.HEART_RATE, False, now + horizons[h], record, True, w)
            spread_of(w.expected, 2 * fast.N, o_.heart_rate_noise(ahead_mean[fast.DRIVE]), out[h])
            h += 1
        else:
            last = h + 1 < horizons.shape[0] and math.isfinite(horizons[h + 1])
            settled_heart_rate(record, now, mean, covariance, horizons[h : h + 1 + last], w, out[h:])
            h += 2


@kernel
def settled_heart_rate(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizons: Vector, w: Work, out: Array
) -> None:
    """The far forecast for one or two horizons: slow states in closed form, fast states settled, eight points each."""
    x, d, u = w.points[: fast.N * PAIR], w.slopes[: fast.N * PAIR], w.trial[: fast.INPUTS * PAIR]
    k = record[r_.FAST_BODY : r_.METABOLIC_BODY]
    for h in range(2):
        lean_points(
            record, now, mean, covariance, horizons[min(h, len(horizons) - 1)], x, u, h * FEW, w.inputs
        )
    relax(x, u, k, d)
    heart_rates(x, w.expected, u, k)
    for h in range(len(horizons)):
        expected, gradient = w.expected[h * FEW : (h + 1) * FEW], w.gain
        asleep = u[2 * PAIR + h * FEW]
        left_arousal, left_demand, demand_there = on_the_way(covariance, horizons[h], asleep)
        arousal_sd, demand_sd = new_noise(asleep)
        settling = SETTLING_S / 60.0
        left_demand_at_end = left_demand * math.exp(-settling / UNMEASURED_MINUTES)
        left_arousal *= math.exp(-settling / AROUSAL_MINUTES)
        # Heart rate per unit of each leaned state as it is now, and of the two that new noise enters.
        for p in range(LEANED.shape[0]):
            gradient[p] = (expected[p + 1] - expected[0]) / math.sqrt(covariance[LEANED[p], LEANED[p]])
        per_arousal = gradient[0] * math.exp(settling / AROUSAL_MINUTES)
        per_demand = 0.5 * (expected[2] - expected[DEMAND_DOWN]) / demand_there
        gradient[0], gradient[1] = per_arousal * left_arousal, per_demand * left_demand_at_end
        variance = 0.0
        for p in range(LEANED.shape[0]):
            for q in range(LEANED.shape[0]):
                variance += gradient[p] * gradient[q] * covariance[LEANED[p], LEANED[q]]
        variance += (per_arousal * arousal_sd) ** 2 * (1.0 - left_arousal**2)
        variance += (per_demand * demand_sd) ** 2 * (1.0 - left_demand_at_end**2)
        variance += OTHER_SD**2
        drive = x[fast.DRIVE * PAIR + h * FEW]
        shifted = 0.5 * (expected[2] + expected[DEMAND_DOWN]) - expected[0]
        out[h, 0], out[h, 1] = expected[0] + shifted, math.sqrt(variance + o_.heart_rate_noise(drive))


@kernel
def new_noise(asleep: float) -> tuple[float, float]:
    """Stationary sd of arousal [bpm] and of unmeasured demand [-]."""
    return 4.0 * (1.0 - asleep) + 1.5 * asleep, 0.40 * (1.0 - asleep) + 0.10 * asleep


@kernel
def on_the_way(covariance: Matrix, horizon_s: float, asleep: float) -> tuple[float, float, float]:
    """What is left of arousal and of unmeasured demand where settling begins, and the sd of demand where it ends."""
    before = (horizon_s - SETTLING_S) / 60.0
    left_arousal, left_demand = math.exp(-before / AROUSAL_MINUTES), math.exp(-before / UNMEASURED_MINUTES)
    at_end = left_demand * math.exp(-SETTLING_S / 60.0 / UNMEASURED_MINUTES)
    _, demand_sd = new_noise(asleep)
    there = covariance[fast.UNMEASURED, fast.UNMEASURED] * at_end**2 + demand_sd**2 * (1.0 - at_end**2)
    return left_arousal, left_demand, math.sqrt(there)


@kernel
def lean_points(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizon_s: float, x: Points, u: Points, first: int,
    inputs: Vector,
) -> None:  # fmt: skip
    """Eight points and their inputs from `first` on: the mean, and one state leaned in each of the others."""
    fast_inputs(record, now + horizon_s, True, inputs)
    left_arousal, left_demand, demand_there = on_the_way(covariance, horizon_s, inputs[2])
    for s in range(first, first + FEW):
        for i in range(fast.INPUTS):
            u[i * PAIR + s] = inputs[i]
        for i in range(fast.N):
            x[i * PAIR + s] = mean[i]
        x[fast.AROUSAL * PAIR + s] *= left_arousal
        x[fast.UNMEASURED * PAIR + s] *= left_demand
    for p in range(LEANED.shape[0]):
        i = LEANED[p]
        lean = math.sqrt(covariance[i, i])
        if i == fast.UNMEASURED:
            lean = demand_there * math.exp(SETTLING_S / 60.0 / UNMEASURED_MINUTES)
            x[i * PAIR + first + DEMAND_DOWN] -= lean
        x[i * PAIR + first + p + 1] += lean


@kernel
def forecast_glucose(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizons: Vector, w: Work, out: Array
) -> float:
    """Predictive mean and sd of a CGM reading at each horizon into `out` (h, FORECAST).

    Returns:
        P(glucose < 70 mg/dL within 30 min): the largest of the probabilities at 5, 10 ... 30 min, which is a lower
        bound of the probability of the path and near it for a process this smooth.

    """
    ahead_mean, ahead_cov, point = w.ahead_mean, w.ahead_covariance, w.ahead
    ahead_mean[:], ahead_cov[:, :] = mean, covariance
    at, worst, h = now, 0.0, 0
    step = LOW_STEP_S
    while True:
        horizon = horizons[h] if h < horizons.shape[0] else math.nan
        if step <= LOW_WITHIN_S and not (horizon < step):
            until = step
        elif math.isfinite(horizon):
            until = horizon
        else:
            break
        predict_metabolic(ahead_mean, ahead_cov, at, now + until, record, w)
        at = now + until
        draw(ahead_mean, ahead_cov, w.factor, w.points, metabolic.STRIDE)
        g_.expect_metabolic(c_.GLUCOSE, at, record, w)
        spread_of(w.expected, 2 * metabolic.N, 0.0, point)
        if until == step:
            below = 0.5 * math.erfc((point[0] - LOW_MG_DL) / point[1] / math.sqrt(2.0))
            worst = max(worst, below)
            step += LOW_STEP_S
        if until == horizon:
            out[h, 0], out[h, 1] = point[0], math.sqrt(point[1] ** 2 + g_.glucose_noise(point[0]))
            h += 1
    return worst


@kernel
def join_learned(out: Vector, issued: Vector, value: float, minutes: float) -> None:
    """What was learned over what the mechanism said, fading to it beyond two hours; and its share of the change from now.

    Args:
        out: forecast of the mechanism (FORECAST,), made a joint one.
        issued: mean, sd, quantiles of the learned part (learned.OUT,).
        value: the reading now [mg/dL].
        minutes: horizon.

    """
    weight = 1.0 - (minutes - LEARNED_MINUTES) / learned.FADES_MIN
    weight = min(max(weight, 0.0), 1.0)
    if weight == 0.0:
        return
    mean, sd = out[MEAN], out[SD]
    spread = math.sqrt(math.log1p((sd / mean) ** 2)) if mean > 0.0 else 0.0
    for k in range(Z.shape[0]):  # of a log-normal, as stream/estimates.py has it
        own = (
            math.exp(math.log(mean) - 0.5 * spread * spread + Z[k] * spread)
            if mean > 0.0
            else mean + Z[k] * sd
        )
        out[QUANTILES + k] = own + weight * (issued[2 + k] - own)
    out[MEAN] += weight * (issued[0] - mean)
    out[SD] += weight * (issued[1] - sd)
    beside, by_mechanism = abs(out[MEAN] - mean), abs(mean - value)
    out[LEARNED] = beside / (beside + by_mechanism) if beside + by_mechanism > 0.0 else 0.0


@kernel
def forecast_learned(
    record: Record, now: float, value: float, horizons: Vector, weights: GlucoseWeights, bench: learned.Bench, out: Array,
    chances: Vector,
) -> None:  # fmt: skip
    """Learn of a glucose reading, then correct the mechanism's forecasts in `out` (h, FORECAST) and its chances of a low."""
    slot = record[r_.LEARNED_GLUCOSE : r_.LEARNED_GLUCOSE_END]
    causes_now(slot, basal_rate(record), bench.causes)
    learned.learn_and_issue(slot, weights, now, record[r_.OFFSET_H], value, bench.causes, bench, bench.lows)
    for h in range(horizons.shape[0]):
        if not math.isfinite(horizons[h]):
            break
        minutes = horizons[h] / 60.0
        if minutes < LEARNED_MINUTES + learned.FADES_MIN:
            learned.forecast_at(slot, now, record[r_.OFFSET_H], minutes, bench, bench.row, bench.out)
            join_learned(out[h], bench.out, value, minutes)
    chances[0] = bench.lows[2]
    chances[1] = 0.5 * (bench.lows[0] + bench.lows[1])
    chances[2] = bench.lows[learned.TREND]


@kernel
def forecast_tick(
    record: Record, now: float, channel: int, value: float, horizons: Array, room: Rooms, weights: Weights,
    bench: learned.Bench, rows: Matrix, out: Array, chances: Vector,
) -> None:  # fmt: skip
    """Forecast what was just measured, into `out` (2, h, FORECAST); chances of low glucose into `chances` (CHANCES,)."""
    if channel == c_.HEART_RATE:
        mean = mean_of(record, r_.FAST_MEAN, fast.N)
        covariance = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
        out[0, :, LEARNED] = 0.0
        forecast_heart_rate(record, now, mean, covariance, horizons[0], room.fast, out[0])
        if weights.body.used != 0.0 and math.isfinite(value):
            learn_heart(record, now, value, horizons[0], weights.body, rows, out[0])
    elif channel == c_.GLUCOSE:
        mean = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
        covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
        out[1, :, LEARNED] = 0.0
        learns = weights.glucose.identity != 0.0 and math.isfinite(value)
        if not learns or math.isfinite(horizons[1, 0]):
            chances[0] = forecast_glucose(record, now, mean, covariance, horizons[1], room.metabolic, out[1])
        if learns:
            forecast_learned(record, now, value, horizons[1], weights.glucose, bench, out[1], chances)
