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


@summing
def correct_together(
    factor: Matrix, expected: Matrix, values: Vector, noises: Vector, mean: Vector, covariance: Matrix, gains: Matrix,
    shared: Matrix, surprises: Vector,
) -> int:  # fmt: skip
    """Update by several observations of one draw: each in turn, as exact for them as one update by all where they are linear.

    The points stand at +/- sqrt(n) L, so that half the differences of what is expected at either end say all of the
    covariance with the states: C = L H / sqrt(n), H (n, m). What an observation tells of the states it tells of the
    observations after it; nothing is drawn again.

    Args:
        factor: L (n, n), as `draw` left it.
        expected: what the points would be read as, an observation a row (m, at least 2n); left as deviations.
        values, noises: the observations and their error variances, > 0 (m,).
        mean, covariance: updated in place.
        gains: work space (m, n).
        shared: work space (m, m).
        surprises: filled with normalised innovations, each given the observations before it (m,).

    Returns:
        How many were downweighted; those that are not finite are passed over and have such a surprise.

    """
    n, m = mean.shape[0], values.shape[0]
    weight, half = 0.5 / n, 0.5 / math.sqrt(float(n))
    downweighted = 0
    for a in range(m):
        row = expected[a, : 2 * n]
        centre = 0.0
        for j in range(2 * n):
            centre += row[j]
        centre *= weight
        surprises[a] = values[a] - centre
        for j in range(2 * n):
            row[j] -= centre
        for b in range(a + 1):
            other = expected[b, : 2 * n]
            total = 0.0
            for j in range(2 * n):
                total += row[j] * other[j]
            shared[a, b] = total * weight
            shared[b, a] = shared[a, b]
        for i in range(n):
            gains[a, i] = 0.0
        for j in range(n):
            lean = half * (row[j] - row[n + j])
            for i in range(j, n):
                gains[a, i] += factor[i, j] * lean
    for a in range(m):
        variance = shared[a, a] + noises[a]
        innovation = surprises[a]
        surprise = innovation / math.sqrt(variance)
        surprises[a] = surprise
        if not math.isfinite(surprise):
            continue
        if abs(surprise) > GATE:
            variance *= surprise * surprise / (GATE * GATE)
            downweighted += 1
        inverse = 1.0 / variance
        for b in range(a + 1, m):
            share = shared[b, a] * inverse
            surprises[b] -= share * innovation
            for i in range(n):
                gains[b, i] -= share * gains[a, i]
            for c in range(a + 1, m):
                shared[b, c] -= share * shared[c, a]
        scale = math.sqrt(inverse)
        for i in range(n):
            gains[a, i] *= scale
        for i in range(n):
            mean[i] += gains[a, i] * (innovation * scale)
            for k in range(n):
                covariance[i, k] -= gains[a, i] * gains[a, k]  # symmetric to the last bit
    return downweighted
