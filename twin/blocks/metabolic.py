"""Block G: gut, glucose, insulin, signalling and the sensor, with the person's parameters of them.

As the filter holds them: ln Gp, ln Gt, ln sI, ln kst, ln of the beta cell's gain, logit g4; the rest as they are (a
logarithm is stiff where a depot runs empty: twin/DECISIONS.md). The basal state is solved from Gb and Ib at every
point, so that a person with another Gb rests exactly there.
"""

import math
from typing import NamedTuple

import numpy as np

from twin.blocks.metabolic_parameters import (
    DISTURBANCE_MINUTES,
    DISTURBANCE_SD,
    GAIN_MINUTES,
    GAIN_SD,
    PARAMETERS,
    SENSOR_ERROR_MINUTES,
    SENSOR_ERROR_SD,
    STATES,
    TOLD_SD,
    TOLD_SHARE,
)
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put, values_of
from twin.numerics import clip, exp, log, sigmoid, smooth_min
from twin.physiology.glucose import (
    BIOAVAILABLE,
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
    basal_secretion,
    delayed_insulin_rate,
    hepatic_extraction,
    plasma_insulin_rate,
    secretion,
    static_secretion_rate,
)
from twin.physiology.insulin_signalling import (
    glut4_demand,
    glut4_rate,
    interstitial_insulin_rate,
    signalling_levels,
)
from twin.shapes import Constants, Inputs as InputArray, Matrix, Points, Vector  # isort: skip


class State(NamedTuple):
    """One sigma point; units in metabolic_parameters.STATES."""

    stomach: float
    gut: float
    log_plasma: float
    log_tissue: float
    insulin: float
    static: float
    delayed: float
    liver: float
    interstitial: float
    logit_glut4: float
    exercise_uptake: float
    exercise_production: float
    exercise_boost: float
    site: float
    depot_1: float
    depot_2: float
    disturbance: float
    sensor_error: float
    sensor_gain: float
    log_sensitivity: float
    basal: float
    log_emptying: float
    log_beta: float


class Inputs(NamedTuple):
    """What drives the block: eaten glucose [mg/min], injected insulin [pmol/kg/min], exercise x [-], the factor that
    clock, inflammation, sleep debt and body fat put on insulin sensitivity [-], whether meals are logged (0, 1), and
    the insulin level that the pump's usual rate holds [pmol/L] (0: the population's).
    """

    intake: float
    infusion: float
    intensity: float
    sensitivity_factor: float
    told: float
    pump_insulin: float


class Body(NamedTuple):
    """Numbers fixed for the person; metabolic_parameters.PARAMETERS explains each, the last three follow from them."""

    weight: float
    glucose_volume: float
    k1: float
    k2: float
    insulin_volume: float
    m2: float
    m4: float
    m5: float
    m6: float
    fast_fraction: float
    absorption: float
    kp1: float
    kp2: float
    kp3: float
    portal: float
    liver_delay: float
    brain_uptake: float
    km: float
    uptake_capacity: float
    insulin_potency: float
    p2u: float
    dynamic_gain: float
    static_delay: float
    static_gain: float
    ke1: float
    ke2: float
    ka1: float
    ka2: float
    kd: float
    exercise_production_gain: float
    secretes: float
    counter_regulation: float
    basal_insulin: float
    diabetic_signalling: float
    prior_basal_glucose: float
    prior_basal_glucose_sd: float
    prior_log_emptying: float
    prior_log_sensitivity: float
    basal_secretion: float
    basal_infusion: float


class Seen(NamedTuple):
    """In natural units: plasma and interstitial glucose and what a CGM shows [mg/dL], insulin [pmol/L], appearance,
    production and uptake of glucose [mg/kg/min], how fed (0-1), and the intracellular level: activated fractions.
    """

    glucose: float
    interstitial_glucose: float
    sensor_glucose: float
    insulin: float
    appearance: float
    production: float
    uptake: float
    fed: float
    insulin_receptor: float
    irs1: float
    pkb: float
    glut4: float


N, DYNAMIC, STRIDE, INPUTS, BODY, SEEN = 23, 19, 48, 6, 40, 12
(STOMACH, GUT, PLASMA, TISSUE, INSULIN, STATIC, DELAYED, LIVER, INTERSTITIAL, GLUT4, EX_UPTAKE, EX_PRODUCTION,
 EX_BOOST, SITE, DEPOT_1, DEPOT_2, DISTURBANCE, SENSOR_ERROR, SENSOR_GAIN, SENSITIVITY, BASAL, EMPTYING,
 BETA) = range(N)  # fmt: skip
INTAKE, INFUSION, INTENSITY, FACTOR, TOLD, PUMP = range(INPUTS)
STEP_MINUTES = 2.5  # RK4; the fastest rate is 0.48 /min. Check-points run at 1 min and differ by < 0.1 mg/dL


@equation
def basal_state(basal: float, insulin: float, release: float, body: Body) -> tuple[float, float]:
    """Gt and Vm0 that make (Gb, Ib) a steady state (section 10, basal consistency).

    Gt_b = (Fc + E0 + k1 Gp_b - EGP_b) / k2,  Vm0 = (k1 Gp_b - k2 Gt_b) (Km + Gt_b) / Gt_b
    """
    plasma = basal * body.glucose_volume
    production = endogenous_production(
        plasma, insulin, release, body.kp1, body.kp2, body.kp3, body.portal, body.counter_regulation, basal
    )
    lost = body.brain_uptake + renal_excretion(plasma, body.ke1, body.ke2)
    tissue = max((lost + body.k1 * plasma - production) / body.k2, 1.0)
    return tissue, (body.k1 * plasma - body.k2 * tissue) * (body.km + tissue) / tissue


@equation
def equations(state: State, inputs: Inputs, body: Body) -> tuple[tuple[float, ...], Seen]:
    """Rates of the nineteen dynamic states per minute, and what is seen; sections glucose, insulin, signalling."""
    plasma, tissue = exp(clip(state.log_plasma, 3.0, 8.0)), exp(clip(state.log_tissue, 3.0, 8.0))
    insulin, interstitial = max(state.insulin, 0.0), max(state.interstitial, 0.0)
    glut4 = sigmoid(state.logit_glut4)
    sensitivity = exp(clip(state.log_sensitivity, -3.0, 2.0)) * inputs.sensitivity_factor
    emptying, beta = exp(clip(state.log_emptying, -6.5, -3.0)), exp(clip(state.log_beta, -2.0, 2.0))
    basal = clip(state.basal, 50.0, 350.0)
    concentration, insulin_level = plasma / body.glucose_volume, insulin / body.insulin_volume
    basal_insulin = inputs.pump_insulin if inputs.pump_insulin > 0.0 else body.basal_insulin
    basal_glut4 = glut4_demand(basal_insulin, body.insulin_potency)
    _, velocity = basal_state(basal, basal_insulin, body.basal_secretion, body)

    arrival = appearance(max(state.gut, 0.0), body.absorption, body.weight)
    uptake = tissue_uptake(
        tissue, glut4, basal_glut4, sensitivity, body.uptake_capacity, velocity, body.km, max(state.exercise_boost, 0.0)
    )
    others = (
        arrival + state.disturbance - body.brain_uptake - renal_excretion(plasma, body.ke1, body.ke2)
        - body.k1 * plasma + body.k2 * tissue + (state.exercise_production - state.exercise_uptake) * plasma
    )  # fmt: skip
    # dG/dt for the beta cell: production with basal secretion, which avoids an algebraic loop.
    steady = endogenous_production(
        plasma, state.liver, body.basal_secretion, body.kp1, body.kp2, body.kp3, body.portal,
        body.counter_regulation, concentration,
    )  # fmt: skip
    released = body.secretes * secretion(
        state.static, (steady + others) / body.glucose_volume, body.basal_secretion, beta * body.dynamic_gain
    )
    production = endogenous_production(
        plasma, state.liver, released, body.kp1, body.kp2, body.kp3, body.portal, body.counter_regulation,
        concentration,
    )  # fmt: skip
    extraction = hepatic_extraction(released, body.m5, body.m6)
    depot = body.ka1 * max(state.depot_1, 0.0) + body.ka2 * max(state.depot_2, 0.0)
    receptor, irs1, pkb, surface = signalling_levels(interstitial, body.insulin_potency, body.diabetic_signalling)
    slopes = (
        stomach_rate(state.stomach, inputs.intake, body.fast_fraction, emptying),
        gut_rate(state.gut, max(state.stomach, 0.0), inputs.intake, body.fast_fraction, emptying, body.absorption),
        (production + others) / plasma,
        (body.k1 * plasma - body.k2 * tissue - uptake) / tissue,
        plasma_insulin_rate(insulin, released, extraction, depot, body.m2, body.m4),
        static_secretion_rate(state.static, concentration, basal, body.static_delay, beta * body.static_gain),
        delayed_insulin_rate(state.delayed, insulin_level, body.liver_delay),
        delayed_insulin_rate(state.liver, state.delayed, body.liver_delay),
        interstitial_insulin_rate(interstitial, insulin_level, body.p2u),
        glut4_rate(glut4, glut4_demand(interstitial, body.insulin_potency)) / max(glut4 * (1.0 - glut4), 1e-6),
        exercise_uptake_rate(state.exercise_uptake, inputs.intensity),
        exercise_production_rate(state.exercise_production, inputs.intensity, body.exercise_production_gain),
        exercise_boost_rate(state.exercise_boost, inputs.intensity),
        sensor_rate(state.site, concentration),
        inputs.infusion - (body.kd + body.ka1) * state.depot_1,
        body.kd * state.depot_1 - body.ka2 * state.depot_2,
        -state.disturbance / DISTURBANCE_MINUTES,
        -state.sensor_error / SENSOR_ERROR_MINUTES,
        -state.sensor_gain / GAIN_MINUTES,
    )
    shown = state.site * (1.0 + state.sensor_gain) + state.sensor_error
    return slopes, Seen(
        concentration, state.site, shown, insulin_level, arrival, production, uptake,
        smooth_min(arrival / 3.0, 1.0, 0.1), receptor, irs1, pkb, surface,
    )  # fmt: skip


@kernel
def rates(x: Points, d: Points, u: InputArray, k: Constants) -> None:
    """Rates of all points into `d`."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        slopes, _ = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(d, s, STRIDE, slopes)


@kernel
def observe(x: Points, o: Points, u: InputArray, k: Constants) -> None:
    """What is seen of all points into `o` (SEEN * STRIDE)."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        _, seen = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(o, s, STRIDE, seen)


@kernel
def advance(
    x: Points, minutes: float, u: InputArray, k: Constants, d: Points, t: Points, a: Points, step: float
) -> None:
    """Move every point forward by RK4 in steps of at most `step` minutes; d, t, a are work space as large as x."""
    steps = max(1, math.ceil(minutes / step - 1e-9))
    h = minutes / steps
    size = DYNAMIC * STRIDE
    t[:] = x
    for _ in range(steps):
        rates(x, d, u, k)
        begin(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, h)
        rates(t, d, u, k)
        finish(x, d, a, size, h)


WALK = np.array([state.walk**2 / state.per for state in STATES])  # variance per minute


@kernel
def ornstein_uhlenbeck(sd: float, minutes: float, time_constant: float) -> float:
    """Variance that an Ornstein-Uhlenbeck process of stationary sd gains over `minutes`."""
    return sd * sd * (1.0 - math.exp(-2.0 * minutes / time_constant))


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float, u: InputArray, k: Constants) -> None:
    """Diagonal process noise over `minutes`: section 14; the Ornstein-Uhlenbeck processes by their stationary sd."""
    for i in range(N):
        covariance[i, i] += WALK[i] * minutes
    covariance[INSULIN, INSULIN] += (0.02 * mean[INSULIN]) ** 2 * minutes / 5.0 + 1e-6
    covariance[INTERSTITIAL, INTERSTITIAL] += (0.01 * mean[INTERSTITIAL]) ** 2 * minutes / 5.0 + 1e-6
    body = Body(*values_of(k, BODY))
    arriving = BIOAVAILABLE * body.absorption * max(mean[GUT], 0.0) / body.weight
    told = math.sqrt(TOLD_SD**2 + (TOLD_SHARE * arriving) ** 2)
    disturbance = told if u[TOLD] > 0.5 else DISTURBANCE_SD
    covariance[DISTURBANCE, DISTURBANCE] += ornstein_uhlenbeck(disturbance, minutes, DISTURBANCE_MINUTES)
    covariance[SENSOR_ERROR, SENSOR_ERROR] += ornstein_uhlenbeck(SENSOR_ERROR_SD, minutes, SENSOR_ERROR_MINUTES)
    covariance[SENSOR_GAIN, SENSOR_GAIN] += ornstein_uhlenbeck(GAIN_SD, minutes, GAIN_MINUTES)


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """The random walks of the person's parameters alone."""
    for i in range(DYNAMIC, N):
        covariance[i, i] += WALK[i] * days * 1440.0


@kernel
def rest(mean: Vector, basal: float, k: Constants, u: InputArray) -> None:
    """The basal state: nothing eaten, glucose at Gb, insulin at Ib; parameters at their priors but Gb."""
    body = Body(*values_of(k, BODY))
    insulin = u[PUMP] if u[PUMP] > 0.0 else body.basal_insulin
    tissue, _ = basal_state(basal, insulin, body.basal_secretion, body)
    mean[:] = 0.0
    mean[PLASMA], mean[TISSUE] = log(basal * body.glucose_volume), log(tissue)
    mean[INSULIN] = insulin * body.insulin_volume
    mean[DELAYED], mean[LIVER], mean[INTERSTITIAL] = insulin, insulin, insulin
    mean[GLUT4], mean[SITE] = log(insulin / body.insulin_potency), basal
    mean[DEPOT_1] = u[INFUSION] / (body.kd + body.ka1)
    mean[DEPOT_2] = body.kd * mean[DEPOT_1] / body.ka2
    mean[SENSITIVITY], mean[BASAL] = body.prior_log_sensitivity, basal
    mean[EMPTYING] = body.prior_log_emptying


SPREAD = np.array([state.sd for state in STATES])


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants, u: InputArray) -> None:
    """The prior: the basal state, glucose unknown to 35 % in all three pools together."""
    body = Body(*values_of(k, BODY))
    rest(mean, body.prior_basal_glucose, k, u)
    covariance[:, :] = 0.0
    for i in range(N):
        covariance[i, i] = SPREAD[i] ** 2
    insulin = mean[DELAYED]
    for i in (DELAYED, LIVER, INTERSTITIAL):
        covariance[i, i] = (0.3 * insulin) ** 2
    covariance[INSULIN, INSULIN] = (0.3 * insulin * body.insulin_volume) ** 2
    covariance[BASAL, BASAL] = body.prior_basal_glucose_sd**2
    covariance[SITE, SITE] = (0.35 * body.prior_basal_glucose) ** 2
    for i in (PLASMA, TISSUE, SITE):
        for j in (PLASMA, TISSUE, SITE):
            if i != j:
                covariance[i, j] = 0.95 * math.sqrt(covariance[i, i] * covariance[j, j])


def body_of(values: dict[str, float]) -> Constants:
    """The constants of a person from named values; what follows from others is solved here."""
    chosen = {name: values[name] for name in Body._fields if name in values}
    plasma_insulin = values["basal_insulin"] * values["insulin_volume"]
    m2, m4, m5, m6 = (values[name] for name in ("m2", "m4", "m5", "m6"))
    makes = values["secretes"] > 0.0
    release = basal_secretion(plasma_insulin, m2, m4, m5, m6) if makes else 0.0
    infusion = 0.0 if makes else (m4 + m6 * m2) * plasma_insulin  # pmol/kg/min that hold Ib
    return np.array(Body(**chosen, basal_secretion=release, basal_infusion=infusion))


def default_body() -> Constants:
    """A healthy person of 75 kg."""
    return body_of({name: parameter.default for name, parameter in PARAMETERS.items()})


def default_inputs() -> InputArray:
    """A resting, fasting person."""
    u = np.zeros(INPUTS)
    u[FACTOR] = 1.0
    return u
