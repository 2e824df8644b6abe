"""Room to compute in, allocated once a call: nothing is allocated for a tick."""

from typing import NamedTuple

import numpy as np

from twin.blocks import circadian, fast, metabolic, slow
from twin.filter.smooth import Link, link_room
from twin.jit import kernel
from twin.shapes import Inputs, Matrix, Points, Vector


class Work(NamedTuple):
    """Room of one block.

    A Cholesky factor, the sigma points, three vectors of their size for Runge-Kutta, points set aside, what is seen of
    the points, one row of that, the inputs, a gain, a report of the last correction; mean and covariance of a forecast on
    its way, and one forecast; the link of the smoother.
    """

    factor: Matrix
    points: Points
    slopes: Points
    trial: Points
    total: Points
    aside: Points
    seen: Points
    expected: Vector
    inputs: Inputs
    gain: Vector
    report: Vector
    ahead_mean: Vector
    ahead_covariance: Matrix
    ahead: Vector
    link: Link


@kernel
def room(n: int, stride: int, seen: int, inputs: int) -> Work:
    """Room for a block of n states."""
    size = n * stride
    return Work(
        np.zeros((n, n)), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size),
        np.zeros(seen * stride), np.zeros(stride), np.zeros(inputs), np.zeros(n), np.zeros(3),
        np.zeros(n), np.zeros((n, n)), np.zeros(2), link_room(n),
    )  # fmt: skip


class Rooms(NamedTuple):
    """Room of all blocks."""

    fast: Work
    metabolic: Work
    circadian: Work
    slow: Work


@kernel
def rooms() -> Rooms:
    """Room for one person at a time."""
    return Rooms(
        room(fast.N, fast.STRIDE, fast.SEEN, fast.INPUTS),
        room(metabolic.N, metabolic.STRIDE, metabolic.SEEN, metabolic.INPUTS),
        room(circadian.N, circadian.STRIDE, circadian.SEEN, circadian.INPUTS),
        room(slow.N, slow.STRIDE, slow.SEEN, slow.INPUTS),
    )
