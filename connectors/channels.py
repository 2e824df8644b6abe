"""The channels: what can be measured, its codes, unit, bounds and default noise; the one place that says so.

Sources: LOINC by HealthKitOnFHIR, the HL7 CGM and PHR guides and Kanta PHR; bounds and noise are engineering defaults
(wearable literature where README.md cites it). Units are UCUM. Hard bounds refuse a reading, soft ones mark it suspect.
"""

from dataclasses import dataclass

from connectors.errors import PayloadError, Reason

MMOL = 18.0156  # mg/dL in one mmol/L of glucose


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel: sigma is 1 sd, absolute, or a share of the value where `relative`."""

    name: str
    title: str
    loinc: str | None
    ucum: str
    hard: tuple[float, float]
    soft: tuple[float, float]
    sigma: float
    relative: bool = False
    kind: str = "observation"


def _spec(
    name: str, title: str, loinc: str | None, ucum: str, hard: tuple[float, float], soft: tuple[float, float],
    sigma: float, relative: bool = False, kind: str = "observation",
) -> ChannelSpec:  # fmt: skip
    return ChannelSpec(name, title, loinc, ucum, hard, soft, sigma, relative, kind)


# The order is part of the changelog's format: append only.
_SPECS = (
    _spec("heart_rate", "Heart rate", "8867-4", "/min", (20, 300), (30, 220), 3.0),
    _spec("glucose", "Glucose, interstitial (CGM)", "99504-3", "mg/dL", (20, 600), (40, 400), 8.0),
    _spec("glucose_bgm", "Glucose, fingerstick", "41653-7", "mg/dL", (10, 900), (20, 600), 0.07, True),
    _spec("met", "Metabolic equivalents", None, "[MET]", (0.5, 25), (0.9, 18), 0.3, True, "input"),
    _spec("asleep", "Asleep, probability", None, "1", (0, 1), (0, 1), 0.1, False, "input"),
    _spec("posture", "Posture, 0 lying to 1 standing", None, "1", (0, 1), (0, 1), 0.1, False, "input"),
    _spec("carbohydrate_intake", "Carbohydrate eaten", "9059-7", "g", (0, 500), (0, 200), 0.2, True, "event"),
    _spec("insulin_bolus", "Insulin bolus", None, "[iU]", (0, 100), (0, 30), 0.05, True, "event"),
    _spec("insulin_basal_rate", "Insulin basal rate", None, "[iU]/h", (0, 35), (0, 5), 0.05, True, "input"),
    _spec("steps", "Steps in the interval", "55423-8", "{steps}", (0, 100000), (0, 60000), 0.1, True, "input"),
    _spec("resting_heart_rate", "Resting heart rate of a day", "40443-4", "/min", (25, 150), (35, 110), 2.0),
    _spec("hrv_rmssd", "HRV, RMSSD", None, "ms", (1, 400), (5, 200), 0.15, True),
    _spec("hrv_sdnn", "HRV, SDNN", "80404-7", "ms", (1, 500), (5, 250), 0.15, True),
    _spec("rr_interval", "Beat-to-beat interval", "8637-1", "ms", (200, 3000), (270, 2000), 5.0),
    _spec("respiration_rate", "Respiration rate", "9279-1", "/min", (3, 80), (6, 40), 1.5),
    _spec("spo2", "Oxygen saturation", "59408-5", "%", (40, 100), (70, 100), 2.0),
    _spec("skin_temperature", "Skin temperature", "61008-9", "Cel", (15, 45), (25, 40), 0.5),
    _spec("skin_temperature_delta", "Skin temperature, deviation", None, "Cel", (-12, 12), (-4, 4), 0.3),
    _spec("body_temperature", "Body temperature", "8310-5", "Cel", (25, 45), (34, 42), 0.3),
    _spec("core_temperature", "Core temperature", "8329-5", "Cel", (25, 45), (35, 41), 0.3),
    _spec("bp_systolic", "Systolic pressure", "8480-6", "mm[Hg]", (40, 300), (70, 220), 8.0),
    _spec("bp_diastolic", "Diastolic pressure", "8462-4", "mm[Hg]", (20, 200), (40, 130), 6.0),
    _spec("weight", "Weight", "29463-7", "kg", (0.3, 500), (30, 300), 0.3),
    _spec("sleep_stage", "Sleep stage, 0 awake 1 light 2 deep 3 REM", None, "1", (0, 3), (0, 3), 0.5),
    _spec("sleep_duration", "Sleep in a day", "93832-4", "h", (0, 24), (2, 14), 0.3),
    _spec("active_energy", "Active energy", "41981-2", "kcal", (0, 20000), (0, 6000), 0.3, True),
    _spec("power", "Power", None, "W", (0, 2500), (0, 1500), 0.02, True, "input"),
    _spec("speed", "Speed", None, "m/s", (0, 30), (0, 12), 0.05, True, "input"),
    _spec("oxygen_uptake", "Oxygen uptake", None, "mL/min", (0, 20000), (100, 7000), 0.1, True),
    _spec("light", "Light at the eye", None, "lux", (0, 200000), (0, 120000), 0.9, True, "input"),
    _spec("ambient_temperature", "Air temperature", None, "Cel", (-60, 70), (-20, 45), 0.5, False, "input"),
    _spec("humidity", "Relative humidity", None, "1", (0, 1), (0, 1), 0.05, False, "input"),
    _spec("air_speed", "Air speed", None, "m/s", (0, 60), (0, 20), 0.2, True, "input"),
    _spec("clothing", "Clothing", None, "clo", (0, 6), (0, 4), 0.2, True, "input"),
    _spec("barometric_pressure", "Air pressure", None, "mm[Hg]", (150, 850), (350, 820), 2.0, False, "input"),
    _spec("energy_intake", "Energy eaten", None, "kcal/d", (0, 20000), (0, 6000), 0.2, True, "input"),
    _spec("sodium_intake", "Sodium eaten", None, "mg/d", (0, 50000), (0, 12000), 0.3, True, "input"),
    _spec("fluid_intake", "Fluid drunk", None, "L", (0, 10), (0, 3), 0.2, True, "event"),
    _spec("alcohol_intake", "Alcohol drunk", None, "g", (0, 500), (0, 120), 0.2, True, "event"),
    _spec("beta_blockade", "Beta-blockade", None, "1", (0, 1), (0, 1), 0.1, False, "input"),
    _spec("infection", "Infection drive (open loop only)", None, "1", (0, 3), (0, 2), 0.1, False, "input"),
    _spec("circadian_hr_amplitude", "Daily heart-rate amplitude", None, "/min", (-100, 100), (0, 40), 2.0),
    _spec("gcs", "Glasgow coma scale", "9269-2", "1", (3, 15), (3, 15), 0.5),
    _spec("fio2", "Inspired oxygen", "3150-6", "1", (0.15, 1), (0.2, 1), 0.02, False, "input"),
    _spec("body_fat", "Body fat, by impedance", "41982-0", "%", (2, 75), (4, 60), 3.5),
    _spec("vo2max", "Maximal oxygen uptake, a device's estimate", None, "mL/kg/min", (8, 100), (12, 85), 0.15, True),
    _spec("bp_systolic_cuffless", "Systolic pressure, without a cuff", "8480-6", "mm[Hg]", (0, 300), (70, 220), 10.0),
    _spec("bp_diastolic_cuffless", "Diastolic pressure, without a cuff", "8462-4", "mm[Hg]", (0, 250), (40, 130), 8.0),
)  # fmt: skip
CHANNELS: dict[str, ChannelSpec] = {spec.name: spec for spec in _SPECS}
CHANNEL_CODES: tuple[str, ...] = tuple(CHANNELS)
CODE_OF: dict[str, int] = {name: code for code, name in enumerate(CHANNEL_CODES)}
# Devices count these when the night or the day is over, and hand them in with the next synchronisation.
SLEEP_AND_DAYS = (
    "asleep", "sleep_stage", "sleep_duration", "resting_heart_rate", "skin_temperature_delta", "circadian_hr_amplitude",
    "energy_intake", "sodium_intake", "vo2max",
)  # fmt: skip

# Units that are not the channel's own: (factor, offset) to it, by the channel's UCUM unit.
_CONVERSIONS: dict[tuple[str, str], tuple[float, float]] = {
    ("mg/dL", "mmol/L"): (MMOL, 0.0),
    ("Cel", "[degF]"): (1 / 1.8, -32 / 1.8),
    ("Cel", "K"): (1.0, -273.15),
    ("kg", "[lb_av]"): (0.45359237, 0.0),
    ("kg", "g"): (0.001, 0.0),
    ("kcal", "kJ"): (0.239006, 0.0),
    ("kcal/d", "kJ/d"): (0.239006, 0.0),
    ("m/s", "km/h"): (1 / 3.6, 0.0),
    ("%", "1"): (100.0, 0.0),
    ("1", "%"): (0.01, 0.0),
    ("ms", "s"): (1000.0, 0.0),
    ("mm[Hg]", "hPa"): (0.750062, 0.0),
    ("L", "mL"): (0.001, 0.0),
    ("h", "min"): (1 / 60, 0.0),
}
_ALIASES = {
    "bpm": "/min", "count/min": "/min", "beats/min": "/min", "{beats}/min": "/min", "breaths/min": "/min",
    "degC": "Cel", "C": "Cel", "°C": "Cel", "degF": "[degF]", "F": "[degF]", "°F": "[degF]", "lb": "[lb_av]",
    "mmHg": "mm[Hg]", "U": "[iU]", "IU": "[iU]", "U/h": "[iU]/h", "met": "[MET]", "MET": "[MET]", "mg/dl": "mg/dL",
    "mmol/l": "mmol/L", "": "1", "percent": "%", "fraction": "1", "steps": "{steps}", "count": "{steps}",
}  # fmt: skip


def conversion(channel: str, unit: str) -> tuple[float, float]:
    """Factor and offset that take `unit` to the channel's own; raises PayloadError naming both units."""
    own = CHANNELS[channel].ucum
    given = _ALIASES.get(unit, unit)
    if given == own:
        return 1.0, 0.0
    found = _CONVERSIONS.get((own, given))
    if found is None:
        raise PayloadError(f"{channel} is measured in {own}; unit {unit[:20]!r} is not known for it",
                           Reason.UNKNOWN_UNIT, "unit")  # fmt: skip
    return found


def to_canonical(channel: str, value: float, unit: str) -> float:
    """The value in the channel's own unit; raises PayloadError for a unit that does not fit."""
    factor, offset = conversion(channel, unit)
    return value * factor + offset
