"""Strata that are known when a forecast is made: by level, trend and time of day. Never by what happened afterwards."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stream.evaluate.baselines import slopes
from stream.evaluate.instants import Instants

TREND = {"glucose": 1.0 / 60.0, "heart_rate": 1.0 / 60.0}  # 1 mg/dL a minute, 1 beat/min a minute [per s]
NIGHT = (0, 6)


def strata(at: Instants) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and mask; hours are those of the table, whose times are UTC."""
    if at.channel == "glucose":
        yield "below 70", at.now < 70.0
        yield "70 to 180", (at.now >= 70.0) & (at.now <= 180.0)
        yield "above 180", at.now > 180.0
    trend, limit = slopes(at), TREND.get(at.channel, 0.0)
    yield "rising", trend > limit
    yield "falling", trend < -limit
    if at.step_s < 6 * 3600.0:
        hour = (at.time % 86400.0) / 3600.0
        night = (hour >= NIGHT[0]) & (hour < NIGHT[1])
        yield "night (0-6 h)", night
        yield "day (6-24 h)", ~night
