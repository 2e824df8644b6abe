"""Block G: gut, glucose, insulin, signalling and the sensor, with the person's parameters of them.

As the filter holds them: ln Gp, ln Gt, ln sI, ln kst, ln of the beta cell's gain, the rest as they are (a
logarithm or logit is stiff where something runs empty: twin/DECISIONS.md). The basal state is solved from Gb and Ib at every
point, so that a person with another Gb rests exactly there.
"""

import math

import numpy as np

from twin.blocks.metabolic_parameters import (
    ACTIVITY,
    BASAL,
    BETA,
    BODY,
    DELAYED,
    DEPOT_1,
    DEPOT_2,
    DISTURBANCE,
    DYNAMIC,
    EMPTYING,
    ERROR_SCALE,
    EX_BOOST,
    EX_PRODUCTION,
    EX_UPTAKE,
    FACTOR,
    GLUT4,
    GUT,
    INFUSION,
    INPUTS,
    INSULIN,
    INTAKE,
    INTENSITY,
    INTERSTITIAL,
    LIVER,
    PARAMETERS,
    PLASMA,
    PUMP,
    SCALE,
    SEEN,
    SENSITIVITY,
    SENSOR_DRIVER,
    SENSOR_ERROR,
    SENSOR_FLOOR,
    SITE,
    STATES,
    STATIC,
    STOMACH,
    STRIDE,
    TISSUE,
    TOLD,
    Body,
    Inputs,
    N,
    Seen,
    State,
)  # fmt: skip
from twin.blocks.metabolic_prior import (
    add_parameter_noise,
    add_process_noise,
    basal_state,
    body_of,
    default_body,
    default_inputs,
    flux_variance,
    liver_intercept,
    rest,
    sensor_variance,
    start,
    start_sensor,
)  # fmt: skip
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put, values_of
from twin.numerics import clip, exp, smooth_min, softplus
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
from twin.physiology.insulin_signalling import (
    glut4_demand,
    glut4_rate,
    interstitial_insulin_rate,
    signalling_levels,
)

from twin.shapes import Constants, Inputs as InputArray, Points, Vector  # isort: skip


__all__ = (
    "ACTIVITY", "BASAL", "BETA", "BODY", "DELAYED", "DEPOT_1", "DEPOT_2", "DISTURBANCE", "DYNAMIC", "EMPTYING", "ERROR_SCALE",
    "EX_BOOST", "EX_PRODUCTION", "EX_UPTAKE", "FACTOR", "GLUT4", "GUT", "INFUSION", "INPUTS", "INSULIN", "INTAKE", "INTENSITY",
    "INTERSTITIAL", "LIVER", "PARAMETERS", "PLASMA", "PUMP", "SCALE", "SEEN", "SENSITIVITY", "SENSOR_DRIVER",
    "SENSOR_ERROR", "SITE", "STATES", "STATIC", "STEP_MINUTES", "STOMACH", "STRIDE", "TISSUE", "TOLD", "Body", "Inputs",
    "N", "Seen",
    "State", "add_parameter_noise", "add_process_noise", "advance", "body_of", "default_body", "default_inputs",
    "equations", "error_scale", "flux_variance", "keep_within", "observe", "rates", "rest", "sensor_variance",
    "start", "start_sensor",
)  # fmt: skip

STEP_MINUTES = 2.5  # RK4; the fastest rate is 0.48 /min. Check-points run at 1 min and differ by < 0.1 mg/dL


# Where a mean or a point may be: ln Gp, ln Gt, ln sI, Gb, ln kst. A flux that widens drove points to 1e30 mg/dL without.
LEAST_PLASMA, MOST_PLASMA, LEAST_TISSUE, MOST_TISSUE = 3.0, 7.5, 0.0, 8.0
FASTEST, WALL_MINUTES = 0.3, 5.0  # 1/min, of a logarithm; how soon it is back within its bounds
BOUNDED = np.array([PLASMA, TISSUE, SENSITIVITY, BASAL, EMPTYING, BETA])
LEAST = np.array([LEAST_PLASMA, LEAST_TISSUE, -3.0, 50.0, -6.5, -2.0])
MOST = np.array([MOST_PLASMA, MOST_TISSUE, 2.0, 350.0, -3.0, 2.0])


@kernel
def keep_within(mean: Vector) -> None:
    """Bring a mean back to its bounds after a correction."""
    for i in range(BOUNDED.shape[0]):
        mean[BOUNDED[i]] = min(max(mean[BOUNDED[i]], LEAST[i]), MOST[i])


@equation
def inside(rate: float, x: float, low: float, high: float) -> float:
    """The rate of a logarithm, within 0.3 /min and back inside low-high: no pool is emptied or filled without end."""
    return clip(rate, -FASTEST, FASTEST) + (max(low - x, 0.0) + min(high - x, 0.0)) / WALL_MINUTES


@equation
def error_scale(glucose: float, least: float) -> float:
    """A sensor errs less where glucose is low: from `least` at 40 mg/dL to 1 at 100 mg/dL."""
    return least + (1.0 - least) * clip((glucose - 40.0) / 60.0, 0.0, 1.0)


@equation
def equations(state: State, inputs: Inputs, body: Body) -> tuple[tuple[float, ...], Seen]:
    """Rates of the nineteen dynamic states per minute, and what is seen; sections glucose, insulin, signalling."""
    plasma = exp(clip(state.log_plasma, LEAST_PLASMA, MOST_PLASMA))
    tissue = exp(clip(state.log_tissue, LEAST_TISSUE, MOST_TISSUE))
    insulin, interstitial = max(state.insulin, 0.0), max(state.interstitial, 0.0)
    glut4 = clip(state.glut4, 0.0, 1.0)
    sensitivity = exp(clip(state.log_sensitivity, -3.0, 2.0)) * inputs.sensitivity_factor
    on_liver = body.kp3 * exp(body.liver_sensitivity * clip(state.log_sensitivity, -3.0, 2.0))
    emptying, beta = exp(clip(state.log_emptying, -6.5, -3.0)), exp(clip(state.log_beta, -2.0, 2.0))
    basal = clip(state.basal, 50.0, 350.0)
    concentration, insulin_level = plasma / body.glucose_volume, insulin / body.insulin_volume
    basal_insulin = inputs.pump_insulin if inputs.pump_insulin > 0.0 else body.basal_insulin
    basal_glut4 = glut4_demand(basal_insulin, body.insulin_potency)
    _, velocity = basal_state(basal, body)
    kp1 = liver_intercept(basal, basal_insulin, body.basal_secretion, on_liver, body)

    arrival = appearance(max(state.gut, 0.0), body.absorption, body.weight)
    uptake = tissue_uptake(
        tissue,
        glut4,
        basal_glut4,
        sensitivity,
        body.uptake_capacity,
        velocity,
        body.km,
        max(state.exercise_boost, 0.0),
    )
    others = (
        arrival + state.disturbance - body.brain_uptake - renal_excretion(plasma, body.ke1, body.ke2)
        - body.k1 * plasma + body.k2 * tissue + (state.exercise_production - state.exercise_uptake) * plasma
    )  # fmt: skip
    # dG/dt for the beta cell: production with basal secretion, which avoids an algebraic loop.
    steady = endogenous_production(
        plasma, state.liver, body.basal_secretion, kp1, body.kp2, on_liver, body.portal,
        body.counter_regulation, concentration,
    )  # fmt: skip
    released = body.secretes * secretion(
        state.static, (steady + others) / body.glucose_volume, body.basal_secretion, beta * body.dynamic_gain
    )
    production = endogenous_production(
        plasma, state.liver, released, kp1, body.kp2, on_liver, body.portal, body.counter_regulation,
        concentration,
    )  # fmt: skip
    extraction = hepatic_extraction(released, body.m5, body.m6)
    depot = body.ka1 * max(state.depot_1, 0.0) + body.ka2 * max(state.depot_2, 0.0)
    receptor, irs1, pkb, surface = signalling_levels(
        interstitial, body.insulin_potency, body.diabetic_signalling
    )
    slopes = (
        stomach_rate(state.stomach, inputs.intake, body.fast_fraction, emptying),
        gut_rate(
            state.gut, max(state.stomach, 0.0), inputs.intake, body.fast_fraction, emptying, body.absorption
        ),
        inside((production + others) / plasma, state.log_plasma, LEAST_PLASMA, MOST_PLASMA),
        inside(
            (body.k1 * plasma - body.k2 * tissue - uptake) / tissue,
            state.log_tissue,
            LEAST_TISSUE,
            MOST_TISSUE,
        ),
        plasma_insulin_rate(insulin, released, extraction, depot, body.m2, body.m4),
        static_secretion_rate(state.static, concentration, basal, body.static_delay, beta * body.static_gain),
        delayed_insulin_rate(state.delayed, insulin_level, body.liver_delay),
        delayed_insulin_rate(state.liver, state.delayed, body.liver_delay),
        interstitial_insulin_rate(interstitial, insulin_level, body.p2u),
        glut4_rate(state.glut4, glut4_demand(interstitial, body.insulin_potency)),
        exercise_uptake_rate(state.exercise_uptake, inputs.intensity),
        exercise_production_rate(state.exercise_production, inputs.intensity, body.exercise_production_gain),
        exercise_boost_rate(state.exercise_boost, inputs.intensity),
        sensor_rate(state.site, concentration),
        inputs.infusion - (body.kd + body.ka1) * state.depot_1,
        body.kd * state.depot_1 - body.ka2 * state.depot_2,
        -state.disturbance / body.flux_minutes,
        (state.sensor_driver - state.sensor_error) / body.sensor_lag_minutes,
        -state.sensor_driver / body.sensor_error_minutes,
    )
    own_scale = error_scale(state.site, body.low_error)
    scale = inputs.error_scale if inputs.error_scale > 0.0 else own_scale
    shown = SENSOR_FLOOR + softplus(state.site + state.sensor_error * scale - SENSOR_FLOOR, 1.0)
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
