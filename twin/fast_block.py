"""Block F: oxygen uptake, cardiac drive, arousal and pressure, with the person's parameters of them.

States as the filter sees them (transformed to the whole line): ln V, h, a, Pf, r, m, and as random walks
ln HR0, kMET, ln VO2max, dHRsl, A_HR, ln tau_off. m is demand that no sensor saw, an Ornstein-Uhlenbeck process.
Core temperature, saturation and skin flow stand at their thermoneutral, healthy values until their blocks exist.
"""

import math

import numpy as np

from twin import constants as k_
from twin.jit import equation, kernel
from twin.numerics import exp, softplus
from twin.physiology.circulation import (
    BASAL_SKIN_FLOW,
    first_order_rate,
    mean_pressure,
    reference_pressure,
    resistance_target,
    stroke_volume,
)
from twin.physiology.energetics import (
    demanded_oxygen_uptake,
    gross_demand,
    oxygen_uptake_rate,
    reserve_fraction,
    resting_oxygen_uptake,
)
from twin.physiology.heart import (
    additive_tone,
    arousal_rate,
    cardiac_drive_rate,
    desaturation,
    heart_rate,
)
from twin.physiology.heart import warmth as heat_excess
from twin.shapes import Constants, Inputs, Matrix, Points, Vector

(UPTAKE, DRIVE, AROUSAL, PRESSURE, RESISTANCE, UNMEASURED,
 RESTING, MET_GAIN, MAXIMAL_UPTAKE, SLEEP_FALL, CIRCADIAN, TAU_OFF) = range(12)  # fmt: skip
N, DYNAMIC, STRIDE = 12, 6, 24
NAMES = (
    "oxygen_uptake", "cardiac_drive", "arousal", "baroreflex_pressure", "log_resistance", "unmeasured_demand",
    "resting_heart_rate_parameter", "met_gain", "maximal_oxygen_uptake", "sleep_fall", "circadian_amplitude",
    "recovery_time",
)  # fmt: skip
UNITS = ("mL/kg/min", "1", "/min", "mm[Hg]", "ln(mm[Hg].min/L)", "MET",
         "/min", "1", "mL/kg/min", "/min", "/min", "s")  # fmt: skip
LOG, LOGIT, PLAIN = 1, 2, 0
TRANSFORMS = (LOG, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, LOG, PLAIN, LOG, PLAIN, PLAIN, LOG)
DRIVE_CEILING = 1.05
STEP_S = (
    20.0  # RK4; at 60 s the baroreflex loop diverges, at 30 s sigma points in hard exercise do (DECISIONS.md)
)
PRESSURE_ERROR_LIMIT = 60.0  # mmHg; the reflex saturates

MET, ASLEEP, POSTURE, CLOCK, MEASURED, WARMTH, SATURATION, FED = range(8)  # inputs
INPUTS = 8
UNMEASURED_MINUTES = 12.0


@equation
def rates_of_point(
    log_uptake: float,
    drive_state: float,
    arousal: float,
    pressure: float,
    resistance: float,
    unmeasured: float,
    log_resting: float,
    met_gain: float,
    log_maximal: float,
    sleep_fall: float,
    amplitude: float,
    log_off: float,
    met: float,
    asleep: float,
    posture: float,
    clock: float,
    warmth: float,
    saturation: float,
    fed: float,
    basal: float,
    maximal_rate: float,
    tau_uptake: float,
    tau_on: float,
    slowing: float,
    reflex: float,
    volume: float,
    contractility: float,
    set_point: float,
    blockade: float,
) -> tuple[float, float, float, float, float, float, float, float]:
    """Rates of the six dynamic states (transformed), then HR and MAP; sections energetics, heart, circulation."""
    uptake, maximal, resting = exp(min(max(log_uptake, 0.0), 5.0)), exp(log_maximal), exp(log_resting)
    drive = min(max(drive_state, 0.0), DRIVE_CEILING)
    core = 36.85 + warmth + 0.30 * clock - 0.15 * asleep
    rest_uptake = resting_oxygen_uptake(basal, core, asleep, fed)
    demand = demanded_oxygen_uptake(rest_uptake, gross_demand(met, met_gain, unmeasured), maximal)
    wanted = softplus(reserve_fraction(demand, rest_uptake, maximal), 0.01)
    exercise = softplus(reserve_fraction(uptake, rest_uptake, maximal), 0.01)
    reference = reference_pressure(set_point, 0.08, asleep, posture, exercise, 36.0, 0.0, 0.0)
    error = min(max(pressure - reference, -PRESSURE_ERROR_LIMIT), PRESSURE_ERROR_LIMIT)
    held = min(max(resistance, 1.0), 4.5)
    tone = additive_tone(
        clock, amplitude, asleep, sleep_fall, posture, 10.0, heat_excess(warmth, 0.0), 6.5,
        desaturation(saturation), 1.0, 0.0, 0.0, fed, arousal, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip
    rate = heart_rate(drive, tone, error, resting, maximal_rate, reflex, blockade)
    mean = mean_pressure(rate, stroke_volume(volume, contractility, exercise, 0.0, posture), held)
    target = resistance_target(
        set_point, resting, volume, contractility, exercise, 1.8, BASAL_SKIN_FLOW, error, 1.5, 0.0, 0.0, 0.0, posture, 0.10
    )  # fmt: skip
    d_drive = cardiac_drive_rate(drive_state, wanted, tau_on, exp(log_off), slowing)
    return (
        oxygen_uptake_rate(uptake, demand, tau_uptake) / uptake,
        d_drive,
        arousal_rate(arousal),
        first_order_rate(pressure, mean),
        first_order_rate(resistance, target),
        -unmeasured / UNMEASURED_MINUTES,
        rate,
        mean,
    )  # fmt: skip


@kernel
def rates(x: Points, d: Points, rate: Vector, pressure: Vector, u: Inputs, k: Constants) -> None:
    """Rates of all points into `d`; heart rate [bpm] and mean pressure [mmHg] of each beside it."""
    met, asleep, posture, clock = u[MET], u[ASLEEP], u[POSTURE], u[CLOCK]
    warmth, saturation, fed = u[WARMTH], u[SATURATION], u[FED]
    basal, maximal, tau_v, tau_on = k[k_.BASAL_UPTAKE], k[k_.MAXIMAL_RATE], k[k_.TAU_UPTAKE], k[k_.TAU_ON]
    slowing, reflex, volume = k[k_.SLOWING], k[k_.REFLEX_GAIN], k[k_.RESTING_VOLUME]
    squeeze, set_point, blockade = k[k_.CONTRACTILITY], k[k_.PRESSURE_SET_POINT], k[k_.BETA_BLOCKADE]
    for s in range(STRIDE):
        (
            d[s], d[STRIDE + s], d[2 * STRIDE + s], d[3 * STRIDE + s], d[4 * STRIDE + s], d[5 * STRIDE + s],
            rate[s], pressure[s],
        ) = rates_of_point(
            x[s], x[STRIDE + s], x[2 * STRIDE + s], x[3 * STRIDE + s], x[4 * STRIDE + s], x[5 * STRIDE + s],
            x[6 * STRIDE + s], x[7 * STRIDE + s], x[8 * STRIDE + s], x[9 * STRIDE + s], x[10 * STRIDE + s],
            x[11 * STRIDE + s],
            met, asleep, posture, clock, warmth, saturation, fed,
            basal, maximal, tau_v, tau_on, slowing, reflex, volume, squeeze, set_point, blockade,
        )  # fmt: skip


@kernel
def advance(
    x: Points,
    minutes: float,
    u: Inputs,
    k: Constants,
    d: Points,
    t: Points,
    a: Points,
    hr: Vector,
    bp: Vector,
) -> None:
    """Move every point forward by RK4 in steps of at most 30 s; d, t, a are work space as large as x."""
    steps = max(1, math.ceil(minutes * 60.0 / STEP_S - 1e-9))
    h = minutes / steps
    size = DYNAMIC * STRIDE
    t[:] = x
    for _ in range(steps):
        rates(x, d, hr, bp, u, k)
        for i in range(size):
            a[i] = d[i]
            t[i] = x[i] + 0.5 * h * d[i]
        rates(t, d, hr, bp, u, k)
        for i in range(size):
            a[i] += 2.0 * d[i]
            t[i] = x[i] + 0.5 * h * d[i]
        rates(t, d, hr, bp, u, k)
        for i in range(size):
            a[i] += 2.0 * d[i]
            t[i] = x[i] + h * d[i]
        rates(t, d, hr, bp, u, k)
        for i in range(size):
            x[i] += h / 6.0 * (a[i] + d[i])


@kernel
def add_process_noise(covariance: Matrix, minutes: float, u: Inputs) -> None:
    """Diagonal process noise over `minutes`: section 14, sd per sqrt(min), per sqrt(day) for the parameters."""
    days = minutes / 1440.0
    awake = 1.0 - u[ASLEEP]
    demand_sd = (0.15 if u[MEASURED] > 0.5 else 0.40) * awake + 0.10 * (1.0 - awake)
    covariance[UPTAKE, UPTAKE] += 0.03**2 * minutes
    covariance[DRIVE, DRIVE] += 0.01**2 * minutes
    covariance[AROUSAL, AROUSAL] += (1.0 * awake + 0.4 * (1.0 - awake)) ** 2 * minutes
    covariance[PRESSURE, PRESSURE] += 0.5**2 * minutes
    covariance[RESISTANCE, RESISTANCE] += 0.01**2 * minutes
    covariance[UNMEASURED, UNMEASURED] += demand_sd**2 * 2.0 * minutes / UNMEASURED_MINUTES
    add_parameter_noise(covariance, days)


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """The random walks of the person's parameters, sd per sqrt(day) of section 14."""
    covariance[RESTING, RESTING] += (0.4 / 62.0) ** 2 * days
    covariance[MET_GAIN, MET_GAIN] += 0.01**2 * days
    covariance[MAXIMAL_UPTAKE, MAXIMAL_UPTAKE] += (0.15 / 42.0) ** 2 * days
    covariance[SLEEP_FALL, SLEEP_FALL] += 0.1**2 * days
    covariance[CIRCADIAN, CIRCADIAN] += 0.05**2 * days
    covariance[TAU_OFF, TAU_OFF] += (0.5 / 50.0) ** 2 * days


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants) -> None:
    """The prior: parameters of section 14, dynamic states at rest."""
    resting, uptake = k[k_.PRIOR_RESTING_RATE], k[k_.PRIOR_UPTAKE]
    set_point = k[k_.PRESSURE_SET_POINT]
    mean[:] = 0.0
    covariance[:, :] = 0.0
    mean[UPTAKE], mean[DRIVE] = math.log(k[k_.BASAL_UPTAKE] * 1.3), 0.03
    mean[PRESSURE] = set_point + 4.0
    flow = resting * k[k_.RESTING_VOLUME] * k[k_.CONTRACTILITY] / 1000.0
    mean[RESISTANCE] = math.log((set_point - 4.0) / flow)
    mean[RESTING], mean[MET_GAIN], mean[MAXIMAL_UPTAKE] = math.log(resting), 1.0, math.log(uptake)
    mean[SLEEP_FALL], mean[CIRCADIAN], mean[TAU_OFF] = 5.0, 3.0, math.log(50.0)
    spread = (0.10, 0.02, 4.0, 3.0, 0.05, 0.30, 8.0 / 62.0, 0.20, 8.0 / 42.0, 3.0, 1.5, 0.40)
    for i in range(N):
        covariance[i, i] = spread[i] ** 2


def new_inputs() -> Inputs:
    """Inputs of a quiet seated person at noon, nothing measured."""
    u = np.zeros(INPUTS)
    u[MET], u[POSTURE], u[WARMTH], u[SATURATION] = 1.3, 0.3, 0.03, 97.3
    return u
