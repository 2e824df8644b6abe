"""A pump's doses to insulin's two effects, outside the sigma points: depots, plasma, liver delay, interstitium, GLUT4.

Constants: population means of the UVA/Padova adults in the product's type 1 set (twin/blocks/metabolic_parameters.py).
"""

from typing import NamedTuple

import numpy as np

from twin.blocks.metabolic_parameters import GLUCOSE_SETS, PARAMETERS
from twin.jit import kernel
from twin.physiology.insulin import PMOL_PER_UNIT, delayed_insulin_rate, plasma_insulin_rate
from twin.physiology.insulin_signalling import glut4_demand, glut4_rate, interstitial_insulin_rate


class Body(NamedTuple):
    """What is fixed for a person, and what the pump's basal rate says of insulin at rest."""

    weight: float
    vg: float
    k1: float
    k2: float
    kp2: float
    kp3: float
    fc: float
    km: float
    capacity: float
    ke1: float
    ke2: float
    phi: float
    kab: float
    vi: float
    clearance: float  # m4 + HE m2, 1/min
    m2: float
    m4: float
    extraction: float
    ki: float
    p2u: float
    potency: float
    ka1: float
    ka2: float
    kd: float
    basal_infusion: float  # pmol/kg/min
    basal_insulin: float  # Ib, pmol/L
    basal_glut4: float


def body_of(weight_kg, basal_units_per_hour):
    """A person with type 1 diabetes from weight and programmed basal rate."""
    p = {name: parameter.default for name, parameter in PARAMETERS.items()} | GLUCOSE_SETS["t1d"]
    infusion = basal_units_per_hour / 60.0 * PMOL_PER_UNIT / weight_kg
    clearance = p["m4"] + p["m6"] * p["m2"]
    insulin = infusion / clearance / p["insulin_volume"]
    return Body(
        weight_kg, p["glucose_volume"], p["k1"], p["k2"], p["kp2"], p["kp3"], p["brain_uptake"], p["km"],
        p["uptake_capacity"], p["ke1"], p["ke2"], p["fast_fraction"], p["absorption"], p["insulin_volume"], clearance,
        p["m2"], p["m4"], p["m6"], p["liver_delay"], p["p2u"], p["insulin_potency"], p["ka1"], p["ka2"], p["kd"],
        infusion, insulin, insulin / (p["insulin_potency"] + insulin),
    )  # fmt: skip


@kernel
def insulin_path(infusion, b, path):
    """Fill `path` (minutes + 1, 2) with delayed insulin Id [pmol/L] and surface GLUT4 from `infusion` [pmol/kg/min]."""
    s = np.zeros(7)  # s1, s2, Ip, I1, Id, Xi, g4, at rest under the basal rate
    s[0] = b.basal_infusion / (b.kd + b.ka1)
    s[1] = b.kd * s[0] / b.ka2
    s[2] = b.basal_insulin * b.vi
    s[3], s[4], s[5], s[6] = b.basal_insulin, b.basal_insulin, b.basal_insulin, b.basal_glut4
    d, t, a = np.zeros(7), np.zeros(7), np.zeros(7)
    path[0, 0], path[0, 1] = s[4], s[6]
    for minute in range(infusion.shape[0]):
        a[:] = 0.0
        t[:] = s
        for stage in range(4):
            d[0] = infusion[minute] - (b.kd + b.ka1) * t[0]
            d[1] = b.kd * t[0] - b.ka2 * t[1]
            d[2] = plasma_insulin_rate(t[2], 0.0, b.extraction, b.ka1 * t[0] + b.ka2 * t[1], b.m2, b.m4)
            d[3] = delayed_insulin_rate(t[3], t[2] / b.vi, b.ki)
            d[4] = delayed_insulin_rate(t[4], t[3], b.ki)
            d[5] = interstitial_insulin_rate(t[5], t[2] / b.vi, b.p2u)
            d[6] = glut4_rate(t[6], glut4_demand(t[5], b.potency))
            weight = 1.0 if stage == 0 or stage == 3 else 2.0
            ahead = 1.0 if stage == 2 else 0.5
            for i in range(7):
                a[i] += weight * d[i]
                t[i] = s[i] + ahead * d[i]
        for i in range(7):
            s[i] += a[i] / 6.0
        path[minute + 1, 0], path[minute + 1, 1] = s[4], s[6]
