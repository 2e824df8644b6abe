"""One scalar observation at a time: exact for independent errors, and no matrix to invert.

A reading far from what was expected counts less: beyond 3 standard deviations its noise is inflated so that its pull
falls as 1 / z (a redescending weight, near a Student-t's), and the caller is told.
"""

import math

from twin.jit import summing
from twin.shapes import Matrix, Points, Vector

APPLIED, DOWNWEIGHTED, NOT_FINITE = 0, 1, 2
OUTCOMES = ("applied", "downweighted", "not_finite")
GATE = 3.0  # standard deviations


@summing
def correct(
    points: Points,
    expected: Vector,
    stride: int,
    value: float,
    noise: float,
    mean: Vector,
    covariance: Matrix,
    gain: Vector,
    report: Vector,
) -> int:
    """Update mean and covariance by one observation.

    Args:
        points: sigma points drawn from (mean, covariance) (n * stride,).
        expected: what each point would be read as (stride,).
        stride: positions a state.
        value: the observation.
        noise: its error variance, > 0.
        mean, covariance: updated in place.
        gain: work space (n,).
        report: filled with normalised innovation, expected value, innovation variance (3,).

    Returns:
        APPLIED, DOWNWEIGHTED, or NOT_FINITE (nothing was changed).

    """
    n = mean.shape[0]
    weight = 0.5 / n
    centre = 0.0
    for j in range(2 * n):
        centre += expected[j]
    centre *= weight
    spread = 0.0
    for j in range(2 * n):
        spread += (expected[j] - centre) * (expected[j] - centre)
    spread *= weight
    innovation = value - centre
    variance = spread + noise
    surprise = innovation / math.sqrt(variance)
    report[0], report[1], report[2] = surprise, centre, variance
    if not math.isfinite(surprise):
        return NOT_FINITE
    outcome = APPLIED
    if abs(surprise) > GATE:
        variance *= surprise * surprise / (GATE * GATE)
        outcome = DOWNWEIGHTED
    for i in range(n):
        total = 0.0
        for j in range(2 * n):
            total += (points[i * stride + j] - mean[i]) * (expected[j] - centre)
        gain[i] = total * weight / variance
    for i in range(n):
        mean[i] += gain[i] * innovation
        pull = gain[i] * variance
        for k in range(i + 1):
            covariance[i, k] -= pull * gain[k]
        for k in range(i):
            covariance[k, i] = covariance[i, k]  # mirrored: symmetric to the last bit, of which half is kept
    return outcome
