"""Documents with nothing unusual in them, all of a batch at once; whatever is unusual is left to connectors.decode.

It decides nothing: a record that is not plain in every respect (a field, a type, a bound, a unit) is handed back whole, so
that what is refused, and why, is said in one place only.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CHANNELS, CODE_OF
from connectors.columns import COLUMNS, OK, SUSPECT, source_number, stable_hash

MAX_TEXT = 200
EARLIEST_MS = 946_684_800_000  # 2000-01-01: older clocks were never set
FUTURE_MS = 300_000
MAX_ROWS = 200_000
ONE = frozenset({"schema", "person", "channel", "time", "value", "source", "record_id", "ingested_at"})
NUMBERS: set[Any] = {int, float}
TEXTS: set[Any] = {str}
HARD_LOW, HARD_HIGH, SOFT_LOW, SOFT_HIGH = (
    np.array([pair[end] for spec in CHANNELS.values() for pair in [getattr(spec, kind)]], dtype=np.float64)
    for kind, end in (("hard", 0), ("hard", 1), ("soft", 0), ("soft", 1))
)
Columns = dict[str, NDArray[Any]]


class _Layout:
    """Documents with the same fields in the same order."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        self.records: list[int] = []
        self.cells: list[Any] = []


def take(
    documents: Sequence[Any], keys: Sequence[bytes | None], clocks: NDArray[np.int64], persons: dict[str, int]
) -> tuple[Columns | None, list[int]]:
    """Columns of what is plain, by record, and the records that are not.

    Args:
        documents: parsed; None where there is nothing to take.
        keys: of the records.
        clocks: of each record [ms], for readings from the future.
        persons: index by name, extended.

    """
    layouts: dict[tuple[str, ...], _Layout] = {}
    left: list[int] = []
    for record, document in enumerate(documents):
        if type(document) is not dict:
            left.append(record)
            continue
        fields = tuple(document)
        layout = layouts.get(fields)
        if layout is None:
            layout = layouts[fields] = _Layout(fields)
        layout.records.append(record)
        layout.cells.append(document.values())
    found = []
    for layout in layouts.values():
        made = _columns(layout, keys, clocks, persons)
        if made is None:
            left += layout.records
        else:
            columns, faulty = made
            left += faulty
            found.append(columns)
    if not found:
        return None, sorted(left)
    if len(found) == 1:
        return found[0], sorted(left)
    together = {name: np.concatenate([one[name] for one in found]) for name in COLUMNS}
    order = np.argsort(together["record"], kind="stable")  # as they came
    return {name: column[order] for name, column in together.items()}, sorted(left)


def _columns(
    layout: _Layout, keys: Sequence[bytes | None], clocks: NDArray[np.int64], persons: dict[str, int]
) -> tuple[Columns, list[int]] | None:
    """Columns of one layout and the records that are not plain after all; None where none is."""
    if not ONE.issuperset(layout.fields) or not {"person", "channel", "time", "value"}.issubset(
        layout.fields
    ):
        return None
    cells = dict(zip(layout.fields, zip(*layout.cells, strict=True), strict=True))
    schemas: Sequence[Any] = cells.get("schema", ())
    kinds = set(schemas) if _all(schemas, TEXTS) else {""}
    batched = kinds == {"readings/1"}
    if not batched and kinds - {"reading/1"}:
        return None
    records = np.array(layout.records, dtype=np.int32)
    good = np.ones(len(records), dtype=bool)
    people, sources = cells["person"], cells.get("source")
    if not _all(people, TEXTS) or (sources is not None and not _all(sources, {str, type(None)})):
        return None
    ingested = cells.get("ingested_at")
    if ingested is not None and not _all(ingested, {int}):
        return None
    person = np.array(
        [_index(name, keys[at], persons) for name, at in zip(people, layout.records, strict=True)]
    )
    good &= person >= 0
    length = np.ones(len(records), dtype=np.int64)
    if batched:
        columns = [cells[name] for name in ("channel", "time", "value", "record_id") if name in cells]
        if not all(_all(column, {list}) for column in columns):
            return None
        lengths = [np.fromiter(map(len, column), dtype=np.int64, count=len(records)) for column in columns]
        length = lengths[0]
        if any((other != length).any() for other in lengths) or (length > MAX_ROWS).any():
            return None
        for name in ("channel", "time", "value", "record_id"):
            if name in cells:
                cells[name] = tuple(chain.from_iterable(cells[name]))
    made = _checked(cells, np.repeat(clocks[records], length))
    if made is None:
        return None
    rows, plain = made
    of_record = np.repeat(np.arange(len(records)), length)
    good[of_record[~plain]] = False
    try:
        source = [source_number(one or "") if len(one or "") <= MAX_TEXT else -1 for one in sources or ()]
        given = (
            np.array(ingested, dtype=np.int64) if ingested is not None else np.zeros(len(records), np.int64)
        )
    except (UnicodeEncodeError, OverflowError):
        return None
    hashes = np.array(source, dtype=np.int64) if sources is not None else np.zeros(len(records), np.int64)
    good &= hashes >= 0
    rows |= {
        "person": np.repeat(person.astype(np.int32), length), "record": np.repeat(records, length),
        "source": np.repeat(hashes, length), "ingested_ms": np.repeat(given, length),
    }  # fmt: skip
    if not good.all():
        chosen = good[of_record]
        rows = {name: column[chosen] for name, column in rows.items()}
    return rows, records[~good].tolist()


def _all(column: Sequence[Any], kinds: set[Any]) -> bool:
    return set(map(type, column)) <= kinds


def _index(name: str, key: bytes | None, persons: dict[str, int]) -> int:
    """The person's index; -1 where the name is unusual or not the key."""
    found = persons.get(name)
    if found is None:
        if not 0 < len(name) <= MAX_TEXT or not name.isprintable() or not name.isascii():
            return -1
        found = persons[name] = len(persons)
    return found if key is None or key == name.encode() else -1


def _checked(cells: dict[str, Any], clock: NDArray[np.int64]) -> tuple[Columns, NDArray[np.bool_]] | None:
    """Columns of the readings themselves, and which of them are plain; None where their types are not."""
    channels, times, values = cells["channel"], cells["time"], cells["value"]
    identities = cells.get("record_id")
    if not (_all(channels, TEXTS) and _all(times, {int}) and _all(values, NUMBERS)):
        return None
    code = np.fromiter((CODE_OF.get(name, -1) for name in channels), dtype=np.int16, count=len(channels))
    try:
        time_ms = np.array(times, dtype=np.int64)
        value = np.array(values, dtype=np.float64)
        key = time_ms
        if identities is not None:
            if (
                not _all(identities, {str, type(None)})
                or max(len(one or "") for one in identities) > MAX_TEXT
            ):
                return None
            key = np.array([at if one is None else -stable_hash(one)
                            for at, one in zip(times, identities, strict=True)], dtype=np.int64)  # fmt: skip
    except (OverflowError, UnicodeEncodeError, ValueError):
        return None
    plain = (code >= 0) & (value >= HARD_LOW[code]) & (value <= HARD_HIGH[code])
    plain &= (time_ms >= EARLIEST_MS) & (time_ms <= clock + FUTURE_MS)
    usual = (value >= SOFT_LOW[code]) & (value <= SOFT_HIGH[code])
    none = np.zeros(len(code), dtype=np.int64)
    return {
        "channel": code, "time_ms": time_ms, "value": value, "sigma": np.full(len(code), np.nan), "key": key,
        "revision": none, "retract": none.astype(np.bool_),
        "quality": np.where(usual, OK, SUSPECT).astype(np.int8),
    }, plain  # fmt: skip
