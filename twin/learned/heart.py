"""Heart rate ahead: what least squares learns of this person on top of a linear state space (heart_space.py).

The error that the state space leaves, in units of its predictive sd, is regressed on ten numbers by recursive Bayesian least
squares, one recursion a horizon (1, 15, 60 min); other horizons take a correction between those of their neighbours. What it
has learned counts only as far as it has served: `mix` is the logistic of a leaky sum of squared errors saved. Quantiles
are tracked (Gibbs and Candes 2021, adaptive conformal inference): each moves up when too much lies above it.

Everything is in `memory`, a flat slice of the record; forecasts are consumed at the event time of their target.
"""

import math

import numpy as np

from twin.jit import kernel
from twin.learned.heart_slot import (
    AT_BEFORE,
    AT_COUNT,
    AT_DAY,
    AT_DEMAND,
    AT_DOUBT,
    AT_KEPT,
    AT_LAST,
    AT_LONG,
    AT_MEAN,
    AT_OFFSETS,
    AT_OPEN,
    AT_PROFILE,
    AT_SAVED,
    AT_STARTED,
    AT_STEP,
    AT_TWO_BEFORE,
    AT_WEIGHTS,
    BINS,
    CENTRE,
    CORRECTION,
    FIRST_SLOT,
    HORIZONS,
    HORIZONS_S,
    INPUTS,
    MADE_AT,
    OPEN_SIZE,
    PACKED,
    QUANTILES,
    SCALE,
    SIZE,
    SLOTS,
    STATES,
    N,
)  # fmt: skip
from twin.learned.heart_space import DAY_S, assimilate, move, packed, predicted, read, start_space
from twin.shapes import Matrix, Vector

__all__ = [
    "HORIZONS",
    "HORIZONS_S",
    "OUT",
    "SIZE",
    "N",
    "outlook_heart_rate",
    "push_lags",
    "take_heart_rate",
]
OVERLAP = np.array(
    [1.0, 3.0, 3.0]
)  # forecasts open at a time, as each is worth: horizon / how often one is kept
EVERY_S = np.array([0.0, 270.0, 1170.0])  # how often a forecast is kept to learn from

# What the regression sees, by position.
(ONE, FAST, MIDDLE, SLOW, PROFILE, DAY, NOW, BEFORE, TWO_BEFORE, ONSET) = range(N)
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
START_QUANTILES = np.array([-1.5, -0.55, -0.05, 0.5, 1.75])  # hybrid.md, section 8
OUT = 2 + QUANTILES
BIN_S, BIN_PRIOR, BIN_LASTS = DAY_S / BINS, 30.0, 420.0  # readings
PRIOR = np.array([0.01, 0.03, 0.03])  # variance of a weight about its start
CLIPPED, LARGEST, LARGEST_CORRECTION = 4.0, 16.0, 1.5
SAVED_DAYS, SAVED_LIMIT = 7.0, 20.0
TRACKING = np.array([0.005, 0.015, 0.03])  # of a quantile, in predictive sd
ONSET_MINUTES = (
    3.0  # uptake and heart rate follow movement within about three minutes (Hunt 2015: 56-60 s each)
)
ONSET_UNIT = 0.2  # MET a bpm
LONGEST_STEP_S = 3600.0


@kernel
def start(memory: Vector, now: float, value: float, offset_h: float, weights: Vector) -> None:
    """Begin with a person's first reading and the population's weights (3 x 10)."""
    memory[:] = 0.0
    memory[AT_STARTED], memory[AT_LAST], memory[AT_STEP] = 1.0, now, 60.0
    memory[AT_BEFORE], memory[AT_TWO_BEFORE] = value, value
    memory[AT_DAY], memory[AT_LONG] = value, value
    start_space(memory, value, offset_h)
    memory[AT_WEIGHTS:AT_DOUBT] = weights
    for h in range(HORIZONS):
        for i in range(N):
            memory[AT_DOUBT + h * PACKED + packed(i, i)] = PRIOR[h]
        memory[AT_KEPT + h] = -1e18


@kernel
def own_hour(memory: Vector, at_s: float) -> float:
    """The person's own mean at this time of day, between bins of two hours, each drawn to the long mean by an hour of data."""
    place = (at_s % DAY_S) / BIN_S - 0.5
    left = math.floor(place)
    share = place - left
    total = 0.0
    for k in range(2):
        b = int(left + k) % BINS
        total += memory[AT_PROFILE + b] * (share if k == 1 else 1.0 - share)
    return float(memory[AT_LONG] + total)


@kernel
def describe(
    memory: Vector,
    now: float,
    value: float,
    horizon_s: float,
    onset: float,
    centre: float,
    scale: float,
    phi: Vector,
) -> None:
    """What the regression sees into `phi` (10,)."""
    phi[ONE] = 1.0
    for i in range(3):
        phi[FAST + i] = memory[AT_MEAN + i] / scale
    phi[PROFILE] = (own_hour(memory, now + horizon_s) - centre) / scale
    phi[DAY] = (memory[AT_DAY] - centre) / scale
    phi[NOW] = (value - centre) / scale
    phi[BEFORE] = (memory[AT_BEFORE] - centre) / scale
    phi[TWO_BEFORE] = (memory[AT_TWO_BEFORE] - centre) / scale
    phi[ONSET] = onset / ONSET_UNIT / scale
    for i in range(N):
        phi[i] = min(max(phi[i], -CLIPPED), CLIPPED)


@kernel
def correction(memory: Vector, h: int, phi: Vector) -> float:
    """What has been learned says, in predictive sd."""
    total = 0.0
    for i in range(N):
        total += phi[i] * memory[AT_WEIGHTS + h * N + i]
    return float(min(max(total, -LARGEST_CORRECTION), LARGEST_CORRECTION))


@kernel
def mix(memory: Vector, h: int) -> float:
    """How far the learned correction counts."""
    return float(1.0 / (1.0 + math.exp(-memory[AT_SAVED + h])))


@kernel
def learn(memory: Vector, h: int, place: int, value: float, gain: Vector) -> None:
    """An open forecast meets its target: quantiles, trust and weights of its horizon move."""
    opened = memory[place : place + OPEN_SIZE]
    phi = opened[INPUTS:]
    weights = memory[AT_WEIGHTS + h * N : AT_WEIGHTS + (h + 1) * N]
    doubt = memory[AT_DOUBT + h * PACKED : AT_DOUBT + (h + 1) * PACKED]
    overlap = OVERLAP[h] * 60.0 / max(memory[AT_STEP], 60.0) if h == 0 else OVERLAP[h]
    error = (value - opened[CENTRE]) / opened[SCALE]
    shift = mix(memory, h) * opened[CORRECTION]
    for q in range(QUANTILES):
        at = AT_OFFSETS + h * QUANTILES + q
        above = 0.0 if error < shift + START_QUANTILES[q] + memory[at] else 1.0
        memory[at] += TRACKING[h] * (LEVELS[q] - 1.0 + above)
        memory[at] = min(max(memory[at], -1.5), 1.5)
    saved = min(error**2, LARGEST) - min((error - opened[CORRECTION]) ** 2, LARGEST)
    left = math.exp(-max(EVERY_S[h], 60.0) / (SAVED_DAYS * DAY_S))
    saved = memory[AT_SAVED + h] * left + saved / overlap
    memory[AT_SAVED + h] = min(max(saved, -SAVED_LIMIT), SAVED_LIMIT)
    innovation, variance = min(max(error, -CLIPPED), CLIPPED), overlap
    for i in range(N):
        gain[i] = 0.0
        for j in range(N):
            gain[i] += read(doubt, i, j) * phi[j]
        innovation -= weights[i] * phi[i]
        variance += gain[i] * phi[i]
    for i in range(N):
        weights[i] += gain[i] / variance * innovation
        for j in range(i + 1):
            doubt[packed(i, j)] -= gain[i] * gain[j] / variance


@kernel
def consume(memory: Vector, now: float, value: float, gain: Vector) -> None:
    """Learn from the open forecasts whose target this reading is; drop those that got none."""
    half = 0.5 * min(max(memory[AT_STEP], 60.0), 600.0)
    for h in range(HORIZONS):
        within = min(half, 0.5 * HORIZONS_S[h])
        for slot in range(FIRST_SLOT[h], FIRST_SLOT[h] + SLOTS[h]):
            place = AT_OPEN + slot * OPEN_SIZE
            if memory[place + SCALE] > 0.0:
                late = now - memory[place + MADE_AT] - HORIZONS_S[h]
                if abs(late) <= within:
                    learn(memory, h, place, value, gain)
                if late >= -within:
                    memory[place + SCALE] = 0.0


@kernel
def note(memory: Vector, now: float, value: float, demand: float, seconds: float) -> None:
    """Running statistics of the person."""
    memory[AT_STEP] += 0.02 * (min(seconds, 900.0) - memory[AT_STEP])
    memory[AT_COUNT] += 1.0
    b = int((now % DAY_S) / BIN_S) % BINS
    seen = min(BIN_PRIOR + memory[AT_COUNT] / BINS, BIN_LASTS)
    memory[AT_PROFILE + b] += (value - memory[AT_LONG] - memory[AT_PROFILE + b]) / seen
    step = min(seconds, LONGEST_STEP_S)
    memory[AT_DAY] += (1.0 - math.exp(-step / DAY_S)) * (value - memory[AT_DAY])
    weight = max(1.0 - math.exp(-step / (14.0 * DAY_S)), 1.0 / (memory[AT_COUNT] + 1.0))
    memory[AT_LONG] += weight * (value - memory[AT_LONG])
    memory[AT_DEMAND] += (1.0 - math.exp(-step / 60.0 / ONSET_MINUTES)) * (demand - memory[AT_DEMAND])


@kernel
def keep(
    memory: Vector, now: float, value: float, onset: float, look: Vector, phi: Vector, two: Vector
) -> None:
    """Keep forecasts to learn from, where one is due and a slot is free."""
    for h in range(HORIZONS):
        if now - memory[AT_KEPT + h] < EVERY_S[h]:
            continue
        for slot in range(FIRST_SLOT[h], FIRST_SLOT[h] + SLOTS[h]):
            place = AT_OPEN + slot * OPEN_SIZE
            if memory[place + SCALE] == 0.0:
                predicted(memory, now, HORIZONS_S[h], look, two)
                describe(memory, now, value, HORIZONS_S[h], onset, two[0], two[1], phi)
                memory[place + MADE_AT], memory[place + CENTRE], memory[place + SCALE] = now, two[0], two[1]
                memory[place + CORRECTION] = correction(memory, h, phi)
                memory[place + INPUTS : place + OPEN_SIZE] = phi
                memory[AT_KEPT + h] = now
                break


@kernel
def take_heart_rate(
    memory: Vector, now: float, value: float, demand: float, offset_h: float, weights: Vector, rows: Matrix
) -> None:
    """Learn from a reading: matured forecasts first, then the state space, then new forecasts to be judged later.

    Args:
        memory: SIZE numbers of the record.
        now: event time [s].
        value: heart rate [bpm].
        demand: movement by the mechanism's own judgement [MET], 1 where nothing is known.
        offset_h: of local time from UTC, where a person begins [h].
        weights: the population's, where a person begins (3 x 10, flat).
        rows: room for intermediate results (3 or more, 10 or more).

    """
    look, phi, two = rows[0, :STATES], rows[1, :N], rows[2, :2]
    if memory[AT_STARTED] == 0.0:
        start(memory, now, value, offset_h, weights)
        seconds = 60.0
        memory[AT_DEMAND] = demand
    else:
        seconds = now - memory[AT_LAST]
        if seconds <= 0.0:
            return
        move(memory, seconds)
        consume(memory, now, value, phi)
    if seconds > 900.0:
        memory[AT_BEFORE], memory[AT_TWO_BEFORE] = value, value
    assimilate(memory, now, value, look, phi)
    note(memory, now, value, demand, seconds)
    memory[AT_LAST] = now
    keep(memory, now, value, demand - memory[AT_DEMAND], look, phi, two)


@kernel
def push_lags(memory: Vector, value: float) -> None:
    """After the forecasts of a reading: it is the one before the next."""
    memory[AT_TWO_BEFORE], memory[AT_BEFORE] = memory[AT_BEFORE], value


@kernel
def outlook_heart_rate(
    memory: Vector, now: float, value: float, demand: float, horizon_s: float, rows: Matrix, out: Vector
) -> None:
    """Mean, sd and five quantiles of a reading a horizon ahead [bpm] into `out` (7,)."""
    look, phi, two = rows[0, :STATES], rows[1, :N], rows[2, :2]
    predicted(memory, now, horizon_s, look, two)
    describe(memory, now, value, horizon_s, demand - memory[AT_DEMAND], two[0], two[1], phi)
    low, share = 0, 0.0
    for h in range(HORIZONS - 1):
        if horizon_s > HORIZONS_S[h]:
            low = h
            share = min(
                math.log(horizon_s / HORIZONS_S[h]) / math.log(HORIZONS_S[h + 1] / HORIZONS_S[h]), 1.0
            )
    shift = (1.0 - share) * mix(memory, low) * correction(memory, low, phi)
    shift += share * mix(memory, low + 1) * correction(memory, low + 1, phi)
    out[0] = two[0] + two[1] * shift
    for q in range(QUANTILES):
        at = AT_OFFSETS + low * QUANTILES + q
        offset = START_QUANTILES[q] + (1.0 - share) * memory[at] + share * memory[at + QUANTILES]
        out[2 + q] = two[0] + two[1] * (shift + offset)
    for i in range(1, QUANTILES):  # sort the five
        for j in range(i, 0, -1):
            if out[1 + j] > out[2 + j]:
                out[1 + j], out[2 + j] = out[2 + j], out[1 + j]
    out[1] = (out[6] - out[2]) / 3.2897072539029435
