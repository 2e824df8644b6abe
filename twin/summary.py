"""The posterior in natural units, for people: mean and sd of every state, and of what a perfect sensor would read.

An estimate is a row of pairs (mean, sd): of each block the states, then what is seen of it; nan until a block starts.
"""

import math

import numpy as np

from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.blocks.spec import LOG, LOGIT
from twin.filter.points import draw
from twin.inputs import circadian_inputs, fast_inputs, metabolic_inputs, slow_inputs
from twin.jit import kernel, summing
from twin.shapes import Matrix, Points, Record, Vector
from twin.workspace import Rooms

FAST_AT = 0
FAST_SEEN_AT = FAST_AT + 2 * fast.N
METABOLIC_AT = FAST_SEEN_AT + 2 * fast.SEEN
METABOLIC_SEEN_AT = METABOLIC_AT + 2 * metabolic.N
CIRCADIAN_AT = METABOLIC_SEEN_AT + 2 * metabolic.SEEN
CIRCADIAN_SEEN_AT = CIRCADIAN_AT + 2 * circadian.N
SLOW_AT = CIRCADIAN_SEEN_AT + 2 * circadian.SEEN
SLOW_SEEN_AT = SLOW_AT + 2 * slow.N
ESTIMATE_SIZE = SLOW_SEEN_AT + 2 * slow.SEEN
_PLACES = (
    (fast, FAST_AT, FAST_SEEN_AT), (metabolic, METABOLIC_AT, METABOLIC_SEEN_AT),
    (circadian, CIRCADIAN_AT, CIRCADIAN_SEEN_AT), (slow, SLOW_AT, SLOW_SEEN_AT),
)  # fmt: skip
STATE_COLUMNS = {
    state.name: at + 2 * i
    for block, at, _ in _PLACES
    for i, state in enumerate(block.STATES[: block.DYNAMIC])
}
PARAMETER_COLUMNS = {
    state.name: at + 2 * (block.DYNAMIC + i)
    for block, at, _ in _PLACES
    for i, state in enumerate(block.STATES[block.DYNAMIC :])
}
SEEN_COLUMNS = {name: at + 2 * i for block, _, at in _PLACES for i, name in enumerate(block.Seen._fields)}
RATE_AT, GLUCOSE_AT = SEEN_COLUMNS["heart_rate"], SEEN_COLUMNS["glucose"]
RESTING_AT = PARAMETER_COLUMNS["resting_heart_rate_parameter"]
FAST_FORMS, METABOLIC_FORMS, CIRCADIAN_FORMS, SLOW_FORMS = (
    np.array([state.transform for state in block.STATES]) for block in (fast, metabolic, circadian, slow)
)


@kernel
def natural(value: float, variance: float, transform: int, out: Vector) -> None:
    """Mean and sd in natural units: exact for a log-normal, to first order for a logit."""
    sd = math.sqrt(max(variance, 0.0))
    if transform == LOG:
        grown = min(variance, 50.0)
        out[0] = math.exp(value + 0.5 * grown)
        out[1] = out[0] * math.sqrt(max(math.exp(grown) - 1.0, 0.0))
    elif transform == LOGIT:
        share = 1.0 / (1.0 + math.exp(-value))
        out[0], out[1] = share, share * (1.0 - share) * sd
    else:
        out[0], out[1] = value, sd


@summing
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
def describe(
    mean: Vector, covariance: Matrix, forms: Vector, seen: Points, rows: int, stride: int, out: Vector
) -> None:
    """Pairs of the states, then of the rows that are seen, into `out`."""
    n = mean.shape[0]
    for i in range(n):
        natural(mean[i], covariance[i, i], forms[i], out[2 * i : 2 * i + 2])
    for i in range(rows):
        at = 2 * (n + i)
        spread_of(seen[i * stride : (i + 1) * stride], 2 * n, 0.0, out[at : at + 2])


@kernel
def mean_of(record: Record, at: int, n: int) -> Vector:
    """The mean of a block, as a view."""
    return record[at : at + n]


@kernel
def covariance_of(record: Record, at: int, n: int) -> Matrix:
    """The covariance of a block, as a view."""
    return record[at : at + n * n].reshape((n, n))


@kernel
def summarise(record: Record, now: float, rooms: Rooms, out: Vector) -> None:
    """Fill `out` (ESTIMATE_SIZE,) from the record."""
    out[:] = math.nan
    if record[r_.FAST_S] > r_.NEVER:
        w, mean = rooms.fast, mean_of(record, r_.FAST_MEAN, fast.N)
        covariance = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
        draw(mean, covariance, w.factor, w.points, fast.STRIDE)
        fast_inputs(record, now, False, w.inputs)
        fast.observe(w.points, w.seen, w.inputs, record[r_.FAST_BODY : r_.METABOLIC_BODY])
        describe(mean, covariance, FAST_FORMS, w.seen, fast.SEEN, fast.STRIDE, out[FAST_AT:METABOLIC_AT])
    if record[r_.METABOLIC_S] > r_.NEVER:
        w, mean = rooms.metabolic, mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
        covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
        draw(mean, covariance, w.factor, w.points, metabolic.STRIDE)
        metabolic_inputs(record, now, w.inputs)
        metabolic.observe(w.points, w.seen, w.inputs, record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY])
        span = out[METABOLIC_AT:CIRCADIAN_AT]
        describe(mean, covariance, METABOLIC_FORMS, w.seen, metabolic.SEEN, metabolic.STRIDE, span)
    if record[r_.CIRCADIAN_S] > r_.NEVER:
        w, mean = rooms.circadian, mean_of(record, r_.CIRCADIAN_MEAN, circadian.N)
        covariance = covariance_of(record, r_.CIRCADIAN_COVARIANCE, circadian.N)
        draw(mean, covariance, w.factor, w.points, circadian.STRIDE)
        circadian_inputs(record, now, w.inputs)
        circadian.observe(w.points, w.seen, w.inputs, record[r_.CIRCADIAN_BODY : r_.SLOW_BODY])
        span = out[CIRCADIAN_AT:SLOW_AT]
        describe(mean, covariance, CIRCADIAN_FORMS, w.seen, circadian.SEEN, circadian.STRIDE, span)
    if record[r_.SLOW_S] > r_.NEVER:
        w, mean = rooms.slow, mean_of(record, r_.SLOW_MEAN, slow.N)
        covariance = covariance_of(record, r_.SLOW_COVARIANCE, slow.N)
        draw(mean, covariance, w.factor, w.points, slow.STRIDE)
        slow_inputs(record, now, w.inputs)
        slow.observe(w.points, w.seen, w.inputs, record[r_.SLOW_BODY : r_.EXPOSURE_BODY])
        describe(mean, covariance, SLOW_FORMS, w.seen, slow.SEEN, slow.STRIDE, out[SLOW_AT:ESTIMATE_SIZE])
