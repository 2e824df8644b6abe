"""Samples of a twin's posterior: whole bodies, from which scenarios start.

Moments are exact, as those of sigma points: deviates come in pairs of opposite sign and are whitened, so that the sample
mean and covariance of each block are the filter's. Points of the joint 69 states at sqrt(69) = 8 sd would be bodies that no
equation was made for; samples stay where bodies are. Seeds are fixed. The record is copied, never written.

Posteriors of different blocks are independent here, because the filter keeps no covariance between blocks (DECISIONS.md 6).
A block that nobody's reading has started begins at its prior, so that its uncertainty counts where it acts on others.
"""

from typing import NamedTuple

import numpy as np

from twin import record as r_
from twin.blocks import fast, metabolic, slow
from twin.filter.points import cholesky
from twin.inputs import fast_inputs, metabolic_inputs, slow_inputs
from twin.outlook_points import GROUP
from twin.predict import predict_circadian, predict_metabolic, predict_slow
from twin.shapes import Array, Record
from twin.workspace import Rooms, rooms

SAMPLES = 512
MISJUDGED = 3  # deviates of a person who plans: the meal's amount, its fast share, the bolus
BODIES = {
    "fast": slice(r_.FAST_BODY, r_.METABOLIC_BODY),
    "metabolic": slice(r_.METABOLIC_BODY, r_.CIRCADIAN_BODY),
    "circadian": slice(r_.CIRCADIAN_BODY, r_.SLOW_BODY),
    "slow": slice(r_.SLOW_BODY, r_.EXPOSURE_BODY),
}


class Start(NamedTuple):
    """A twin at its head.

    Its record with all blocks at one time, samples of each block (groups, n, GROUP), which blocks readings have started,
    and normal deviates of what people misjudge (MISJUDGED, samples).
    """

    record: Record
    samples: dict[str, Array]
    running: dict[str, bool]
    misjudged: Array


def grouped(values: Array) -> Array:
    """(n, samples) as (groups, n, GROUP)."""
    n = values.shape[0]
    return np.ascontiguousarray(values.reshape(n, -1, GROUP).transpose(1, 0, 2))


def mirrored(rng: np.random.Generator, n: int, count: int) -> Array:
    """Normal deviates (n, count), each with its negative: the mean of what is linear has no sampling error."""
    half = rng.standard_normal((n, count // 2))
    return np.concatenate([half, -half], axis=1)


def exact(rng: np.random.Generator, n: int, count: int) -> Array:
    """The same with a sample covariance of exactly one; count must exceed 2 n."""
    found = mirrored(rng, n, count)
    return np.linalg.solve(np.linalg.cholesky(found @ found.T / count), found)


def root(covariance: Array) -> Array:
    """L, L L^T = P; a variance of zero gives a row of zeros."""
    factor = np.zeros_like(covariance)
    cholesky(covariance, factor)
    return factor


def bring_to_head(record: Record, room: Rooms) -> dict[str, bool]:
    """Move the blocks that lag behind the head, start those that never spoke. Returns which were running."""
    head = record[r_.HEAD_S]
    running = {name: bool(record[places[3]] > r_.NEVER) for name, places in r_.BLOCKS.items()}
    views = {
        name: (record[at : at + block.N], record[cov : cov + block.N**2].reshape(block.N, block.N))
        for name, (block, at, cov, _) in r_.BLOCKS.items()
    }
    k = {name: record[place] for name, place in BODIES.items()}
    predict_circadian(*views["circadian"], record[r_.CIRCADIAN_S], head, record, room.circadian)
    if running["metabolic"]:
        predict_metabolic(*views["metabolic"], record[r_.METABOLIC_S], head, record, room.metabolic)
    else:
        metabolic_inputs(record, head, room.metabolic.inputs)
        metabolic.start(*views["metabolic"], k["metabolic"], room.metabolic.inputs)
    if not running["fast"]:
        fast_inputs(record, head, True, room.fast.inputs)
        fast.start(*views["fast"], k["fast"], room.fast.inputs)
    slow_inputs(record, head, room.slow.inputs)
    if running["slow"]:
        predict_slow(*views["slow"], record[r_.SLOW_S], head, record, room.slow)
    else:
        slow.start(*views["slow"], k["slow"], room.slow.inputs)
    record[[r_.CIRCADIAN_S, r_.METABOLIC_S, r_.FAST_S, r_.SLOW_S]] = head
    record[[r_.SINCE_MIN, r_.DRUNK_L]] = 0.0
    return running


def start(record: Record, rng: np.random.Generator, count: int = SAMPLES) -> Start:
    """Samples of a twin that has had a reading; `count` is a multiple of GROUP above 2 x 69."""
    own = record.copy()
    running = bring_to_head(own, rooms())
    normal = exact(rng, sum(block.N for block, *_ in r_.BLOCKS.values()), count)
    samples, row = {}, 0
    for name, (block, at, cov, _) in r_.BLOCKS.items():
        factor = root(own[cov : cov + block.N**2].reshape(block.N, block.N))
        samples[name] = grouped(own[at : at + block.N, None] + factor @ normal[row : row + block.N])
        row += block.N
    return Start(own, samples, running, mirrored(rng, MISJUDGED, count))
