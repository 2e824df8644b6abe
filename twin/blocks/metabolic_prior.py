"""Block G, the filter's start and noise: the basal state from which a person begins, and how fast each state wanders."""

import math

import numpy as np

from twin.blocks.metabolic_parameters import (
    BASAL,
    BODY,
    DELAYED,
    DEPOT_1,
    DEPOT_2,
    DISTURBANCE,
    DISTURBANCE_MINUTES,
    DISTURBANCE_SD,
    DYNAMIC,
    EMPTYING,
    FACTOR,
    GAIN_MINUTES,
    GAIN_SD,
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
    SENSITIVITY,
    SENSOR_ERROR,
    SENSOR_ERROR_MINUTES,
    SENSOR_ERROR_SD,
    SENSOR_GAIN,
    SITE,
    STATES,
    TISSUE,
    TOLD,
    TOLD_SD,
    TOLD_SHARE,
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
    covariance[SENSOR_ERROR, SENSOR_ERROR] += ornstein_uhlenbeck(
        SENSOR_ERROR_SD, minutes, SENSOR_ERROR_MINUTES
    )
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
