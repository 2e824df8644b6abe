"""What is known of a person beforehand, and the constants of every block that follow from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from twin import conditions_fast, exposure
from twin.blocks import circadian, fast, metabolic, metabolic_parameters, slow
from twin.blocks.spec import Parameter
from twin.physiology.body_composition import initial_fat_percent
from twin.physiology.energetics import resting_metabolic_rate
from twin.shapes import Constants

MALE = {"male": 1.0, "female": 0.0}
CONDITIONS = tuple(sorted({*metabolic_parameters.GLUCOSE_SETS, *conditions_fast.CONDITIONS}))
SLEEPLESS_SENSITIVITY = math.log(0.8)  # of insulin, when sleep has been short (section 19)
BLOCK_PARAMETERS: dict[str, dict[str, Parameter]] = {
    "fast": fast.PARAMETERS, "metabolic": metabolic_parameters.PARAMETERS, "circadian": circadian.PARAMETERS,
    "slow": slow.PARAMETERS, "exposure": exposure.PARAMETERS,
}  # fmt: skip
RANGES = {
    "weight_kg": (20.0, 400.0), "height_m": (1.0, 2.5), "age_years": (10.0, 110.0), "utc_offset_h": (-12.0, 14.0),
}  # fmt: skip


class ProfileError(ValueError):
    """A profile that no person can have; the message names the field and the allowed range."""


class Bodies(NamedTuple):
    """The constants of one person, a vector a block."""

    fast: Constants
    metabolic: Constants
    circadian: Constants
    slow: Constants
    exposure: Constants


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as far as known.

    Args:
        weight_kg, height_m, age_years, sex: the body.
        conditions: names of CONDITIONS, in any combination.
        utc_offset_h: local time minus UTC, for the schedules of sleep and light.
        parameters: numbers of the equations that are known, by the names of `twin model list`.

    """

    weight_kg: float = 75.0
    height_m: float = 1.78
    age_years: float = 40.0
    sex: str = "male"
    conditions: tuple[str, ...] = ()
    utc_offset_h: float = 0.0
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ProfileError(f"{name} = {getattr(self, name)!r}: allowed is {low:g} to {high:g}")
        if self.sex not in MALE:
            raise ProfileError(f"sex = {self.sex!r}: allowed is {', '.join(MALE)}")
        for condition in self.conditions:
            if condition not in CONDITIONS:
                raise ProfileError(f"conditions: {condition!r} is unknown; known are {', '.join(CONDITIONS)}")
        for name, value in self.parameters.items():
            found = [table[name] for table in BLOCK_PARAMETERS.values() if name in table]
            if not found:
                raise ProfileError(f"parameters.{name}: unknown; `twin model list` names them")
            if not found[0].low <= value <= found[0].high:
                raise ProfileError(
                    f"parameters.{name} = {value!r}: allowed is {found[0].low:g} to {found[0].high:g} {found[0].unit}"
                )


def _number(place: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise ProfileError(f"{place} = {value!r}: a number is needed") from error


def profile_of(fields: Mapping[str, object]) -> Profile:
    """A profile from plain fields, for example of a JSON document; raises ProfileError naming the field."""
    known = set(Profile.__dataclass_fields__)
    for name in fields:
        if name not in known:
            raise ProfileError(f"{name}: unknown field; known are {', '.join(sorted(known))}")
    values = dict(fields)
    for name in RANGES:
        if name in values:
            values[name] = _number(name, values[name])
    conditions = values.get("conditions", ())
    if not isinstance(conditions, (list, tuple)):
        raise ProfileError(f"conditions = {conditions!r}: a list is needed")
    values["conditions"] = tuple(str(condition) for condition in conditions)
    parameters = values.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise ProfileError(f"parameters = {parameters!r}: names with numbers are needed")
    values["parameters"] = {str(k): _number(f"parameters.{k}", v) for k, v in parameters.items()}
    return Profile(**values)  # type: ignore[arg-type]


def metabolic_values(profile: Profile) -> dict[str, float]:
    """The numbers of block G: healthy, with the sets of the person's conditions laid over them."""
    values = {name: parameter.default for name, parameter in metabolic_parameters.PARAMETERS.items()}
    for condition in profile.conditions:
        values |= metabolic_parameters.GLUCOSE_SETS.get(condition, {})
    if "sleep_deprivation" in profile.conditions:
        values["prior_log_sensitivity"] += SLEEPLESS_SENSITIVITY
    return values | {"weight": profile.weight_kg}


def bodies_of(profile: Profile) -> Bodies:
    """The constants of every block for a person."""
    male = MALE[profile.sex]
    size = (profile.weight_kg, profile.height_m, profile.age_years, male)
    fat = profile.weight_kg * min(max(initial_fat_percent(*size), 5.0), 60.0) / 100.0
    own = profile.parameters
    slow_body = slow.default_body()._replace(
        weight=profile.weight_kg, fat=fat, resting_expenditure=resting_metabolic_rate(*size)
    )
    clock = circadian.default_body()._replace(amplitude=math.exp(-0.003 * max(profile.age_years - 40.0, 0.0)))
    drinks = exposure.default_body()._replace(alcohol_volume=(0.68 if male else 0.55) * profile.weight_kg)
    fast_body = conditions_fast.body_of(*size, profile.conditions)

    def known(body: tuple[float, ...], fields: tuple[str, ...]) -> Constants:
        return np.array([own.get(name, value) for name, value in zip(fields, body, strict=True)])

    return Bodies(
        known(fast_body, fast.Body._fields),
        metabolic.body_of(
            metabolic_values(profile) | {k: v for k, v in own.items() if k in metabolic.Body._fields}
        ),
        known(clock, circadian.Body._fields),
        known(slow_body, slow.Body._fields),
        known(drinks, exposure.Body._fields),
    )
