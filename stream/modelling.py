"""`twin model run`: the equations in open loop under a table of inputs, minute by minute, nothing measured.

Each input holds from its row until its next one, however long; intakes act in their minute. Rows of sensors are counted and
left aside. The table is binned as the worker bins it: a repeated time replaces, a gap is run through.
"""

import csv
import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from connectors.errors import TableError
from connectors.table import read_table
from stream.journal import TWIN_CHANNEL, bin_ticks, entries_of, merge
from stream.replay import ReplayError, read_profiles
from stream.truth import truth_header, truth_row
from twin import channels as c_
from twin.open_loop import OpenLoop
from twin.profile import profile_of

MINUTE_MS = 60_000
LONGEST_MINUTES = 400 * 1440  # a table with one date mistyped would run for ever
Told = dict[int, dict[int, float]]  # by minute since 1970: channels with values


@dataclass(slots=True)
class Inputs:
    """What a person's rows tell."""

    held: Told = field(default_factory=dict)
    events: Told = field(default_factory=dict)
    infection: dict[int, float] = field(default_factory=dict)
    first: int = 0
    last: int = 0


def inputs_of(readings: Decoded, rows: Any) -> Inputs:
    """Rows of one person by minute: inputs, intakes, infection."""
    journal, _ = merge(entries_of(readings, np.zeros(0, dtype=np.int64)), entries_of(readings, rows))
    journal = journal[~journal["retract"]]
    minutes = journal["time_ms"] // MINUTE_MS
    told = Inputs(first=int(minutes.min()), last=int(minutes.max()))
    of_infection = journal["channel"] == CODE_OF["infection"]
    for minute, value in zip(
        minutes[of_infection].tolist(), journal["value"][of_infection].tolist(), strict=True
    ):
        told.infection[minute] = value
    tick_s, start, channel, value, *_ = bin_ticks(journal, MINUTE_MS)
    for tick, seconds in enumerate(tick_s.tolist()):
        for j in range(start[tick], start[tick + 1]):
            kind, minute = int(channel[j]), int(seconds * 1000) // MINUTE_MS
            kind, number = (
                (c_.ASLEEP, float(value[j] > 0.5)) if kind == c_.SLEEP_STAGE else (kind, float(value[j]))
            )
            if kind >= c_.FIRST_HELD:
                told.held.setdefault(minute, {})[kind] = number
            elif kind >= c_.FIRST_EVENT:
                told.events.setdefault(minute, {})[kind] = number
    return told


def as_cadence(held: Told, first: int) -> None:
    """Steps count the time since the row before (one minute at the first): what is held of them is steps a minute."""
    before = first - 1
    for minute in sorted(held):
        if c_.STEPS in held[minute]:
            held[minute][c_.STEPS] /= min(max(minute - before, 1), 15)
            before = minute


def trajectory(profile: dict[str, Any], told: Inputs) -> Iterator[tuple[int, OpenLoop]]:
    """Time [ms] and body, each minute from the first row, settled at its inputs, to the last."""
    as_cadence(told.held, told.first)
    holding = dict(told.held.get(told.first, {}))
    body = OpenLoop(profile_of(profile), told.first * 60.0, first=holding)
    body.infection = told.infection.get(told.first, 0.0)
    yield told.first * MINUTE_MS, body
    for minute in range(told.first, told.last):
        holding |= told.held.get(minute, {})
        body.infection = told.infection.get(minute, body.infection)
        body.minute(holding | told.events.get(minute, {}))
        yield (minute + 1) * MINUTE_MS, body


def run(
    table: Path, out: Path, profile: Path | None, every_s: int, advance: Callable[[float, float], None]
) -> dict[str, Any]:
    """Run everybody in the table into `out`; returns the summary. What fails leaves nothing behind.

    Raises:
        ReplayError: a broken table (line and column) or profile (field and range), or `out` is there already.

    """
    if out.exists():
        raise ReplayError(f"{out} is there already: choose another file")
    profiles = read_profiles(profile)
    try:
        readings = read_table(table, None)
    except TableError as error:
        raise ReplayError(f"{table}: {error}") from error
    people = [
        (name, inputs_of(readings, np.flatnonzero(readings.person == i)))
        for i, name in enumerate(readings.persons)
    ]
    for name, told in people:
        if told.last - told.first > LONGEST_MINUTES:
            raise ReplayError(f"{table}: the rows of {name} span more than {LONGEST_MINUTES // 1440} days")
    scratch = out.with_name(f".{out.name}.{os.getpid()}")
    total, done, rows = sum(told.last - told.first + 1 for _, told in people), 0, 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        opened = gzip.open if out.suffix == ".gz" else open
        with opened(scratch, "wt", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(truth_header())
            for name, told in people:
                own = profiles.get(name, profiles.get("", {}))
                for at_ms, body in trajectory(own, told):
                    if (at_ms // 1000 - told.first * 60) % every_s == 0:
                        writer.writerow(truth_row(name, at_ms, body))
                        rows += 1
                    done += 1
                    if done % 1440 == 0:
                        advance(done, total)
        scratch.replace(out)
    finally:
        scratch.unlink(missing_ok=True)
    return _summary(readings, len(people), rows)


def _summary(readings: Decoded, people: int, rows: int) -> dict[str, Any]:
    kinds = TWIN_CHANNEL[readings.channel]
    driving = (kinds >= c_.FIRST_EVENT) | (readings.channel == CODE_OF["infection"])
    refused: dict[str, int] = {}
    for item in readings.refused:
        refused[item.reason.value] = refused.get(item.reason.value, 0) + 1
    return {
        "people": people, "inputs": int(driving.sum()), "not_inputs": int((~driving).sum()), "refused": refused,
        "rows": rows,
    }  # fmt: skip
