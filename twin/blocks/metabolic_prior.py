"""Block G, the filter's start and noise: the basal state from which a person begins, and how fast each state wanders."""

import math

import numpy as np

from twin.blocks.metabolic_parameters import (
    ACTIVITY,
    BASAL,
    BODY,
    DELAYED,
    DEPOT_1,
    DEPOT_2,
    DISTURBANCE,
    DYNAMIC,
    EMPTYING,
    FACTOR,
    GLUT4,
    GUT,
    INFUSION,
    INPUTS,
    INSULIN,
    INTERSTITIAL,
    LIVER,
    PARAMETERS,
    PLASMA,
    PUMP,
    SCALE,
    SENSITIVITY,
    SENSOR_DRIVER,
    SENSOR_ERROR,
    SITE,
    STATES,
    TISSUE,
    TOLD,
    Body,
    N,
)
from twin.jit import equation, kernel, values_of
from twin.numerics import log
from twin.physiology.glucose import BIOAVAILABLE, endogenous_production, renal_excretion
from twin.physiology.insulin import basal_secretion
from twin.shapes import Constants, Matrix, Vector
from twin.shapes import Inputs as InputArray


@equation
def liver_intercept(basal: float, insulin: float, release: float, acts: float, body: Body) -> float:
    """kp1 of a person who rests at (Gb, Ib, Sb): basal production is the same for everybody of a set [mg/kg/min].

    EGP = sp(EGP_b - kp2 (Gp - Gp_b) - kp3 sI^h (Id - Ib) - kp4 / gam (S - Sb), 0.1); `acts` is kp3 sI^h.
    """
    plasma = basal * body.glucose_volume
    return body.basal_production + body.kp2 * plasma + acts * insulin + body.portal * release


@equation
def basal_state(basal: float, body: Body) -> tuple[float, float]:
    """Gt and Vm0 that make Gb a steady state (section 10, basal consistency).

    Gt_b = (Fc + E0 + k1 Gp_b - EGP_b) / k2,  Vm0 = (k1 Gp_b - k2 Gt_b) (Km + Gt_b) / Gt_b
    """
    plasma = basal * body.glucose_volume
    production = endogenous_production(
        0.0, 0.0, 0.0, body.basal_production, 0.0, 0.0, 0.0, body.counter_regulation, basal
    )
    lost = body.brain_uptake + renal_excretion(plasma, body.ke1, body.ke2)
    tissue = max((lost + body.k1 * plasma - production) / body.k2, 1.0)
    return tissue, (body.k1 * plasma - body.k2 * tissue) * (body.km + tissue) / tissue


WALK = np.array([state.walk**2 / state.per for state in STATES])  # variance per minute


@kernel
def sensor_variance(body: Body) -> tuple[float, float]:
    """Stationary variances of e (also the covariance of e and e') and of e': s^2, s^2 (tau + T) / T.

    de/dt = (e' - e) / tau, de'/dt = -e' / T + noise of 2 var(e') / T per minute.
    """
    error = body.sensor_error_sd**2
    return error, error * (1.0 + body.sensor_lag_minutes / body.sensor_error_minutes)


@kernel
def start_sensor(mean: Vector, covariance: Matrix, k: Constants) -> None:
    """The prior of e and e', without correlation to the rest: a new device has errors of its own."""
    body = Body(*values_of(k, BODY))
    error, driver = sensor_variance(body)
    for i in (SENSOR_ERROR, SENSOR_DRIVER):
        mean[i] = 0.0
        covariance[i, :] = 0.0
        covariance[:, i] = 0.0
    covariance[SENSOR_ERROR, SENSOR_ERROR], covariance[SENSOR_DRIVER, SENSOR_DRIVER] = error, driver
    covariance[SENSOR_ERROR, SENSOR_DRIVER], covariance[SENSOR_DRIVER, SENSOR_ERROR] = error, error


@kernel
def flux_variance(mean: Vector, u: InputArray, body: Body) -> float:
    """Stationary variance of d [(mg/kg/min)^2]: more while a meal arrives, and while innovations keep one sign.

    Innovations without a cause keep one sign too, by chance: A^2 = 0.18 is their mean, Body.flux_evidence what is passed over.
    """
    arriving = BIOAVAILABLE * body.absorption * max(mean[GUT], 0.0) / body.weight
    quiet = body.flux_sd if u[TOLD] > 0.5 else body.untold_flux_sd
    evidence = max(u[ACTIVITY] * u[ACTIVITY] - body.flux_evidence, 0.0) / (1.0 - body.flux_evidence)
    active = 1.0 + body.flux_widening * min(evidence, 1.0)
    return float((quiet * quiet + (body.flux_per_appearance * arriving) ** 2) * active * math.exp(u[SCALE]))


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float, u: InputArray, k: Constants) -> None:
    """What `minutes` of process noise add, as one impulse: section 14; flux and sensor's driver as they keep their variance."""
    body = Body(*values_of(k, BODY))
    for i in range(N):
        covariance[i, i] += WALK[i] * minutes
    covariance[INSULIN, INSULIN] += (0.02 * mean[INSULIN]) ** 2 * minutes / 5.0 + 1e-6
    covariance[INTERSTITIAL, INTERSTITIAL] += (0.01 * mean[INTERSTITIAL]) ** 2 * minutes / 5.0 + 1e-6
    covariance[BASAL, BASAL] += body.basal_glucose_walk**2 * minutes / 1440.0
    covariance[EMPTYING, EMPTYING] += body.emptying_walk**2 * minutes / 1440.0
    covariance[DISTURBANCE, DISTURBANCE] += flux_variance(mean, u, body) * 2.0 * minutes / body.flux_minutes
    _, driver = sensor_variance(body)
    covariance[SENSOR_DRIVER, SENSOR_DRIVER] += driver * 2.0 * minutes / body.sensor_error_minutes


@kernel
def add_parameter_noise(covariance: Matrix, days: float, k: Constants) -> None:
    """The random walks of the person's parameters alone."""
    body = Body(*values_of(k, BODY))
    for i in range(DYNAMIC, N):
        covariance[i, i] += WALK[i] * days * 1440.0
    covariance[BASAL, BASAL] += body.basal_glucose_walk**2 * days
    covariance[EMPTYING, EMPTYING] += body.emptying_walk**2 * days


@kernel
def rest(mean: Vector, basal: float, k: Constants, u: InputArray) -> None:
    """The basal state: nothing eaten, glucose at Gb, insulin at Ib; parameters at their priors but Gb."""
    body = Body(*values_of(k, BODY))
    insulin = u[PUMP] if u[PUMP] > 0.0 else body.basal_insulin
    tissue, _ = basal_state(basal, body)
    mean[:] = 0.0
    mean[PLASMA], mean[TISSUE] = log(basal * body.glucose_volume), log(tissue)
    mean[INSULIN] = insulin * body.insulin_volume
    mean[DELAYED], mean[LIVER], mean[INTERSTITIAL] = insulin, insulin, insulin
    mean[GLUT4], mean[SITE] = insulin / (insulin + body.insulin_potency), basal
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
    covariance[EMPTYING, EMPTYING] = body.prior_log_emptying_sd**2
    covariance[SENSITIVITY, SENSITIVITY] = body.prior_log_sensitivity_sd**2
    covariance[DISTURBANCE, DISTURBANCE] = flux_variance(mean, u, body)
    start_sensor(mean, covariance, k)
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
    line = values["kp1"] - values["kp2"] * values["basal_glucose"] * values["glucose_volume"]
    produced = line - values["kp3"] * values["basal_insulin"] - values["portal"] * release
    return np.array(
        Body(**chosen, basal_production=produced, basal_secretion=release, basal_infusion=infusion)
    )


def default_body() -> Constants:
    """A healthy person of 75 kg."""
    return body_of({name: parameter.default for name, parameter in PARAMETERS.items()})


def default_inputs() -> InputArray:
    """A resting, fasting person."""
    u = np.zeros(INPUTS)
    u[FACTOR] = 1.0
    return u
