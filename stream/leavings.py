"""What a batch leaves aside: dead letters of refused readings, and what is too late.

What is too late is no fault: the record goes to `reading.v1.late` as it came, with which of its readings were late and
by how much. They are never applied; whoever wants them finds the original there.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from connectors.errors import Reason
from stream import topics
from stream.cohort import Applied
from stream.lateness import how_late
from stream.letters import Letter, dead_letter, refused, why

LATE, LATE_COUNT, LATE_BY, LATE_INDEX = "late", "x-late-readings", "x-late-by-s", "x-late-index"
LOG_APPEND_TIME = 1  # a record's timestamp is the broker's
MOST_NAMED = 5  # refusals of a record in the message of its letter


def late_letter(record: Any, index: Sequence[int], late_by_ms: Sequence[int]) -> Letter:
    """A record of reading.v1 of which these readings are beyond their window; the others were applied."""
    most = max(late_by_ms)
    message = f"{len(index)} readings are beyond their window, by {how_late(most)} at most; not applied"
    found = why(topics.READING, record, LATE, message)
    found |= {LATE_COUNT: len(index), LATE_BY: round(most / 1000), LATE_INDEX: spans(index)}
    return topics.LATE, record.key, record.value, refused(getattr(record, "headers", None) or (), found)


def spans(numbers: Sequence[int]) -> str:
    """`0-4,7` of 0, 1, 2, 3, 4, 7: short also for a record of 200,000 readings that are all late."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def stamps_of(records: Sequence[Any]) -> NDArray[np.int64]:
    """When the topic took each record [ms]: the broker's word, which is the same in every run.

    Where a topic keeps the senders' times instead (twin doctor says so) a sender must not be ahead of this machine.
    """
    now = int(time.time() * 1000)
    return np.array(
        [r.timestamp if r.timestamp_type == LOG_APPEND_TIME else min(r.timestamp, now) for r in records],
        dtype=np.int64,
    )


def letters_of(records: Sequence[Any], decoded: Decoded, done: Applied) -> Iterator[Letter]:
    """One letter for each record with refusals, and one for each with late readings."""
    refusals: dict[int, list[tuple[Reason, str]]] = {}
    for r in decoded.refused:
        refusals.setdefault(r.record, []).append((r.reason, f"[{r.index}] {r.field}: {r.message}"))
    for row in done.ahead:
        text = "time: too many readings of this person wait for their time"
        refusals.setdefault(int(decoded.record[row]), []).append((Reason.FUTURE, text))
    for index, found in refusals.items():
        text = "; ".join(why for _, why in found[:MOST_NAMED])
        text += f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield dead_letter(topics.READING, records[index], found[0][0].value, text)
    late: dict[int, list[tuple[int, int]]] = {}
    for row, by_ms in zip(done.late, done.late_by_ms, strict=True):
        late.setdefault(int(decoded.record[row]), []).append((row, by_ms))
    for index, rows in late.items():
        first = int(np.searchsorted(decoded.record, index))
        gone = sorted(r.index for r in decoded.refused if r.record == index)
        yield late_letter(records[index], _places(rows, first, gone), [by_ms for _, by_ms in rows])


def _places(rows: Sequence[tuple[int, int]], first: int, gone: Sequence[int]) -> list[int]:
    """Positions in the record as it was sent, of rows of those that were not refused."""
    places = [row - first for row, _ in sorted(rows)]
    for missing in gone:
        places = [place + (place >= missing) for place in places]
    return places
