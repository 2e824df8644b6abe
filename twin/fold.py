"""Fold the ticks of many people into their twins: the one compiled call behind a batch.

A tick is what happened to a person within one minute: at most one observation a channel. The fold of a person's ticks
depends on nothing but the record it starts from and the ticks, so a person's twin is the same bit for bit in whatever
batch, order of people or process it is computed.
"""

import math

import numpy as np

from twin import channels as c_
from twin import observe as o_
from twin import observe_glucose as g_
from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.forecast import CHANCES, FORECAST, FORECASTS, forecast_tick
from twin.forecast_body import forecast_day, learn_daily
from twin.inputs import (
    circadian_inputs,
    fast_inputs,
    held,
    local_hour,
    metabolic_inputs,
    slow_inputs,
    weigh_sleep,
)
from twin.jit import kernel
from twin.learned.body_weights import BodyWeights
from twin.learned.daily import ROOM, place_of
from twin.learned.glucose import Bench, bench_for
from twin.learned.weights import Weights
from twin.predict import LONGEST_GAP_S, predict_circadian, predict_fast, predict_metabolic, predict_slow
from twin.shapes import Array, Integers, Matrix, Record, Records, Vector
from twin.sleep import watch_sleep
from twin.summary import ESTIMATE_SIZE, covariance_of, mean_of, summarise
from twin.take import expose, hold_input, meet_device, take_dose, tell_blocks
from twin.workspace import Rooms, rooms

METABOLIC_STALE_S = 300.0  # without glucose or an event block G moves every five minutes
CIRCADIAN_STALE_S = 360.0
SLOW_STALE_S = 3600.0
LONGEST_PAUSE_S = 1e9
FORECAST_BEFORE = -math.inf


@kernel
def move_fast(record: Record, now: float, wanted: bool, room: Rooms) -> None:
    """Bring block F to `now`, or start it when a sensor of its own first speaks."""
    mean = mean_of(record, r_.FAST_MEAN, fast.N)
    covariance = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
    if record[r_.FAST_S] > r_.NEVER:
        record[r_.REPAIRED] += predict_fast(
            mean, covariance, record[r_.FAST_S], now, record, False, room.fast
        )
        record[r_.FAST_S] = now
    elif wanted:
        fast_inputs(record, now, False, room.fast.inputs)
        fast.start(mean, covariance, record[r_.FAST_BODY : r_.METABOLIC_BODY], room.fast.inputs)
        record[r_.FAST_S] = now


@kernel
def move_metabolic(record: Record, now: float, wanted: bool, room: Rooms) -> None:
    """Bring block G to `now` if glucose or a dose came or it is old, or start it."""
    mean = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
    covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
    if record[r_.METABOLIC_S] > r_.NEVER:
        if wanted or now - record[r_.METABOLIC_S] >= METABOLIC_STALE_S:
            begin_s = record[r_.METABOLIC_S]
            record[r_.REPAIRED] += predict_metabolic(mean, covariance, begin_s, now, record, room.metabolic)
            record[r_.METABOLIC_S] = now
    elif wanted:
        metabolic_inputs(record, now, room.metabolic.inputs)
        k = record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
        metabolic.start(mean, covariance, k, room.metabolic.inputs)
        record[r_.METABOLIC_S] = now


@kernel
def move_circadian(record: Record, before_s: float, now: float, room: Rooms) -> None:
    """Bring block C to `now`; it starts with the person's first reading, entrained to the schedule."""
    mean = mean_of(record, r_.CIRCADIAN_MEAN, circadian.N)
    covariance = covariance_of(record, r_.CIRCADIAN_COVARIANCE, circadian.N)
    weigh_sleep(record, before_s, now)
    told = held(record, c_.ASLEEP, now, 3600.0, False)
    at = record[r_.CIRCADIAN_S]
    if now - at > LONGEST_GAP_S:
        circadian_inputs(record, now, room.circadian.inputs)
        k = record[r_.CIRCADIAN_BODY : r_.SLOW_BODY]
        circadian.start(mean, covariance, k, room.circadian.inputs, local_hour(record, now))
        record[r_.WAS_ASLEEP] = 1.0 if record[r_.SLEEP_LOGIT] > 0.0 else 0.0
        record[r_.CIRCADIAN_S] = now
    elif now - at >= CIRCADIAN_STALE_S:
        record[r_.REPAIRED] += predict_circadian(mean, covariance, at, now, record, room.circadian)
        record[r_.CIRCADIAN_S] = now
        watch_sleep(record, told, mean, covariance, room.circadian)


@kernel
def move_slow(record: Record, now: float, wanted: bool, room: Rooms) -> None:
    """Bring block S to `now` each hour or when the scale speaks, or start it: with the scale, or with block F."""
    mean = mean_of(record, r_.SLOW_MEAN, slow.N)
    covariance = covariance_of(record, r_.SLOW_COVARIANCE, slow.N)
    at = record[r_.SLOW_S]
    if at > r_.NEVER:
        if not wanted and now - at < SLOW_STALE_S:
            return
        record[r_.REPAIRED] += predict_slow(mean, covariance, at, now, record, room.slow)
    elif wanted or record[r_.FAST_S] > r_.NEVER:
        slow_inputs(record, now, room.slow.inputs)
        slow.start(mean, covariance, record[r_.SLOW_BODY : r_.EXPOSURE_BODY], room.slow.inputs)
    else:
        return
    record[r_.SLOW_S] = now
    record[r_.ENERGY_KCAL], record[r_.SWEAT_L], record[r_.IMPULSE] = 0.0, 0.0, 0.0
    record[r_.SINCE_MIN], record[r_.DRUNK_L] = 0.0, 0.0


@kernel
def correct_one(
    record: Record,
    channel: int,
    value: float,
    noise: float,
    flag: int,
    now: float,
    room: Rooms,
    report: Vector,
) -> int:
    """Assimilate one reading into its block. `report` gets the normalised innovation. Returns the outcome."""
    if channel < c_.FIRST_METABOLIC:
        mean = mean_of(record, r_.FAST_MEAN, fast.N)
        covariance = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
        outcome = o_.correct_fast(channel, value, noise, flag, now, record, mean, covariance, room.fast)
        report[0] = room.fast.report[0]
    elif channel < c_.FIRST_SLOW:
        mean = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
        covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
        outcome = g_.correct_metabolic(
            channel, value, noise, flag, now, record, mean, covariance, room.metabolic
        )
        report[0] = room.metabolic.report[0]
    else:
        mean = mean_of(record, r_.SLOW_MEAN, slow.N)
        covariance = covariance_of(record, r_.SLOW_COVARIANCE, slow.N)
        outcome = o_.correct_slow(channel, value, noise, now, record, mean, covariance, room.slow)
        report[0] = room.slow.report[0]
    return outcome


@kernel
def tomorrow(
    record: Record, now: float, first: int, last: int, obs_channel: Integers, obs_value: Vector, obs_flag: Integers,
    weights: BodyWeights, rows: Matrix, daily: Records, next_row: Integers,
) -> None:  # fmt: skip
    """Take a tick's values of the day, then forecast those of the next; observations `first` to `last`."""
    begin = next_row[0]
    for j in range(first, last):
        if place_of(obs_channel[j]) >= 0:
            taken = learn_daily(record, obs_channel[j], obs_value[j], obs_flag[j], now, weights, rows)
            if next_row[0] < daily.shape[0]:
                daily[next_row[0]] = 0.0 if taken else math.nan
            next_row[0] += 1
    row = begin
    for j in range(first, last):
        if place_of(obs_channel[j]) >= 0:
            if row < daily.shape[0] and daily[row, 0] == 0.0:
                forecast_day(record, obs_channel[j], now, weights, rows, daily[row])
            row += 1


@kernel
def fold_person(
    record: Record, tick_start: int, tick_stop: int, tick_s: Vector, obs_start: Integers, obs_channel: Integers,
    obs_value: Vector, obs_noise: Vector, obs_flag: Integers, obs_source: Vector, horizons: Array, weights: Weights,
    keep: Integers, kept: Records, estimates: Records, surprises: Vector, outcomes: Integers, forecasts: Array,
    low_probability: Array, daily: Records, next_row: Integers, room: Rooms, bench: Bench, rows: Matrix,
) -> None:  # fmt: skip
    """Ticks `tick_start` to `tick_stop` of one person into `record`; see `fold`."""
    report, none = np.zeros(1), np.full((2, 1), math.nan)
    for tick in range(tick_start, tick_stop):
        now, before_s = tick_s[tick], record[r_.HEAD_S]
        if before_s == r_.NEVER:
            before_s = now
        f_wanted, g_wanted, s_wanted = False, False, False
        for j in range(obs_start[tick], obs_start[tick + 1]):
            channel = obs_channel[j]
            hold_input(record, channel, obs_value[j], now)
            f_wanted = f_wanted or channel < c_.FIRST_METABOLIC
            g_wanted = g_wanted or c_.FIRST_METABOLIC <= channel < c_.FIRST_SLOW
            g_wanted = g_wanted or channel == c_.CARBOHYDRATE or channel == c_.BOLUS
            s_wanted = s_wanted or c_.FIRST_SLOW <= channel < c_.FIRST_EVENT
        expose(record, now)
        move_circadian(record, before_s, now, room)
        move_fast(record, now, f_wanted, room)
        move_metabolic(record, now, g_wanted, room)
        move_slow(record, now, s_wanted, room)
        for j in range(obs_start[tick], obs_start[tick + 1]):
            channel, value = obs_channel[j], obs_value[j]
            surprises[j] = np.nan
            outcome = 0
            if channel < c_.FIRST_EVENT:
                meet_device(record, channel, obs_source[j])
                outcome = correct_one(record, channel, value, obs_noise[j], obs_flag[j], now, room, report)
                surprises[j] = report[0]
                record[r_.PAUSE_S + channel] = min(now - record[r_.LAST_S + channel], LONGEST_PAUSE_S)
                record[r_.LAST_S + channel] = now
                record[r_.READ + channel] += 1.0
                record[r_.OUTLIERS + channel] += outcome == 1
            elif channel < c_.FIRST_HELD:
                take_dose(record, channel, value, now)
            outcomes[j] = outcome
            record[r_.DOWNWEIGHTED] += outcome == 1
            record[r_.REFUSED] += outcome == 2
            record[r_.READINGS] += 1.0
        record[r_.HEAD_S] = now
        summarise(record, now, room, estimates[tick])
        tell_blocks(record, before_s, now, estimates[tick])
        rate_made, glucose_made = (
            forecasts[tick, 0, 0, 0] == FORECAST_BEFORE,
            forecasts[tick, 1, 0, 0] == FORECAST_BEFORE,
        )
        forecasts[tick] = np.nan
        low_probability[tick] = np.nan
        for j in range(obs_start[tick], obs_start[tick + 1]):
            if obs_channel[j] == c_.HEART_RATE or obs_channel[j] == c_.GLUCOSE:
                made = rate_made if obs_channel[j] == c_.HEART_RATE else glucose_made
                forecast_tick(
                    record, now, obs_channel[j], obs_value[j], none if made else horizons, room, weights, bench, rows,
                    forecasts[tick], low_probability[tick],
                )  # fmt: skip
        tomorrow(record, now, obs_start[tick], obs_start[tick + 1], obs_channel, obs_value, obs_flag, weights.body, rows,
                 daily, next_row)  # fmt: skip
        if keep[tick] >= 0:
            kept[keep[tick]] = record


@kernel
def fold(
    records: Records, ticks: Integers, tick_s: Vector, obs_start: Integers, obs_channel: Integers, obs_value: Vector,
    obs_noise: Vector, obs_flag: Integers, obs_source: Vector, horizons: Array, weights: Weights,
    keep: Integers, kept: Records, estimates: Records, surprises: Vector, outcomes: Integers, forecasts: Array,
    low_probability: Array, daily: Records,
) -> None:  # fmt: skip
    """Fold ticks into the twins of p people, in place.

    Args:
        records: the twins (p, record.SIZE).
        ticks: person i owns ticks ticks[i] to ticks[i + 1], ascending in time (p + 1,).
        tick_s: event time of each tick [s since 1970] (t,).
        obs_start: tick i owns observations obs_start[i] to obs_start[i + 1] (t + 1,).
        obs_channel: position in channels.CHANNELS (m,).
        obs_value: in the channel's unit (m,).
        obs_noise: error variance; below zero the channel's own times -noise (m,).
        obs_flag: channels.PLAIN, CENSORED_LOW, CENSORED_HIGH (m,).
        obs_source: a number for the device, 0 when nobody said (m,).
        horizons: of heart rate and of glucose [s], nan where unused (2, h).
        weights: what was learned of other people (learned/weights.py).
        keep: where in `kept` the record after this tick goes, -1 for nowhere (t,).
        kept: filled (c, record.SIZE).
        estimates: filled (t, summary.ESTIMATE_SIZE).
        surprises: filled with normalised innovations, nan for inputs (m,).
        outcomes: filled with 0 applied, 1 downweighted, 2 not finite (m,).
        forecasts: filled as forecast.py has it, nan where none was made (t, 2, h, FORECAST). Where the first number of a
            tick and channel is FORECAST_BEFORE none is made: that of a tick which late data run again was made already.
        low_probability: filled with chances of low glucose, as forecast.py has them (t, CHANCES).
        daily: filled with forecasts for a day later, a row for each observation of a daily channel in their order, nan
            where it was no value of a day (d, FORECAST).

    """
    room, bench, rows, next_row = (
        rooms(),
        bench_for(weights.glucose),
        np.zeros((4, ROOM)),
        np.zeros(1, dtype=np.int64),
    )
    for person in range(records.shape[0]):
        fold_person(
            records[person], ticks[person], ticks[person + 1], tick_s, obs_start, obs_channel, obs_value, obs_noise,
            obs_flag, obs_source, horizons, weights, keep, kept, estimates, surprises, outcomes, forecasts,
            low_probability, daily, next_row, room, bench, rows,
        )  # fmt: skip


def outputs_for(
    ticks: int, observations: int, horizons: int, daily: int = 0
) -> tuple[Records, Vector, Integers, Array, Array, Records]:
    """Arrays that `fold` fills: estimates, surprises, outcomes, forecasts, low_probability, daily."""
    return (
        np.full((ticks, ESTIMATE_SIZE), math.nan),
        np.full(observations, math.nan),
        np.zeros(observations, dtype=np.int64),
        np.full((ticks, FORECASTS, horizons, FORECAST), math.nan),
        np.full((ticks, CHANCES), math.nan),
        np.full((daily, FORECAST), math.nan),
    )
