"""What an outlook says of a channel: what a reading of it would show, by samples, and how two scenarios differ.

Bands are those of a reading, as in every forecast: the body's own spread and the sensor's error of section 13. The
difference of two scenarios is of the body alone, sample by sample: a sensor's error is not caused by a meal.
"""

import math
from typing import NamedTuple

import numpy as np

from twin import channels as c_
from twin import observe as o_
from twin.outlook import Course
from twin.shapes import Array, Vector

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q95": 0.95}


class Channel(NamedTuple):
    """Where a channel is seen, and the limits whose crossing matters to a care team."""

    block: str
    field: str
    below: tuple[float, ...] = ()
    above: tuple[float, ...] = ()


# Glucose: consensus time in range; rates, saturation, breath, pressure and temperature: NEWS2 and stream/policy.py.
CHANNELS = {
    "glucose": Channel("metabolic", "sensor_glucose", (54.0, 70.0), (180.0, 250.0)),
    "heart_rate": Channel("fast", "heart_rate", (40.0, 50.0), (110.0, 130.0)),
    "core_temperature": Channel("fast", "core_temperature", (35.0, 36.0), (38.0, 39.0)),
    "skin_temperature": Channel("fast", "skin_temperature"),
    "spo2": Channel("fast", "spo2", (90.0, 94.0)),
    "respiration_rate": Channel("fast", "respiration_rate", (9.0, 12.0), (20.0, 25.0)),
    "bp_systolic": Channel("fast", "bp_systolic", (90.0, 100.0), (140.0, 180.0)),
    "bp_diastolic": Channel("fast", "bp_diastolic", (60.0,), (90.0,)),
    "hrv_rmssd": Channel("fast", "hrv_rmssd"),
    "weight": Channel("slow", "weight"),
}


def sensed(channel: str, true: Vector, normal: Vector, drive: Vector, asleep: float) -> Vector:
    """What a sensor shows of `true` values, its error drawn by `normal` deviates; all (samples,).

    Args:
        drive: cardiac drive of each sample, on which the error of a wrist's heart rate depends.
        asleep: S; awake a wrist tells breathing badly.

    """
    if channel == "glucose":
        return true + np.sqrt(0.5**2 + (0.004 * true) ** 2) * normal
    if channel == "weight":
        return true + math.sqrt(o_.SCALE_VARIANCE) * normal
    sd = float(o_.SD[c_.CHANNELS.index(channel)])
    if channel == "heart_rate":
        return true + (sd + 5.5 * np.clip(drive, 0.0, 1.0)) * normal
    if channel == "hrv_rmssd":
        return true * np.exp(sd * normal)
    if channel == "respiration_rate":
        return true + (sd + (o_.AWAKE_RESPIRATION_SD - sd) * (1.0 - asleep)) * normal
    if channel == "spo2":
        spread: Vector = np.where(true < 90.0, o_.LOW_SPO2_SD, sd)
        return np.minimum(true + spread * normal, 100.0)
    return true + sd * normal


def true_values(course: Course) -> Array:
    """What perfect sensors read now of every sample, channels in the order of CHANNELS (channels, samples)."""
    return np.stack([course.of(c.block, c.field).ravel() for c in CHANNELS.values()])


def statistics(values: Array) -> dict[str, Vector]:
    """Mean, sd and five quantiles over the samples, of (times, samples)."""
    cuts = np.quantile(values, list(QUANTILES.values()), axis=1)
    found = {"mean": values.mean(axis=1), "sd": values.std(axis=1)}
    return found | dict(zip(QUANTILES, cuts, strict=True))


def chances(channel: Channel, values: Array) -> dict[str, dict[str, Vector]]:
    """Share of the samples below and above each limit at each time, of (times, samples)."""
    return {
        "below": {f"{limit:g}": (values < limit).mean(axis=1) for limit in channel.below},
        "above": {f"{limit:g}": (values > limit).mean(axis=1) for limit in channel.above},
    }


def ever(channel: Channel, true: Array) -> dict[str, dict[str, float]]:
    """Share of the samples that cross each limit at some time, without the sensor's error, of (times, samples)."""
    return {
        "below": {f"{limit:g}": float((true.min(axis=0) < limit).mean()) for limit in channel.below},
        "above": {f"{limit:g}": float((true.max(axis=0) > limit).mean()) for limit in channel.above},
    }
