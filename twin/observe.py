"""What a sensor reads of the sigma points, and how noisily: section 13 of the specification, by channel.

Glucose has a file of its own, observe_glucose.py.

A daily or nightly value (a resting heart rate, a temperature deviation; variability, respiration or saturation that comes
once a night, for at least the second time) is an observation of what it is the mean of: the points are settled into a
quiet night first.
"""

import math

import numpy as np

from twin import channels as c_
from twin import record as r_
from twin.blocks import fast, slow
from twin.filter.correct import correct
from twin.filter.points import draw
from twin.inputs import fast_inputs, slow_inputs
from twin.jit import kernel
from twin.numerics import exp, log
from twin.physiology.body_composition import scale_reading
from twin.physiology.inflammation import LOG_QUIET_INFECTION
from twin.shapes import Matrix, Points, Record, Vector
from twin.workspace import Work

NIGHTLY_AFTER_S = 6.0 * 3600.0  # silence after which a night channel's value is taken for the night's
NIGHT_MINUTES, WARM_NIGHT_MINUTES = 30.0, 90.0  # to settle: heart and lung, skin
ORAL_BELOW_CORE = 0.25  # degC
FAR_BEYOND = 6.0  # sd
FULL_SATURATION = 99.5  # %: a reading at the top says "at least"
_SEEN = {name: position for position, name in enumerate(fast.Seen._fields)}
# Which row of Seen a channel reads, sd of one reading, minutes over which its errors last.
_FAST_SENSORS = {
    "heart_rate": ("heart_rate", 2.5, 0.5), "hrv_rmssd": ("hrv_rmssd", 0.25, 5.0),
    "respiration_rate": ("respiration_rate", 0.8, 5.0), "spo2": ("spo2", 3.0, 5.0),
    "skin_temperature": ("skin_temperature", 0.5, 30.0), "skin_temperature_delta": ("skin_temperature", 0.2, 0.0),
    "core_temperature": ("core_temperature", 0.10, 5.0), "body_temperature": ("core_temperature", 0.25, 0.0),
    "bp_systolic": ("bp_systolic", 8.0, 0.0), "bp_diastolic": ("bp_diastolic", 5.5, 0.0),
    "resting_heart_rate": ("heart_rate", 1.7, 0.0), "oxygen_uptake": ("oxygen_uptake", 0.10, 0.5),
    "vo2max": ("oxygen_uptake", 0.15, 20160.0), "active_energy": ("active_expenditure", 0.25, 10.0),
    "bp_systolic_cuffless": ("bp_systolic", 10.0, 1440.0), "bp_diastolic_cuffless": ("bp_diastolic", 8.0, 1440.0),
}  # fmt: skip
ROW = np.array([_SEEN[_FAST_SENSORS[name][0]] for name in c_.FAST_SENSORS])
SD = np.array([_FAST_SENSORS[name][1] for name in c_.FAST_SENSORS])
LASTING_S = np.array([_FAST_SENSORS[name][2] * 60.0 for name in c_.FAST_SENSORS])
NIGHTLY_RMSSD_SD, NIGHTLY_RESPIRATION_SD, AWAKE_RESPIRATION_SD, LOW_SPO2_SD = 0.10, 0.65, 2.0, 4.0
BODY_WEIGHT, FAT_SHARE = 0, 1  # rows of slow.Seen
DAY_VARIANCE, DAY_S = 0.5**2, 86400.0  # kg^2: bowel, bladder and clothes, the same all day
SCALE_VARIANCE = 0.1**2 + DAY_VARIANCE  # kg^2: with the scale itself
IMPEDANCE_VARIANCE, IMPEDANCE_BIAS_VARIANCE = 3.5**2, 2.0**2  # %^2: with a bias of this body that lasts
IMPEDANCE_BIAS_S = 28.0 * DAY_S


@kernel
def heart_rate_noise(drive: float) -> float:
    """Variance of one wrist reading [bpm^2]: sd 2.5 still, 8 at full drive."""
    sd = 2.5 + 5.5 * min(max(drive, 0.0), 1.0)
    return sd * sd


@kernel
def settle(points: Points, minutes: float, healthy: bool, record: Record, now: float, w: Work) -> None:
    """Take points through a quiet night: asleep in bed, nothing unmeasured, the clock at its low; see `w.seen` after it."""
    stride = fast.STRIDE
    fast_inputs(record, now, False, w.inputs)
    night = fast.Inputs(
        met=0.95, measured=1.0, asleep=1.0, posture=0.0, clock=-0.7, clock_quadrature=0.0, ambient_temperature=20.0,
        humidity=0.5, air_speed=0.1, clothing=2.2, site_temperature=31.5, barometric_pressure=w.inputs[11],
        inspired_oxygen=w.inputs[12], efficiency=0.15, fed=0.0, dehydration=0.0, blood_alcohol=0.0,
        beta_blockade=w.inputs[17], infection=0.0, weight=w.inputs[19],
    )  # fmt: skip
    for i in range(fast.INPUTS):
        w.inputs[i] = night[i]
    for j in range(stride):
        points[fast.AROUSAL * stride + j] = 0.0
        points[fast.UNMEASURED * stride + j] = 0.0
        points[fast.CLOCK_SHIFT * stride + j] = 0.0
        if healthy:
            points[fast.INFLAMMATION * stride + j] = 0.0
            points[fast.FEVER * stride + j] = 0.0
            points[fast.INFECTION_DRIVE * stride + j] = LOG_QUIET_INFECTION
    k = record[r_.FAST_BODY : r_.METABOLIC_BODY]
    fast.advance(points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
    fast.observe(points, w.seen, w.inputs, k)


@kernel
def is_nightly(record: Record, channel: int, now: float) -> bool:
    """Whether a value stands for a whole night."""
    if channel == c_.RESTING_RATE or channel == c_.SKIN_DELTA:
        return True
    of_night = channel == c_.RMSSD or channel == c_.RESPIRATION or channel == c_.SPO2
    silent = now - record[r_.LAST_S + channel] > NIGHTLY_AFTER_S
    return of_night and silent and record[r_.PAUSE_S + channel] > NIGHTLY_AFTER_S


@kernel
def expect_fast(channel: int, nightly: bool, now: float, record: Record, ahead: bool, w: Work) -> None:
    """What the channel would read of every drawn point into `w.expected`; RMSSD as its logarithm."""
    stride = fast.STRIDE
    if nightly:
        minutes = WARM_NIGHT_MINUTES if channel == c_.SKIN_DELTA else NIGHT_MINUTES
        w.aside[:] = w.points
        settle(w.aside, minutes, False, record, now, w)
    else:
        fast_inputs(record, now, ahead, w.inputs)
        fast.observe(w.points, w.seen, w.inputs, record[r_.FAST_BODY : r_.METABOLIC_BODY])
    row = ROW[channel] * stride
    for j in range(stride):
        w.expected[j] = w.seen[row + j]
    if channel == c_.RMSSD:
        for j in range(stride):
            w.expected[j] = log(max(w.expected[j], 1.0))
    elif channel == c_.BODY_TEMPERATURE:
        for j in range(stride):
            w.expected[j] -= ORAL_BELOW_CORE
    elif channel == c_.OXYGEN_UPTAKE:
        for j in range(stride):
            w.expected[j] *= record[r_.WEIGHT]
    elif channel == c_.MAXIMAL_UPTAKE:
        for j in range(stride):
            w.expected[j] = exp(min(max(w.points[fast.MAXIMAL_UPTAKE * stride + j], 1.6), 4.6))
    elif channel == c_.SKIN_DELTA:
        w.aside[:] = w.points
        settle(w.aside, WARM_NIGHT_MINUTES, True, record, now, w)
        for j in range(stride):
            w.expected[j] -= w.seen[row + j]


@kernel
def fast_noise(
    channel: int, value: float, nightly: bool, now: float, record: Record, mean: Vector, asleep: float
) -> float:
    """Variance of a reading's error; a channel that speaks faster than its errors fade counts less."""
    sd = SD[channel]
    if channel == c_.HEART_RATE:
        return heart_rate_noise(mean[fast.DRIVE])
    if channel == c_.RMSSD:
        sd = NIGHTLY_RMSSD_SD if nightly else sd
    elif channel == c_.RESPIRATION:
        sd = NIGHTLY_RESPIRATION_SD if nightly else sd + (AWAKE_RESPIRATION_SD - sd) * (1.0 - asleep)
    elif channel == c_.SPO2:
        sd = LOW_SPO2_SD if value < 90.0 else sd
    elif channel == c_.OXYGEN_UPTAKE or channel == c_.MAXIMAL_UPTAKE:
        sd = sd * value + 1.0
    since = max(now - record[r_.LAST_S + channel], 1.0)
    return float(sd * sd * max(1.0, LASTING_S[channel] / since))


@kernel
def censored(
    flag: int, expected: Vector, count: int, value: float, noise: float
) -> tuple[bool, float, float]:
    """What a reading at the end of its scale tells: whether anything, and the plain reading and variance that tell the same.

    Of z ~ N(m, s^2) one knows z >= L: with a = (L - m) / s and l = phi(a) / (1 - Phi(a)), d = l (l - a), its mean is
    m + s l and its variance s^2 (1 - d). A plain reading m + s l / d of variance s^2 / d does exactly that (Tobin 1958,
    Econometrica 26, 24-36; moments of the truncated normal). Below the scale likewise, mirrored.
    """
    if flag == c_.PLAIN:
        return True, value, noise
    sign = 1.0 if flag == c_.CENSORED_HIGH else -1.0
    centre, spread = 0.0, 0.0
    for j in range(count):
        centre += expected[j]
    centre /= count
    for j in range(count):
        spread += (expected[j] - centre) ** 2
    sd = math.sqrt(spread / count + noise)
    away = sign * (value - centre) / sd
    if not away < FAR_BEYOND:
        return True, value, noise  # where the tail is all at its limit, and what is not finite
    hazard = (
        math.exp(-0.5 * away * away) / math.sqrt(2.0 * math.pi) / (0.5 * math.erfc(away / math.sqrt(2.0)))
    )
    narrowed = hazard * (hazard - away)
    if narrowed < 1e-4:
        return False, value, noise
    return True, centre + sign * sd * hazard / narrowed, sd * sd / narrowed - spread / count


@kernel
def correct_fast(
    channel: int, value: float, noise: float, flag: int, now: float, record: Record, mean: Vector, covariance: Matrix,
    w: Work,
) -> int:  # fmt: skip
    """Assimilate one reading of block F; `noise` below zero asks for the channel's own. Returns the outcome."""
    if channel == c_.ACTIVE_ENERGY:  # an input: twin/DECISIONS.md 24
        w.report[0] = math.nan
        return 0
    record[r_.REPAIRED] += draw(mean, covariance, w.factor, w.points, fast.STRIDE)
    nightly = is_nightly(record, channel, now)
    expect_fast(channel, nightly, now, record, False, w)
    if noise < 0.0:
        noise = fast_noise(channel, value, nightly, now, record, mean, w.inputs[2]) * -noise
    if channel == c_.SPO2 and value >= FULL_SATURATION:
        value, flag = FULL_SATURATION, c_.CENSORED_HIGH
    elif channel == c_.RMSSD:
        value = math.log(max(value, 1.0))
    told, value, noise = censored(flag, w.expected, 2 * fast.N, value, noise)
    if not told:
        w.report[0] = 0.0
        return 0
    return correct(w.points, w.expected, fast.STRIDE, value, noise, mean, covariance, w.gain, w.report)


@kernel
def expect_slow(channel: int, record: Record, w: Work) -> None:
    """What a scale would show of every point that is seen into `w.expected`."""
    stride = slow.STRIDE
    for j in range(stride):
        w.expected[j] = w.seen[FAT_SHARE * stride + j]
        if channel == c_.SCALE:
            w.expected[j] = scale_reading(w.seen[BODY_WEIGHT * stride + j], record[r_.FED])


@kernel
def slow_noise(channel: int, now: float, record: Record) -> float:
    """Variance of a scale's reading [kg^2], whose day is the same all day, or of its impedance [%^2], biased for weeks."""
    since = max(now - record[r_.LAST_S + channel], 60.0)
    variance, lasting, lasts_s = SCALE_VARIANCE, DAY_VARIANCE, DAY_S
    if channel == c_.BODY_FAT:
        variance, lasting, lasts_s = IMPEDANCE_VARIANCE, IMPEDANCE_BIAS_VARIANCE, IMPEDANCE_BIAS_S
    return float(variance + lasting * max(lasts_s / since - 1.0, 0.0))


@kernel
def correct_slow(
    channel: int, value: float, noise: float, now: float, record: Record, mean: Vector, covariance: Matrix, w: Work
) -> int:  # fmt: skip
    """Assimilate one reading of the scale [kg] or of its impedance [% fat]."""
    stride = slow.STRIDE
    record[r_.REPAIRED] += draw(mean, covariance, w.factor, w.points, stride)
    slow_inputs(record, now, w.inputs)
    slow.observe(w.points, w.seen, w.inputs, record[r_.SLOW_BODY : r_.EXPOSURE_BODY])
    expect_slow(channel, record, w)
    if noise < 0.0:
        noise = slow_noise(channel, now, record) * -noise
    return correct(w.points, w.expected, stride, value, noise, mean, covariance, w.gain, w.report)


@kernel
def forget(mean: Vector, covariance: Matrix, state: int, value: float, sd: float) -> None:
    """Put one state back to its prior, without correlation: a new device has errors of its own."""
    mean[state] = value
    covariance[state, :] = 0.0
    covariance[:, state] = 0.0
    covariance[state, state] = sd * sd
