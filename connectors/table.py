"""Tables of readings: CSV or CSV.gz with person,time,channel,value and optional columns.

A table that is broken in form is refused whole, by line and column, before anything is returned. A value that no sensor
can have measured is refused alone and counted, as it would be on the stream.
"""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.channels import CHANNELS, CODE_OF, conversion
from connectors.columns import COLUMNS, QUALITIES, SUSPECT, Decoded, Refused, source_number, stable_hash
from connectors.decode import milliseconds
from connectors.errors import PayloadError, Reason, TableError
from connectors.plain import EARLIEST_MS

NEEDED = ("person", "time", "channel", "value")
OPTIONAL = ("unit", "sigma", "source", "record_id", "revision", "op", "quality", "ingested_at")


def _number(text: str, line: int, column: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise TableError(f"line {line}, column {column}: {text[:40]!r} is not a number") from error
    if not math.isfinite(value):
        raise TableError(f"line {line}, column {column}: {text[:40]!r} is not finite")
    return value


def _time(text: str, line: int, column: str) -> int:
    try:
        time_ms = milliseconds(text)
    except (ValueError, OverflowError) as error:
        raise TableError(
            f"line {line}, column {column}: {text[:40]!r} is no RFC 3339 time with a zone"
        ) from error
    if time_ms < EARLIEST_MS:
        raise TableError(f"line {line}, column {column}: {text[:40]!r} is before 2000")
    return time_ms


def stem_of(path: Path) -> str:
    """A table's name without its endings, .csv or .csv.gz: the name of the study in it, of what lies beside it."""
    return path.name.removesuffix(".gz").removesuffix(".csv")


def _open(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read_table(path: Path, people: frozenset[str] | None = None) -> Decoded:
    """All readings of a table, in file order; raises TableError naming line and column, and then returns nothing.

    Args:
        path: a .csv or .csv.gz file.
        people: keep only these.

    """
    try:
        with _open(path) as file:
            return _read(csv.reader(file), people)
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: cannot be read: it is not UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(f"{path}: cannot be read: {error}") from error


def _lines(rows: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their last line; a row that is no CSV is named by its line."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(f"line {rows.line_num}: {error}") from error
        yield rows.line_num, row


def _read(rows: Any, people: frozenset[str] | None) -> Decoded:
    numbered = _lines(rows)
    _, header = next(numbered, (0, None))
    if header is None:
        raise TableError("line 1: the table is empty")
    if len(set(header)) != len(header):
        raise TableError("line 1: a column is there twice")
    for name in NEEDED:
        if name not in header:
            raise TableError(f"line 1: column {name} is missing")
    for name in header:
        if name not in NEEDED and name not in OPTIONAL:
            raise TableError(f"line 1: column {name[:40]!r} is not known")
    at = {name: header.index(name) for name in header}
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    persons: dict[str, int] = {}
    times: dict[str, int] = {}
    refused: list[Refused] = []
    extra = [name for name in OPTIONAL if name in at]
    for line, row in numbered:
        if not row:
            continue
        if len(row) != len(header):
            raise TableError(f"line {line}: {len(row)} cells where the header has {len(header)}")
        person = row[at["person"]]
        if not person or len(person) > 200:
            raise TableError(f"line {line}, column person: is empty or longer than 200")
        if people is not None and person not in people:
            continue
        channel = row[at["channel"]]
        spec = CHANNELS.get(channel)
        if spec is None:
            raise TableError(f"line {line}, column channel: {channel[:40]!r} is not in the channel table")
        stamp = row[at["time"]]
        time_ms = times.get(stamp)
        if time_ms is None:
            time_ms = times[stamp] = _time(stamp, line, "time")
        given = {name: row[at[name]] for name in extra if row[at[name]]} if extra else {}
        value = _number(row[at["value"]], line, "value")
        if "unit" in given:
            try:
                factor, offset = conversion(channel, given["unit"])
            except PayloadError as error:
                raise TableError(f"line {line}, column unit: {error}") from error
            value = value * factor + offset
        if not spec.hard[0] <= value <= spec.hard[1]:
            message = f"line {line}: outside {spec.hard[0]:g} to {spec.hard[1]:g} {spec.ucum} of {channel}"
            refused.append(Refused(0, line, "value", Reason.OUT_OF_RANGE, message))
            continue
        quality = QUALITIES.get(given.get("quality", "ok"))
        if quality is None:
            raise TableError(f"line {line}, column quality: {given['quality'][:40]!r} is not known")
        if quality == 0 and not spec.soft[0] <= value <= spec.soft[1]:
            quality = SUSPECT
        if given.get("op", "upsert") not in ("upsert", "retract"):
            raise TableError(f"line {line}, column op: {given['op'][:40]!r} is neither upsert nor retract")
        revision = _number(given["revision"], line, "revision") if "revision" in given else 0
        if not 0 <= revision < 2**62 or revision != int(revision):
            raise TableError(f"line {line}, column revision: is not a whole number from 0 up")
        sigma = _number(given["sigma"], line, "sigma") if "sigma" in given else math.nan
        if sigma <= 0.0:
            raise TableError(f"line {line}, column sigma: is not a positive number")
        columns["person"].append(persons.setdefault(person, len(persons)))
        columns["record"].append(0)
        columns["channel"].append(CODE_OF[channel])
        columns["time_ms"].append(time_ms)
        columns["value"].append(value)
        columns["sigma"].append(sigma)
        columns["source"].append(source_number(given.get("source", "")))
        columns["key"].append(-stable_hash(given["record_id"]) if "record_id" in given else time_ms)
        columns["revision"].append(int(revision))
        columns["ingested_ms"].append(
            _time(given["ingested_at"], line, "ingested_at") if "ingested_at" in given else 0
        )
        columns["retract"].append(given.get("op") == "retract")
        columns["quality"].append(quality)
    return Decoded.of(list(persons), columns, refused)
