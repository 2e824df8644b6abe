"""What is fixed for a person: body, conditions and the parameter sets that follow; one array, named positions.

Sources: parameter sets of Dalla Man 2007 (healthy, type 2) and of the UVA/Padova type 1 adults (n = 10), with Vg, E_I
and the linear gut calibrated to them; ranges in twin/README.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.physiology.energetics import basal_oxygen_uptake
from twin.physiology.insulin import basal_secretion
from twin.shapes import Constants

(
    WEIGHT, BASAL_UPTAKE, MAXIMAL_RATE, TAU_UPTAKE, TAU_ON, SLOWING, REFLEX_GAIN, RESTING_VOLUME, CONTRACTILITY,
    PRESSURE_SET_POINT, COMPLIANCE, LOG_VARIABILITY, BETA_BLOCKADE,
    VG, K1, K2, VI, M2, M4, M5, M6, PHI, KAB, KP1, KP2, KP3, PORTAL, KI, FC, KM, CAPACITY, POTENCY, P2U,
    DYNAMIC_GAIN, ALPHA, BETA, KE1, KE2, KA1, KA2, KD, EXERCISE_PRODUCTION, SECRETES, COUNTER_REGULATION,
    BASAL_INSULIN, BASAL_SECRETION, BASAL_INFUSION, BASAL_GLUT4, TYPE_2,
    PRIOR_RESTING_RATE, PRIOR_UPTAKE, PRIOR_BASAL_GLUCOSE, PRIOR_BASAL_GLUCOSE_SD, PRIOR_LOG_EMPTYING,
    PRIOR_LOG_SENSITIVITY,
) = range(55)  # fmt: skip
SIZE = 55

GLUCOSE_SETS: dict[str, dict[int, float]] = {
    "healthy": {
        VG: 1.88, K1: 0.065, K2: 0.079, VI: 0.05, M2: 0.484, M4: 0.194, M5: 0.0304, M6: 0.6471, PHI: 0.15, KAB: 0.057,
        KP1: 2.70, KP2: 0.0021, KP3: 0.009, PORTAL: 0.0618 / 0.5, KI: 0.0079, FC: 1.0, KM: 225.59, CAPACITY: 44.0,
        POTENCY: 600.0, P2U: 0.0331, DYNAMIC_GAIN: 2.0, ALPHA: 0.050, BETA: 0.11, KE1: 0.0005, KE2: 339.0,
        KA1: 0.0018, KA2: 0.0182, KD: 0.0164, EXERCISE_PRODUCTION: 0.9, SECRETES: 1.0, COUNTER_REGULATION: 1.0,
        BASAL_INSULIN: 25.6, PRIOR_BASAL_GLUCOSE: 91.76, PRIOR_BASAL_GLUCOSE_SD: 8.0, TYPE_2: 0.0,
        PRIOR_LOG_EMPTYING: float(np.log(0.0105)), PRIOR_LOG_SENSITIVITY: 0.2,
    },
    "prediabetes": {
        BASAL_INSULIN: 45.0, PRIOR_BASAL_GLUCOSE: 102.0, PRIOR_LOG_SENSITIVITY: float(np.log(0.5)),
        BETA: 0.11 * 0.55, DYNAMIC_GAIN: 1.2,
    },
    "t2d": {
        VG: 1.49, VI: 0.04, M2: 0.673, M4: 0.269, M5: 0.0526, M6: 0.8118, PHI: 0.25, KAB: 0.023, KP1: 3.09,
        KP2: 0.0007, KP3: 0.005, PORTAL: 0.0786 / 0.5, KI: 0.0066, CAPACITY: 27.0, POTENCY: 900.0, DYNAMIC_GAIN: 1.0,
        ALPHA: 0.013, BETA: 0.05, KE1: 0.0007, KE2: 269.0, EXERCISE_PRODUCTION: 0.8, BASAL_INSULIN: 57.2,
        PRIOR_BASAL_GLUCOSE: 164.18, PRIOR_BASAL_GLUCOSE_SD: 20.0, TYPE_2: 1.0,
        PRIOR_LOG_EMPTYING: float(np.log(0.013)), PRIOR_LOG_SENSITIVITY: 0.0,
    },
    "t1d": {
        VG: 1.85, K1: 0.0625, K2: 0.129, VI: 0.0525, M2: 0.277, M4: 0.111, M5: 0.0, M6: 0.6, KP1: 4.6, KP2: 0.0042,
        KP3: 0.0095, PORTAL: 0.0, KI: 0.0084, KM: 237.0, CAPACITY: 54.0, P2U: 0.034, DYNAMIC_GAIN: 0.0, ALPHA: 0.0,
        BETA: 0.0, KA1: 0.0034, KA2: 0.0159, KD: 0.0159, EXERCISE_PRODUCTION: 0.604, SECRETES: 0.0,
        COUNTER_REGULATION: 0.0, BASAL_INSULIN: 108.0, PRIOR_BASAL_GLUCOSE: 140.0, PRIOR_BASAL_GLUCOSE_SD: 25.0,
        PRIOR_LOG_EMPTYING: float(np.log(0.012)), PRIOR_LOG_SENSITIVITY: 0.2,
    },
}  # fmt: skip
CONDITIONS = (*GLUCOSE_SETS, "beta_blocker")
MALE = {"male": 1.0, "female": 0.0}


class ProfileError(ValueError):
    """A profile that no person can have; the message names the field and the allowed range."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as far as known: kg, m, years, sex, conditions."""

    weight_kg: float = 75.0
    height_m: float = 1.78
    age_years: float = 40.0
    sex: str = "male"
    conditions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, low, high in (
            ("weight_kg", 20.0, 400.0),
            ("height_m", 1.0, 2.5),
            ("age_years", 10.0, 110.0),
        ):
            if not low <= getattr(self, field) <= high:
                raise ProfileError(f"{field} = {getattr(self, field)!r}: allowed is {low} to {high}")
        if self.sex not in MALE:
            raise ProfileError(f"sex = {self.sex!r}: allowed is {', '.join(MALE)}")
        for condition in self.conditions:
            if condition not in CONDITIONS:
                raise ProfileError(f"conditions: {condition!r} is unknown; known are {', '.join(CONDITIONS)}")


def profile_of(fields: Mapping[str, object]) -> Profile:
    """A profile from plain fields, for example of a JSON document; raises ProfileError naming the field."""
    known = set(Profile.__dataclass_fields__)
    for name in fields:
        if name not in known:
            raise ProfileError(f"{name}: unknown field; known are {', '.join(sorted(known))}")
    values = dict(fields)
    for name in ("weight_kg", "height_m", "age_years"):
        if name in values:
            try:
                values[name] = float(str(values[name]))
            except ValueError as error:
                raise ProfileError(f"{name} = {values[name]!r}: a number is needed") from error
    conditions = values.get("conditions", ())
    if not isinstance(conditions, (list, tuple)):
        raise ProfileError(f"conditions = {conditions!r}: a list is needed")
    values["conditions"] = tuple(str(condition) for condition in conditions)
    return Profile(**values)  # type: ignore[arg-type]


def constants_of(profile: Profile) -> Constants:
    """The array of constants of a person, positions as named above."""
    k = np.zeros(SIZE)
    chosen = dict(GLUCOSE_SETS["healthy"])
    for condition in profile.conditions:
        chosen |= GLUCOSE_SETS.get(condition, {})
    for index, value in chosen.items():
        k[index] = value
    k[WEIGHT] = profile.weight_kg
    k[BASAL_UPTAKE] = basal_oxygen_uptake(
        profile.weight_kg, profile.height_m, profile.age_years, MALE[profile.sex]
    )
    k[MAXIMAL_RATE] = 208.0 - 0.7 * profile.age_years
    k[TAU_UPTAKE], k[TAU_ON], k[SLOWING], k[REFLEX_GAIN] = 30.0, 40.0, 4.0, 0.6
    k[RESTING_VOLUME], k[CONTRACTILITY], k[PRESSURE_SET_POINT], k[COMPLIANCE] = 85.0, 1.0, 90.0, 2.0
    k[LOG_VARIABILITY] = 3.70 - 0.02 * (profile.age_years - 40.0)
    k[BETA_BLOCKADE] = 1.0 if "beta_blocker" in profile.conditions else 0.0
    k[PRIOR_RESTING_RATE] = 62.0
    k[PRIOR_UPTAKE] = (
        42.0 * (1.0 - 0.01 * (profile.age_years - 40.0)) * (1.0 if profile.sex == "male" else 0.85)
    )
    if "t2d" in profile.conditions:  # section "disease sets": unfit, higher rate, weaker reflex
        k[PRIOR_RESTING_RATE], k[PRIOR_UPTAKE], k[REFLEX_GAIN] = 72.0, 25.0, 0.36
    plasma_insulin = k[BASAL_INSULIN] * k[VI]
    k[BASAL_GLUT4] = k[BASAL_INSULIN] / (k[POTENCY] + k[BASAL_INSULIN])
    if k[SECRETES] > 0:
        k[BASAL_SECRETION] = basal_secretion(plasma_insulin, k[M2], k[M4], k[M5], k[M6])
    else:
        k[BASAL_INFUSION] = (k[M4] + k[M6] * k[M2]) * plasma_insulin  # pmol/kg/min that hold Ib
    return k
