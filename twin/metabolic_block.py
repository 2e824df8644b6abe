"""Block G: gut, glucose, insulin, signalling and the sensor, with the person's parameters of them.

States as the filter sees them: q1, q2, ln Gp, ln Gt, Ip, Y, I1, Id, Xi, logit g4, GU, GP, Z, IG, s1, s2, then
d (disturbance flux: meals nobody logged, everything else the mechanism lacks; mg/kg/min), e (the sensor's coloured
error, mg/dL), and as random walks ln sI, Gb, ln kst. The basal state is solved from Gb at every point, so that a
person with another Gb rests exactly there.
"""

import math

import numpy as np

from twin import constants as k_
from twin.jit import equation, kernel
from twin.numerics import exp, log, sigmoid
from twin.physiology.glucose import (
    appearance,
    endogenous_production,
    exercise_boost_rate,
    exercise_production_rate,
    exercise_uptake_rate,
    gut_rate,
    renal_excretion,
    sensor_rate,
    stomach_rate,
    tissue_uptake,
)
from twin.physiology.insulin import (
    delayed_insulin_rate,
    hepatic_extraction,
    plasma_insulin_rate,
    secretion,
    static_secretion_rate,
)
from twin.physiology.insulin_signalling import glut4_demand, glut4_rate, interstitial_insulin_rate
from twin.shapes import Constants, Inputs, Matrix, Points, Vector

(STOMACH, GUT, PLASMA, TISSUE, INSULIN, STATIC, DELAYED, DELAYED_2, INTERSTITIAL, GLUT4, EX_UPTAKE, EX_PRODUCTION,
 EX_BOOST, SENSOR, DEPOT_1, DEPOT_2, DISTURBANCE, SENSOR_ERROR, SENSITIVITY, BASAL, EMPTYING) = range(21)  # fmt: skip
N, DYNAMIC, STRIDE = 21, 18, 48
NAMES = (
    "stomach_glucose", "gut_glucose", "plasma_glucose_mass", "tissue_glucose_mass", "plasma_insulin_mass",
    "static_secretion", "delayed_insulin", "liver_insulin", "interstitial_insulin", "surface_glut4",
    "exercise_uptake", "exercise_production", "exercise_sensitivity", "interstitial_glucose", "insulin_depot_1",
    "insulin_depot_2", "glucose_disturbance", "sensor_error", "insulin_sensitivity", "basal_glucose",
    "gastric_emptying",
)  # fmt: skip
UNITS = ("mg", "mg", "mg/kg", "mg/kg", "pmol/kg", "pmol/kg/min", "pmol/L", "pmol/L", "pmol/L", "1", "/min", "/min",
         "1", "mg/dL", "pmol/kg", "pmol/kg", "mg/kg/min", "mg/dL", "1", "mg/dL", "/min")  # fmt: skip
LOG, LOGIT, PLAIN = 1, 2, 0
TRANSFORMS = (0, 0, 1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)
GLUT4_CEILING = 1.0
STEP_MINUTES = 2.5  # RK4; the fastest rate is 0.48 /min. Check-points run at 1 min and differ by < 0.1 mg/dL

INTAKE, INFUSION, INTENSITY, TOLERANCE = range(
    4
)  # CHO mg/min, ins pmol/kg/min, x [-], circadian factor on sI
INPUTS = 4
DISTURBANCE_MINUTES, DISTURBANCE_SD = 12.0, 3.0
SENSOR_ERROR_MINUTES, SENSOR_ERROR_SD = 30.0, 5.0


@equation
def clip(x: float, low: float, high: float) -> float:
    """Keep a wild sigma point where the equations mean something."""
    return min(max(x, low), high)


@equation
def rates_of_point(
    stomach: float, gut: float, log_plasma: float, log_tissue: float, insulin: float, static: float,
    delayed: float, delayed_2: float, interstitial: float, logit_glut4: float, ex_uptake: float,
    ex_production: float, ex_boost: float, sensor: float, depot_1: float, depot_2: float, disturbance: float,
    sensor_error: float, log_sensitivity: float, basal: float, log_emptying: float,
    intake: float, infusion: float, intensity: float, tolerance: float,
    weight: float, vg: float, k1: float, k2: float, vi: float, m2: float, m4: float, m5: float, m6: float, phi: float,
    kab: float, kp1: float, kp2: float, kp3: float, portal: float, ki: float, fc: float, km: float, capacity: float,
    potency: float, p2u: float, dynamic_gain: float, alpha: float, beta: float, ke1: float, ke2: float, ka1: float,
    ka2: float, kd: float, production_gain: float, secretes: float, counter: float, basal_insulin: float,
    basal_secretion: float, basal_glut4: float,
) -> tuple[float, float, float, float, float, float, float, float, float, float, float, float, float, float, float,
           float, float, float]:  # fmt: skip
    """Rates of the eighteen dynamic states (transformed), per minute; sections glucose, insulin, signalling."""
    plasma, tissue = exp(clip(log_plasma, 3.0, 8.0)), exp(clip(log_tissue, 3.0, 8.0))
    insulin, interstitial = max(insulin, 0.0), max(interstitial, 0.0)
    glut4 = sigmoid(logit_glut4)
    sensitivity, emptying = exp(clip(log_sensitivity, -3.0, 2.0)), exp(clip(log_emptying, -6.5, -3.0))
    basal = clip(basal, 50.0, 350.0)
    concentration, insulin_level = plasma / vg, insulin / vi

    # The basal state for this Gb (kept exact: section 10, "basal consistency").
    basal_plasma = basal * vg
    basal_excretion = renal_excretion(basal_plasma, ke1, ke2)
    basal_production = endogenous_production(
        basal_plasma, basal_insulin, basal_secretion, kp1, kp2, kp3, portal, counter, basal
    )
    basal_tissue = max((fc + basal_excretion + k1 * basal_plasma - basal_production) / k2, 1.0)
    velocity = (k1 * basal_plasma - k2 * basal_tissue) * (km + basal_tissue) / basal_tissue

    arrival = appearance(max(gut, 0.0), kab, weight)
    uptake = tissue_uptake(
        tissue, glut4, basal_glut4, sensitivity * tolerance, capacity, velocity, km, max(ex_boost, 0.0)
    )
    others = (
        arrival + disturbance - fc - renal_excretion(plasma, ke1, ke2) - k1 * plasma + k2 * tissue
        + (ex_production - ex_uptake) * plasma
    )  # fmt: skip
    # dG/dt for the beta cell: production with basal secretion, which avoids an algebraic loop.
    steady = endogenous_production(
        plasma, delayed_2, basal_secretion, kp1, kp2, kp3, portal, counter, concentration
    )
    released = secretes * secretion(static, (steady + others) / vg, basal_secretion, dynamic_gain)
    production = endogenous_production(
        plasma, delayed_2, released, kp1, kp2, kp3, portal, counter, concentration
    )
    extraction = hepatic_extraction(released, m5, m6)
    depot = ka1 * max(depot_1, 0.0) + ka2 * max(depot_2, 0.0)
    return (
        stomach_rate(stomach, intake, phi, emptying),
        gut_rate(gut, max(stomach, 0.0), intake, phi, emptying, kab),
        (production + others) / plasma,
        (k1 * plasma - k2 * tissue - uptake) / tissue,
        plasma_insulin_rate(insulin, released, extraction, depot, m2, m4),
        static_secretion_rate(static, concentration, basal, alpha, beta),
        delayed_insulin_rate(delayed, insulin_level, ki),
        delayed_insulin_rate(delayed_2, delayed, ki),
        interstitial_insulin_rate(interstitial, insulin_level, p2u),
        glut4_rate(glut4, glut4_demand(interstitial, potency)) / max(glut4 * (1.0 - glut4), 1e-6),
        exercise_uptake_rate(ex_uptake, intensity),
        exercise_production_rate(ex_production, intensity, production_gain),
        exercise_boost_rate(ex_boost, intensity),
        sensor_rate(sensor, concentration),
        infusion - (kd + ka1) * depot_1,
        kd * depot_1 - ka2 * depot_2,
        -disturbance / DISTURBANCE_MINUTES,
        -sensor_error / SENSOR_ERROR_MINUTES,
    )


@kernel
def rates(x: Points, d: Points, u: Inputs, k: Constants) -> None:
    """Rates of all points into `d` (18 * STRIDE used)."""
    intake, infusion, intensity, tolerance = u[INTAKE], u[INFUSION], u[INTENSITY], u[TOLERANCE]
    weight, vg, k1, k2, vi = k[k_.WEIGHT], k[k_.VG], k[k_.K1], k[k_.K2], k[k_.VI]
    m2, m4, m5, m6 = k[k_.M2], k[k_.M4], k[k_.M5], k[k_.M6]
    phi, kab, kp1, kp2, kp3 = k[k_.PHI], k[k_.KAB], k[k_.KP1], k[k_.KP2], k[k_.KP3]
    portal, ki, fc, km = k[k_.PORTAL], k[k_.KI], k[k_.FC], k[k_.KM]
    capacity, potency, p2u, gain = k[k_.CAPACITY], k[k_.POTENCY], k[k_.P2U], k[k_.DYNAMIC_GAIN]
    alpha, beta, ke1, ke2 = k[k_.ALPHA], k[k_.BETA], k[k_.KE1], k[k_.KE2]
    ka1, ka2, kd, made = k[k_.KA1], k[k_.KA2], k[k_.KD], k[k_.EXERCISE_PRODUCTION]
    secretes, counter = k[k_.SECRETES], k[k_.COUNTER_REGULATION]
    basal_insulin, basal_secretion, basal_glut4 = (
        k[k_.BASAL_INSULIN],
        k[k_.BASAL_SECRETION],
        k[k_.BASAL_GLUT4],
    )
    for s in range(STRIDE):
        (
            d[s], d[STRIDE + s], d[2 * STRIDE + s], d[3 * STRIDE + s], d[4 * STRIDE + s], d[5 * STRIDE + s],
            d[6 * STRIDE + s], d[7 * STRIDE + s], d[8 * STRIDE + s], d[9 * STRIDE + s], d[10 * STRIDE + s],
            d[11 * STRIDE + s], d[12 * STRIDE + s], d[13 * STRIDE + s], d[14 * STRIDE + s], d[15 * STRIDE + s],
            d[16 * STRIDE + s], d[17 * STRIDE + s],
        ) = rates_of_point(
            x[s], x[STRIDE + s], x[2 * STRIDE + s], x[3 * STRIDE + s], x[4 * STRIDE + s], x[5 * STRIDE + s],
            x[6 * STRIDE + s], x[7 * STRIDE + s], x[8 * STRIDE + s], x[9 * STRIDE + s], x[10 * STRIDE + s],
            x[11 * STRIDE + s], x[12 * STRIDE + s], x[13 * STRIDE + s], x[14 * STRIDE + s], x[15 * STRIDE + s],
            x[16 * STRIDE + s], x[17 * STRIDE + s], x[18 * STRIDE + s], x[19 * STRIDE + s], x[20 * STRIDE + s],
            intake, infusion, intensity, tolerance, weight, vg, k1, k2, vi, m2, m4, m5, m6, phi, kab, kp1, kp2, kp3,
            portal, ki, fc, km, capacity, potency, p2u, gain, alpha, beta, ke1, ke2, ka1, ka2, kd, made, secretes,
            counter, basal_insulin, basal_secretion, basal_glut4,
        )  # fmt: skip


@kernel
def advance(
    x: Points, minutes: float, u: Inputs, k: Constants, d: Points, t: Points, a: Points, step: float
) -> None:
    """Move every point forward by RK4 in steps of at most `step` minutes; d, t, a are work space as large as x."""
    steps = max(1, math.ceil(minutes / step - 1e-9))
    h = minutes / steps
    size = DYNAMIC * STRIDE
    t[:] = x
    for _ in range(steps):
        rates(x, d, u, k)
        for i in range(size):
            a[i] = d[i]
            t[i] = x[i] + 0.5 * h * d[i]
        rates(t, d, u, k)
        for i in range(size):
            a[i] += 2.0 * d[i]
            t[i] = x[i] + 0.5 * h * d[i]
        rates(t, d, u, k)
        for i in range(size):
            a[i] += 2.0 * d[i]
            t[i] = x[i] + h * d[i]
        rates(t, d, u, k)
        for i in range(size):
            x[i] += h / 6.0 * (a[i] + d[i])


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float) -> None:
    """Diagonal process noise over `minutes`: section 14; the two Ornstein-Uhlenbeck processes by their stationary sd."""
    fives = minutes / 5.0
    for state, sd in ((PLASMA, 0.01), (TISSUE, 0.01), (SENSOR, 0.5)):
        covariance[state, state] += sd * sd * fives
    for state, share in ((INSULIN, 0.02), (INTERSTITIAL, 0.01)):
        covariance[state, state] += (share * mean[state]) ** 2 * fives + 1e-6
    covariance[STATIC, STATIC] += 0.05**2 * fives
    covariance[DELAYED, DELAYED] += 0.5**2 * fives
    covariance[DELAYED_2, DELAYED_2] += 0.2**2 * fives
    covariance[GLUT4, GLUT4] += 0.01**2 * fives
    for state, sd in ((STOMACH, 20.0), (GUT, 20.0), (DEPOT_1, 0.2), (DEPOT_2, 0.2)):
        covariance[state, state] += sd * sd * fives
    for state, sd in ((EX_UPTAKE, 1e-4), (EX_PRODUCTION, 1e-4), (EX_BOOST, 1e-3)):
        covariance[state, state] += sd * sd * fives
    covariance[DISTURBANCE, DISTURBANCE] += DISTURBANCE_SD**2 * (
        1.0 - math.exp(-2.0 * minutes / DISTURBANCE_MINUTES)
    )
    covariance[SENSOR_ERROR, SENSOR_ERROR] += SENSOR_ERROR_SD**2 * (
        1.0 - math.exp(-2.0 * minutes / SENSOR_ERROR_MINUTES)
    )
    add_parameter_noise(covariance, minutes / 1440.0)


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """The random walks of the person's parameters, sd per sqrt(day) of section 14."""
    covariance[SENSITIVITY, SENSITIVITY] += 0.06**2 * days
    covariance[BASAL, BASAL] += 3.0**2 * days
    covariance[EMPTYING, EMPTYING] += 0.05**2 * days


@kernel
def rest(mean: Vector, basal: float, log_sensitivity: float, log_emptying: float, k: Constants) -> None:
    """The basal state: nothing eaten, glucose at Gb, insulin at Ib."""
    mean[:] = 0.0
    plasma = basal * k[k_.VG]
    insulin, release = k[k_.BASAL_INSULIN], k[k_.BASAL_SECRETION]
    excretion = renal_excretion(plasma, k[k_.KE1], k[k_.KE2])
    production = endogenous_production(
        plasma,
        insulin,
        release,
        k[k_.KP1],
        k[k_.KP2],
        k[k_.KP3],
        k[k_.PORTAL],
        k[k_.COUNTER_REGULATION],
        basal,
    )
    tissue = max((k[k_.FC] + excretion + k[k_.K1] * plasma - production) / k[k_.K2], 1.0)
    mean[PLASMA], mean[TISSUE], mean[INSULIN] = log(plasma), log(tissue), insulin * k[k_.VI]
    mean[DELAYED], mean[DELAYED_2], mean[INTERSTITIAL] = insulin, insulin, insulin
    mean[GLUT4] = log(insulin / k[k_.POTENCY])
    mean[SENSOR] = basal
    if k[k_.SECRETES] == 0.0:
        mean[DEPOT_1] = k[k_.BASAL_INFUSION] / (k[k_.KD] + k[k_.KA1])
        mean[DEPOT_2] = k[k_.KD] * mean[DEPOT_1] / k[k_.KA2]
    mean[SENSITIVITY], mean[BASAL], mean[EMPTYING] = log_sensitivity, basal, log_emptying


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants) -> None:
    """The prior: the basal state, glucose unknown to 35 % in all three pools together."""
    rest(mean, k[k_.PRIOR_BASAL_GLUCOSE], k[k_.PRIOR_LOG_SENSITIVITY], k[k_.PRIOR_LOG_EMPTYING], k)
    covariance[:, :] = 0.0
    resting, level = k[k_.BASAL_INSULIN], k[k_.PRIOR_BASAL_GLUCOSE]
    spread = (3000.0, 2000.0, 0.35, 0.35, 0.3 * resting * k[k_.VI], 0.5, 0.3 * resting, 0.3 * resting, 0.3 * resting,
              0.20, 1e-3, 1e-3, 0.02, 0.35 * level, 5.0, 5.0,
              DISTURBANCE_SD, SENSOR_ERROR_SD, 0.45, k[k_.PRIOR_BASAL_GLUCOSE_SD], 0.35)  # fmt: skip
    for i in range(N):
        covariance[i, i] = spread[i] ** 2
    for i in (PLASMA, TISSUE, SENSOR):
        for j in (PLASMA, TISSUE, SENSOR):
            if i != j:
                covariance[i, j] = 0.95 * spread[i] * spread[j]


def new_inputs() -> Inputs:
    """Inputs of a resting, fasting person."""
    u = np.zeros(INPUTS)
    u[TOLERANCE] = 1.0
    return u
