"""What is learned of heart rate and of daily values, told by the record and told to the forecasts.

The mechanism gives the learned part of heart rate what it knows of movement (how much more is demanded now than in the last
minutes); it is measured not to give more (DECISIONS.md). Daily values have no forecast of the mechanism: all is learned.
"""

import math

from twin import channels as c_
from twin import record as r_
from twin.inputs import asleep_at, movement_at
from twin.jit import kernel
from twin.learned import daily, heart
from twin.learned.body_weights import BodyWeights
from twin.shapes import Array, Matrix, Record, Vector

RESTING_MET = 1.0
MEAN, SD, QUANTILES, LEARNED = 0, 1, 2, 7  # of a forecast, as forecast.py has it


@kernel
def told_demand(record: Record, now: float) -> float:
    """Movement by the most direct source that spoke lately [MET]; rest where none did."""
    met, measured, _ = movement_at(record, now, asleep_at(record, now, False), False)
    return float(met) if measured > 0.0 else RESTING_MET


@kernel
def learn_heart(
    record: Record, now: float, value: float, horizons: Vector, weights: BodyWeights, rows: Matrix, out: Array
) -> None:
    """Learn of a heart rate, then put what was learned over the mechanism's forecasts in `out` (h, FORECAST)."""
    memory = record[r_.LEARNED_HEART : r_.LEARNED_DAILY]
    demand = told_demand(record, now)
    heart.take_heart_rate(memory, now, value, demand, record[r_.OFFSET_H], weights.heart, rows)
    for h in range(horizons.shape[0]):
        if not math.isfinite(horizons[h]):
            break
        mechanism = out[h, MEAN]
        heart.outlook_heart_rate(memory, now, value, demand, horizons[h], rows, rows[3, : heart.OUT])
        out[h, :LEARNED] = rows[3, : heart.OUT]
        beside, by_mechanism = abs(out[h, MEAN] - mechanism), abs(mechanism - value)
        out[h, LEARNED] = beside / (beside + by_mechanism) if beside + by_mechanism > 0.0 else 0.0
    heart.push_lags(memory, value)


@kernel
def learn_daily(
    record: Record, channel: int, value: float, flag: int, now: float, weights: BodyWeights, rows: Matrix
) -> bool:
    """Take a value of the day; False where it is none."""
    place = daily.place_of(channel)
    if weights.used == 0.0 or place < 0 or flag != c_.PLAIN:
        return False
    memory = record[r_.LEARNED_DAILY : r_.LEARNED_DAILY_END]
    return bool(daily.take_daily(memory, place, value, now, record[r_.OFFSET_H], weights.daily, rows[0]))


@kernel
def forecast_day(
    record: Record, channel: int, now: float, weights: BodyWeights, rows: Matrix, out: Vector
) -> None:
    """The channel's value a day later into `out` (FORECAST,), once every value of the tick has been taken."""
    memory = record[r_.LEARNED_DAILY : r_.LEARNED_DAILY_END]
    place = daily.place_of(channel)
    daily.outlook_daily(memory, place, now, record[r_.OFFSET_H], weights.daily, rows[0], out[:LEARNED])
    out[LEARNED] = 1.0
