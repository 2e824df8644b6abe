"""Block C: the circadian pacemaker, its photic process and the sleep homeostat, with two numbers of the person.

Follows section 9 of the specification; the organs are physiology/circadian.py and physiology/sleep.py. Wrist light is
off by a factor of two or three: ln of that factor is a parameter. Eyes shut by sleep let no light in.
"""

import math
from typing import NamedTuple

import numpy as np

from twin.blocks import spec
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put, values_of
from twin.numerics import clip, exp
from twin.physiology.circadian import (
    P1,
    UNIT,
    PhoticParameters,
    glucose_tolerance,
    light_process_rate,
    pacemaker_rates,
    photic_activation,
    photic_drive,
)
from twin.physiology.sleep import asleep_hazard, homeostat_rate, wake_drive
from twin.shapes import Constants, Matrix, Points, Vector

HOUR, DAY = 60.0, 1440.0  # minutes; the papers' rates are per hour
STEP_MINUTES, BRIGHT_STEP_MINUTES, BRIGHT_LUX = 6.0, 2.0, 2000.0  # RK4; bright light speeds process L up
BRIGHTEST = 30000.0  # lux: no pupil lets more through; keeps a wild light scale stable


class State(NamedTuple):
    """As the filter holds them: four that move, then the person's parameters."""

    pacemaker_x: float
    pacemaker_xc: float
    light_process: float
    sleep_homeostat: float
    intrinsic_period: float
    log_light_scale: float


class Inputs(NamedTuple):
    """What drives the block during one step."""

    light: float  # lux at the eye, or at the wrist
    asleep: float  # S, 0-1


class Body(NamedTuple):
    """Numbers fixed for the person."""

    activation: float
    decay: float
    exponent: float
    half_lux: float
    gain: float
    period_pull: float
    stiffness: float
    amplitude: float
    prior_intrinsic_period: float
    prior_intrinsic_period_sd: float
    prior_log_light_scale: float
    prior_log_light_scale_sd: float
    prior_phase_sd: float


class Seen(NamedTuple):
    """Natural units: what other blocks need, and what perfect sensors would read."""

    circadian: float  # c = x / 1.08, +1 at the maximum of body temperature
    quadrature: float  # xc / 1.08
    sleep_drive: float  # P(asleep), the hazard
    homeostat: float  # H
    tolerance: float  # factor on insulin sensitivity


N, DYNAMIC, STRIDE, INPUTS, BODY, SEEN = len(State._fields), 4, 16, 2, len(Body._fields), len(Seen._fields)
PACEMAKER_X, PACEMAKER_XC, LIGHT_PROCESS, SLEEP_HOMEOSTAT, INTRINSIC_PERIOD, LOG_LIGHT_SCALE = range(N)
LIGHT, ASLEEP = range(INPUTS)
STATES = (
    spec.State("pacemaker_x", "1", spec.PLAIN, 0.26, 0.01, 60.0, "x; its minimum is CBTmin"),
    spec.State("pacemaker_xc", "1", spec.PLAIN, 0.26, 0.01, 60.0, "xc, its complement"),
    spec.State("light_process", "1", spec.PLAIN, 0.1, 0.01, 60.0, "n, process L in use"),
    spec.State("sleep_homeostat", "1", spec.PLAIN, 0.5, 0.02, 60.0, "H, need of sleep"),
    spec.State("intrinsic_period", "h", spec.PLAIN, 0.2, 0.002, 1440.0, "tau_c, period in darkness"),
    spec.State("log_light_scale", "1", spec.PLAIN, 0.5, 0.02, 1440.0, "ln of eye to sensor light"),
)
PRIOR_SDS = np.array([state.sd for state in STATES])
WALKS = np.array([state.walk**2 / state.per for state in STATES])  # variance per minute
_FORGER = "Serkh and Forger 2014 (P1); P2 in physiology/circadian.py"
PARAMETERS = {
    "activation": spec.Parameter(P1.activation, "/min", 0.03, 0.2, "a0, process L", _FORGER),
    "decay": spec.Parameter(P1.decay, "/min", 0.005, 0.02, "beta, process L", _FORGER),
    "exponent": spec.Parameter(P1.exponent, "1", 0.4, 0.7, "p, process L", _FORGER),
    "half_lux": spec.Parameter(P1.half_lux, "lx", 9500.0, 9500.0, "I0, process L", _FORGER),
    "gain": spec.Parameter(P1.gain, "1", 15.0, 40.0, "G, photic drive", _FORGER),
    "period_pull": spec.Parameter(P1.period_pull, "1", 0.4, 0.7, "k, light on the period", _FORGER),
    "stiffness": spec.Parameter(P1.stiffness, "1", 0.1, 0.3, "mu, limit cycle", _FORGER),
    "amplitude": spec.Parameter(
        1.0, "1", 0.6, 1.1, "of c; -0.3 % a year above 40", "specification, section 19"
    ),
    "prior_intrinsic_period": spec.Parameter(24.15, "h", 23.5, 24.7, "tau_c", "Czeisler 1999, Duffy 2011"),
    "prior_intrinsic_period_sd": spec.Parameter(0.2, "h", 0.05, 0.4, "between people", "Czeisler 1999"),
    "prior_log_light_scale": spec.Parameter(
        0.0, "1", -1.5, 1.5, "ln of eye to sensor light", "specification, 13"
    ),
    "prior_log_light_scale_sd": spec.Parameter(0.5, "1", 0.1, 1.0, "its spread", "specification, section 13"),
    "prior_phase_sd": spec.Parameter(
        1.0, "h", 0.25, 6.0, "clock phase against the local clock", "chronotypes"
    ),
}
# The default person entrained to 1000 lux from 7 to 23 h, asleep otherwise, at midnight (tests/twin/test_circadian_block.py).
MIDNIGHT = (-0.5142, -0.9460, 0.4360, 12.588)
LIGHTS_ON, LIGHTS_OFF, ENTRAINING_LUX = 7.0, 23.0, 1000.0


@equation
def equations(state: State, inputs: Inputs, body: Body) -> tuple[tuple[float, float, float, float], Seen]:
    """Rates per minute of the four moving states, and what is seen."""
    x, xc = clip(state.pacemaker_x, -3.0, 3.0), clip(state.pacemaker_xc, -3.0, 3.0)
    used = clip(state.light_process, 0.0, 1.0)
    period = clip(state.intrinsic_period, 22.0, 27.0)
    scale = exp(clip(state.log_light_scale, -4.0, 4.0))

    light = min(max(inputs.light, 0.0) * scale, BRIGHTEST) * (1.0 - inputs.asleep)
    alpha = photic_activation(light, body.activation, body.half_lux, body.exponent)
    drive = photic_drive(x, xc, used, alpha, body.gain)
    x_rate, xc_rate = pacemaker_rates(x, xc, drive, period, body.stiffness, body.period_pull)
    rates = (
        x_rate / HOUR,
        xc_rate / HOUR,
        light_process_rate(state.light_process, alpha, body.decay) / HOUR,
        homeostat_rate(state.sleep_homeostat, inputs.asleep) / HOUR,
    )
    circadian, quadrature = body.amplitude * x / UNIT, body.amplitude * xc / UNIT
    seen = Seen(
        circadian,
        quadrature,
        asleep_hazard(state.sleep_homeostat, wake_drive(x, xc)),
        state.sleep_homeostat,
        glucose_tolerance(circadian, quadrature),
    )
    return rates, seen


@kernel
def rates(x: Points, d: Points, u: Vector, k: Constants) -> None:
    """Rates of all points into `d` (DYNAMIC * STRIDE used), per minute."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        slopes, _ = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(d, s, STRIDE, slopes)


@kernel
def observe(x: Points, o: Points, u: Vector, k: Constants) -> None:
    """What is seen of all points into `o` (SEEN * STRIDE)."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        _, seen = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(o, s, STRIDE, seen)


@kernel
def advance(x: Points, minutes: float, u: Vector, k: Constants, d: Points, t: Points, a: Points) -> None:
    """Move every point by RK4; d, t, a are work space as large as x."""
    longest = BRIGHT_STEP_MINUTES if u[LIGHT] > BRIGHT_LUX else STEP_MINUTES
    steps = max(1, math.ceil(minutes / longest - 1e-9))
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


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float, u: Vector) -> None:  # noqa: ARG001
    """Random walks of the moving states, section 14."""
    for i in range(DYNAMIC):
        covariance[i, i] += WALKS[i] * minutes


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """Random walks of the person's parameters."""
    for i in range(DYNAMIC, N):
        covariance[i, i] += WALKS[i] * days * DAY


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants, u: Vector, hour: float) -> None:  # noqa: ARG001
    """Prior at local clock hour `hour` (0-24): entrained to light from 7 to 23 h, phase uncertain along the cycle."""
    body = Body(*values_of(k, BODY))
    x, xc, used, homeostat = MIDNIGHT
    period, scale = body.prior_intrinsic_period, body.prior_log_light_scale
    steps = math.ceil(hour * 10.0)
    h = hour * HOUR / max(steps, 1)
    x_rate, xc_rate = 0.0, 0.0
    for i in range(steps + 1):
        clock = (i + 0.5) * h / HOUR
        awake = 1.0 if LIGHTS_ON <= clock < LIGHTS_OFF else 0.0
        inputs = Inputs(ENTRAINING_LUX * awake, 1.0 - awake)
        slope, _ = equations(State(x, xc, used, homeostat, period, scale), inputs, body)
        half = 0.5 * h
        middle = State(
            x + half * slope[0], xc + half * slope[1], used + half * slope[2], homeostat + half * slope[3], period, scale
        )  # fmt: skip
        x_rate, xc_rate = slope[0], slope[1]
        if i < steps:
            slope, _ = equations(middle, inputs, body)
            x, xc = x + h * slope[0], xc + h * slope[1]
            used, homeostat = used + h * slope[2], homeostat + h * slope[3]
    mean[PACEMAKER_X], mean[PACEMAKER_XC] = x, xc
    mean[LIGHT_PROCESS], mean[SLEEP_HOMEOSTAT] = used, homeostat
    mean[INTRINSIC_PERIOD], mean[LOG_LIGHT_SCALE] = period, scale
    covariance[:] = 0.0
    early = HOUR * body.prior_phase_sd
    covariance[PACEMAKER_X, PACEMAKER_X] = (early * x_rate) ** 2 + 0.0025
    covariance[PACEMAKER_XC, PACEMAKER_XC] = (early * xc_rate) ** 2 + 0.0025
    covariance[PACEMAKER_X, PACEMAKER_XC] = early * early * x_rate * xc_rate
    covariance[PACEMAKER_XC, PACEMAKER_X] = covariance[PACEMAKER_X, PACEMAKER_XC]
    for i in (LIGHT_PROCESS, SLEEP_HOMEOSTAT):
        covariance[i, i] = PRIOR_SDS[i] ** 2
    covariance[INTRINSIC_PERIOD, INTRINSIC_PERIOD] = body.prior_intrinsic_period_sd**2
    covariance[LOG_LIGHT_SCALE, LOG_LIGHT_SCALE] = body.prior_log_light_scale_sd**2


def default_body() -> Body:
    """The default person."""
    return Body(**{name: parameter.default for name, parameter in PARAMETERS.items()})


def with_photic(body: Body, photic: PhoticParameters) -> Body:
    """The same person with another parameter set of process L (P1, P2) and its intrinsic period."""
    values = photic._asdict()
    period = values.pop("period")
    return body._replace(prior_intrinsic_period=period, **values)


def default_inputs() -> Inputs:
    """Awake in daylight."""
    return Inputs(light=300.0, asleep=0.0)
