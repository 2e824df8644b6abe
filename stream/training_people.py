"""Tables of readings as rows to learn from: by the kernels that run online, so that training sees what the twin will see.

Of a sensor that reads every five minutes the network also sees every third reading, as a slower sensor would have it; and of
everybody a copy with readings lost, so that gaps are nothing new.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.errors import TableError
from connectors.table import read_table, stem_of
from stream.journal import ENTRY, bin_ticks, entries_of, merge
from stream.training_network import CLIPPED_TARGET, Examples
from twin.channels import GLUCOSE
from twin.learned.glucose_slot import HORIZONS, SIZE
from twin.learned.inputs import INPUTS
from twin.learned.observe import AHEAD_MIN, examples, learned_room
from twin.scoring.episodes import LOW, onsets

Floats = NDArray[np.float64]
TICK_MS = 60_000
SLOW_STEP_S = 900.0
SLOW_SHARE, LOST_SHARE, LOST = 0.3, 0.5, 0.3  # weights of the copies; share of the readings that is lost
HEAVIEST = 8.0  # no person's reading counts more than so many of another's
FEWEST = 50
# An episode begins within so many minutes; the others teach the two that are issued. The last label: a reading is low.
BEGINS_S = (300.0, 600.0, 900.0, 1500.0, 2700.0)
ISSUED = slice(2, 4)
LOW_WITHIN_S = 1800.0
JITTER_S = 30.0
LABELS = len(BEGINS_S) + 1
ASKED = (70.0, 130.0)  # mg/dL: where the beginning of an episode is asked
FAR = (
    160.0  # mg/dL: from here on a low reading within half an hour is not asked; one in three thousand has one
)


class TrainError(ValueError):
    """Tables from which nothing can be learned; nothing was written."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person's readings [s], [mg/dL], and the usual time between them [s]."""

    study: str
    name: str
    times: Floats
    values: Floats
    step_s: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Of one series: inputs, targets (n, horizons) [mg/dL], bases (n, horizons, 2), labels (n, LABELS), weight of a row.

    quarter: rows in a quarter of an hour.
    """

    x: NDArray[np.float32]
    target: Floats
    base: Floats
    label: Floats
    weight: float
    quarter: int = 1


def people_of(paths: Sequence[Path]) -> list[Person]:
    """Everybody with glucose in the tables, in the order of the tables and of their names.

    Raises:
        TrainError: a broken table, or one without enough glucose.

    """
    found: list[Person] = []
    for path in paths:
        try:
            table = read_table(path, None)
        except TableError as error:
            raise TrainError(f"{path}: {error}") from error
        study = stem_of(path)
        before = len(found)
        for name in sorted(table.persons):
            rows = np.flatnonzero(table.person == table.persons.index(name))
            entries, _ = merge(np.empty(0, dtype=ENTRY), entries_of(table, rows))
            tick_s, start, channel, value, *_ = bin_ticks(entries, TICK_MS)
            tick = np.repeat(np.arange(len(tick_s)), np.diff(start))
            told = channel == GLUCOSE
            times, values = tick_s[tick[told]], value[told]
            if len(times) >= FEWEST:
                found.append(Person(study, name, times, values, float(np.median(np.diff(times)))))
        if len(found) == before:
            raise TrainError(f"{path}: nobody in it has {FEWEST} readings of glucose")
    return found


def seen_by_twin(times: Floats, values: Floats) -> tuple[NDArray[np.float32], Floats]:
    """Inputs (n, INPUTS) and bases (n, HORIZONS, 2) at every reading."""
    x, base = np.zeros((len(times), INPUTS)), np.zeros((len(times), HORIZONS, 2))
    examples(np.zeros(SIZE), times, values, 0.0, learned_room(), x, base)
    return x.astype(np.float32), base


def targets(times: Floats, values: Floats, step_s: float) -> Floats:
    """The reading nearest to each horizon, at most half a step away; nan where there is none (n, HORIZONS)."""
    found = np.full((len(times), HORIZONS), np.nan)
    for h, minutes in enumerate(AHEAD_MIN):
        wanted = times + 60.0 * minutes
        later = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
        earlier = np.maximum(later - 1, 0)
        near = np.where(np.abs(times[earlier] - wanted) <= np.abs(times[later] - wanted), earlier, later)
        good = (np.abs(times[near] - wanted) <= 0.5 * step_s) & (times[near] > times)
        found[good, h] = values[near[good]]
    return found


def labels(times: Floats, values: Floats, step_s: float) -> Floats:
    """Whether an episode begins within each of BEGINS_S, whether a reading is below 70 mg/dL within 30 min (n, LABELS).

    nan where it is not asked.
    """
    found = np.full((len(times), LABELS), np.nan)
    began = onsets(times, values, step_s)
    following = np.append(began, np.inf)[np.searchsorted(began, times, side="right")] - times
    going_on = np.append(times[1:], np.inf) - times <= max(900.0, 1.5 * step_s)
    asked = (values >= ASKED[0]) & (values < ASKED[1]) & going_on
    for k, within in enumerate(BEGINS_S):
        found[asked, k] = following[asked] <= max(within, step_s) + JITTER_S
    low = times[values < LOW]
    next_low = np.append(low, np.inf)[np.searchsorted(low, times, side="right")] - times
    near = going_on & (values < FAR)
    found[near, LABELS - 1] = next_low[near] <= LOW_WITHIN_S
    return found


def slowed(person: Person) -> Person:
    """The same person as a sensor that reads each quarter of an hour would have seen them."""
    kept = slice(0, None, max(1, round(SLOW_STEP_S / person.step_s)))
    return replace(person, times=person.times[kept], values=person.values[kept], step_s=SLOW_STEP_S)


def rows_of(person: Person, seed: int) -> list[Rows]:
    """The person's own rows, and those of the copies."""
    times, values, step = person.times, person.values, person.step_s
    x, base = seen_by_twin(times, values)
    told, asked = targets(times, values, step), labels(times, values, step)
    fast = step < 0.6 * SLOW_STEP_S
    quarter = max(1, round(SLOW_STEP_S / step))
    found = [Rows(x, told, base, asked, 1.0, quarter)]
    kept = np.random.default_rng(seed).random(len(times)) >= LOST
    if fast:
        slow = slowed(person)
        x, base = seen_by_twin(slow.times, slow.values)
        slow_told = targets(slow.times, slow.values, SLOW_STEP_S)
        slow_asked = labels(slow.times, slow.values, SLOW_STEP_S)
        found.append(Rows(x, slow_told, base, slow_asked, SLOW_SHARE))
    x, base = seen_by_twin(times[kept], values[kept])
    told, asked = told[kept], asked[kept]
    found.append(Rows(x[::2], told[::2], base[::2], asked[::2], LOST_SHARE))
    return found


def stack(rows: Sequence[list[Rows]]) -> Examples:
    """Rows of people as examples: a person weighs as the root of their readings."""
    lengths = np.array([len(person[0].x) for person in rows], dtype=np.float64)
    each = 1.0 / np.sqrt(lengths)
    each = np.minimum(each, HEAVIEST * each.min())
    parts = [(part, w * part.weight) for person, w in zip(rows, each, strict=True) for part in person]
    base = np.concatenate([part.base for part, _ in parts])
    weight = np.concatenate([np.full(len(part.x), w) for part, w in parts])
    weight /= weight.mean()
    target = (np.concatenate([part.target for part, _ in parts]) - base[:, :, 0]) / base[:, :, 1]
    usual = np.sqrt((weight[:, None] * base[:, :, 1] ** 2).mean(axis=0))
    return Examples(
        np.concatenate([part.x for part, _ in parts]), weight.astype(np.float32),
        np.clip(target, -CLIPPED_TARGET, CLIPPED_TARGET).astype(np.float32),
        (base[:, :, 1] / usual).astype(np.float32),
        np.concatenate([part.label for part, _ in parts]).astype(np.float32),
    )  # fmt: skip


def asked(examples: Examples, columns: slice) -> Examples:
    """The rows of which these labels are asked, with these labels alone."""
    label = examples.label[:, columns]
    rows = np.flatnonzero(np.isfinite(label[:, 0]))
    weight = examples.weight[rows]
    return Examples(
        examples.x[rows], weight / weight.mean(), examples.target[rows], examples.spread[rows], label[rows]
    )


def prepare(people: Sequence[Person], advance: Callable[[], None] = lambda: None) -> list[list[Rows]]:
    """Rows of everybody; the seed of a person's lost readings is their place in the list."""
    found = []
    for seed, person in enumerate(people):
        found.append(rows_of(person, seed))
        advance()
    return found
