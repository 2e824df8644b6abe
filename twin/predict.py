"""Carry a block's mean and covariance forward in time, in pieces that redraw the points and add process noise.

Where a smoother asks for it (`w.link`), the way from one posterior to the next prior is noted.
"""

from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.exchange import add_homeostat_noise, add_intensity_noise, add_sleep_noise
from twin.filter.points import draw, gather
from twin.filter.smooth import OFF, follow, stand
from twin.inputs import circadian_inputs, eat, fast_inputs, metabolic_inputs, slow_inputs
from twin.jit import kernel
from twin.shapes import Matrix, Record, Vector
from twin.workspace import Work

CHUNK_S = 300.0  # redraw the points and add process noise at least this often; blocks C and S hourly
HOUR_S = 3600.0
LONG_GAP_S = 43200.0  # beyond it fast and metabolic states have forgotten: only the parameters drift
LONGEST_GAP_S = 90.0 * 86400.0  # beyond it the clock starts again from the schedule


@kernel
def predict_fast(
    mean: Vector, covariance: Matrix, from_s: float, to_s: float, record: Record, ahead: bool, w: Work
) -> int:
    """Block F from `from_s` to `to_s`, in place. Returns the number of covariance repairs."""
    k = record[r_.FAST_BODY : r_.METABOLIC_BODY]
    repaired = 0
    begin_s = max(from_s, to_s - LONG_GAP_S)
    if begin_s > from_s:
        w.link.product[:, :] = covariance
        fast.add_parameter_noise(covariance, (begin_s - from_s) / 86400.0)
        stand(w.link.product, mean, covariance, w.factor, w.link)
    while begin_s < to_s:
        until = min(begin_s + CHUNK_S, to_s)
        minutes = (until - begin_s) / 60.0
        fast_inputs(record, until, ahead, w.inputs)
        repaired += draw(mean, covariance, w.factor, w.points, fast.STRIDE)
        fast.advance(w.points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
        gather(w.points, mean, covariance, fast.STRIDE)
        fast.add_process_noise(mean, covariance, minutes, w.inputs)
        add_sleep_noise(mean, covariance, minutes, w.inputs[2])
        follow(w.factor, w.points, fast.STRIDE, mean, covariance, w.link)
        begin_s = until
    return repaired


@kernel
def predict_metabolic(
    mean: Vector, covariance: Matrix, from_s: float, to_s: float, record: Record, w: Work
) -> int:
    """Block G from `from_s` to `to_s`, in place. Returns the number of covariance repairs."""
    k = record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
    repaired = 0
    begin_s = max(from_s, to_s - LONG_GAP_S)
    if begin_s > from_s:
        w.link.product[:, :] = covariance
        metabolic.add_parameter_noise(covariance, (begin_s - from_s) / 86400.0, k)
        stand(w.link.product, mean, covariance, w.factor, w.link)
    while begin_s < to_s:
        until = min(begin_s + CHUNK_S, to_s)
        minutes = (until - begin_s) / 60.0
        metabolic_inputs(record, until, w.inputs)
        # Noise that an integral feels acts all along the way: by Simpson's rule, or half before and half after if it is short.
        pieces = 2 if minutes > metabolic.STEP_MINUTES else 1
        edge = minutes / 6.0 if pieces == 2 else 0.5 * minutes
        before = covariance.copy() if w.link.status[0] != OFF else covariance
        metabolic.add_process_noise(mean, covariance, edge, w.inputs, k)
        stand(before, mean, covariance, w.factor, w.link)
        for piece in range(pieces):
            at = begin_s + (until - begin_s) * piece / pieces
            eat(record, at, begin_s + (until - begin_s) * (piece + 1) / pieces, w.inputs)
            repaired += draw(mean, covariance, w.factor, w.points, metabolic.STRIDE)
            metabolic.advance(
                w.points, minutes / pieces, w.inputs, k, w.slopes, w.trial, w.total, metabolic.STEP_MINUTES
            )
            gather(w.points, mean, covariance, metabolic.STRIDE)
            last = piece == pieces - 1
            metabolic.add_process_noise(mean, covariance, edge if last else 4.0 * edge, w.inputs, k)
            if last:
                add_intensity_noise(covariance, minutes, record)
            follow(w.factor, w.points, metabolic.STRIDE, mean, covariance, w.link)
        begin_s = until
    return repaired


@kernel
def predict_circadian(
    mean: Vector, covariance: Matrix, from_s: float, to_s: float, record: Record, w: Work
) -> int:
    """Block C from `from_s` to `to_s`, in place: a rhythm goes on through a gap. Returns the number of repairs."""
    k = record[r_.CIRCADIAN_BODY : r_.SLOW_BODY]
    repaired = 0
    while from_s < to_s:
        until = min(from_s + HOUR_S, to_s)
        minutes = (until - from_s) / 60.0
        circadian_inputs(record, until, w.inputs)
        repaired += draw(mean, covariance, w.factor, w.points, circadian.STRIDE)
        circadian.advance(w.points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
        gather(w.points, mean, covariance, circadian.STRIDE)
        circadian.add_process_noise(mean, covariance, minutes, w.inputs)
        add_homeostat_noise(mean, covariance, minutes, w.inputs[1])
        circadian.add_parameter_noise(covariance, minutes / 1440.0)
        follow(w.factor, w.points, circadian.STRIDE, mean, covariance, w.link)
        from_s = until
    return repaired


@kernel
def predict_slow(
    mean: Vector, covariance: Matrix, from_s: float, to_s: float, record: Record, w: Work
) -> int:
    """Block S from `from_s` to `to_s`, in place. Returns the number of covariance repairs."""
    k = record[r_.SLOW_BODY : r_.EXPOSURE_BODY]
    repaired = 0
    slow_inputs(record, to_s, w.inputs)
    while from_s < to_s:
        until = min(from_s + 24.0 * HOUR_S, to_s)
        minutes = (until - from_s) / 60.0
        repaired += draw(mean, covariance, w.factor, w.points, slow.STRIDE)
        slow.advance(w.points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
        gather(w.points, mean, covariance, slow.STRIDE)
        slow.add_process_noise(mean, covariance, minutes, w.inputs)
        slow.add_parameter_noise(covariance, minutes / 1440.0)
        follow(w.factor, w.points, slow.STRIDE, mean, covariance, w.link)
        from_s = until
    return repaired
