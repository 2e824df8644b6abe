"""A batch taken apart by person, and who of them has only what is newer than all that is known: the usual case, made cheap."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from connectors.plain import FUTURE_MS
from stream.journal import Entries, entries_of
from stream.patience import can_wait_too
from stream.person import PersonTwin

if TYPE_CHECKING:
    from stream.cohort import Cohort


def by_person(
    cohort: "Cohort",
    readings: Decoded,
    offsets: NDArray[np.int64] | None,
    stamps: NDArray[np.int64] | None,
    counts: dict[str, int],
) -> Iterator[tuple[PersonTwin, NDArray[np.int64], Entries, tuple[int, int] | None]]:
    """Each person's twin, rows and entries by time, and times of the first and last where all are later than what is known.

    What is plain has its offset noted here; what is plain and may wait for more of its minute is journalled here, counted,
    and not told: with many people a batch each of them has one reading or two, and there are thousands of them a second.
    """
    person, record, time_ms = readings.person, readings.record, readings.time_ms
    order = np.lexsort((readings.key, readings.source, readings.channel, time_ms, person))
    entries = entries_of(readings, order)
    person, time_ms = person[order], time_ms[order]
    again = np.zeros(len(order), dtype=bool)  # the same identity twice
    again[1:] = (person[1:] == person[:-1]) & (time_ms[1:] == time_ms[:-1])
    for name in ("channel", "source", "key"):
        again[1:] &= entries[name][1:] == entries[name][:-1]
    odd = again | entries["retract"] | (entries["key"] < 0)
    if stamps is not None:
        odd |= time_ms > stamps[record[order]] + FUTURE_MS
    starts = np.flatnonzero(np.append(True, person[1:] != person[:-1]))
    ends = np.append(starts[1:], len(order))
    odd = np.logical_or.reduceat(odd, starts)
    first_ms, last_ms = time_ms[starts].tolist(), time_ms[ends - 1].tolist()
    code = entries["channel"]
    several = np.minimum.reduceat(code, starts) != np.maximum.reduceat(code, starts)
    channel = np.where(several, -1, code[starts]).tolist()
    patient = cohort.patient
    at = offsets[record[order]] if offsets is not None else np.full(len(order), np.iinfo(np.int64).max)
    lowest, highest = np.minimum.reduceat(at, starts).tolist(), np.maximum.reduceat(at, starts).tolist()
    odd, names, persons = odd.tolist(), person[starts].tolist(), readings.persons
    for i, (begin, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        twin = cohort.twin(persons[names[i]])
        plain = (
            not odd[i] and lowest[i] > twin.offset and first_ms[i] > twin.hours.last_ms and not len(twin.waiting)
            and first_ms[i] >= max(twin.newest_ms, last_ms[i]) - cohort.windows.shortest_ms
        )  # fmt: skip
        if not plain:
            yield twin, order[begin:end], entries[begin:end], None
            continue
        twin.newest_ms = max(twin.newest_ms, last_ms[i])
        if offsets is not None:
            twin.offset, twin.touched = highest[i], True
        if patient and can_wait_too(twin, end - begin, channel[i], last_ms[i], cohort.tick_ms):
            twin.hours.append(entries[begin:end], first_ms[i], last_ms[i])
            counts["applied"] += end - begin
            twin.touched = True
            if twin.due_ms is None:
                twin.due_ms = first_ms[i]
                cohort.due.add(twin.person)
        else:
            yield twin, order[begin:end], entries[begin:end], (first_ms[i], last_ms[i])
