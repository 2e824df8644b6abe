"""One person's twin in memory: journal, checkpoints, head, and what was published of their alerts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.hours import HOUR_MS, Hours
from stream.journal import ENTRY, Entries
from stream.policy import new_state
from twin.profile import Profile
from twin.record import genesis
from twin.shapes import Record

FINE_HOURS = (
    6  # so many hours back checkpoints are an hour apart, two from there to twice as far back, and so on
)
BEGINNING = -(1 << 62)  # the tick before all ticks
NEW = genesis()


class Checkpoint:
    """The twin after all ticks up to `tick`. Its record may lie elsewhere, and is fetched when it is asked for.

    Attributes:
        tick: number of the last tick in it.
        policy: state of the rules of alerts.
        written: whether the changelog has it.
        shelved: whether it lies on the shelf only.

    """

    __slots__ = ("_fetch", "_record", "policy", "shelved", "tick", "written")

    def __init__(self, tick: int, record: Record, policy: NDArray[np.float64], written: bool = False) -> None:
        self.tick, self.policy, self.written, self.shelved = tick, policy, written, False
        self._record: Record | None = record
        self._fetch: Callable[[], Record] | None = None

    @property
    def record(self) -> Record:
        """The numbers; nobody changes them in place."""
        self.hold()
        return self._record  # type: ignore[return-value]

    @record.setter
    def record(self, record: Record) -> None:
        self._record = record

    def hold(self) -> None:
        """Fetch the record, before what it would be fetched from is gone."""
        if self._record is None and self._fetch is not None:
            self._record = self._fetch()

    def rest(self, fetch: "Callable[[], Record]") -> None:
        """Let go of the record until it is asked for."""
        self._record, self._fetch = None, fetch


class PersonTwin:
    """State of one person; `stream.cohort` is its only writer."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.profile: dict[str, object] = {}
        self.hours = Hours()
        self.newest_ms = BEGINNING
        self.offset = -1
        self.late = 0  # readings beyond their window, never applied
        self.waiting: Entries = np.empty(0, dtype=ENTRY)  # ahead of the topic's time
        self.head = Checkpoint(BEGINNING, NEW.copy(), new_state())
        self.checkpoints: list[Checkpoint] = [self.head]
        self.alerts: dict[str, dict[str, Any]] = {}
        self.ran_ms = BEGINNING  # time of the newest reading that was run
        self.due_ms: int | None = None  # the earliest reading that is journalled and not run yet
        self.stored: dict[bytes, int] = {}  # changelog keys of checkpoints and hours, with the hours' digests
        self.shelved: set[bytes] = set()  # keys of checkpoints that lie on the shelf only
        self.parts: dict[bytes, bytes | None] = {}  # while it is restored
        self.room: dict[
            int, int
        ] = {}  # readings that may still wait, by channel, as long as the head is `room_of`
        self.room_of: Checkpoint | None = None
        self.touched = False
        self.book_changed = False  # the alerts, since they were written

    @property
    def journal(self) -> Entries:
        """All entries, sorted by time."""
        return self.hours.all()

    @journal.setter
    def journal(self, entries: Entries) -> None:
        self.hours.lay(entries)

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
        checkpoints = self.checkpoints
        while checkpoints and checkpoints[-1].tick > base.tick:
            checkpoints.pop()
        if not checkpoints or checkpoints[-1] is not base:
            checkpoints.append(base)

    def set_head(self, head: Checkpoint, window_ms: int, tick_ms: int) -> None:
        """Take the new head; forget what is beyond the window, keeping one checkpoint before it.

        The last of all checkpoints, which stands before the head, always stays, and the last of each slot. Slots are an
        hour wide, and wider further back: a reading that is late by x costs a run over 1.5 x and an hour at most.
        """
        self.head, self.due_ms, self.ran_ms = head, None, self.hours.last_ms
        hour = max(HOUR_MS // tick_ms, 1)
        last = self.checkpoints[-2:]
        if last[-1].tick // hour == head.tick // hour and last[0].tick // hour in (
            head.tick // hour,
            BEGINNING // hour,
        ):
            if last[0].tick // hour == head.tick // hour and len(last) == 2:
                self.checkpoints.pop(-2)  # as nearly always: nothing but the last hour changed
            return
        limit = head.tick - window_ms // tick_ms

        def slot(tick: int) -> tuple[int, int]:
            level = max(0, ((head.tick - tick) // (FINE_HOURS * hour)).bit_length())
            return level, tick // (hour << level)

        kept: list[Checkpoint] = []
        for checkpoint in self.checkpoints:
            if kept and checkpoint.tick < limit:
                kept.clear()
            elif kept and slot(kept[-1].tick) == slot(checkpoint.tick) and kept[-1].tick != BEGINNING:
                kept.pop()
            kept.append(checkpoint)
        self.checkpoints = kept
        if kept[0].tick > BEGINNING:
            self.hours.drop_before((kept[0].tick + 1) * tick_ms)

    def wait_after(self, ran_ms: int) -> bool:
        """Note that a run ended at `ran_ms`; whether later readings wait."""
        if ran_ms >= self.hours.last_ms:
            return False
        self.ran_ms, self.due_ms = ran_ms, int(self.hours.since(ran_ms + 1)["time_ms"][0])
        return True

    def use_profile(self, profile: Profile, fields: dict[str, object]) -> None:
        """Start again from the journal with these constants; readings beyond the journal stay in no longer."""
        self.profile = fields
        beginning = Checkpoint(BEGINNING, genesis(profile), new_state())
        self.checkpoints, self.head, self.touched = [beginning], beginning, True
        self.due_ms = int(self.journal["time_ms"][0]) if len(self.hours) else None
