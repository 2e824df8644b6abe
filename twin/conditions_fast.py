"""What diseases, training and age change in block F: which field of Body, how, and by how much (section 19).

A change is ("set" | "times" | "add", value); several conditions are applied one after another. The specification's
sets are for the default person; what age, sex or size also change is given relative to that person. The default person's
numbers follow from weight, height, age and sex: body surface, resting uptake (Mifflin), maximal heart rate (Tanaka),
and the norms of VO2max and of heart-rate variability.
"""

import math
from collections.abc import Iterable

from twin.blocks.fast_parameters import Body, default_body
from twin.physiology.energetics import basal_oxygen_uptake
from twin.physiology.thermoregulation import body_surface_area

Change = tuple[str, float]
STANDARD_SURFACE = body_surface_area(75.0, 1.78)
FEMALE_UPTAKE = 0.85  # VO2max of women against men of the same age

CONDITIONS: dict[str, dict[str, Change]] = {
    "t2d": {
        "prior_maximal_oxygen_uptake": ("times", 25.0 / 42.0),
        "prior_resting_heart_rate": ("set", 72.0),
        "maximal_heart_rate": ("times", 165.0 / 180.0),
        "prior_log_variability": ("add", 3.1 - 3.7),
        "prior_pressure_set_point": ("set", 98.0),
        "reflex_gain": ("times", 0.6),
    },
    "hypertension_1": {
        "prior_pressure_set_point": ("set", 104.0),
        "prior_vascular_compliance": ("times", 1.7 / 2.0),
    },
    "hypertension_2": {
        "prior_pressure_set_point": ("set", 112.0),
        "prior_vascular_compliance": ("times", 1.9 / 2.0),
    },
    "hypertension_old": {
        "prior_pressure_set_point": ("set", 112.0),
        "prior_vascular_compliance": ("times", 1.55 / 2.0),
    },
    "heart_failure": {
        "contractility": ("set", 0.72),
        "prior_pressure_set_point": ("set", 84.0),
        "prior_resting_heart_rate": ("set", 74.0),
        "maximal_heart_rate": ("times", 135.0 / 180.0),
        "prior_maximal_oxygen_uptake": ("times", 15.0 / 42.0),
        "ventilation_slope": ("set", 32.0),
        "ventilation_offset": ("set", 2.0),
        "prior_log_variability": ("add", 2.9 - 3.7),
        "uptake_time": ("set", 60.0),
        "rise_time": ("set", 70.0),
        "prior_recovery_time": ("set", 120.0),
        "reflex_gain": ("times", 0.5),
    },
    "copd_moderate": {
        "lung_disease": ("set", 0.5),
        "co2_shift": ("set", 3.0),
        "prior_maximal_oxygen_uptake": ("times", 22.0 / 42.0),
        "maximal_heart_rate": ("times", 155.0 / 180.0),
        "ventilation_slope": ("times", 1.2),
        "ventilation_ceiling": ("set", 70.0),
    },
    "copd_severe": {
        "lung_disease": ("set", 1.0),
        "co2_shift": ("set", 6.0),
        "prior_maximal_oxygen_uptake": ("times", 15.0 / 42.0),
        "maximal_heart_rate": ("times", 145.0 / 180.0),
        "ventilation_slope": ("times", 1.2),
        "ventilation_ceiling": ("set", 35.0),
    },
    "beta_blocker": {"daily_beta_blockade": ("set", 1.0)},
    "athlete": {
        "prior_resting_heart_rate": ("set", 48.0),
        "maximal_heart_rate": ("times", 190.0 / 180.0),
        "prior_maximal_oxygen_uptake": ("times", 62.0 / 42.0),
        "resting_stroke_volume": ("times", 110.0 / 85.0),
        "prior_log_variability": ("add", 4.2 - 3.7),
        "uptake_time": ("set", 20.0),
        "prior_recovery_time": ("set", 35.0),
    },
    "sleep_deprivation": {
        "prior_sleep_fall": ("times", 0.7),
        "prior_log_variability": ("add", -0.1),
    },
    "autonomic_neuropathy": {
        "prior_log_variability": ("add", -1.0),
        "reflex_gain": ("times", 0.2),
        "resistance_reflex": ("times", 0.2),
        "standing_rate": ("set", 5.0),  # not 20: physiology/DECISIONS.md 3
        "standing_resistance": ("set", 0.0),
    },
}


def changed(body: Body, changes: dict[str, Change]) -> Body:
    """The body with one set of changes applied; raises KeyError for a field or a way that does not exist."""
    values = body._asdict()
    for field, (how, value) in changes.items():
        before = values[field]
        values[field] = {"set": value, "times": before * value, "add": before + value}[how]
    return Body(**values)


def ageing(age_years: float) -> dict[str, Change]:
    """What `age_years` changes against the default of 40 years.

    HRmax = 208 - 0.7 age; VO2max -1 %/y after 30; lnR0 -0.02/y; PPc -0.01/y; kB -1.5 %/y; Aa +0.1/y; A_T and A_HR
    -0.3 %/y. Percentages are compounded, so that nothing changes sign at a great age.
    """
    years = age_years - 40.0
    return {
        "maximal_heart_rate": ("add", -0.7 * years),
        "prior_maximal_oxygen_uptake": ("times", math.exp(-0.01 * (max(age_years, 30.0) - 40.0))),
        "prior_log_variability": ("add", -0.02 * years),
        "prior_vascular_compliance": ("add", -0.01 * years),
        "reflex_gain": ("times", math.exp(-0.015 * years)),
        "prior_alveolar_arterial_difference": ("add", 0.1 * years),
        "temperature_amplitude": ("times", math.exp(-0.003 * years)),
        "prior_circadian_amplitude": ("times", math.exp(-0.003 * years)),
    }


def body_of(
    weight_kg: float, height_m: float, age_years: float, male: float, conditions: Iterable[str] = ()
) -> Body:
    """Block F's fixed numbers of a person.

    Stroke volume and arterial compliance scale with body surface, so that pulse pressure does not depend on size.
    """
    surface = body_surface_area(weight_kg, height_m)
    body = changed(default_body(), ageing(age_years))
    body = changed(body, {
        "basal_oxygen_uptake": ("set", basal_oxygen_uptake(weight_kg, height_m, age_years, male)),
        "surface_area": ("set", surface),
        "prior_maximal_oxygen_uptake": ("times", 1.0 if male else FEMALE_UPTAKE),
        "resting_stroke_volume": ("times", surface / STANDARD_SURFACE),
        "prior_vascular_compliance": ("times", surface / STANDARD_SURFACE),
    })  # fmt: skip
    for condition in conditions:
        body = changed(body, CONDITIONS.get(condition, {}))
    return body
