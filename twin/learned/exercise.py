"""Heart rate from a plan of speeds: demand, saturation, a slow loop of fatigue, with numbers of the person.

Second by second (feasible.md, section 2; the drive's law is physiology.md, section 4, as in physiology/heart.py):

    d = g v / 3 + aF F,   V += (sat(d) - V) / tau_V,   sat(d) = 1 - sp(1 - d, .08)
    h += k (D - h),       D = sp(V, .01),  k from 1 / (tau_off (1 + kap h^2)) falling to 1 / tau_on rising
    F += (h - F) / tau_F, HR = HR0 + span h

F feeds demand: the slow rise of steady running and the slow tail of recovery. A person's numbers are the most probable ones
under a prior, drawn back to its centre by how much they differ from day to day. EVERYBODY's centre and the shares that last
are those that the specification gives (feasible.md, section 2), its widths wide round numbers; where several people's bouts
are known, what they have in common is learned of them (exercise_cohort.py). Nothing that is shipped was fitted to people
whose data may only be used to judge (DECISIONS.md 21, 37).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.jit import equation, kernel
from twin.numerics import softplus, tanh
from twin.shapes import Vector

Floats = NDArray[np.float64]
# Speed by the second [m/s], seconds of the readings, readings [bpm].
Bout = tuple[Floats, NDArray[np.int64], Floats]

(REST, LN_SPAN, LN_COST, LN_UPTAKE_S, LN_ON_S, LN_OFF_S, LN_SLOWING, LN_FATIGUE_S, FEEDBACK) = range(9)
N = 9
# HR0 standing before sport [bpm]; ln of HRmax - HR0; ln of demand at 3 m/s; ln seconds of uptake, of the drive up and down;
# ln kap; ln seconds of the slow component; its feedback.
PRIOR = np.array([
    85.0, 4.76, -0.42, math.log(20.0), math.log(18.0), math.log(24.0), math.log(6.6), math.log(510.0), 0.57,
])  # fmt: skip
PRIOR_SD = np.array([20.0, 0.2, 0.2, 1.0, 0.7, 0.7, 0.5, 0.5, 0.3])
LASTING = np.array(
    [0.76, 0.73, 0.89, 1.0, 0.79, 0.9, 1.0, 1.0, 0.9]
)  # share of a difference that is there another day
READING_SD = 7.0  # bpm: of what the model does not explain, a minute's readings being as good as one
MINUTE_S = 60.0
DAY_SD, MINUTE_SD, COUNTED = (
    10.5,
    6.0,
    15.0,
)  # of HR0 from day to day [bpm]; of a quarter of a minute's readings
STRANGER_SD = 17.0  # bpm, of HR0 and of the heart rate at full drive, where nothing is known of the person
# Beyond so many sd of a reading an error counts by its size, not by its square (Huber 1964): a strap reads wrong for minutes.
ROBUST = 1.345
STEPS, TRIES = 30, 8
DAMPING, LEAST_GAIN = 1e-2, 1e-6
STEP_SHARE = 1e-3  # of a usual difference between people, by which slopes are found


class Prior(NamedTuple):
    """What is thought of a person's numbers before a bout of theirs is known: means and sd (9,)."""

    mean: Floats
    sd: Floats


class Numbers(NamedTuple):
    """A person's numbers (9,) and the variances of what their bouts leave open (9,)."""

    mean: Floats
    variance: Floats


EVERYBODY = Prior(PRIOR, PRIOR_SD)


@equation
def next_second(
    speed: float, uptake: float, drive: float, fatigue: float, cost: float, uptake_s: float, on_s: float, off_s: float,
    slowing: float, fatigue_s: float, feedback: float,
) -> tuple[float, float, float]:  # fmt: skip
    """V, h and F a second later.

    Args:
        speed: v [m/s]; uptake: V; drive: h; fatigue: F [-].
        cost: g, demanded share of the reserve at 3 m/s [-].
        uptake_s: tau_V; on_s: tau_on; off_s: tau_off; fatigue_s: tau_F [s].
        slowing: kap, how much slower recovery is from high drive [-].
        feedback: aF, demand for a full fatigue [-].

    Returns:
        V, h, F [-].

    """
    demanded = cost * speed / 3.0 + feedback * fatigue
    later = uptake + (1.0 - softplus(1.0 - demanded, 0.08) - uptake) / max(uptake_s, 1.0)
    aim = softplus(later, 0.01)
    falling = 1.0 / (off_s * (1.0 + slowing * drive * drive))
    rate = falling + (1.0 / on_s - falling) * 0.5 * (1.0 + tanh((aim - drive) / 0.05))
    risen = drive + min(rate, 1.0) * (aim - drive)
    return later, risen, fatigue + (risen - fatigue) / fatigue_s


@kernel
def run(numbers: Vector, speed: Vector, drive: Vector, rate: Vector) -> None:
    """Drive h and heart rate [bpm] at the end of every second of a bout that begins at rest, into `drive` and `rate`."""
    cost, span = math.exp(numbers[LN_COST]), math.exp(numbers[LN_SPAN])
    uptake_s, on_s = math.exp(numbers[LN_UPTAKE_S]), math.exp(numbers[LN_ON_S])
    off_s, slowing = math.exp(numbers[LN_OFF_S]), math.exp(numbers[LN_SLOWING])
    fatigue_s = math.exp(numbers[LN_FATIGUE_S])
    v, h, f = 0.0, 0.0, 0.0
    for i in range(speed.shape[0]):
        v, h, f = next_second(
            speed[i], v, h, f, cost, uptake_s, on_s, off_s, slowing, fatigue_s, numbers[FEEDBACK]
        )
        drive[i] = h
        rate[i] = numbers[REST] + span * h


def _residuals(numbers: Floats, bouts: list[Bout], prior: Prior) -> Floats:
    """Differences to the prior and to the readings in units of their sd: half their squares' sum is what is made small."""
    parts = [(numbers - prior.mean) / prior.sd]
    for speed, at, readings in bouts:
        drive, rate = np.empty(len(speed)), np.empty(len(speed))
        run(numbers, speed, drive, rate)
        weight = math.sqrt(len(np.unique(at)) / MINUTE_S / len(at))
        error = (rate[at] - readings) / READING_SD
        size = np.abs(error)
        far = np.sqrt(np.maximum(2.0 * ROBUST * size - ROBUST**2, 0.0))
        parts.append(np.where(size <= ROBUST, error, np.sign(error) * far) * weight)
    return np.concatenate(parts)


def _slopes(numbers: Floats, left: Floats, bouts: list[Bout], prior: Prior) -> Floats:
    slopes = np.empty((len(left), N))
    for i in range(N):
        moved = numbers.copy()
        moved[i] += STEP_SHARE * PRIOR_SD[i]
        slopes[:, i] = (_residuals(moved, bouts, prior) - left) / (STEP_SHARE * PRIOR_SD[i])
    return slopes


def fit(bouts: list[Bout], prior: Prior = EVERYBODY) -> Numbers:
    """The person's numbers: most probable under the prior, by Levenberg's and Marquardt's steps."""
    numbers, damping = prior.mean.copy(), DAMPING
    left = _residuals(numbers, bouts, prior)
    slopes = _slopes(numbers, left, bouts, prior)
    for _ in range(STEPS):
        square, downhill = slopes.T @ slopes, slopes.T @ left
        before = float(left @ left)
        for _try in range(TRIES):
            trial = numbers - np.linalg.solve(square + damping * np.diag(np.diag(square)), downhill)
            found = _residuals(trial, bouts, prior)
            if found @ found < before:
                break
            damping *= 4.0
        else:
            break
        numbers, left, damping = trial, found, max(damping / 3.0, 1e-6)
        slopes = _slopes(numbers, left, bouts, prior)
        if before - float(left @ left) < LEAST_GAIN * before:
            break
    return Numbers(numbers, np.diag(np.linalg.inv(slopes.T @ slopes)))


def for_another_day(numbers: Floats, prior: Prior = EVERYBODY) -> Floats:
    """Drawn back to the prior's centre by the share of the differences between people that does not last."""
    return np.asarray(prior.mean + LASTING * (numbers - prior.mean), dtype=np.float64)


def predict(
    numbers: Floats | None, speed: Floats, at: NDArray[np.int64], readings: Floats, prior: Prior = EVERYBODY
) -> tuple[Floats, Floats]:
    """Mean and sd of heart rate [bpm] at every second of a planned bout.

    Args:
        numbers: of the person, for_another_day; None for one who was never seen to move.
        speed: planned, by the second [m/s].
        at: seconds of what has been read of that day so far, possibly nothing; readings [bpm].
        prior: whose centre stands for one who was never seen to move.

    Returns:
        Mean and sd by the second. The day's resting rate is told by the readings so far; what it adds fades with the drive.

    """
    drive, rate = np.empty(len(speed)), np.empty(len(speed))
    run(prior.mean if numbers is None else numbers, speed, drive, rate)
    day_sd, shift = DAY_SD if numbers is not None else STRANGER_SD, 0.0
    known = day_sd**2
    if len(at):
        noise = MINUTE_SD**2 / (len(at) / COUNTED)
        shift = float(np.median(readings - rate[at])) * day_sd**2 / (day_sd**2 + noise)
        known = day_sd**2 * noise / (day_sd**2 + noise)
    fading = np.clip(1.0 - drive, 0.0, 1.0)
    strange = 0.0 if numbers is not None else STRANGER_SD
    return rate + shift * fading, np.sqrt(READING_SD**2 + known * fading**2 + (strange * drive) ** 2)
