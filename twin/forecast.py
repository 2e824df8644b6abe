"""Forecasts from the posterior: the same equations run on, nothing measured, uncertainty growing by process noise."""

import math

import numpy as np

from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import observe as o_
from twin.filter.points import draw
from twin.jit import kernel
from twin.predict import predict_fast, predict_metabolic
from twin.shapes import Array, Matrix, Record, Vector

FORECASTS = 2  # heart rate, glucose
LOW_MG_DL, LOW_WITHIN_S, LOW_STEP_S = 70.0, 1800.0, 300.0


@kernel
def spread_of(expected: Vector, count: int, noise: float, out: Vector) -> None:
    """Mean and sd of what `count` points expect, error of the sensor included, into `out` (2,)."""
    centre = 0.0
    for j in range(count):
        centre += expected[j]
    centre /= count
    total = 0.0
    for j in range(count):
        total += (expected[j] - centre) ** 2
    out[0], out[1] = centre, math.sqrt(total / count + noise)


@kernel
def forecast_heart_rate(
    record: Record,
    now: float,
    mean: Vector,
    covariance: Matrix,
    horizons: Vector,
    factor: Matrix,
    w: Array,
    out: Array,
) -> None:
    """Predictive mean and sd of a heart-rate reading at each horizon (ascending, nan ends them) into `out` (h, 2)."""
    ahead_mean, ahead_cov = mean.copy(), covariance.copy()
    at = now
    for h in range(horizons.shape[0]):
        if not math.isfinite(horizons[h]):
            break
        predict_fast(ahead_mean, ahead_cov, at, now + horizons[h], record, True, factor, w)
        at = now + horizons[h]
        draw(ahead_mean, ahead_cov, factor, w[0], fast.STRIDE)
        o_.expect_heart_rate(w[0], at, record, True, w)
        spread_of(w[4], 2 * fast.N, o_.heart_rate_noise(ahead_mean[fast.DRIVE]), out[h])


@kernel
def forecast_glucose(
    record: Record,
    now: float,
    mean: Vector,
    covariance: Matrix,
    horizons: Vector,
    factor: Matrix,
    w: Array,
    out: Array,
) -> float:
    """Predictive mean and sd of a CGM reading at each horizon into `out` (h, 2).

    Returns:
        P(glucose < 70 mg/dL within 30 min): the largest of the probabilities at 5, 10 ... 30 min, which is a lower
        bound of the probability of the path and near it for a process this smooth.

    """
    ahead_mean, ahead_cov = mean.copy(), covariance.copy()
    at, worst, h = now, 0.0, 0
    point = np.zeros(2)
    step = LOW_STEP_S
    while True:
        horizon = horizons[h] if h < horizons.shape[0] else math.nan
        if step <= LOW_WITHIN_S and not (horizon < step):
            until = step
        elif math.isfinite(horizon):
            until = horizon
        else:
            break
        predict_metabolic(ahead_mean, ahead_cov, at, now + until, record, factor, w)
        at = now + until
        draw(ahead_mean, ahead_cov, factor, w[0], metabolic.STRIDE)
        o_.expect_glucose(w[0], w[4])
        spread_of(w[4], 2 * metabolic.N, 0.0, point)
        if until == step:
            below = 0.5 * math.erfc((point[0] - LOW_MG_DL) / point[1] / math.sqrt(2.0))
            worst = max(worst, below)
            step += LOW_STEP_S
        if until == horizon:
            out[h, 0], out[h, 1] = point[0], math.sqrt(point[1] ** 2 + o_.glucose_noise(point[0]))
            h += 1
    return worst
