"""Strata known when a forecast is made: level, trend, meals, days of data, hour. Never by what happened afterwards."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stream.evaluate.baselines import slopes
from stream.evaluate.evidence import Evidence, Floats
from stream.evaluate.instants import Instants

TREND = {"glucose": 1.0 / 60.0, "heart_rate": 1.0 / 60.0}  # 1 mg/dL a minute, 1 beat/min a minute [per s]
NIGHT = (0, 6)


def since(events: Floats, time: Floats) -> Floats:
    """Seconds since the last event at or before each time; infinite before the first. Both rise."""
    at = np.searchsorted(events, time, side="right")
    return np.asarray(time - np.append(-np.inf, events)[at], dtype=np.float64)


def strata(evidence: Evidence, at: Instants) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and mask; hours are those of the table, whose times are UTC."""
    if at.channel == "glucose":
        yield "below 70", at.now < 70.0
        yield "70 to 180", (at.now >= 70.0) & (at.now <= 180.0)
        yield "above 180", at.now > 180.0
    trend, limit = slopes(at), TREND.get(at.channel, 0.0)
    yield "rising", trend > limit
    yield "falling", trend < -limit
    age, meal = np.full(len(at.time), np.nan), np.full(len(at.time), np.inf)
    for number, person in enumerate(at.people):
        rows = np.flatnonzero(at.person == number)
        age[rows] = (at.time[rows] - evidence.series[person, at.channel].times[0]) / 86400.0
        meal[rows] = since(evidence.meals.get(person, np.zeros(0)), at.time[rows])
    yield "2 h after a logged meal", meal <= 7200.0
    yield "first 4 days of data", age < 4.0
    yield "days 4 to 14", (age >= 4.0) & (age < 14.0)
    yield "after day 14", age >= 14.0
    if at.step_s < 6 * 3600.0:
        hour = (at.time % 86400.0) / 3600.0
        night = (hour >= NIGHT[0]) & (hour < NIGHT[1])
        yield "night (0-6 h)", night
        yield "day (6-24 h)", ~night
