"""One person's twin in memory: journal, checkpoints, head, and what was published of their alerts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.journal import ENTRY, Entries
from stream.policy import new_state
from twin.profile import Profile
from twin.record import genesis
from twin.shapes import Record

HOUR_MS = 3_600_000
DENSE_MS, SPARSE_HOURS = 86_400_000, 6  # a day's checkpoints are an hour apart, older ones six
BEGINNING = -(1 << 62)  # the tick before all ticks


@dataclass(slots=True)
class Checkpoint:
    """The twin after all ticks up to `tick`."""

    tick: int
    record: Record
    policy: NDArray[np.float64]
    written: bool = False  # whether the changelog has it


class PersonTwin:
    """State of one person; `stream.cohort` is its only writer."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.profile: dict[str, object] = {}
        self.journal: Entries = np.empty(0, dtype=ENTRY)
        self.newest_ms = BEGINNING
        self.offset = -1
        self.late = 0  # readings beyond their window, never applied
        self.waiting: Entries = np.empty(0, dtype=ENTRY)  # ahead of the topic's time
        self.head = Checkpoint(BEGINNING, genesis(), new_state())
        self.checkpoints: list[Checkpoint] = [self.head]
        self.alerts: dict[str, dict[str, Any]] = {}
        self.dirty_hours: set[int] = set()
        self.stored: dict[bytes, int] = {}  # changelog keys of checkpoints and hours, with the hours' digests
        self.parts: dict[bytes, bytes | None] = {}  # while it is restored
        self.touched = False
        self.book_changed = False  # the alerts, since they were written

    def replace_journal(self, journal: Entries, newest_ms: int, rows_ms: NDArray[np.int64]) -> None:
        """Take a merged journal; hours that may have changed are written at the next checkpoint."""
        hours = set(np.unique(rows_ms // HOUR_MS).tolist())
        if len(journal) != len(self.journal) + len(rows_ms):  # a revision may have moved a reading in time
            hours |= set(np.unique(self.journal["time_ms"] // HOUR_MS).tolist())
        self.journal, self.newest_ms, self.touched = journal, newest_ms, True
        self.dirty_hours |= hours

    def checkpoint_before(self, tick: int) -> Checkpoint:
        """The latest checkpoint that no reading of `tick` is in."""
        if self.head.tick < tick:
            return self.head
        for checkpoint in reversed(self.checkpoints):
            if checkpoint.tick < tick:
                return checkpoint
        return self.checkpoints[0]

    def forget_after(self, base: Checkpoint) -> None:
        """Drop checkpoints later than `base`; the run that begins there makes them again."""
        self.checkpoints = [c for c in self.checkpoints if c.tick <= base.tick]
        if all(c is not base for c in self.checkpoints):
            self.checkpoints.append(base)

    def set_head(self, head: Checkpoint, window_ms: int, tick_ms: int) -> None:
        """Take the new head; forget what is beyond the window, keeping one checkpoint before it.

        Of the checkpoints only the last of each hour stays (of each six beyond a day), and the last of all, which
        stands before the head.
        """
        self.head = head
        limit = head.tick - window_ms // tick_ms
        hour, day_before = max(HOUR_MS // tick_ms, 1), head.tick - DENSE_MS // tick_ms

        def slot(tick: int) -> tuple[bool, int]:
            old = tick < day_before
            return old, tick // (SPARSE_HOURS * hour if old else hour)

        kept: list[Checkpoint] = []
        for checkpoint in self.checkpoints:
            if kept and checkpoint.tick < limit:
                kept.clear()
            elif kept and slot(kept[-1].tick) == slot(checkpoint.tick) and kept[-1].tick != BEGINNING:
                kept.pop()
            kept.append(checkpoint)
        self.checkpoints = kept
        oldest = kept[0].tick
        if oldest > BEGINNING and len(self.journal):
            first = int(np.searchsorted(self.journal["time_ms"], (oldest + 1) * tick_ms))
            self.dirty_hours |= set(np.unique(self.journal["time_ms"][:first] // HOUR_MS).tolist())
            self.journal = self.journal[first:]

    def use_profile(self, profile: Profile, fields: dict[str, object]) -> None:
        """Start again from the journal with these constants; readings beyond the journal stay in no longer."""
        self.profile = fields
        beginning = Checkpoint(BEGINNING, genesis(profile), new_state())
        self.checkpoints, self.head, self.touched = [beginning], beginning, True
