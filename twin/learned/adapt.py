"""What is learned of a person's forecasts when their targets come: gains, trust, and the offsets of quantiles.

A forecast issued at t for a horizon h matures with the first reading within half a step of t + h, at that reading's event
time. Its error r = (y - population mean) / s_h is regressed on phi = [1, projected hidden units, causes] by recursive
Bayesian least squares, prior N(gains, diag), observation variance the number of forecasts that overlap, forgetting
towards the prior. Trust is a leaky sum of what the correction has won; the correction counts by sigmoid(trust - proof), so
that one that loses is switched off. Quantiles move by rate (q - [y < issued]) (adaptive conformal; Gibbs, Candes 2021).
"""

import math

import numpy as np

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.learned.network import GlucoseWeights
from twin.shapes import Array, Matrix, Vector

# Variances of gains; of causes as between virtual people (DECISIONS.md 38).
PRIOR_HIDDEN, PRIOR_CAUSES = 0.003, 0.1
FORGETTING_MIN = 60.0 * 1440.0
TRUST_MIN, TRUST_START, TRUST_LIMIT = 14.0 * 1440.0, 0.0, 12.0
CLIPPED_TERM, CLIPPED_ERROR, CLIPPED_CORRECTION = 3.0, 4.0, 1.5
TRACKING, CLIPPED_SHIFT = 0.008, 1.5
# Trust at which half counts: of what is the person's own, of what causes add.
OWN_PROOF, TOLD_PROOF = 3.0, 1.0
ROUGHEST_SD = 30.0  # mg/dL: beyond this s_30 (two sensors at once) what is the person's own counts less
WIDTH_RATE, CLIPPED_WIDTH = 0.02, 0.7
LOW_FULL, LOW_NONE = 70.0, 78.0  # mg/dL
SAME_MIN = 2.5  # readings that come faster do not all stay in the ring
GAINS_AHEAD_MIN = 60.0  # the horizon whose overlap the shared covariance counts
LEVELS = np.array([0.05, 0.25, 0.50, 0.75, 0.95])
AHEAD_MIN = np.array([15.0, 30.0, 60.0, 120.0])


@kernel
def start(slot: Vector, singles: Array, gains: Array) -> None:
    """The prior of everything that is learned here, nothing open."""
    n = s_.TERMS
    singles[s_.GAINS : s_.FLOATS] = 0.0
    slot[s_.OPEN_NEXT], slot[s_.LOW_WIDTH] = 0.0, 0.0
    at = s_.GAINS_COVARIANCE
    for i in range(n):
        singles[at] = PRIOR_HIDDEN if i <= s_.PROJECTED else PRIOR_CAUSES
        at += n - i
    for h in range(s_.HORIZONS):
        for c in range(s_.CAUSES):
            singles[s_.GAINS + h * n + 1 + s_.PROJECTED + c] = gains[h, c]
        singles[s_.TRUST + h] = TRUST_START


@kernel
def forget(singles: Array, gains: Array, minutes: float) -> None:
    """Move what is learned a little towards the prior."""
    left = math.exp(-minutes / FORGETTING_MIN)
    n = s_.TERMS
    at = s_.GAINS_COVARIANCE
    for i in range(n):
        prior = PRIOR_HIDDEN if i <= s_.PROJECTED else PRIOR_CAUSES
        for j in range(i, n):
            singles[at] = singles[at] * left * left + (prior * (1.0 - left * left) if i == j else 0.0)
            at += 1
    for h in range(s_.HORIZONS):
        for i in range(n):
            prior = gains[h, i - 1 - s_.PROJECTED] if i > s_.PROJECTED else 0.0
            g = s_.GAINS + h * n + i
            singles[g] = prior + (singles[g] - prior) * left
        singles[s_.TRUST + h] *= math.exp(-minutes / TRUST_MIN)


@kernel
def times_covariance(singles: Array, phi: Array, out: Vector) -> float:
    """P phi into `out`. Returns phi' P phi."""
    n = s_.TERMS
    out[:] = 0.0
    at = s_.GAINS_COVARIANCE
    for i in range(n):
        out[i] += singles[at] * phi[i]
        for j in range(i + 1, n):
            p = singles[at + j - i]
            out[i] += p * phi[j]
            out[j] += p * phi[i]
        at += n - i
    total = 0.0
    for i in range(n):
        total += out[i] * phi[i]
    return total


@kernel
def learn_one(singles: Array, entry: Array, h: int, value: float, step_min: float, gain: Vector) -> None:
    """A matured forecast of horizon h: gains, trust and quantiles of that horizon."""
    n = s_.TERMS
    at = s_.OPEN_ISSUED + h * s_.ISSUED
    s, correction = entry[at + s_.SPREAD], entry[at + s_.CORRECTION]
    error = (value - entry[at + s_.POPULATION]) / s
    error = min(max(error, -CLIPPED_ERROR), CLIPPED_ERROR)
    every = max(s_.OPEN_EVERY_MIN, step_min)
    overlap = max(AHEAD_MIN[h] / every, 1.0)
    left = error - correction
    won = min(max(error * error - left * left, -4.0), 4.0) / overlap
    trust = singles[s_.TRUST + h] + won
    singles[s_.TRUST + h] = min(max(trust, -TRUST_LIMIT), TRUST_LIMIT)
    phi = entry[s_.OPEN_TERMS : s_.OPEN_TERMS + n]
    spread = times_covariance(singles, phi, gain)
    told = 0.0
    for i in range(n):
        told += singles[s_.GAINS + h * n + i] * phi[i]
    size = (error - told) / (overlap + spread)
    for i in range(n):
        singles[s_.GAINS + h * n + i] += gain[i] * size
    if AHEAD_MIN[h] == GAINS_AHEAD_MIN:
        p = s_.GAINS_COVARIANCE
        for i in range(n):
            for j in range(i, n):
                singles[p] -= gain[i] * gain[j] / (overlap + spread)
                p += 1
    rate = TRACKING
    for k in range(5):
        below = 1.0 if value < entry[at + s_.QUANTILES + k] else 0.0
        shift = singles[s_.SHIFTS + 5 * h + k] + rate * (LEVELS[k] - below)
        singles[s_.SHIFTS + 5 * h + k] = min(max(shift, -CLIPPED_SHIFT), CLIPPED_SHIFT)


@kernel
def lowness(value: float) -> float:
    """How much of a low a reading is: 1 at LOW_FULL and below, 0 at LOW_NONE and above."""
    return min(max((LOW_NONE - value) / (LOW_NONE - LOW_FULL), 0.0), 1.0)


@kernel
def follow_width(slot: Vector, entry: Array, h: int, value: float, then: float) -> None:
    """Width of the bands of forecasts that are made in a low: wider where half of the targets are not in the middle band.

    d ln w = rate x lowness x (1/2 - [q25 <= y <= q75]): one number for all horizons, since lows are few.
    """
    at = s_.OPEN_ISSUED + h * s_.ISSUED + s_.QUANTILES
    inside = 1.0 if entry[at + 1] <= value <= entry[at + 3] else 0.0
    width = slot[s_.LOW_WIDTH] + WIDTH_RATE * lowness(then) * (0.5 - inside)
    slot[s_.LOW_WIDTH] = min(max(width, -CLIPPED_WIDTH), CLIPPED_WIDTH)


@kernel
def value_when(singles: Array, newest: int, since_first: float) -> float:
    """The reading of a time when a forecast was made; nan where it is no longer kept."""
    at = newest
    for _ in range(s_.RING):
        if abs(singles[s_.RING_MIN + at] - since_first) < SAME_MIN:
            return float(singles[s_.RING_VALUE + at])
        at = at - 1 if at > 0 else s_.RING - 1
    return math.nan


@kernel
def mature(
    slot: Vector, singles: Array, since_first: float, value: float, step_min: float, gain: Vector
) -> None:
    """Learn of every open forecast whose target this reading is; close those whose time has passed."""
    within = 0.5 * step_min
    newest = int(slot[s_.NEWEST])
    for e in range(s_.ENTRIES):
        start_at = s_.OPEN + e * s_.ENTRY
        entry = singles[start_at : start_at + s_.ENTRY]
        for h in range(s_.HORIZONS):
            spread = s_.OPEN_ISSUED + h * s_.ISSUED + s_.SPREAD
            if entry[spread] <= 0.0:
                continue
            late = since_first - entry[s_.OPENED_MIN] - AHEAD_MIN[h]
            if late >= -within:
                if late <= within:
                    learn_one(singles, entry, h, value, step_min, gain)
                    then = value_when(singles, newest, entry[s_.OPENED_MIN])
                    if then < LOW_NONE:
                        follow_width(slot, entry, h, value, then)
                entry[spread] = 0.0


@kernel
def terms(
    weights: GlucoseWeights, hidden: Array, causes: Vector, unit: float, share: float, phi: Array
) -> None:
    """phi (TERMS,) of a forecast that is made now; `unit` of what a cause counts, `share` of what the person's own does."""
    phi[0] = share
    for k in range(s_.PROJECTED):
        total = 0.0
        for j in range(hidden.shape[0]):
            total += (hidden[j] - weights.middle[j]) * weights.projection[j, k]
        phi[1 + k] = share * min(max(total, -CLIPPED_TERM), CLIPPED_TERM)
    for c in range(s_.CAUSES):
        phi[1 + s_.PROJECTED + c] = min(max(unit * causes[c], -CLIPPED_TERM), CLIPPED_TERM)


@kernel
def corrections(singles: Array, phi: Array, out: Vector, told: Vector) -> None:
    """The correction of each horizon in units of s_h, before trust, into `out`, and what causes add of it into `told`."""
    for h in range(s_.HORIZONS):
        own, caused = 0.0, 0.0
        for i in range(s_.TERMS):
            part = singles[s_.GAINS + h * s_.TERMS + i] * phi[i]
            if i <= s_.PROJECTED:
                own += part
            else:
                caused += part
        out[h] = min(max(own + caused, -CLIPPED_CORRECTION), CLIPPED_CORRECTION)
        told[h] = min(max(caused, -CLIPPED_CORRECTION), CLIPPED_CORRECTION)


@kernel
def trusted(singles: Array, h: int, proof: float) -> float:
    """Share of a correction that counts: half where trust has reached `proof`."""
    return float(1.0 / (1.0 + math.exp(proof - singles[s_.TRUST + h])))


@kernel
def open_forecast(
    slot: Vector, singles: Array, since_first: float, phi: Array, base: Matrix, population: Array, correction: Vector,
    issued: Matrix,
) -> None:  # fmt: skip
    """Keep what was issued until its targets come, at most every 15 min.

    Args:
        slot, singles: the learned part of the record.
        since_first: now [min].
        phi: of the recursion (TERMS,).
        base: mean and sd of the filter (HORIZONS, 2).
        population: means of the network in units of s_h (HORIZONS,).
        correction: of the person (HORIZONS,).
        issued: mean and five quantiles (HORIZONS, 6) [mg/dL].

    """
    newest = (int(slot[s_.OPEN_NEXT]) - 1) % s_.ENTRIES
    at = s_.OPEN + newest * s_.ENTRY
    opened = slot[s_.OPEN_NEXT] > 0.0
    if opened and since_first - singles[at + s_.OPENED_MIN] < s_.OPEN_EVERY_MIN - 0.5:
        return
    here = int(slot[s_.OPEN_NEXT]) % s_.ENTRIES
    at = s_.OPEN + here * s_.ENTRY
    entry = singles[at : at + s_.ENTRY]
    entry[s_.OPENED_MIN] = since_first
    for i in range(s_.TERMS):
        entry[s_.OPEN_TERMS + i] = phi[i]
    for h in range(s_.HORIZONS):
        p = s_.OPEN_ISSUED + h * s_.ISSUED
        entry[p + s_.POPULATION] = base[h, 0] + base[h, 1] * population[h]
        entry[p + s_.SPREAD], entry[p + s_.CORRECTION] = base[h, 1], correction[h]
        for k in range(5):
            entry[p + s_.QUANTILES + k] = issued[h, 1 + k]
    slot[s_.OPEN_NEXT] += 1.0
