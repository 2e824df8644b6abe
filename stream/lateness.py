"""When a reading is too late, or too early: judged in the order of the topic, so that a run after a crash decides the same.

How late a reading may be is a matter of its channel and source: devices hand in sleep and the summaries of a day when
they have counted them. It is counted from the newest reading of the person that came in an earlier Kafka record: what
comes in one piece is judged as one. What is ahead of the time at which the topic took it may wait; that time, not a
clock of this process, is the clock, and what waits does not make anything late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CHANNEL_CODES, CODE_OF
from connectors.columns import Decoded, stable_hash
from connectors.decode import FUTURE_MS
from stream.journal import ENTRY, Entries, entries_of
from stream.settings import USUAL

HOUR_MS = 3_600_000
MOST_WAITING = 1000  # readings of one person; further ones are refused
WAIT_MS = 24 * HOUR_MS  # how far ahead a reading may be and still wait


class Windows:
    """How much older than the newest reading of a person one may be, by channel and source.

    Args:
        default_s: where nothing is named [s].
        named: hours by `channel`, `source` or `source/channel`; a name of the channel table is a channel. The most
            exact name counts; of a channel's and a source's the longer one.

    Raises:
        ValueError: hours that are not positive.

    """

    def __init__(self, default_s: float = 86400.0, named: Mapping[str, float] | None = None) -> None:
        self.by_channel = np.full(len(CHANNEL_CODES), round(default_s * 1000), dtype=np.int64)
        self.by_source: dict[int, int] = {}
        self.by_pair: dict[tuple[int, int], int] = {}
        for name, hours in (USUAL if named is None else named).items():
            if not hours > 0.0:
                raise ValueError(f"window of {name!r}: {hours} hours are not above 0")
            window_ms = round(hours * HOUR_MS)
            if named is None:  # what is usual is never shorter than what was asked for
                window_ms = max(window_ms, round(default_s * 1000))
            source, slash, channel = name.rpartition("/")
            if name in CODE_OF:
                self.by_channel[CODE_OF[name]] = window_ms
            elif slash and channel in CODE_OF:
                self.by_pair[stable_hash(source), CODE_OF[channel]] = window_ms
            else:
                self.by_source[stable_hash(name)] = window_ms
        everything = [*self.by_channel.tolist(), *self.by_source.values(), *self.by_pair.values()]
        self.shortest_ms, self.longest_ms = min(everything), max(everything)

    def of(self, channel: NDArray[np.int16], source: NDArray[np.int64]) -> NDArray[np.int64]:
        """The window of each reading [ms]."""
        found = self.by_channel[channel]
        for known, window_ms in self.by_source.items():
            found = np.where(source == known, np.maximum(found, window_ms), found)
        for (known, code), window_ms in self.by_pair.items():
            found = np.where((source == known) & (channel == code), window_ms, found)
        return found


@dataclass(slots=True)
class Judged:
    """The rows of one person in a batch, sorted out."""

    rows: NDArray[np.int64]  # to be journalled
    newest_ms: int  # of the person, after them
    late: list[int] = field(default_factory=list)
    late_by_ms: list[int] = field(default_factory=list)  # beyond their window
    ahead: list[int] = field(default_factory=list)  # rows that would have to wait where too many wait already
    waits: int = 0
    released: Entries | None = None  # that waited until now
    waiting: Entries | None = None  # where it changed


def judge(
    readings: Decoded, rows: NDArray[np.int64], newest_ms: int, windows: Windows,
    waiting: Entries | None = None, stamps: NDArray[np.int64] | None = None,
) -> Judged:  # fmt: skip
    """Sort out the rows of one person, in the order of their records.

    Args:
        readings: the batch.
        rows: of one person, in the order of arrival.
        newest_ms: time of the person's newest reading so far.
        windows: how late they may be.
        waiting: what waits of this person.
        stamps: when the topic took each record [ms]; without it nothing waits.

    """
    time_ms = readings.time_ms[rows]
    record = readings.record[rows]
    if stamps is not None and (
        (waiting is not None and len(waiting)) or (time_ms > stamps[record] + FUTURE_MS).any()
    ):
        return _one_by_one(readings, rows, newest_ms, windows, waiting, stamps)
    after = max(newest_ms, int(time_ms.max()))
    if int(time_ms.min()) >= after - windows.shortest_ms:
        return Judged(rows, after)  # as nearly always
    starts = np.flatnonzero(np.append(True, record[1:] != record[:-1]))
    newest_of = np.maximum.reduceat(time_ms, starts)
    before = np.maximum.accumulate(np.append(newest_ms, newest_of[:-1]))
    limit = np.repeat(before, np.diff(np.append(starts, len(rows)))) - windows.of(
        readings.channel[rows], readings.source[rows]
    )
    late = time_ms < limit
    return Judged(rows[~late], after, rows[late].tolist(), (limit - time_ms)[late].tolist())


def _one_by_one(
    readings: Decoded, rows: NDArray[np.int64], newest_ms: int, windows: Windows,
    waiting: Entries | None, stamps: NDArray[np.int64],
) -> Judged:  # fmt: skip
    """The same where readings wait or begin to: a record first releases what its time has reached."""
    held: Entries = np.empty(0, dtype=ENTRY) if waiting is None else waiting
    released: list[Entries] = []
    kept: list[NDArray[np.int64]] = []
    found = Judged(rows[:0], newest_ms)
    record = readings.record[rows]
    for number in dict.fromkeys(record.tolist()):
        reached_ms = int(stamps[number]) + FUTURE_MS
        due = held["time_ms"] <= reached_ms
        if due.any():
            released.append(held[due])
            held = held[~due]
            found.newest_ms = max(found.newest_ms, int(released[-1]["time_ms"].max()))
        mine = rows[record == number]
        early = mine[readings.time_ms[mine] > reached_ms]
        room = max(0, MOST_WAITING - len(held))
        if len(early):
            held = np.concatenate([held, entries_of(readings, early[:room])])
            found.waits += min(room, len(early))
            found.ahead += early[room:].tolist()
        rest = mine[readings.time_ms[mine] <= reached_ms]
        if len(rest):
            part = judge(readings, rest, found.newest_ms, windows)
            kept.append(part.rows)
            found.newest_ms = part.newest_ms
            found.late += part.late
            found.late_by_ms += part.late_by_ms
    found.rows = np.concatenate(kept) if kept else rows[:0]
    found.released = np.concatenate(released) if released else None
    found.waiting = held
    return found


def how_late(milliseconds: Any) -> str:
    """For people."""
    hours = milliseconds / HOUR_MS
    return (
        f"{hours * 60:.0f} minutes"
        if hours < 2
        else f"{hours:.0f} hours"
        if hours < 48
        else f"{hours / 24:.0f} days"
    )
