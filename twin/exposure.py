"""What a person took in, and cortisol: first-order states without uncertainty, moved with the person's clock.

They are small, known and fast to compute: alcohol in stomach and blood, a drug at its effect site, cortisol. The filter
blocks read them as inputs. Doses only add; time moves them in closed form (blood alcohol by an implicit step, so that
any step is stable). Equations: physiology/alcohol.py, drugs.py, cortisol.py.
"""

import math
from typing import NamedTuple

from twin.blocks import spec
from twin.jit import kernel, values_of
from twin.numerics import exp
from twin.physiology.alcohol import ABSORPTION, HALF_RATE
from twin.physiology.cortisol import CLEARANCE, cortisol_after, cortisol_secretion
from twin.physiology.drugs import blockade, effect_site
from twin.shapes import Constants, Vector

STOMACH_ALCOHOL, BLOOD_ALCOHOL, DRUG_EFFECT, CORTISOL = range(4)
N = 4
EXPOSURES = ("stomach_alcohol", "blood_alcohol", "drug_effect", "cortisol")
UNITS = ("g", "g/L", "1", "ug/dL")  # a drug in customary doses
STEP_MINUTES = 5.0  # of blood alcohol
SMALLEST_ALCOHOL = 1e-9  # g, g/L: below, there is none


class Body(NamedTuple):
    """Numbers fixed for the person."""

    alcohol_volume: float
    alcohol_elimination: float
    drug_hours: float
    drug_half: float


BODY = len(Body._fields)
PARAMETERS = {
    "alcohol_volume": spec.Parameter(
        51.0, "L", 15.0, 150.0, "0.68 (men), 0.55 (women) L/kg BW", "Widmark 1932"
    ),
    "alcohol_elimination": spec.Parameter(0.0025, "g/L/min", 0.0017, 0.0042, "at high level", "Jones 2010"),
    "drug_hours": spec.Parameter(
        9.0, "h", 3.0, 24.0, "tau_e; beta-blocker 6-12", "specification, section 11.5"
    ),
    "drug_half": spec.Parameter(0.4, "1", 0.05, 5.0, "e50: a customary dose a day blocks half", "calibrated"),
}


@kernel
def start_exposure(state: Vector, circadian: float, quadrature: float) -> None:
    """Nothing taken; cortisol where the clock has it."""
    state[:] = 0.0
    state[CORTISOL] = cortisol_secretion(circadian, quadrature) / CLEARANCE


@kernel
def take_alcohol(state: Vector, grams: float) -> None:
    """A drink (10-14 g) into the stomach."""
    state[STOMACH_ALCOHOL] += max(grams, 0.0)


@kernel
def take_drug(state: Vector, doses: float) -> None:
    """Customary doses of a beta-blocker."""
    state[DRUG_EFFECT] += max(doses, 0.0)


@kernel
def advance_exposure(
    state: Vector, minutes: float, k: Constants, circadian: float, quadrature: float
) -> None:
    """Move all exposures; c and its quadrature from block C, constant over the step."""
    body = Body(*values_of(k, BODY))
    state[CORTISOL] = cortisol_after(state[CORTISOL], cortisol_secretion(circadian, quadrature), minutes)
    state[DRUG_EFFECT] = effect_site(state[DRUG_EFFECT], minutes, body.drug_hours)
    steps = max(1, math.ceil(minutes / STEP_MINUTES - 1e-9))
    h = minutes / steps
    left = exp(-ABSORPTION * h)
    burnt = body.alcohol_elimination * h
    for _ in range(steps):
        if state[STOMACH_ALCOHOL] < SMALLEST_ALCOHOL and state[BLOOD_ALCOHOL] < SMALLEST_ALCOHOL:
            state[STOMACH_ALCOHOL] = state[BLOOD_ALCOHOL] = 0.0
            break
        arrived = state[STOMACH_ALCOHOL] * (1.0 - left)
        state[STOMACH_ALCOHOL] *= left
        # Implicit: B = b - v h B / (B + 0.05) is a quadratic in B with one positive root.
        before = state[BLOOD_ALCOHOL] + arrived / body.alcohol_volume
        linear = HALF_RATE + burnt - before
        state[BLOOD_ALCOHOL] = 0.5 * (-linear + math.sqrt(linear * linear + 4.0 * HALF_RATE * before))


@kernel
def beta_blockade(state: Vector, k: Constants) -> float:
    """bb, 0-1, of what is at the effect site."""
    body = Body(*values_of(k, BODY))
    return blockade(state[DRUG_EFFECT], body.drug_half)


def default_body() -> Body:
    """The default person."""
    return Body(**{name: parameter.default for name, parameter in PARAMETERS.items()})
