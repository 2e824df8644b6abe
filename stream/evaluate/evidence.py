"""What a report is made from: the files of a replay and the readings that it ran over."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CHANNEL_CODES, CHANNELS
from connectors.columns import Decoded
from connectors.errors import TableError
from connectors.table import read_table

Floats = NDArray[np.float64]
TICK_S = 60.0
CURVE_POINTS = 60


class EvaluateError(ValueError):
    """Input from which no report can be made; nothing was written."""


@dataclass(frozen=True, slots=True)
class Series:
    """One channel of one person as the twin saw it: a value a tick, at the time of the tick's last reading [s]."""

    times: Floats
    values: Floats
    step_s: float


@dataclass(frozen=True, slots=True)
class Forecasts:
    """One channel and horizon of one person, in order of made_at [s]; quantiles (n, 5)."""

    made_at: Floats
    mean: Floats
    sd: Floats
    quantiles: Floats
    learned: Floats


Issued = dict[tuple[str, str, int], Forecasts]


@dataclass(slots=True)
class Evidence:
    """Everything by person.

    `columns` are those of estimates.csv that the report reads, `beside` forecasts of other replays, `meals` their times [s].
    """

    people: list[str]
    series: dict[tuple[str, str], Series]
    forecasts: Issued
    fired: dict[tuple[str, str], Floats]
    estimate_times: dict[str, Floats] = field(default_factory=dict)
    columns: dict[tuple[str, str], Floats] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    beside: dict[str, Issued] = field(default_factory=dict)
    meals: dict[str, Floats] = field(default_factory=dict)


def seconds(stamps: Sequence[str]) -> Floats:
    """RFC 3339 in UTC, as replay writes it, to seconds."""
    plain = np.array([text.removesuffix("Z") for text in stamps], dtype="datetime64[ms]")
    return plain.astype(np.int64) / 1000.0


def _rows(path: Path, needed: Sequence[str]) -> Iterator[list[str]]:
    """The header, then the rows; raises EvaluateError by file and line."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, None)
            missing = [name for name in needed if header is None or name not in header]
            if header is None or missing:
                raise EvaluateError(f"{path}: line 1: column {missing[0]} is missing")
            yield header
            for row in rows:
                if len(row) != len(header):
                    raise EvaluateError(f"{path}: line {rows.line_num}: {len(row)} cells, not {len(header)}")
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluateError(f"{path}: cannot be read: {error}") from error


FORECAST_COLUMNS = ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "learned")


def read_forecasts(path: Path) -> Issued:
    """forecasts.csv by person, channel and horizon [s]."""
    rows = _rows(path, ("person", "made_at", "channel", "horizon_s", *FORECAST_COLUMNS))
    header = next(rows)
    at = {name: header.index(name) for name in header}
    gathered: dict[tuple[str, str, int], tuple[list[str], list[list[float]]]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            key = (row[at["person"]], row[at["channel"]], int(float(row[at["horizon_s"]])))
            numbers = [float(row[at[name]]) for name in FORECAST_COLUMNS]
        except ValueError as error:
            raise EvaluateError(f"{path}: line {number}: {error}") from error
        stamps, values = gathered.setdefault(key, ([], []))
        stamps.append(row[at["made_at"]])
        values.append(numbers)
    found = {}
    for key, (stamps, values) in gathered.items():
        try:
            made_at = seconds(stamps)
        except ValueError as error:
            raise EvaluateError(f"{path}: column made_at: {error}") from error
        order = np.argsort(made_at, kind="stable")
        table = np.array(values, dtype=np.float64)[order]
        found[key] = Forecasts(made_at[order], table[:, 0], table[:, 1], table[:, 2:7], table[:, 7])
    return found


def _estimates(path: Path, evidence: Evidence, wanted: frozenset[str]) -> None:
    """Keep the wanted columns and every surprise; the file is wide."""
    rows = _rows(path, ("person", "time"))
    header = next(rows)
    evidence.names = header[2:]
    keep = [(i, name) for i, name in enumerate(header) if name in wanted or name.startswith("surprise_")]
    stamps: dict[str, list[str]] = {}
    cells: dict[str, list[list[float]]] = {}
    for row in rows:
        stamps.setdefault(row[0], []).append(row[1])
        values = [float(row[i]) if row[i] else np.nan for i, _ in keep]
        cells.setdefault(row[0], []).append(values)
    for person, texts in stamps.items():
        evidence.estimate_times[person] = seconds(texts)
        table = np.array(cells[person], dtype=np.float64).reshape(len(texts), len(keep))
        for column, (_, name) in enumerate(keep):
            evidence.columns[person, name] = table[:, column]


def _fired(path: Path) -> dict[tuple[str, str], Floats]:
    rows = _rows(path, ("person", "rule", "at", "state"))
    header = next(rows)
    at = {name: header.index(name) for name in header}
    stamps: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row[at["state"]] == "active":
            stamps.setdefault((row[at["person"]], row[at["rule"]]), []).append(row[at["at"]])
    return {key: np.sort(seconds(texts)) for key, texts in stamps.items()}


def _series(table: Decoded, channels: set[str]) -> dict[tuple[str, str], Series]:
    """Readings of a tick are averaged, as the twin does it; retracted and suspect rows are left out."""
    found = {}
    good = ~table.retract & (table.quality == 0)
    for number, person in enumerate(table.persons):
        for channel in channels:
            code = CHANNEL_CODES.index(channel)
            rows = np.flatnonzero(good & (table.person == number) & (table.channel == code))
            if len(rows) < 2:
                continue
            rows = rows[np.argsort(table.time_ms[rows], kind="stable")]
            times, values = table.time_ms[rows] / 1000.0, table.value[rows]
            ticks = np.floor(times / TICK_S)
            starts = np.flatnonzero(np.diff(ticks, prepend=-1.0))
            counts = np.diff(np.append(starts, len(ticks)))
            means = np.add.reduceat(values, starts) / counts
            last = times[starts + counts - 1]
            step = float(np.median(np.diff(last))) if len(last) > 1 else TICK_S
            found[person, channel] = Series(last, means, max(TICK_S, TICK_S * round(step / TICK_S)))
    return found


def _summary(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluateError(f"{folder}: not a folder of `twin replay`: {error}") from error
    return found


def table_of(folder: Path) -> Path:
    """The table that a replay ran over."""
    table = _summary(folder).get("table")
    if not table:
        raise EvaluateError(
            f"{folder}/summary.json does not name the table of readings: give --readings TABLE"
        )
    return Path(table)


def load(folder: Path, readings: Path | None, wanted: frozenset[str]) -> Evidence:
    """Read a replay's folder and its readings.

    Args:
        folder: as `twin replay` wrote it.
        readings: the table that was replayed; where None, the one that summary.json names.
        wanted: columns of estimates.csv to keep.

    """
    summary = _summary(folder)
    readings = readings or table_of(folder)
    forecasts = read_forecasts(folder / "forecasts.csv")
    channels = {channel for _, channel, _ in forecasts}
    unknown = channels - set(CHANNELS)
    if unknown:
        raise EvaluateError(f"{folder}/forecasts.csv: channel {min(unknown)!r} is not in the channel table")
    people = sorted({person for person, _, _ in forecasts})
    if not people:
        raise EvaluateError(f"{folder}/forecasts.csv holds no forecasts: there is nothing to evaluate")
    try:
        table = read_table(readings, frozenset(people))
    except TableError as error:
        raise EvaluateError(f"{readings}: {error}") from error
    series = _series(table, channels)
    if not series:
        raise EvaluateError(f"{readings} holds no readings of the people and channels forecast in {folder}")
    evidence = Evidence(people, series, forecasts, _fired(folder / "alerts.csv"), summary=summary)
    evidence.source = readings.name
    eaten = (
        ~table.retract & (table.channel == CHANNEL_CODES.index("carbohydrate_intake")) & (table.value > 0.0)
    )
    for number, person in enumerate(table.persons):
        evidence.meals[person] = np.sort(table.time_ms[eaten & (table.person == number)] / 1000.0)
    _estimates(folder / "estimates.csv", evidence, wanted)
    return evidence
