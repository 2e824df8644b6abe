"""Statistics of a person's glucose, causal and by event time: what is usual for them at what hour, how rough, how low.

A running mean with memory tau weighs a reading by 1 - exp(-dt/tau), and by dt/age while the person is young.
"""

import math

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.shapes import Array, Vector

LOW = 70.0  # mg/dL
LONG_MIN, DAY_MIN, SIX_MIN, CHANGE_MIN = 14.0 * 1440.0, 1440.0, 360.0, 3.0 * 1440.0  # memories
FASTEST_MIN, SLOWEST_MIN = 1.0, 15.0  # steps of sensors
STEP_FOLLOWS = 1.03
NEW_READING_MIN = 4.0  # readings that come faster do not all enter the ring
HOUR_LIMIT = 20.0  # h: what an hour's bin remembers
NEVER_LOW_MIN = 10080.0
BRIDGED_MIN = 16.0  # a value between two readings this near is on the line between them


@kernel
def weight(minutes: float, memory: float, age: float) -> float:
    """Share of the new value in a running mean."""
    return max(1.0 - math.exp(-minutes / memory), minutes / max(age + minutes, 1.0))


@kernel
def usual_step(step: float, seen: float, count: float) -> float:
    """Median of the times between readings, followed by 3 % a reading: clocks jitter, readings are lost."""
    if count == 1.0:
        return seen
    if seen > step:
        return min(step * STEP_FOLLOWS, seen)
    return max(step / STEP_FOLLOWS, seen)


@kernel
def value_ago(singles: Array, newest: int, count: int, minutes: float) -> float:
    """The reading `minutes` before the newest, on the line between two near ones; nan where there is none."""
    later_min, later = singles[s_.RING_MIN + newest], singles[s_.RING_VALUE + newest]
    wanted = later_min - minutes
    at = newest
    for _ in range(min(count, s_.RING) - 1):
        at = at - 1 if at > 0 else s_.RING - 1
        earlier_min, earlier = singles[s_.RING_MIN + at], singles[s_.RING_VALUE + at]
        if earlier_min <= wanted:
            between = later_min - earlier_min
            if between > BRIDGED_MIN:
                if wanted - earlier_min < 2.5:
                    return float(earlier)
                return float(later) if later_min - wanted < 2.5 else math.nan
            return float(earlier + (later - earlier) * (wanted - earlier_min) / between)
        later_min, later = earlier_min, earlier
    return float(later) if later_min - wanted < 2.5 and minutes > 0.0 else math.nan


@kernel
def window(singles: Array, newest: int, count: int, out: Vector) -> None:
    """Lowest, highest and mean reading of the last 3 h into `out` (3,)."""
    low, high, total, number = 1e9, -1e9, 0.0, 0.0
    now = singles[s_.RING_MIN + newest]
    at = newest
    for _ in range(min(count, s_.RING)):
        value = singles[s_.RING_VALUE + at]
        if now - singles[s_.RING_MIN + at] > 180.0:
            break
        low, high = min(low, value), max(high, value)
        total += value
        number += 1.0
        at = at - 1 if at > 0 else s_.RING - 1
    out[0], out[1], out[2] = low, high, total / number


@kernel
def usual_at(slot: Vector, singles: Array, minute: float) -> float:
    """The person's own mean at a local time of day, between the middles of the hours, shrunk by 5 h of data [mg/dL]."""
    hour = (minute / 60.0 - 0.5) % 24.0
    first = int(hour) % 24
    second = (first + 1) % 24
    share = hour - math.floor(hour)
    found = 0.0
    for bin_, part in ((first, 1.0 - share), (second, share)):
        hours = singles[s_.HOUR_WEIGHT + bin_]
        mean = (hours * singles[s_.HOUR_MEAN + bin_] + 5.0 * slot[s_.LONG_MEAN]) / (hours + 5.0)
        found += part * mean
    return found


@kernel
def learn_person(
    slot: Vector, singles: Array, now: float, minute: float, value: float, minutes: float
) -> None:
    """Take a reading into the statistics; `minutes` since the last one (0 for the first), `minute` the local time."""
    age = (slot[s_.LAST_S] - slot[s_.FIRST_S]) / 60.0
    counted = min(minutes, SLOWEST_MIN) if slot[s_.COUNT] > 0.0 else 5.0
    if slot[s_.COUNT] == 0.0:
        slot[s_.LONG_MEAN], slot[s_.DAY_MEAN], slot[s_.SIX_HOURS] = value, value, value
        slot[s_.LONG_SQUARE], slot[s_.CHANGE_SQUARE], slot[s_.ROUGH_SQUARE] = 30.0**2, 20.0**2, 2.0**2
        slot[s_.LOW_S], slot[s_.STEP_MIN] = now - 60.0 * NEVER_LOW_MIN, 5.0
    elif minutes >= FASTEST_MIN:
        slot[s_.STEP_MIN] = usual_step(slot[s_.STEP_MIN], min(minutes, SLOWEST_MIN), slot[s_.COUNT])
    w = weight(counted, LONG_MIN, age)
    before = slot[s_.LONG_MEAN]
    slot[s_.LONG_MEAN] += w * (value - before)
    # A start of one hour's worth of 30 mg/dL keeps the first values sane.
    ws = weight(counted, LONG_MIN, age + 60.0)
    slot[s_.LONG_SQUARE] += ws * ((value - before) * (value - slot[s_.LONG_MEAN]) - slot[s_.LONG_SQUARE])
    slot[s_.DAY_MEAN] += weight(counted, DAY_MIN, age) * (value - slot[s_.DAY_MEAN])
    slot[s_.SIX_HOURS] += weight(counted, SIX_MIN, age) * (value - slot[s_.SIX_HOURS])
    slot[s_.LOW_SHARE] += weight(counted, LONG_MIN, age + 1440.0) * ((value < LOW) - slot[s_.LOW_SHARE])
    if value < LOW:
        slot[s_.LOW_S] = now
    bin_ = int(minute / 60.0) % 24
    hours = singles[s_.HOUR_WEIGHT + bin_] + counted / 60.0
    singles[s_.HOUR_MEAN + bin_] += (value - singles[s_.HOUR_MEAN + bin_]) * (counted / 60.0) / hours
    singles[s_.HOUR_WEIGHT + bin_] = min(hours, HOUR_LIMIT)
    newest, count = int(slot[s_.NEWEST]), int(slot[s_.COUNT])
    since_first = (now - slot[s_.FIRST_S]) / 60.0
    if (
        count == 0
        or since_first - singles[s_.RING_MIN + (newest - 1) % s_.RING] >= NEW_READING_MIN
        or count == 1
    ):
        newest = (newest + 1) % s_.RING
        slot[s_.COUNT] += 1.0
    singles[s_.RING_MIN + newest], singles[s_.RING_VALUE + newest] = since_first, value
    slot[s_.NEWEST] = float(newest)
    count = int(slot[s_.COUNT])
    half_hour = value_ago(singles, newest, count, 30.0)
    learning = weight(counted, CHANGE_MIN, age + 120.0)
    if not math.isnan(half_hour):
        slot[s_.CHANGE_SQUARE] += learning * ((value - half_hour) ** 2 - slot[s_.CHANGE_SQUARE])
    if count > 2:
        one, two = (newest - 1) % s_.RING, (newest - 2) % s_.RING
        if singles[s_.RING_MIN + newest] - singles[s_.RING_MIN + two] <= 2.2 * slot[s_.STEP_MIN]:
            rough = value - 2.0 * singles[s_.RING_VALUE + one] + singles[s_.RING_VALUE + two]
            slot[s_.ROUGH_SQUARE] += learning * (rough * rough - slot[s_.ROUGH_SQUARE])
