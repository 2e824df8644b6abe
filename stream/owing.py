"""Which hourly rows are owed, and from which record on the topic would tell of them again.

An hour is owed from the moment that an estimate of it is stored until its row is written. What is held is bounded; what
does not fit, or is lost with the process, is read from the topic again: the offsets that are committed carry, as their
metadata, how far back that is.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from connectors.stores.hourly import HOUR_MS

Origin = tuple[Any, int]  # partition, offset
MOST_PAIRS = 200_000  # people's hours, some 40 MB; at 100,000 people two hours of each
MOST_ASKED = 50  # people of a query: its answer has some 60 kB of each
HOLD_S = 30.0  # an hour that changes with every tick is not asked for with every tick


class Owing:
    """By hour and person the first record since the row was written last.

    Args:
        most: pairs of person and hour that are held.
        hold_s: how long what changes in an hour is collected before its row is written.

    """

    def __init__(
        self, most: int = MOST_PAIRS, hold_s: float = HOLD_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most, self.hold_s, self.clock, self.count = most, hold_s, clock, 0
        self.since: dict[int, float] = {}  # by hour
        self.hours: dict[int, dict[str, Origin]] = {}
        self.writing: dict[int, dict[str, Origin]] = {}
        self.dropped: dict[Any, int] = {}  # by partition, from where on not everything is held

    def note(self, part: Any, offset: int, person: str, time_ms: int) -> None:
        """An estimate of the person was stored."""
        hour = time_ms // HOUR_MS * HOUR_MS
        people = self.hours.get(hour, {})
        if person in people:
            return
        if self.count >= self.most:
            self.dropped[part] = min(offset, self.dropped.get(part, offset))
            return
        if not people:
            self.since[hour] = self.clock()
        self.hours.setdefault(hour, people)[person] = part, offset
        self.count += 1

    def begin(self) -> set[tuple[str, int]]:
        """People of one hour whose row to write now, the one that waits longest; then `done` or `failed`."""
        due = self.clock() - self.hold_s
        for hour, people in self.hours.items():
            if self.since[hour] > due:
                continue
            chosen = dict(islice(people.items(), MOST_ASKED))
            self.writing = {hour: chosen}
            del self.hours[hour]
            del self.since[hour]
            if left := {person: origin for person, origin in people.items() if person not in chosen}:
                self.hours[hour], self.since[hour] = left, due  # behind the others
            return {(person, hour) for person in chosen}
        return set()

    def done(self) -> None:
        """They are written."""
        self.count -= sum(map(len, self.writing.values()))
        self.writing = {}

    def failed(self) -> None:
        """They are still owed, from where they were."""
        for hour, people in self.writing.items():
            later = self.hours.pop(hour, {})
            self.count -= len(people.keys() & later.keys())
            self.hours[hour], self.since[hour] = later | people, self.clock() - self.hold_s
        self.writing = {}

    def forget(self, parts: Iterable[Any]) -> None:
        """They are somebody else's."""
        gone = set(parts)
        for found in (self.hours, self.writing):
            for hour, people in list(found.items()):
                kept = {person: origin for person, origin in people.items() if origin[0] not in gone}
                self.count -= len(people) - len(kept)
                found[hour] = kept
                if not kept:
                    del found[hour]
        self.since = {hour: at for hour, at in self.since.items() if hour in self.hours}
        for part in gone:
            self.dropped.pop(part, None)

    def firsts(self) -> dict[Any, int]:
        """By partition the first record of what is owed."""
        found = dict(self.dropped)
        for part, offset in self._origins():
            if offset < found.get(part, offset + 1):
                found[part] = offset
        return found

    def _origins(self) -> Iterator[Origin]:
        for hours in (self.hours, self.writing):
            for people in hours.values():
                yield from people.values()

    def __len__(self) -> int:
        return self.count
