"""What the model has: states, parameters, constants and observables of every block, with units, priors and sources."""

import math
from typing import Any

from twin import exposure
from twin.blocks import circadian, fast, metabolic, metabolic_parameters, slow
from twin.blocks.spec import LOG, TRANSFORMS, Parameter

BLOCKS: tuple[tuple[str, Any, dict[str, Parameter]], ...] = (
    ("F fast", fast, fast.PARAMETERS), ("G metabolic", metabolic, metabolic_parameters.PARAMETERS),
    ("C circadian", circadian, circadian.PARAMETERS), ("S slow", slow, slow.PARAMETERS),
)  # fmt: skip


SEEN_UNITS = {
    "heart_rate": "/min", "mean_arterial_pressure": "mm[Hg]", "bp_systolic": "mm[Hg]", "bp_diastolic": "mm[Hg]",
    "stroke_volume": "mL", "cardiac_output": "L/min", "hrv_rmssd": "ms", "ventilation": "L/min",
    "respiration_rate": "/min", "arterial_co2": "mm[Hg]", "arterial_o2": "mm[Hg]", "spo2": "%",
    "core_temperature": "Cel", "skin_temperature": "Cel", "mean_skin_temperature": "Cel", "exercise_fraction": "1",
    "energy_expenditure": "kcal/min", "oxygen_uptake": "mL/kg/min", "sweat": "L/h", "co2_output": "L/min",
    "active_expenditure": "kcal/min", "inflammation": "1", "fever": "Cel", "glucose": "mg/dL", "interstitial_glucose": "mg/dL",
    "sensor_glucose": "mg/dL", "insulin": "pmol/L", "appearance": "mg/kg/min", "production": "mg/kg/min",
    "uptake": "mg/kg/min", "fed": "1", "insulin_receptor": "1", "irs1": "1", "pkb": "1", "glut4": "1",
    "circadian": "1", "quadrature": "1", "sleep_drive": "1", "homeostat": "1", "tolerance": "1", "weight": "kg",
    "body_fat": "%", "dehydration": "%", "blood_volume_deviation": "1", "daily_expenditure": "kcal/d",
    "maximal_uptake_drift": "mL/kg/min", "resting_rate_drift": "/min", "variability_drift": "1",
    "fat_sensitivity": "1", "fat_mass": "kg",
}  # fmt: skip


PARAMETERS = {
    state.name: state for _, module, _ in BLOCKS for state in module.STATES[module.DYNAMIC :]
}  # fmt: skip


def learned_share(name: str, mean: float, sd: float) -> float:
    """How much of the prior's uncertainty of a parameter is gone: 0 nothing was learned, 1 it is known exactly.

    Args:
        name: of a parameter of any block.
        mean, sd: of its posterior, natural units.

    """
    state = PARAMETERS[name]
    held = math.sqrt(math.log1p((sd / mean) ** 2)) if state.transform == LOG and mean > 0.0 else sd
    return float(min(max(1.0 - held / state.sd, 0.0), 1.0))


def catalogue() -> list[dict[str, Any]]:
    """One row each: block, name, kind (state, parameter, observable, constant), unit, what is known beforehand, meaning.

    `prior` is the population value of a constant, and of a state or parameter the prior's sd in what the filter holds;
    `walk` is the process noise, sd per square root of `per_minutes`.
    """
    rows: list[dict[str, Any]] = []
    for block, module, constants in BLOCKS:
        for i, state in enumerate(module.STATES):
            rows.append({
                "block": block, "name": state.name, "kind": "state" if i < module.DYNAMIC else "parameter",
                "unit": state.unit, "held_as": TRANSFORMS[state.transform], "prior_sd": state.sd, "walk": state.walk,
                "per_minutes": state.per, "meaning": state.meaning, "source": "specification, section 14",
            })  # fmt: skip
        rows += [
            {"block": block, "name": name, "kind": "observable", "unit": SEEN_UNITS[name]}
            for name in module.Seen._fields
        ]
        rows += [_constant(block, name, parameter) for name, parameter in constants.items()]
    rows += [
        {"block": "exposure", "name": name, "kind": "state", "unit": unit}
        for name, unit in zip(exposure.EXPOSURES, exposure.UNITS, strict=True)
    ]
    rows += [_constant("exposure", name, parameter) for name, parameter in exposure.PARAMETERS.items()]
    return rows


def _constant(block: str, name: str, parameter: Parameter) -> dict[str, Any]:
    return {
        "block": block, "name": name, "kind": "constant", "unit": parameter.unit, "default": parameter.default,
        "low": parameter.low, "high": parameter.high, "meaning": parameter.meaning, "source": parameter.source,
    }  # fmt: skip
