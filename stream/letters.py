"""Dead letters: what a reader of a topic refuses goes to `<topic>.dlq` as it came, with where it was and why.

The record's own headers stay; those that begin with x-original-, x-error-, and the three below are ours, so that a
letter which is replayed and refused again says how often that was and since when.
"""

import time
from collections.abc import Iterable
from typing import Any

from stream import topics
from stream.alerting import MODEL

Headers = list[tuple[str, bytes]]
LARGEST = (
    15_000_000  # of value, key and headers together: a letter must fit where its record did, with our headers
)
LONGEST_KEY, MOST_HEADERS, CUT = 10_000, 100_000, "x-original-size"
Letter = tuple[str, bytes | None, bytes, Headers]
ATTEMPTS, FIRST_FAILED, VERSION = "x-attempts", "x-first-failed-at", "x-app-version"


def ours(name: str) -> bool:
    """Whether a header is one that a dead letter adds."""
    return name.startswith(("x-original-", "x-error-", "x-late-")) or name in (
        ATTEMPTS,
        FIRST_FAILED,
        VERSION,
    )


def refused(headers: Iterable[tuple[str, bytes]], found: dict[str, Any]) -> Headers:
    """Headers of a letter: the record's own, `found`, and which attempt this was since when [ms]."""
    before = dict(headers)
    tried = before.get(ATTEMPTS, b"0")
    added = found | {
        ATTEMPTS: int(tried) + 1 if tried.isdigit() else 1,
        FIRST_FAILED: before.get(FIRST_FAILED, str(int(time.time() * 1000)).encode()).decode(errors="replace"),
        VERSION: MODEL,
    }  # fmt: skip
    kept = [(name, value) for name, value in before.items() if not ours(name)]
    if sum(len(name) + len(value or b"") for name, value in kept) > MOST_HEADERS:
        kept = []  # nothing that a sender puts there may keep the letter from being sent
    return kept + [(name, str(value).encode(errors="replace")) for name, value in added.items()]


def why(topic: str, record: Any, reason: str, message: str) -> dict[str, Any]:
    """Headers that say where a record was, and what is to be said of it."""
    return {
        "x-original-topic": topic, "x-original-partition": record.partition, "x-original-offset": record.offset,
        "x-original-timestamp": record.timestamp, "x-error-class": reason, "x-error-message": message,
    }  # fmt: skip


def dead_letter(topic: str, record: Any, reason: str, message: str) -> Letter:
    """The original bytes with where they were and why they were refused; never a measured value."""
    headers = refused(getattr(record, "headers", None) or (), why(topic, record, reason, message))
    return topics.dead_letters(topic), *fitting(record.key, record.value or b"", headers)


def fitting(key: bytes | None, value: bytes, headers: Headers) -> tuple[bytes | None, bytes, Headers]:
    """Key and value cut to what a topic takes, with the original's size in the headers where they were cut."""
    short = None if key is None else key[:LONGEST_KEY]
    if len(value) <= LARGEST:
        return short, value, headers
    return short, value[:LARGEST], [*headers, (CUT, str(len(value)).encode())]
