"""Forecasts from the posterior: the same equations run on, nothing measured, uncertainty growing by process noise.

Glucose is predicted with the whole filter. Heart rate follows its causes within minutes, so that only their way to the
horizon matters: the slow ones are moved there in closed form, the fast ones come to rest there, for the mean and for
seven points that each lean one of the states by which heart rate is uncertain (DECISIONS.md: what it costs).
"""

import math

import numpy as np

from twin import channels as c_
from twin import observe as o_
from twin import record as r_
from twin.blocks import fast, metabolic
from twin.blocks.fast_few import FEW, STEP_MINUTES, STEPS, heart_rates, relax
from twin.blocks.fast_parameters import UNMEASURED_MINUTES
from twin.filter.points import draw
from twin.inputs import fast_inputs
from twin.jit import kernel
from twin.predict import predict_fast, predict_metabolic
from twin.shapes import Array, Matrix, Record, Vector
from twin.summary import spread_of
from twin.workspace import Work

FORECASTS = 2  # heart rate, glucose
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
    """Predictive mean and sd of a heart-rate reading at each horizon (ascending, nan ends them) into `out` (h, 2)."""
    for h in range(horizons.shape[0]):
        if not math.isfinite(horizons[h]):
            break
        if horizons[h] <= SETTLING_S:
            ahead_mean, ahead_cov = w.ahead_mean, w.ahead_covariance
            ahead_mean[:], ahead_cov[:, :] = mean, covariance
            predict_fast(ahead_mean, ahead_cov, now, now + horizons[h], record, True, w)
            draw(ahead_mean, ahead_cov, w.factor, w.points, fast.STRIDE)
            o_.expect_fast(c_.HEART_RATE, False, now + horizons[h], record, True, w)
            spread_of(w.expected, 2 * fast.N, o_.heart_rate_noise(ahead_mean[fast.DRIVE]), out[h])
        else:
            settled_heart_rate(record, now, mean, covariance, horizons[h], w, out[h])


@kernel
def settled_heart_rate(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizon_s: float, w: Work, out: Vector
) -> None:
    """The far forecast: slow states moved in closed form, fast states settled, eight points."""
    size = fast.N * FEW
    x, d = w.points[:size], w.slopes[:size]
    k = record[r_.FAST_BODY : r_.METABOLIC_BODY]
    for i in range(fast.N):
        for s in range(FEW):
            x[i * FEW + s] = mean[i]
    before = (horizon_s - SETTLING_S) / 60.0
    left_arousal, left_demand = math.exp(-before / AROUSAL_MINUTES), math.exp(-before / UNMEASURED_MINUTES)
    for s in range(FEW):
        x[fast.AROUSAL * FEW + s] *= left_arousal
        x[fast.UNMEASURED * FEW + s] *= left_demand
    fast_inputs(record, now + horizon_s, True, w.inputs)
    asleep = w.inputs[2]
    settling = SETTLING_S / 60.0
    arousal_sd = 4.0 * (1.0 - asleep) + 1.5 * asleep
    demand_sd = 0.40 * (1.0 - asleep) + 0.10 * asleep
    left_demand_at_end = left_demand * math.exp(-settling / UNMEASURED_MINUTES)
    demand_there = covariance[fast.UNMEASURED, fast.UNMEASURED] * left_demand_at_end**2
    demand_there = math.sqrt(demand_there + demand_sd**2 * (1.0 - left_demand_at_end**2))
    for p in range(LEANED.shape[0]):
        i = LEANED[p]
        lean = math.sqrt(covariance[i, i])
        if i == fast.UNMEASURED:
            lean = demand_there * math.exp(settling / UNMEASURED_MINUTES)
            x[i * FEW + DEMAND_DOWN] -= lean
        x[i * FEW + p + 1] += lean
    relax(x, w.inputs, k, d)
    heart_rates(x, w.expected, w.inputs, k)
    left_arousal *= math.exp(-settling / AROUSAL_MINUTES)
    # Heart rate per unit of each leaned state as it is now, and of the two that new noise enters.
    gradient = w.gain
    for p in range(LEANED.shape[0]):
        gradient[p] = (w.expected[p + 1] - w.expected[0]) / math.sqrt(covariance[LEANED[p], LEANED[p]])
    per_arousal = gradient[0] * math.exp(settling / AROUSAL_MINUTES)
    per_demand = 0.5 * (w.expected[2] - w.expected[DEMAND_DOWN]) / demand_there
    gradient[0], gradient[1] = per_arousal * left_arousal, per_demand * left_demand_at_end
    variance = 0.0
    for p in range(LEANED.shape[0]):
        for q in range(LEANED.shape[0]):
            variance += gradient[p] * gradient[q] * covariance[LEANED[p], LEANED[q]]
    variance += (per_arousal * arousal_sd) ** 2 * (1.0 - left_arousal**2)
    variance += (per_demand * demand_sd) ** 2 * (1.0 - left_demand_at_end**2)
    variance += OTHER_SD**2
    drive = x[fast.DRIVE * FEW]
    shifted = 0.5 * (w.expected[2] + w.expected[DEMAND_DOWN]) - w.expected[0]
    out[0], out[1] = w.expected[0] + shifted, math.sqrt(variance + o_.heart_rate_noise(drive))


@kernel
def forecast_glucose(
    record: Record, now: float, mean: Vector, covariance: Matrix, horizons: Vector, w: Work, out: Array
) -> float:
    """Predictive mean and sd of a CGM reading at each horizon into `out` (h, 2).

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
        o_.expect_metabolic(c_.GLUCOSE, at, record, w)
        spread_of(w.expected, 2 * metabolic.N, 0.0, point)
        if until == step:
            below = 0.5 * math.erfc((point[0] - LOW_MG_DL) / point[1] / math.sqrt(2.0))
            worst = max(worst, below)
            step += LOW_STEP_S
        if until == horizon:
            out[h, 0], out[h, 1] = point[0], math.sqrt(point[1] ** 2 + o_.glucose_noise(point[0]))
            h += 1
    return worst
