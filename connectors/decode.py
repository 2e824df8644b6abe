"""Kafka records to columns, once a batch. Whatever the bytes, it never raises: one bad reading costs only itself."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from connectors.channels import CHANNEL_CODES, CHANNELS, CODE_OF, conversion
from connectors.columns import COLUMNS, QUALITIES, SUSPECT, Decoded, Refused, source_number, stable_hash
from connectors.errors import PayloadError, Reason
from connectors.parsing import parse_json
from connectors.plain import EARLIEST_MS, FUTURE_MS, MAX_ROWS, take

MAX_RECORD_BYTES = 8 * 1024 * 1024
MAX_PERSON = 200
BOUNDS = {name: (*spec.hard, *spec.soft, CODE_OF[name]) for name, spec in CHANNELS.items()}
READING_FIELDS = frozenset({
    "schema", "person", "channel", "time", "value", "unit", "sigma", "source", "record_id", "revision", "op",
    "quality", "utc_offset_s", "ingested_at",
})  # fmt: skip
BATCH_COLUMNS = ("sigma", "record_id", "revision", "op", "quality", "unit")
BATCH_FIELDS = frozenset({
    "schema", "person", "channel", "time", "value", "source", "ingested_at", "utc_offset_s", *BATCH_COLUMNS,
})  # fmt: skip

__all__ = ["FUTURE_MS", "decode", "decode_documents", "encode_batch", "milliseconds", "person_fault"]


def milliseconds(value: Any) -> int:
    """Epoch milliseconds of an RFC 3339 string with a zone, or of an integer; raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("a time, not a truth value, is needed")
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        raise ValueError("an RFC 3339 string or epoch milliseconds are needed")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("the zone is missing (Z or +01:00)")
    return round(at.timestamp() * 1000)


def person_fault(value: Any) -> str | None:
    """What is wrong with a person's pseudonym, if anything."""
    if not isinstance(value, str) or not value:
        return "is missing or no string"
    if len(value) > MAX_PERSON or any(ord(c) < 32 for c in value):
        return f"longer than {MAX_PERSON} or control characters"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not valid unicode"
    return None


class _Rows:
    """Columns under construction."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.persons: dict[str, int] = {}
        self.columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self.refused: list[Refused] = []

    def refuse(self, record: int, index: int, where: str, reason: Reason, message: str) -> None:
        self.refused.append(Refused(record, index, where, reason, message))

    def add(
        self, record: int, index: int, person: int, source: int, ingested: int, fields: dict[str, Any]
    ) -> None:
        """Check one reading and append it, or refuse it by field, reason and rule."""
        channel = fields.get("channel")
        bounds = BOUNDS.get(channel) if isinstance(channel, str) else None
        if bounds is None:
            return self.refuse(record, index, "channel", Reason.UNKNOWN_CHANNEL, "not in the channel table")
        hard_low, hard_high, soft_low, soft_high, code = bounds
        retract = False
        operation = fields.get("op")
        if operation is not None:
            if operation not in ("upsert", "retract"):
                return self.refuse(
                    record, index, "op", Reason.SCHEMA_INVALID, "is neither upsert nor retract"
                )
            retract = operation == "retract"
        value = fields.get("value")
        if value is None and retract:
            value = hard_low
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self.refuse(record, index, "value", Reason.SCHEMA_INVALID, "is not a number")
        if isinstance(value, int) and abs(value) > 10**15:
            return self.refuse(record, index, "value", Reason.OUT_OF_RANGE, "beyond any channel's range")
        value = float(value)
        unit = fields.get("unit")
        if unit is not None:
            try:
                factor, offset = conversion(str(channel), str(unit))
            except PayloadError as error:
                return self.refuse(record, index, "unit", error.reason, str(error))
            value = value * factor + offset
        if not math.isfinite(value):
            return self.refuse(record, index, "value", Reason.NOT_FINITE, "is not finite")
        if not hard_low <= value <= hard_high:
            message = f"outside {hard_low:g} to {hard_high:g} {CHANNELS[str(channel)].ucum}"
            return self.refuse(record, index, "value", Reason.OUT_OF_RANGE, message)
        try:
            time_ms = milliseconds(fields.get("time"))
        except (ValueError, OverflowError):
            return self.refuse(record, index, "time", Reason.BAD_TIME,
                               "is neither RFC 3339 with a zone nor epoch milliseconds")  # fmt: skip
        if time_ms < EARLIEST_MS:
            return self.refuse(
                record, index, "time", Reason.BAD_TIME, "before 2000: the device's clock was not set"
            )
        if time_ms > self.now_ms + FUTURE_MS:
            return self.refuse(record, index, "time", Reason.FUTURE, "too far in the future")
        sigma = fields.get("sigma")
        if sigma is None:
            sigma = math.nan
        elif isinstance(sigma, bool) or not isinstance(sigma, (int, float)) or not 0 < sigma < 1e6:
            return self.refuse(record, index, "sigma", Reason.SCHEMA_INVALID, "is not a positive number")
        revision = fields.get("revision") or 0
        if isinstance(revision, bool) or not isinstance(revision, int) or not 0 <= revision < 2**62:
            return self.refuse(
                record, index, "revision", Reason.SCHEMA_INVALID, "is not a whole number from 0 up"
            )
        word = fields.get("quality") or "ok"
        quality = QUALITIES.get(word, -1) if isinstance(word, str) else -1
        if quality < 0:
            return self.refuse(record, index, "quality", Reason.SCHEMA_INVALID, "is not a known quality")
        if quality == 0 and not soft_low <= value <= soft_high:
            quality = SUSPECT
        identity = fields.get("record_id")
        if identity is not None and (not isinstance(identity, str) or len(identity) > MAX_PERSON):
            return self.refuse(
                record, index, "record_id", Reason.SCHEMA_INVALID, "is not a string of at most 200"
            )
        c = self.columns
        c["person"].append(person)
        c["record"].append(record)
        c["channel"].append(code)
        c["time_ms"].append(time_ms)
        c["value"].append(value)
        c["sigma"].append(float(sigma))
        c["source"].append(source)
        c["key"].append(time_ms if identity is None else -stable_hash(identity))
        c["revision"].append(revision)
        c["ingested_ms"].append(ingested)
        c["retract"].append(retract)
        c["quality"].append(quality)
        return None

    def person(self, record: int, value: Any, key: bytes | None) -> int | None:
        """The person's index, or None after a refusal."""
        if fault := person_fault(value):
            self.refuse(record, 0, "person", Reason.SCHEMA_INVALID, fault)
            return None
        if key is not None and key != value.encode():
            self.refuse(record, 0, "person", Reason.SCHEMA_INVALID, "is not the record's key")
            return None
        return self.persons.setdefault(str(value), len(self.persons))


def _decode_record(rows: _Rows, record: int, document: Any, key: bytes | None) -> None:
    if not isinstance(document, dict):
        return rows.refuse(record, 0, "", Reason.SCHEMA_INVALID, "is no JSON object")
    kind = document.get("schema", "reading/1")
    known = {"reading/1": READING_FIELDS, "readings/1": BATCH_FIELDS}.get(
        kind if isinstance(kind, str) else ""
    )
    if known is None:
        return rows.refuse(record, 0, "schema", Reason.SCHEMA_INVALID, "is neither reading/1 nor readings/1")
    for name in document:
        if name not in known:
            return rows.refuse(record, 0, str(name)[:40], Reason.SCHEMA_INVALID, "unknown field")
    person = rows.person(record, document.get("person"), key)
    if person is None:
        return None
    source = document.get("source") or ""
    if not isinstance(source, str) or len(source) > MAX_PERSON:
        return rows.refuse(record, 0, "source", Reason.SCHEMA_INVALID, "is not a string of at most 200")
    try:
        ingested = milliseconds(document["ingested_at"]) if document.get("ingested_at") is not None else 0
        if abs(ingested) >= 2**62:
            raise ValueError("beyond any clock")
        source_hash = source_number(source)
    except (ValueError, OverflowError):
        return rows.refuse(record, 0, "ingested_at", Reason.BAD_TIME, "is no time")
    if kind == "reading/1":
        return rows.add(record, 0, person, source_hash, ingested, document)
    columns = {name: document.get(name) for name in ("channel", "time", "value")}
    columns |= {name: document[name] for name in BATCH_COLUMNS if document.get(name) is not None}
    length = len(columns["channel"]) if isinstance(columns["channel"], list) else -1
    for name, column in columns.items():
        if not isinstance(column, list) or len(column) != length or length > MAX_ROWS:
            return rows.refuse(record, 0, name, Reason.SCHEMA_INVALID, "columns are lists of one length")
    names = tuple(columns)
    for index, cells in enumerate(zip(*columns.values(), strict=True)):
        rows.add(record, index, person, source_hash, ingested, dict(zip(names, cells, strict=True)))
    return None


def decode(
    values: Sequence[bytes | None], keys: Sequence[bytes | None], now_ms: int | Sequence[int]
) -> Decoded:
    """Readings of a batch of Kafka records.

    Args:
        values: the records' values, as fetched.
        keys: their keys; a key that is there must be the person's.
        now_ms: the clock, for readings from the future (FUTURE_MS beyond it they are refused); or one a record.

    Returns:
        The readings as columns, and every refusal by record, index, field and reason.

    """
    clocks = np.broadcast_to(np.asarray(now_ms, dtype=np.int64), len(values))
    rows = _Rows(0)
    documents: list[Any] = [None] * len(values)
    faults: dict[int, tuple[Reason, str]] = {}
    for record, value in enumerate(values):
        if not value:
            faults[record] = Reason.UNPARSEABLE, "is empty"
        elif len(value) > MAX_RECORD_BYTES:
            faults[record] = Reason.TOO_LARGE, f"more than {MAX_RECORD_BYTES} bytes"
        else:
            try:
                documents[record] = orjson.loads(value)
            except orjson.JSONDecodeError:
                try:
                    documents[record] = parse_json(value)
                except PayloadError as error:
                    faults[record] = error.reason, str(error)[:120]
    plain, left = take(documents, keys, clocks, rows.persons)
    for record in left:
        if fault := faults.get(record):
            rows.refuse(record, 0, "", *fault)
        else:
            rows.now_ms = int(clocks[record])
            _decode_record(rows, record, documents[record], keys[record])
    found = Decoded.of(list(rows.persons), rows.columns, rows.refused)
    if plain is None:
        return found
    if not len(found):
        return Decoded(persons=found.persons, refused=found.refused, **plain)
    both = {name: np.concatenate([plain[name], getattr(found, name)]) for name in COLUMNS}
    order = np.argsort(both["record"], kind="stable")
    return Decoded(
        persons=found.persons, refused=found.refused, **{name: both[name][order] for name in COLUMNS}
    )


def decode_documents(documents: Sequence[Any], now_ms: int) -> Decoded:
    """Readings of documents that are parsed already; a PayloadError among them is a refusal of its own."""
    rows = _Rows(now_ms)
    for record, document in enumerate(documents):
        if isinstance(document, PayloadError):
            rows.refuse(record, 0, document.place, document.reason, str(document)[:120])
        else:
            _decode_record(rows, record, document, None)
    return Decoded.of(list(rows.persons), rows.columns, rows.refused)


def encode_batch(
    person: str, decoded: Decoded, chosen: Sequence[int], source: str,
    identities: Sequence[str | None] | None = None, ingested_ms: int = 0,
) -> bytes:  # fmt: skip
    """The chosen rows of one person and source as a readings/1 document.

    `identities` are the senders' own record ids by row of `decoded`, which itself holds only their hashes.
    """
    document: dict[str, Any] = {
        "schema": "readings/1", "person": person, "source": source,
        "channel": [CHANNEL_CODES[decoded.channel[i]] for i in chosen],
        "time": [int(decoded.time_ms[i]) for i in chosen],
        "value": [float(decoded.value[i]) for i in chosen],
    }  # fmt: skip
    if identities is not None and any(identities[i] is not None for i in chosen):
        document["record_id"] = [identities[i] for i in chosen]
    if ingested_ms:
        document["ingested_at"] = ingested_ms
    if any(decoded.revision[i] for i in chosen):
        document["revision"] = [int(decoded.revision[i]) for i in chosen]
    if any(decoded.retract[i] for i in chosen):
        document["op"] = ["retract" if decoded.retract[i] else "upsert" for i in chosen]
    if any(decoded.quality[i] for i in chosen):
        names = tuple(QUALITIES)
        document["quality"] = [names[decoded.quality[i]] for i in chosen]
    if any(not math.isnan(decoded.sigma[i]) for i in chosen):
        document["sigma"] = [
            None if math.isnan(decoded.sigma[i]) else float(decoded.sigma[i]) for i in chosen
        ]
    return orjson.dumps(document)
