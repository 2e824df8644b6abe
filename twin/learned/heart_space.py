"""Heart rate as a sum of processes: the state space under the learned forecast.

y = u1 + u2 + u3 + mu + c(t) + noise: three Ornstein-Uhlenbeck processes (minutes, half an hour, hours), a mean that walks,
two harmonics of the day, which begin as a usual night's. Huber's weight for outliers; the variance of the three processes is
scaled by a level that follows the squared innovations, since volatility changes within the hour. Constants fitted on hr_fitbit
(CC0): hybrid.md, section 8, and DECISIONS.md 35.
"""

import math

import numpy as np

from twin.jit import kernel
from twin.learned.heart_slot import AT_COUNT, AT_COVARIANCE, AT_LEVEL, AT_MEAN, AT_PROFILE, BINS, STATES
from twin.shapes import Vector

DAY_S = 86400.0
TAU_S = np.array([4.5, 25.0, 216.0]) * 60.0
SD = np.array([4.7, 6.3, 4.7])  # bpm
MEAN_WALK = 1.6  # bpm per sqrt(day)
HARMONIC_SD, HARMONIC_WALK = 3.4, 0.34  # bpm, bpm per sqrt(day)
NOISE = 0.9**2
USUAL_BPM, USUAL_SD = 75.0, 15.0
HUBER = 1.6
LEVEL_RATE, LEVEL_AIM, LEVEL_AHEAD = 0.02, 0.93, 0.5
USUAL_FALL, USUAL_LOWEST_H = 2.5, 5.0  # bpm about the day's mean, local time: where everybody's day begins


@kernel
def packed(i: int, j: int) -> int:
    """Position of row i, column j <= i of a symmetric matrix."""
    return i * (i + 1) // 2 + j


@kernel
def read(p: Vector, i: int, j: int) -> float:
    """Element i, j of a packed symmetric matrix."""
    return float(p[packed(i, j)] if i >= j else p[packed(j, i)])


@kernel
def looks_at(now: float, look: Vector) -> None:
    """How a reading at `now` is the sum of the states."""
    turn = 2.0 * math.pi * (now % DAY_S) / DAY_S
    look[:4] = 1.0
    look[4], look[5] = math.cos(turn), math.sin(turn)
    look[6], look[7] = math.cos(2.0 * turn), math.sin(2.0 * turn)


@kernel
def start_space(memory: Vector, value: float, offset_h: float) -> None:
    """Begin with a person's first reading [bpm] and a usual day, local time being `offset_h` ahead of UTC."""
    memory[AT_MEAN + 3] = 0.5 * (value + USUAL_BPM)
    lowest = 2.0 * math.pi * (USUAL_LOWEST_H - offset_h) / 24.0
    memory[AT_MEAN + 4], memory[AT_MEAN + 5] = -USUAL_FALL * math.cos(lowest), -USUAL_FALL * math.sin(lowest)
    for b in range(BINS):
        memory[AT_PROFILE + b] = -USUAL_FALL * math.cos(2.0 * math.pi * (b + 0.5) / BINS - lowest)
    cov = memory[AT_COVARIANCE:AT_PROFILE]
    for i in range(3):
        cov[packed(i, i)] = SD[i] ** 2
        cov[packed(i + 4, i + 4)] = HARMONIC_SD**2
    cov[packed(7, 7)], cov[packed(3, 3)] = HARMONIC_SD**2, USUAL_SD**2
    memory[AT_LEVEL] = 1.0


@kernel
def move(memory: Vector, seconds: float) -> None:
    """The state space without readings."""
    mean, cov = memory[AT_MEAN:AT_COVARIANCE], memory[AT_COVARIANCE:AT_PROFILE]
    for i in range(3):
        left = math.exp(-seconds / TAU_S[i])
        mean[i] *= left
        for j in range(STATES):
            at = packed(i, j) if i >= j else packed(j, i)
            cov[at] *= left * left if i == j else left
        cov[packed(i, i)] += SD[i] ** 2 * (1.0 - left * left) * memory[AT_LEVEL]
    cov[packed(3, 3)] += MEAN_WALK**2 * seconds / DAY_S
    for i in range(4, STATES):
        cov[packed(i, i)] += HARMONIC_WALK**2 * seconds / DAY_S


@kernel
def assimilate(memory: Vector, now: float, value: float, look: Vector, gain: Vector) -> None:
    """One reading into the state space; the level of volatility follows."""
    mean, cov = memory[AT_MEAN:AT_COVARIANCE], memory[AT_COVARIANCE:AT_PROFILE]
    looks_at(now, look)
    error, variance = value, 0.0
    for i in range(STATES):
        error -= look[i] * mean[i]
        gain[i] = 0.0
        for j in range(STATES):
            gain[i] += read(cov, i, j) * look[j]
        variance += look[i] * gain[i]
    z = error / math.sqrt(variance + NOISE)
    total = variance + NOISE * max(1.0, abs(z) / HUBER)
    for i in range(STATES):
        mean[i] += gain[i] / total * error
        for j in range(i + 1):
            cov[packed(i, j)] -= gain[i] * gain[j] / total
    rate = max(LEVEL_RATE, 1.0 / (memory[AT_COUNT] + 30.0))
    level = memory[AT_LEVEL] * math.exp(rate * (min(z * z, 9.0) - LEVEL_AIM))
    memory[AT_LEVEL] = min(max(level, 0.05), 20.0)


@kernel
def predicted(memory: Vector, now: float, horizon_s: float, look: Vector, out: Vector) -> None:
    """Mean and sd of a reading a horizon ahead by the state space alone, into `out` (2,)."""
    mean, cov = memory[AT_MEAN:AT_COVARIANCE], memory[AT_COVARIANCE:AT_PROFILE]
    looks_at(now + horizon_s, look)
    variance = NOISE + MEAN_WALK**2 * horizon_s / DAY_S
    level = memory[AT_LEVEL] ** LEVEL_AHEAD
    for i in range(3):
        look[i] = math.exp(-horizon_s / TAU_S[i])
        variance += SD[i] ** 2 * (1.0 - look[i] ** 2) * level
    centre = 0.0
    for i in range(STATES):
        centre += look[i] * mean[i]
        for j in range(i):
            variance += 2.0 * look[i] * look[j] * cov[packed(i, j)]
        variance += look[i] ** 2 * cov[packed(i, i)]
    out[0], out[1] = centre, math.sqrt(variance)
