"""Sigma points of the third-degree cubature rule and their moments.

2 n points at the mean +/- sqrt(n) times the columns of the Cholesky factor, all of weight 1 / 2n: positive weights, so
that a covariance computed from them is never indefinite. It is the unscented transform with alpha = 1, beta = 0,
kappa = 0. Reference: Arasaratnam I, Haykin S (2009). Cubature Kalman filters. IEEE Trans Autom Control 54, 1254-1269.

Layout: `points` is flat, state i of point j at i * stride + j; positions from 2 n to the stride repeat the mean, so
that SIMD loops run over whole vectors.
"""

import math

from twin.jit import kernel, summing
from twin.shapes import Matrix, Points, Vector

JITTER = 1e-9  # of the diagonal, before factoring


@summing
def cholesky(covariance: Matrix, factor: Matrix) -> int:
    """Fill `factor` (n, n) with L, L L^T = P + 1e-9 diag(P). Returns how many pivots had to be repaired.

    A sound covariance with the jitter has pivots of at least 1e-9 of its diagonal; one below a tenth of that is none.
    """
    n = covariance.shape[0]
    repaired = 0
    for j in range(n):
        for i in range(j):
            factor[i, j] = 0.0
        pivot = covariance[j, j] * (1.0 + JITTER)
        least = 1e-10 * abs(pivot) + 1e-300
        for k in range(j):
            pivot -= factor[j, k] * factor[j, k]
        sound = pivot > least
        if not sound:
            pivot = least
            repaired += 1
        root = math.sqrt(pivot)
        factor[j, j] = root
        inverse = (
            1.0 / root if sound else 0.0
        )  # of a bad pivot nothing is inherited: dividing by it would explode
        for i in range(j + 1, n):
            total = covariance[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = total * inverse
    return repaired


@kernel
def draw(mean: Vector, covariance: Matrix, factor: Matrix, points: Points, stride: int) -> int:
    """Fill `points` (n * stride,) for N(mean, covariance). Returns the number of repaired pivots."""
    n = mean.shape[0]
    repaired = cholesky(covariance, factor)
    scale = math.sqrt(float(n))
    for i in range(n):
        row = i * stride
        centre = mean[i]
        for j in range(n):
            step = scale * factor[i, j]
            points[row + j] = centre + step
            points[row + n + j] = centre - step
        for j in range(2 * n, stride):
            points[row + j] = centre
    return repaired


@summing
def gather(points: Points, mean: Vector, covariance: Matrix, stride: int) -> None:
    """Moments of the points into `mean` and `covariance`; leaves the deviations from the mean in `points`."""
    n = mean.shape[0]
    weight = 0.5 / n
    for i in range(n):
        row = points[
            i * stride : i * stride + 2 * n
        ]  # a view: its index is never below zero, so the loop is SIMD
        total = 0.0
        for j in range(2 * n):
            total += row[j]
        mean[i] = total * weight
        for j in range(2 * n):
            row[j] -= mean[i]
        for k in range(i + 1):
            other = points[k * stride : k * stride + 2 * n]
            total = 0.0
            for j in range(2 * n):
                total += row[j] * other[j]
            covariance[i, k] = total * weight
            covariance[k, i] = covariance[i, k]
