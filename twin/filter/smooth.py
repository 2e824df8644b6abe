"""The fixed-interval smoother of Rauch, Tung and Striebel in sigma-point form: what all readings tell of an earlier time.

For x' = f(x) + q with points X drawn from N(m, P), moved to X' with moments m-, P- (noise included):
    C = cov(X, X'),  G = C (P-)^-1,  ms = m + G (ms' - m-),  Ps = P + G (Ps' - P-) G^T.
Between two readings the gain of a chain of steps is the product of theirs, so that nothing is kept of the steps between.
Reference: Sarkka S (2008). Unscented Rauch-Tung-Striebel smoother. IEEE Trans Autom Control 53, 845-849, equations 22-26.
"""

import math
from typing import NamedTuple

import numpy as np

from twin.filter.points import cholesky
from twin.jit import kernel, summing
from twin.shapes import Matrix, Points, Vector

OFF, READY, MOVED = 0.0, 1.0, 2.0


class Link(NamedTuple):
    """How a block came from one posterior to the next prior; room for the smoother.

    `status` is OFF while nobody smooths; READY before a move, MOVED after one. `gain` is G; `mean` and `covariance` are
    m- and P-; `step` and `product` are work space.
    """

    status: Vector
    gain: Matrix
    mean: Vector
    covariance: Matrix
    step: Matrix
    product: Matrix


@kernel
def link_room(n: int) -> Link:
    """Room for n states, switched off."""
    square = (n, n)
    return Link(
        np.zeros(1), np.zeros(square), np.zeros(n), np.zeros(square), np.zeros(square), np.zeros(square)
    )


@summing
def divide(cross: Matrix, covariance: Matrix, factor: Matrix) -> None:
    """cross <- cross covariance^-1, row by row; `factor` is work space."""
    n = covariance.shape[0]
    cholesky(covariance, factor)
    for r in range(cross.shape[0]):
        row = cross[r]
        for i in range(n):
            total = row[i]
            for k in range(i):
                total -= factor[i, k] * row[k]
            row[i] = total / factor[i, i]
        for i in range(n - 1, -1, -1):
            row[i] /= factor[i, i]
            for k in range(i):
                row[k] -= factor[i, k] * row[i]


@summing
def times(left: Matrix, right: Matrix, out: Matrix) -> None:
    """out <- left right."""
    out[:, :] = 0.0
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            for k in range(right.shape[1]):
                out[i, k] += left[i, j] * right[j, k]


@kernel
def follow(factor: Matrix, points: Points, stride: int, mean: Vector, covariance: Matrix, link: Link) -> None:
    """After a step: take its gain into the link's.

    Args:
        factor: of the covariance before the step, as `draw` left it; is overwritten.
        points: deviations of the moved points, as `gather` left them (n * stride,).
        stride: positions a state.
        mean, covariance: after the step, process noise included.
        link: extended.

    """
    if link.status[0] == OFF:
        return
    n = mean.shape[0]
    half = 0.5 / math.sqrt(float(n))
    cross = link.step
    cross[:, :] = 0.0
    for k in range(n):
        for j in range(n):
            lean = half * (points[k * stride + j] - points[k * stride + n + j])
            for i in range(j, n):
                cross[i, k] += factor[i, j] * lean
    divide(cross, covariance, factor)
    _extend(mean, covariance, link)


@kernel
def stand(before: Matrix, mean: Vector, covariance: Matrix, factor: Matrix, link: Link) -> None:
    """After noise alone came to what stood still: C is the covariance before. `factor` is work space."""
    if link.status[0] == OFF:
        return
    link.step[:, :] = before
    divide(link.step, covariance, factor)
    _extend(mean, covariance, link)


@kernel
def _extend(mean: Vector, covariance: Matrix, link: Link) -> None:
    if link.status[0] == MOVED:
        times(link.gain, link.step, link.product)
        link.gain[:, :] = link.product
    else:
        link.gain[:, :] = link.step
    link.status[0] = MOVED
    link.mean[:] = mean
    link.covariance[:, :] = covariance


@kernel
def unlearn(state: int, value: float, variance: float, factor: Matrix, link: Link) -> None:
    """One state began anew after the step: it tells nothing of its past. `factor` is work space."""
    times(link.gain, link.covariance, link.product)
    link.product[:, state] = 0.0
    link.mean[state] = value
    link.covariance[state, :] = 0.0
    link.covariance[:, state] = 0.0
    link.covariance[state, state] = variance
    link.gain[:, :] = link.product
    divide(link.gain, link.covariance, factor)


@kernel
def step_back(
    mean: Vector, covariance: Matrix, smooth_mean: Vector, smooth_covariance: Matrix, link: Link
) -> None:
    """From the smoothed later posterior to that of the time before, in place.

    Args:
        mean, covariance: filtered, at the earlier time.
        smooth_mean, smooth_covariance: smoothed at the later time; become those of the earlier.
        link: from the earlier posterior to the later prior.

    """
    n = mean.shape[0]
    link.mean[:] = smooth_mean - link.mean
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += link.gain[i, k] * link.mean[k]
        smooth_mean[i] = mean[i] + total
    for i in range(n):
        for k in range(n):
            link.covariance[i, k] = smooth_covariance[i, k] - link.covariance[i, k]
            link.step[k, i] = link.gain[i, k]
    times(link.gain, link.covariance, link.product)
    times(link.product, link.step, link.covariance)
    for i in range(n):
        for k in range(i + 1):
            value = covariance[i, k] + 0.5 * (link.covariance[i, k] + link.covariance[k, i])
            smooth_covariance[i, k], smooth_covariance[k, i] = value, value
        # A variance is above that of a perfect reading, whatever the linearisation says.
        smooth_covariance[i, i] = max(smooth_covariance[i, i], 1e-6 * covariance[i, i])
