"""Tomorrow's daily values: one small state space a channel, and for resting heart rate what all channels' surprises say.

y / unit = level + d + w(weekday) + noise: the level walks, d is an AR(1) of days, w is a weekend and one wave a week. The
series are white noise about a slow level, so that knowing the level is what can be gained (feasible.md, section 3). Resting
heart rate, which its maker has smoothed already, has nearly no noise; there the last, two-day and seven-day mean of every
channel's standardised innovations, and its own last two changes, tell a little more (ridge).

Constants are trained (training.py) on LifeSnaps (Yfantidou et al. 2022, CC BY 4.0) and handed in; quantiles are tracked per
person. Everything a person has is in `memory`, a flat slice of the record.
"""

import math

import numpy as np

from twin import channels as c_
from twin.jit import kernel
from twin.shapes import Matrix, Vector

NAMES = (
    "resting_heart_rate", "skin_temperature", "spo2", "hrv_rmssd", "respiration_rate", "sleep_duration", "steps",
)  # fmt: skip
DAILY = np.array([c_.CHANNELS.index(name) for name in NAMES])
CHANNELS = 7
RESTING, WALKED = 0, 6
ALWAYS = np.array([True, False, False, False, False, True, False])  # of a day whenever they come
POSITIVE = 1e-6  # zeros of sleep, variability and respiration are readings that failed; a day without steps may be one
DAY_S, HOUR_S = 86400.0, 3600.0
SHORT_S, BUSY_S, NEXT_S = 6.0 * HOUR_S, 24.0 * HOUR_S, 15.0 * HOUR_S
HORIZON_S, WITHIN_S = 86400.0, 6.0 * HOUR_S

STATES = 5  # level, AR(1), weekend, sine and cosine of the week
PACKED = STATES * (STATES + 1) // 2
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
QUANTILES = 5
TRACKING, LARGEST_OFFSET = 0.015, 1.5
LONGEST_DAYS = 60.0
TWO_DAYS, SEVEN_DAYS = 2.0, 7.0
CLIPPED = 3.0

# Of each channel in the memory.
(AT_ANY, AT_BUSY, AT_LAST, AT_COUNT, AT_ISSUED, AT_SD, AT_SURPRISE, AT_TWO, AT_SEVEN, AT_VALUE, AT_CHANGE,
 AT_CHANGE_BEFORE) = range(12)  # fmt: skip
AT_MEAN = 12
AT_COVARIANCE = AT_MEAN + STATES
AT_OFFSETS = AT_COVARIANCE + PACKED
ROW = AT_OFFSETS + QUANTILES
SIZE = CHANNELS * ROW

# Of each channel in the constants.
(UNIT, USUAL, LEVEL_WALK, AR_WALK, AR_LEFT, WEEK_SD, LEVEL_SD, NOISE, FAR) = range(9)
START_QUANTILES = 9
CONSTANTS = START_QUANTILES + QUANTILES
SURPRISES = 3
RIDGE = CHANNELS * SURPRISES + 2
NUMBERS = CHANNELS * CONSTANTS + RIDGE
ROOM = STATES + RIDGE


@kernel
def place_of(channel: int) -> int:
    """Which daily channel a channel of the twin is, -1 if none."""
    for i in range(CHANNELS):
        if DAILY[i] == channel:
            return i
    return -1


@kernel
def packed(i: int, j: int) -> int:
    """Position of elements i, j of a symmetric matrix."""
    return i * (i + 1) // 2 + j if i >= j else j * (j + 1) // 2 + i


@kernel
def look_at(local_s: float, look: Vector) -> None:
    """How a value of this local day is the sum of the states."""
    weekday = (math.floor(local_s / DAY_S) + 3.0) % 7.0  # 0 is Monday
    turn = 2.0 * math.pi * weekday / 7.0
    look[0], look[1] = 1.0, 1.0
    look[2] = (1.0 if weekday >= 5.0 else 0.0) - 2.0 / 7.0
    look[3], look[4] = math.sin(turn), math.cos(turn)


@kernel
def begin(own: Vector, k: Vector) -> None:
    """A channel's first value."""
    own[AT_MEAN:AT_OFFSETS] = 0.0
    cov = own[AT_COVARIANCE:AT_OFFSETS]
    cov[packed(0, 0)] = k[LEVEL_SD] ** 2
    cov[packed(1, 1)] = k[AR_WALK] ** 2 / (1.0 - k[AR_LEFT] ** 2)
    for i in range(2, STATES):
        cov[packed(i, i)] = k[WEEK_SD] ** 2


@kernel
def move(own: Vector, k: Vector, days: float) -> None:
    """The states without readings."""
    left = k[AR_LEFT] ** days
    own[AT_MEAN + 1] *= left
    cov = own[AT_COVARIANCE:AT_OFFSETS]
    for j in range(STATES):
        cov[packed(1, j)] *= left * left if j == 1 else left
    cov[packed(0, 0)] += k[LEVEL_WALK] ** 2 * days
    cov[packed(1, 1)] += k[AR_WALK] ** 2 * (1.0 - left * left) / (1.0 - k[AR_LEFT] ** 2)


@kernel
def is_daily(own: Vector, place: int, value: float, now: float) -> bool:
    """Whether a value stands for a day: it comes after a night's silence, in a channel that does not speak by the hour."""
    if not math.isfinite(value) or (value < POSITIVE and place != WALKED):
        return False
    first = own[AT_COUNT] == 0.0
    since_any = now - own[AT_ANY]
    if not ALWAYS[place] and own[AT_ANY] != 0.0 and since_any < SHORT_S:
        own[AT_BUSY] = now + BUSY_S
    own[AT_ANY] = now
    if not ALWAYS[place] and now < own[AT_BUSY]:
        return False
    return bool(first or now - own[AT_LAST] >= NEXT_S)


@kernel
def take_daily(
    memory: Vector, place: int, value: float, now: float, offset_h: float, numbers: Vector, room: Vector
) -> bool:
    """Learn from a channel's value of the day; False if it is none, or not surely. `room` is for intermediate results (ROOM,)."""
    own = memory[place * ROW : (place + 1) * ROW]
    if not is_daily(own, place, value, now):
        return False
    k = numbers[place * CONSTANTS : (place + 1) * CONSTANTS]
    days = (now - own[AT_LAST]) / DAY_S
    if own[AT_COUNT] == 0.0:
        begin(own, k)
        days = 1.0
    else:
        days = min(days, LONGEST_DAYS)
        move(own, k, days)
        if own[AT_SD] > 0.0 and abs(days * DAY_S - HORIZON_S) <= WITHIN_S:
            track(own, k, value)
    see(own, k, value, now + offset_h * HOUR_S, days, room)
    own[AT_LAST], own[AT_COUNT], own[AT_SD] = now, own[AT_COUNT] + 1.0, 0.0
    return bool(
        ALWAYS[place] or own[AT_COUNT] > 1.0
    )  # the first of a stream by the minute looks like one of the day


@kernel
def track(own: Vector, k: Vector, value: float) -> None:
    """The forecast that was issued yesterday meets its target: its quantiles move."""
    error = (value - own[AT_ISSUED]) / own[AT_SD]
    for q in range(QUANTILES):
        below = 1.0 if error < k[START_QUANTILES + q] + own[AT_OFFSETS + q] else 0.0
        moved = own[AT_OFFSETS + q] + TRACKING * (LEVELS[q] - below)
        own[AT_OFFSETS + q] = min(max(moved, -LARGEST_OFFSET), LARGEST_OFFSET)


@kernel
def see(own: Vector, k: Vector, value: float, local_s: float, days: float, room: Vector) -> None:
    """One value into the states; its surprise into the running means, its change into the last two."""
    mean, cov = own[AT_MEAN:AT_COVARIANCE], own[AT_COVARIANCE:AT_OFFSETS]
    look, gain = room[:STATES], room[STATES : 2 * STATES]
    look_at(local_s, look)
    error, variance = (value - k[USUAL]) / k[UNIT], k[NOISE]
    for i in range(STATES):
        error -= look[i] * mean[i]
        gain[i] = 0.0
        for j in range(STATES):
            gain[i] += cov[packed(i, j)] * look[j]
        variance += look[i] * gain[i]
    z = error / math.sqrt(variance)
    far = max(1.0, (abs(z) / k[FAR]) ** 2) - 1.0
    total = variance * (1.0 + far)
    for i in range(STATES):
        mean[i] += gain[i] / total * error
        for j in range(i + 1):
            cov[packed(i, j)] -= gain[i] * gain[j] / total
    z = min(max(z, -CLIPPED), CLIPPED)
    missed = max(days - 1.0, 0.0)
    own[AT_SURPRISE] = z
    own[AT_TWO] *= (1.0 - 1.0 / TWO_DAYS) ** missed
    own[AT_TWO] += (z - own[AT_TWO]) / TWO_DAYS
    own[AT_SEVEN] *= (1.0 - 1.0 / SEVEN_DAYS) ** missed
    own[AT_SEVEN] += (z - own[AT_SEVEN]) / SEVEN_DAYS
    yesterday = days < 1.5 and own[AT_COUNT] > 0.0
    own[AT_CHANGE_BEFORE] = own[AT_CHANGE] if yesterday else 0.0
    own[AT_CHANGE] = (value - own[AT_VALUE]) / k[UNIT] if yesterday else 0.0
    own[AT_VALUE] = value


@kernel
def surprises(memory: Vector, now: float, phi: Vector) -> None:
    """What the regression of resting heart rate sees into `phi` (23,)."""
    phi[:] = 0.0
    for c in range(CHANNELS):
        own = memory[c * ROW : (c + 1) * ROW]
        if own[AT_COUNT] > 0.0:
            missed = math.floor((now - own[AT_LAST]) / DAY_S + 0.5)
            phi[c * SURPRISES] = own[AT_SURPRISE] if missed < 0.5 else 0.0
            phi[c * SURPRISES + 1] = own[AT_TWO] * (1.0 - 1.0 / TWO_DAYS) ** missed
            phi[c * SURPRISES + 2] = own[AT_SEVEN] * (1.0 - 1.0 / SEVEN_DAYS) ** missed
    own = memory[RESTING * ROW : (RESTING + 1) * ROW]
    phi[RIDGE - 2], phi[RIDGE - 1] = own[AT_CHANGE], own[AT_CHANGE_BEFORE]


@kernel
def outlook_daily(
    memory: Vector, place: int, now: float, offset_h: float, numbers: Vector, room: Vector, out: Vector
) -> None:
    """Mean, sd and five quantiles of the value of a day later into `out` (7,); it is kept to be judged by.

    `room` is for intermediate results (ROOM,).
    """
    look = room[:STATES]
    own = memory[place * ROW : (place + 1) * ROW]
    k = numbers[place * CONSTANTS : (place + 1) * CONSTANTS]
    mean, cov = own[AT_MEAN:AT_COVARIANCE], own[AT_COVARIANCE:AT_OFFSETS]
    look_at(now + HORIZON_S + offset_h * HOUR_S, look)
    variance = k[NOISE] + k[LEVEL_WALK] ** 2 + k[AR_WALK] ** 2
    look[1] = k[AR_LEFT]
    centre = 0.0
    for i in range(STATES):
        centre += look[i] * mean[i]
        for j in range(STATES):
            variance += look[i] * look[j] * cov[packed(i, j)]
    if place == RESTING:
        surprises(memory, now, room[STATES : STATES + RIDGE])
        for i in range(RIDGE):
            centre += numbers[CHANNELS * CONSTANTS + i] * room[STATES + i]
    own[AT_ISSUED], own[AT_SD] = k[USUAL] + k[UNIT] * centre, k[UNIT] * math.sqrt(variance)
    out[0] = own[AT_ISSUED]
    for q in range(QUANTILES):
        out[2 + q] = own[AT_ISSUED] + own[AT_SD] * (k[START_QUANTILES + q] + own[AT_OFFSETS + q])
    for i in range(1, QUANTILES):  # sort the five
        for j in range(i, 0, -1):
            if out[1 + j] > out[2 + j]:
                out[1 + j], out[2 + j] = out[2 + j], out[1 + j]
    out[1] = (out[6] - out[2]) / 3.2897072539029435


@kernel
def follow(
    times: Vector, places: Vector, values: Vector, numbers: Vector, memory: Vector, out: Matrix, seen: Matrix
) -> None:
    """A person's daily values in order of time, as the fold takes them: for training and benches.

    Args:
        times: [s] (n,); places: daily channels (n,); values (n,).
        numbers: the constants (NUMBERS,); memory: filled (SIZE,).
        out: filled with what was forecast at each for a day later: mean, sd, quantiles, raw sd; nan where it is none (n, 8).
        seen: filled with what the regression saw (n, RIDGE).

    """
    room = np.zeros(ROOM)
    n = times.shape[0]
    first = 0
    while first < n:
        last = first
        while last < n and times[last] == times[first]:
            taken = take_daily(memory, int(places[last]), values[last], times[last], 0.0, numbers, room)
            out[last, :] = 0.0 if taken else math.nan
            last += 1
        for i in range(first, last):
            if out[i, 0] == 0.0:
                place = int(places[i])
                surprises(memory, times[i], seen[i])
                outlook_daily(memory, place, times[i], 0.0, numbers, room, out[i])
                out[i, 7] = memory[place * ROW + AT_SD]
        first = last
