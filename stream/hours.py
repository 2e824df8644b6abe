"""A journal cut into hours, so that what comes costs what is new and not what is there.

A chunk holds the entries of one hour, sorted as in stream.journal. What the changelog has of a chunk is its beginning, in
pieces: what was appended since is a piece more. A chunk that changed otherwise is written anew as one piece.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stream.journal import ENTRY, Entries, merge

HOUR_MS = 3_600_000
NOTHING = -(1 << 62)
NO_ENTRIES: Entries = np.empty(0, dtype=ENTRY)
MOST_PIECES = 8  # of an hour; then it is written as one again


class Hours:
    """Entries by hour of event time.

    Attributes:
        chunks: entries of each hour, hours ascending; None where they lie elsewhere.
        fetch: gives those.
        written: how many entries at the beginning of a chunk the changelog has, by hour.
        pieces: in how many pieces, by hour; an hour that is here and not in `chunks` is to be deleted there.
        changed: hours that the changelog does not have as they are.
        anew: hours whose pieces are no longer the beginning of their chunk.
        last_ms: time of the newest entry.
        loose: entries of hour `loose_hour` that came behind its chunk; joined with it when somebody looks. At 1 Hz an hour
            is 240 kB, which each batch would copy otherwise.

    """

    __slots__ = ("anew", "changed", "chunks", "fetch", "last_ms", "loose", "loose_hour", "pieces", "written")

    def __init__(self, entries: Entries = NO_ENTRIES) -> None:
        self.chunks: dict[int, Entries | None] = {}
        self.fetch: Callable[[int], Entries] | None = None
        self.written: dict[int, int] = {}
        self.pieces: dict[int, int] = {}
        self.changed: set[int] = set()
        self.anew: set[int] = set()
        self.last_ms = NOTHING
        self.loose: list[Entries] = []
        self.loose_hour = NOTHING
        self._lay(entries)
        self.changed.update(self.chunks)

    def __len__(self) -> int:
        return sum(len(self.of(hour)) for hour in self.chunks)

    def of(self, hour: int) -> Entries:
        """Entries of an hour; none if there are none."""
        if hour == self.loose_hour and self.loose:
            self.tie()
        chunk = self.chunks.get(hour, NO_ENTRIES)
        if chunk is None and self.fetch is not None:
            chunk = self.chunks[hour] = self.fetch(hour)
        return chunk  # type: ignore[return-value]

    def tie(self) -> None:
        """Join what is loose with its chunk."""
        loose, self.loose = self.loose, []
        if loose:  # as bytes: numpy takes 6 us for each array of several fields
            parts = [self.of(self.loose_hour).tobytes(), *(entries.tobytes() for entries in loose)]
            self.chunks[self.loose_hour] = np.frombuffer(bytearray().join(parts), dtype=ENTRY)

    def rest(self, fetch: "Callable[[int], Entries]") -> None:
        """Let go of all but the last hour, until it is asked for; the changelog must have everything."""
        self.tie()
        self.fetch = fetch
        for hour in list(self.chunks)[:-1]:
            self.chunks[hour] = None

    def as_it_is(self) -> "Hours":
        """A copy that stays as it is; the entries themselves are never changed in place."""
        self.tie()
        copy = Hours()
        copy.chunks, copy.last_ms, copy.fetch = dict(self.chunks), self.last_ms, self.fetch
        return copy

    def all(self) -> Entries:
        """Every entry."""
        return _joined([self.of(hour) for hour in list(self.chunks)])

    def since(self, ms: int) -> Entries:
        """Entries at `ms` and later."""
        first = ms // HOUR_MS
        found = []
        for hour in reversed(list(self.chunks)):
            if hour < first:
                break
            found.append(self.of(hour))
        if not found:
            return NO_ENTRIES
        earliest = found[-1]
        found[-1] = earliest[np.searchsorted(earliest["time_ms"], ms) :]
        return _joined(found[::-1])

    def append(self, new: Entries, first_ms: int, last_ms: int) -> None:
        """Take sorted entries that are later than all there are."""
        hour = first_ms // HOUR_MS
        self.last_ms = last_ms
        if last_ms // HOUR_MS == hour:
            self.changed.add(hour)
            if hour not in self.chunks:
                self.chunks[hour] = new.copy()
                return
            if hour != self.loose_hour:
                self.tie()
                self.loose_hour = hour
            self.loose.append(new)
            return
        of = new["time_ms"] // HOUR_MS
        for begin, end in _spans(of):
            self.append(new[begin:end], int(new["time_ms"][begin]), int(new["time_ms"][end - 1]))

    def holds(self, keys: NDArray[np.int64]) -> list[int]:
        """Hours that have an entry with one of these keys."""
        return [hour for hour in list(self.chunks) if np.isin(self.of(hour)["key"], keys).any()]

    def join(self, new: Entries) -> tuple[int | None, int]:
        """Merge entries in any order; returns the earliest time that changed [ms], and how many identities are new.

        Two entries of one identity are of one time, unless the sender named them: only then other hours are looked into.
        """
        touched = set(np.unique(new["time_ms"] // HOUR_MS).tolist())
        named = new["key"][new["key"] < 0]
        if len(named):
            touched |= set(self.holds(named))
        hours = sorted(touched)
        old = _joined([self.of(hour) for hour in hours if hour in self.chunks])
        merged, changed_ms = merge(old, new)
        if changed_ms is None:
            return None, 0
        of = merged["time_ms"] // HOUR_MS
        fresh = {int(of[begin]): merged[begin:end] for begin, end in _spans(of)}
        self.changed.update(hours)
        for hour in hours:
            before, after = self.of(hour), fresh.get(hour, NO_ENTRIES)
            kept = self.written.get(hour, 0)
            if not np.array_equal(before[:kept], after[:kept]):
                self.anew.add(hour)
            if len(after):
                self.chunks[hour] = after.copy()
            else:
                self.chunks.pop(hour, None)
        self.tidy()
        return changed_ms, len(merged) - len(old)

    def drop_before(self, ms: int) -> None:
        """Forget entries before `ms`."""
        for hour in [hour for hour in self.chunks if hour * HOUR_MS < ms]:
            chunk = self.of(hour)
            first = int(np.searchsorted(chunk["time_ms"], ms))
            if not first:
                continue
            self.changed.add(hour)
            self.anew.add(hour)
            if first == len(chunk):
                del self.chunks[hour]
            else:
                self.chunks[hour] = chunk[first:].copy()

    def lay(self, entries: Entries) -> None:
        """Replace everything; all of it is to be written anew."""
        hours = set(self.pieces)
        self.loose = []
        self.chunks, self.written = {}, {}
        self._lay(entries)
        self.anew, self.changed = hours, hours | set(self.chunks)

    def _lay(self, entries: Entries) -> None:
        of = entries["time_ms"] // HOUR_MS
        for begin, end in _spans(of):
            self.chunks[int(of[begin])] = entries[begin:end].copy()
        self.tidy()

    def tidy(self) -> None:
        """Hours in order again, after chunks were set."""
        hours = list(self.chunks)
        if hours != sorted(hours):
            self.chunks = {hour: self.chunks[hour] for hour in sorted(hours)}
        self.last_ms = int(self.of(next(reversed(self.chunks)))["time_ms"][-1]) if self.chunks else NOTHING


def _spans(of: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Begin and end of each run of equal numbers."""
    if not len(of):
        return []
    cuts = [0, *(np.flatnonzero(of[1:] != of[:-1]) + 1).tolist(), len(of)]
    return list(pairwise(cuts))


def _joined(parts: list[Entries]) -> Entries:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else NO_ENTRIES
