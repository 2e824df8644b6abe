"""Fold the ticks of many people into their twins: the one compiled call behind a batch.

A tick is what happened to a person within one minute: at most one observation a channel. The fold of a person's ticks
depends on nothing but the record it starts from and the ticks, so a person's twin is the same bit for bit in whatever
batch, order of people or process it is computed.
"""

import math

import numpy as np

from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import observe as o_
from twin import record as r_
from twin.forecast import FORECASTS, forecast_glucose, forecast_heart_rate
from twin.jit import kernel
from twin.predict import predict_fast, predict_metabolic, workspace
from twin.shapes import Array, Integers, Record, Records, Vector
from twin.summary import ESTIMATE_SIZE, summarise

METABOLIC_STALE_S = 300.0  # without glucose or an event block G moves every five minutes
DOSE_UNCERTAINTY = 0.20  # of carbohydrate entered by hand


@kernel
def hold_input(record: Record, channel: int, value: float, seconds: float) -> None:
    """Remember an input until its next value."""
    if channel == o_.MET:
        record[r_.MET_VALUE], record[r_.MET_S] = value, seconds
    elif channel == o_.ASLEEP:
        record[r_.ASLEEP_VALUE], record[r_.ASLEEP_S] = min(max(value, 0.0), 1.0), seconds
    elif channel == o_.POSTURE:
        record[r_.POSTURE_VALUE], record[r_.POSTURE_S] = min(max(value, 0.0), 1.0), seconds
    elif channel == o_.BASAL_RATE:
        record[r_.BASAL_VALUE], record[r_.BASAL_S] = value, seconds


@kernel
def take_dose(
    record: Record, mean: Vector, covariance: Array, channel: int, value: float, seconds: float
) -> None:
    """A meal or a bolus: a jump of the gut or of the depot, uncertain by what people misjudge."""
    if channel == o_.CARBOHYDRATE:
        amount, fast_share = value * 1000.0, record[r_.CONSTANTS + k_.PHI]
        mean[metabolic.STOMACH] += (1.0 - fast_share) * amount
        mean[metabolic.GUT] += fast_share * amount
        covariance[metabolic.STOMACH, metabolic.STOMACH] += (DOSE_UNCERTAINTY * amount) ** 2
        record[r_.CARBOHYDRATE_S] = seconds
    else:
        amount = value * 6000.0 / record[r_.CONSTANTS + k_.WEIGHT]
        mean[metabolic.DEPOT_1] += amount
        covariance[metabolic.DEPOT_1, metabolic.DEPOT_1] += (0.05 * amount) ** 2


@kernel
def fold_person(
    record: Record, tick_start: int, tick_stop: int, tick_s: Vector, obs_start: Integers, obs_channel: Integers,
    obs_value: Vector, obs_noise: Vector, obs_flag: Integers, horizons: Array, keep: Integers, kept: Records,
    estimates: Records, surprises: Vector, outcomes: Integers, forecasts: Array, low_probability: Vector,
) -> None:  # fmt: skip
    """Ticks `tick_start` to `tick_stop` of one person into `record`; see `fold`."""
    f_factor, f_work = workspace(fast.N, fast.STRIDE)
    m_factor, m_work = workspace(metabolic.N, metabolic.STRIDE)
    f_mean = record[r_.FAST_MEAN : r_.FAST_COVARIANCE]
    f_cov = record[r_.FAST_COVARIANCE : r_.METABOLIC_MEAN].reshape((fast.N, fast.N))
    m_mean = record[r_.METABOLIC_MEAN : r_.METABOLIC_COVARIANCE]
    m_cov = record[r_.METABOLIC_COVARIANCE : r_.SIZE].reshape((metabolic.N, metabolic.N))
    k = record[r_.CONSTANTS : r_.FAST_MEAN]
    report = np.zeros(3)
    for tick in range(tick_start, tick_stop):
        now = tick_s[tick]
        has_rate, has_glucose = False, False
        for j in range(obs_start[tick], obs_start[tick + 1]):
            channel = obs_channel[j]
            hold_input(record, channel, obs_value[j], now)
            has_rate = has_rate or channel == o_.HEART_RATE
            event = channel == o_.CARBOHYDRATE or channel == o_.BOLUS
            has_glucose = has_glucose or event or channel == o_.GLUCOSE or channel == o_.GLUCOSE_BGM
        if record[r_.FAST_S] > r_.NEVER:
            record[r_.REPAIRED] += predict_fast(
                f_mean, f_cov, record[r_.FAST_S], now, record, False, f_factor, f_work
            )
            record[r_.FAST_S] = now
        elif has_rate:
            fast.start(f_mean, f_cov, k)
            record[r_.FAST_S] = now
        if record[r_.METABOLIC_S] > r_.NEVER:
            if has_glucose or now - record[r_.METABOLIC_S] >= METABOLIC_STALE_S:
                record[r_.REPAIRED] += predict_metabolic(
                    m_mean, m_cov, record[r_.METABOLIC_S], now, record, m_factor, m_work
                )
                record[r_.METABOLIC_S] = now
        elif has_glucose:
            metabolic.start(m_mean, m_cov, k)
            record[r_.METABOLIC_S] = now
        for j in range(obs_start[tick], obs_start[tick + 1]):
            channel, value = obs_channel[j], obs_value[j]
            surprises[j] = np.nan
            outcome = 0
            if channel == o_.HEART_RATE:
                outcome = o_.correct_fast(
                    value, obs_noise[j], now, record, f_mean, f_cov, f_factor, f_work, report
                )
                surprises[j] = report[0]
                record[r_.HEART_RATE_VALUE], record[r_.HEART_RATE_S] = value, now
            elif channel == o_.GLUCOSE or channel == o_.GLUCOSE_BGM:
                outcome = o_.correct_metabolic(
                    channel, value, obs_noise[j], obs_flag[j], record, m_mean, m_cov, m_factor, m_work, report
                )
                surprises[j] = report[0]
                record[r_.GLUCOSE_VALUE], record[r_.GLUCOSE_S] = value, now
            elif channel == o_.CARBOHYDRATE or channel == o_.BOLUS:
                take_dose(record, m_mean, m_cov, channel, value, now)
            outcomes[j] = outcome
            record[r_.DOWNWEIGHTED] += outcome == 1
            record[r_.REFUSED] += outcome == 2
            record[r_.READINGS] += 1.0
        record[r_.HEAD_S] = now
        summarise(record, now, f_mean, f_cov, m_mean, m_cov, f_factor, f_work, estimates[tick])
        forecasts[tick] = np.nan
        low_probability[tick] = np.nan
        for j in range(obs_start[tick], obs_start[tick + 1]):
            if obs_channel[j] == o_.HEART_RATE:
                forecast_heart_rate(
                    record, now, f_mean, f_cov, horizons[0], f_factor, f_work, forecasts[tick, 0]
                )
            elif obs_channel[j] == o_.GLUCOSE:
                low_probability[tick] = forecast_glucose(
                    record, now, m_mean, m_cov, horizons[1], m_factor, m_work, forecasts[tick, 1]
                )
        if keep[tick] >= 0:
            kept[keep[tick]] = record


@kernel
def fold(
    records: Records, ticks: Integers, tick_s: Vector, obs_start: Integers, obs_channel: Integers, obs_value: Vector,
    obs_noise: Vector, obs_flag: Integers, horizons: Array, keep: Integers, kept: Records, estimates: Records,
    surprises: Vector, outcomes: Integers, forecasts: Array, low_probability: Vector,
) -> None:  # fmt: skip
    """Fold ticks into the twins of p people, in place.

    Args:
        records: the twins (p, record.SIZE).
        ticks: person i owns ticks ticks[i] to ticks[i + 1], ascending in time (p + 1,).
        tick_s: event time of each tick [s since 1970] (t,).
        obs_start: tick i owns observations obs_start[i] to obs_start[i + 1] (t + 1,).
        obs_channel: position in observe.CHANNELS (m,).
        obs_value: in the channel's unit (m,).
        obs_noise: error variance; below zero the channel's own times -noise (m,).
        obs_flag: observe.PLAIN, CENSORED_LOW, CENSORED_HIGH (m,).
        horizons: of heart rate and of glucose [s], nan where unused (2, h).
        keep: where in `kept` the record after this tick goes, -1 for nowhere (t,).
        kept: filled (c, record.SIZE).
        estimates: filled (t, summary.ESTIMATE_SIZE).
        surprises: filled with normalised innovations, nan for inputs (m,).
        outcomes: filled with 0 applied, 1 downweighted, 2 not finite (m,).
        forecasts: filled with mean and sd, nan where none was made (t, 2, h, 2).
        low_probability: filled with P(glucose < 70 mg/dL within 30 min) (t,).

    """
    for person in range(records.shape[0]):
        fold_person(
            records[person], ticks[person], ticks[person + 1], tick_s, obs_start, obs_channel, obs_value, obs_noise,
            obs_flag, horizons, keep, kept, estimates, surprises, outcomes, forecasts, low_probability,
        )  # fmt: skip


def outputs_for(
    ticks: int, observations: int, horizons: int
) -> tuple[Records, Vector, Integers, Array, Vector]:
    """Arrays that `fold` fills: estimates, surprises, outcomes, forecasts, low_probability."""
    return (
        np.full((ticks, ESTIMATE_SIZE), math.nan),
        np.full(observations, math.nan),
        np.zeros(observations, dtype=np.int64),
        np.full((ticks, FORECASTS, horizons, 2), math.nan),
        np.full(ticks, math.nan),
    )
