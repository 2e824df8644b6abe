"""Carry a block's mean and covariance forward in time."""

import numpy as np

from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import record as r_
from twin.filter.points import draw, gather
from twin.inputs import fast_inputs, metabolic_inputs
from twin.jit import kernel
from twin.shapes import Array, Matrix, Record, Vector

CHUNK_S = 300.0  # redraw the points and add process noise at least this often
LONG_GAP_S = 43200.0  # beyond it the dynamic states have forgotten: only the parameters drift


@kernel
def workspace(n: int, stride: int) -> tuple[Matrix, Array]:
    """A factor (n, n) and six rows of work space (6, n * stride)."""
    return np.zeros((n, n)), np.zeros((6, n * stride))


@kernel
def predict_fast(
    mean: Vector,
    covariance: Matrix,
    from_s: float,
    to_s: float,
    record: Record,
    ahead: bool,
    factor: Matrix,
    w: Array,
) -> int:
    """Block F from `from_s` to `to_s`, in place. Returns the number of covariance repairs."""
    u = np.zeros(fast.INPUTS)
    k = record[r_.CONSTANTS : r_.FAST_MEAN]
    repaired = 0
    if to_s - from_s > LONG_GAP_S:
        fast.add_parameter_noise(covariance, (to_s - from_s - LONG_GAP_S) / 86400.0)
        from_s = to_s - LONG_GAP_S
    while from_s < to_s:
        until = min(from_s + CHUNK_S, to_s)
        minutes = (until - from_s) / 60.0
        fast_inputs(record, until, ahead, u)
        repaired += draw(mean, covariance, factor, w[0], fast.STRIDE)
        fast.advance(w[0], minutes, u, k, w[1], w[2], w[3], w[4], w[5])
        gather(w[0], mean, covariance, fast.STRIDE)
        fast.add_process_noise(covariance, minutes, u)
        from_s = until
    return repaired


@kernel
def predict_metabolic(
    mean: Vector, covariance: Matrix, from_s: float, to_s: float, record: Record, factor: Matrix, w: Array
) -> int:
    """Block G from `from_s` to `to_s`, in place. Returns the number of covariance repairs."""
    u = np.zeros(metabolic.INPUTS)
    k = record[r_.CONSTANTS : r_.FAST_MEAN]
    repaired = 0
    if to_s - from_s > LONG_GAP_S:
        metabolic.add_parameter_noise(covariance, (to_s - from_s - LONG_GAP_S) / 86400.0)
        from_s = to_s - LONG_GAP_S
    while from_s < to_s:
        until = min(from_s + CHUNK_S, to_s)
        minutes = (until - from_s) / 60.0
        metabolic_inputs(record, until, u)
        repaired += draw(mean, covariance, factor, w[0], metabolic.STRIDE)
        metabolic.advance(w[0], minutes, u, k, w[1], w[2], w[3], metabolic.STEP_MINUTES)
        gather(w[0], mean, covariance, metabolic.STRIDE)
        metabolic.add_process_noise(mean, covariance, minutes)
        from_s = until
    return repaired
