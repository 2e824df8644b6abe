"""Replay by filterpy: the ticks of the product, the filter of somebody else. For one person, from their first reading."""

import numpy as np

from connectors.columns import Decoded
from stream.cohort import Applied, Cohort
from stream.journal import bin_ticks, entries_of, merge
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import observe as o_
from twin import record as r_
from twin.constants import profile_of
from twin.fold import outputs_for
from twin.forecast import forecast_glucose, forecast_heart_rate
from twin.predict import workspace
from twin.reference import ReferenceTwin
from twin.summary import summarise


def reference_fold(cohort: Cohort, readings: Decoded) -> Applied:
    """Run all readings of the one person in `readings` by filterpy; the cohort's head becomes its result."""
    twin = cohort.twin(readings.persons[int(readings.person[0])])
    journal, _ = merge(twin.journal, entries_of(readings, np.arange(len(readings))))
    tick_s, start, channel, value, _, _, count = bin_ticks(journal, cohort.tick_ms)
    estimates, surprises, outcomes, forecasts, low = outputs_for(
        len(tick_s), len(channel), cohort.horizon_table.shape[1]
    )
    judge = ReferenceTwin(profile_of(twin.profile))
    record = judge.record
    f_mean, f_cov = record[r_.FAST_MEAN : r_.FAST_COVARIANCE], record[r_.FAST_COVARIANCE : r_.METABOLIC_MEAN]
    m_mean, m_cov = record[r_.METABOLIC_MEAN : r_.METABOLIC_COVARIANCE], record[r_.METABOLIC_COVARIANCE :]
    f_cov, m_cov = f_cov.reshape(fast.N, fast.N), m_cov.reshape(metabolic.N, metabolic.N)
    f_factor, f_work = workspace(fast.N, fast.STRIDE)
    m_factor, m_work = workspace(metabolic.N, metabolic.STRIDE)
    for tick, now in enumerate(tick_s.tolist()):
        span = slice(int(start[tick]), int(start[tick + 1]))
        judge.surprises.clear()
        judge.tick(now, channel[span], value[span])
        observed = np.isin(channel[span], (o_.HEART_RATE, o_.GLUCOSE, o_.GLUCOSE_BGM))
        surprises[span][observed] = judge.surprises
        summarise(record, now, f_mean, f_cov, m_mean, m_cov, f_factor, f_work, estimates[tick])
        if (channel[span] == o_.HEART_RATE).any():
            horizons = cohort.horizon_table[0]
            forecast_heart_rate(record, now, f_mean, f_cov, horizons, f_factor, f_work, forecasts[tick, 0])
        if (channel[span] == o_.GLUCOSE).any():
            horizons = cohort.horizon_table[1]
            low[tick] = forecast_glucose(
                record, now, m_mean, m_cov, horizons, m_factor, m_work, forecasts[tick, 1]
            )
    twin.journal, twin.head.record = journal, record
    counts = {
        "readings": len(readings),
        "applied": len(journal),
        "duplicate": len(readings) - len(journal),
        "late": 0,
    }
    return Applied(
        tick_s=tick_s, obs_start=start, obs_channel=channel, obs_value=value, readings=count, estimates=estimates,
        surprises=surprises, outcomes=outcomes, forecasts=forecasts, low_probability=low, counts=counts,
    )  # fmt: skip
