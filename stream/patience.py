"""Whether readings of a minute that was run already may wait for more of it."""

import numpy as np

from stream.person import PersonTwin

DOUBLED = 4  # an open tick is run again when a channel has so many times the readings that it was run with


def can_wait_too(twin: PersonTwin, count: int, channel: int, last_ms: int, tick_ms: int) -> bool:
    """The same as `can_wait`, of readings of one channel, where it was found out before for others of their minute."""
    left = twin.room.get(channel, 0) - count
    if left <= 0 or twin.room_of is not twin.head or last_ms // tick_ms != twin.head.tick:
        return False
    twin.room[channel] = left
    return True


def can_wait(twin: PersonTwin, last_ms: int, tick_ms: int) -> bool:
    """Whether these readings may wait: their tick was run with each of its channels, and there are few more now."""
    tick = twin.head.tick
    if last_ms // tick_ms != tick:
        return False
    there = twin.hours.since(tick * tick_ms)
    ran = there["time_ms"] <= twin.ran_ms
    before, now = np.bincount(there["channel"][ran], minlength=1), np.bincount(there["channel"])
    before = np.pad(before, (0, len(now) - len(before)))
    if not bool((now < DOUBLED * np.maximum(before, 1)).all() and (before[now > 0] > 0).all()):
        return False
    twin.room_of = twin.head
    twin.room = {code: int(DOUBLED * before[code] - now[code]) for code in np.flatnonzero(before).tolist()}
    return True
