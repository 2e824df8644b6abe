"""A linear state space of a glucose sensor: base and scale of the learned forecast, beside the mechanism.

    dg/dt = v1 + v2 - (g - mu - c(t)) / tau_g + q_g dW,   dv_i/dt = -v_i / tau_i + q_i dW_i
    c(t) = a1 cos wt + b1 sin wt + a2 cos 2wt + b2 sin 2wt,   w = 2 pi / 24 h

mu and the four amplitudes are random walks. The noise of g and v is (g/140)^0.54 sc times the above: sc follows the
squared innovations within half an hour (switching noise level). Discretised exactly for the time since the last reading,
so that 5 min, 15 min and gaps are one code. The constants maximise the composite likelihood of the 30- and 60-min
forecasts of 32 of the development people (../shared/hybrid.md section 3); nothing here is fitted to a person.
"""

import math

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.shapes import Matrix, Vector

N = s_.STATES
G, V1, V2, MU, A1, B1, A2, B2 = range(N)
TAU_1, TAU_2, TAU_G = 3.2, 52.0, 75.0  # min
Q_1, Q_2, Q_G = 1.52, 0.337, 0.236  # mg/dL/min per sqrt(min); mg/dL per sqrt(min)
Q_MU, CIRCADIAN_SD, MU_SD = 11.0, 11.0, 35.0  # mg/dL per sqrt(day); mg/dL
CIRCADIAN_DRIFT = 0.10  # of the prior sd per sqrt(day)
LEVEL, POPULATION = 140.0, 130.0  # mg/dL
LEVEL_POWER = 0.54
HUBER = 0.84
SCALE_RATE, SCALE_FIRST, SCALE_MEAN = 0.11, 30.0, 0.93
SCALE_LOW, SCALE_HIGH = 0.05, 20.0
LONGEST_MIN = 20160.0  # beyond two weeks nothing more is forgotten
OMEGA = 2.0 * math.pi / 1440.0  # per min
USUAL_MIN = 5.0  # readings that come faster share one reading's information


@kernel
def noise_of(value: float) -> float:
    """Variance of a reading [(mg/dL)^2]."""
    return 1.0 + (0.0032 * value) ** 2


@kernel
def _shared(a: float, b: float, minutes: float) -> float:
    return (1.0 - math.exp(-(a + b) * minutes)) / (a + b)


@kernel
def _through(rate: float, minutes: float) -> float:
    """What a unit of v leaves in g after `minutes`."""
    kg = 1.0 / TAU_G
    return (math.exp(-rate * minutes) - math.exp(-kg * minutes)) / (kg - rate)


@kernel
def row_of_g(minute: float, minutes: float, row: Vector) -> None:
    """d g(t + minutes) / d x(t) into `row` (8,); `minute` is the local time of t [min]."""
    kg = 1.0 / TAU_G
    left = math.exp(-kg * minutes)
    row[G], row[MU] = left, 1.0 - left
    row[V1], row[V2] = _through(1.0 / TAU_1, minutes), _through(1.0 / TAU_2, minutes)
    for k in range(1, 3):
        # The integral of e^{-(T-s)/tau} e^{iw(t+s)} / tau: (e^{iw(t+T)} - e^{-T/tau} e^{iwt}) / (1 + iw tau).
        w = OMEGA * k
        real = math.cos(w * (minute + minutes)) - left * math.cos(w * minute)
        imaginary = math.sin(w * (minute + minutes)) - left * math.sin(w * minute)
        lag = w * TAU_G
        row[A1 + 2 * (k - 1)] = (real + imaginary * lag) / (1.0 + lag * lag)
        row[B1 + 2 * (k - 1)] = (imaginary - real * lag) / (1.0 + lag * lag)


@kernel
def spread_of_g(minutes: float) -> float:
    """Variance of g after `minutes` from new noise of g and v, at 140 mg/dL and sc 1."""
    kg = 1.0 / TAU_G
    both = _shared(kg, kg, minutes)
    total = Q_G**2 * both
    for rate, q in ((1.0 / TAU_1, Q_1), (1.0 / TAU_2, Q_2)):
        c = q / (kg - rate)
        total += c * c * (_shared(rate, rate, minutes) - 2.0 * _shared(rate, kg, minutes) + both)
    return total


@kernel
def circadian(mean: Vector, minute: float) -> float:
    """c at a local time [mg/dL]."""
    w = OMEGA * minute
    return float(
        mean[A1] * math.cos(w)
        + mean[B1] * math.sin(w)
        + mean[A2] * math.cos(2.0 * w)
        + mean[B2] * math.sin(2.0 * w)
    )


@kernel
def start(mean: Vector, covariance: Matrix, value: float) -> None:
    """The state before a person's first reading is corrected into it."""
    mean[:], covariance[:, :] = 0.0, 0.0
    mean[G], mean[MU] = value, 0.5 * (value + POPULATION)
    covariance[G, G] = noise_of(value)
    covariance[V1, V1], covariance[V2, V2] = Q_1**2 * TAU_1 / 2.0, Q_2**2 * TAU_2 / 2.0
    covariance[MU, MU] = MU_SD**2
    for i in range(A1, N):
        covariance[i, i] = CIRCADIAN_SD**2


@kernel
def move(
    mean: Vector, covariance: Matrix, minute: float, minutes: float, scale: float, row: Vector, trial: Matrix
) -> None:
    """Carry mean and covariance over `minutes` from local time `minute`, in place; sc is `scale`."""
    minutes = min(minutes, LONGEST_MIN)
    level = scale * (max(mean[G], 20.0) / LEVEL) ** LEVEL_POWER
    row_of_g(minute, minutes, row)
    k1, k2, kg = 1.0 / TAU_1, 1.0 / TAU_2, 1.0 / TAU_G
    f1, f2 = math.exp(-k1 * minutes), math.exp(-k2 * minutes)
    total = 0.0
    for i in range(N):
        total += row[i] * mean[i]
    mean[G] = total
    mean[V1] *= f1
    mean[V2] *= f2
    for j in range(N):  # F P, and then F P F'
        total = 0.0
        for i in range(N):
            total += row[i] * covariance[i, j]
        trial[0, j] = total
    for i in range(1, N):
        for j in range(N):
            trial[i, j] = covariance[i, j]
    for j in range(N):
        trial[V1, j] *= f1
        trial[V2, j] *= f2
    for i in range(N):
        total = 0.0
        for j in range(N):
            total += trial[i, j] * row[j]
        covariance[i, G] = total
        for j in range(1, N):
            covariance[i, j] = trial[i, j]
        covariance[i, V1] *= f1
        covariance[i, V2] *= f2
    covariance[G, G] += level * spread_of_g(minutes)
    for i, rate, q in ((V1, k1, Q_1), (V2, k2, Q_2)):
        own = _shared(rate, rate, minutes)
        cross = level * q * q / (kg - rate) * (own - _shared(rate, kg, minutes))
        covariance[i, i] += level * q * q * own
        covariance[G, i] += cross
        covariance[i, G] += cross
    days = minutes / 1440.0
    covariance[MU, MU] += Q_MU**2 * days
    for i in range(A1, N):
        covariance[i, i] += (CIRCADIAN_DRIFT * CIRCADIAN_SD) ** 2 * days


@kernel
def correct(mean: Vector, covariance: Matrix, value: float, noise: float, gain: Vector) -> float:
    """Assimilate a reading with Huber's weight, in place. Returns the normalised innovation."""
    spread = covariance[G, G] + noise
    z = (value - mean[G]) / math.sqrt(spread)
    if abs(z) > HUBER:
        noise *= abs(z) / HUBER
        spread = covariance[G, G] + noise
    for i in range(N):
        gain[i] = covariance[i, G] / spread
    error = value - mean[G]
    for i in range(N):
        mean[i] += gain[i] * error
    for i in range(N):
        for j in range(N):
            covariance[i, j] -= gain[i] * gain[j] * spread
    return float(z)


@kernel
def follow_scale(scale: float, z: float, count: float, share: float) -> float:
    """sc after an innovation; `share` is the part of a usual reading that this one is."""
    rate = share * max(SCALE_RATE, 1.0 / (count + SCALE_FIRST))
    scale *= math.exp(rate * (min(z * z, 9.0) - SCALE_MEAN))
    return min(max(scale, SCALE_LOW), SCALE_HIGH)


@kernel
def ahead(
    mean: Vector, covariance: Matrix, minute: float, minutes: float, scale: float, row: Vector, out: Vector
) -> None:
    """Mean and sd of the reading `minutes` after local time `minute` into `out` (2,)."""
    row_of_g(minute, minutes, row)
    centre, variance = 0.0, 0.0
    for i in range(N):
        centre += row[i] * mean[i]
        total = 0.0
        for j in range(N):
            total += covariance[i, j] * row[j]
        variance += row[i] * total
    level = scale * (max(mean[G], 20.0) / LEVEL) ** LEVEL_POWER
    variance += level * spread_of_g(minutes) + noise_of(centre)
    out[0], out[1] = centre, math.sqrt(max(variance, 1.0))


@kernel
def unpack(packed: Vector, covariance: Matrix) -> None:
    """The upper half, row by row, as a whole matrix."""
    at = 0
    for i in range(N):
        for j in range(i, N):
            covariance[i, j] = packed[at]
            covariance[j, i] = packed[at]
            at += 1


@kernel
def pack(covariance: Matrix, packed: Vector) -> None:
    """The whole matrix as its upper half."""
    at = 0
    for i in range(N):
        for j in range(i, N):
            packed[at] = 0.5 * (covariance[i, j] + covariance[j, i])
            at += 1
