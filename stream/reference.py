"""Replay by filterpy: the ticks of the product, the filter of somebody else. For one person, from their first reading."""

import numpy as np

from connectors.columns import Decoded
from stream.cohort import Applied, Cohort
from stream.journal import bin_ticks, entries_of, merge
from twin import channels as c_
from twin.fold import outputs_for, tomorrow
from twin.forecast import forecast_tick
from twin.learned.daily import DAILY, ROOM
from twin.learned.glucose import bench_for
from twin.profile import profile_of
from twin.reference import ReferenceTwin


def reference_fold(cohort: Cohort, readings: Decoded) -> Applied:
    """Run all readings of the one person in `readings` by filterpy; the cohort's head becomes its result."""
    twin = cohort.twin(readings.persons[int(readings.person[0])])
    journal, _ = merge(twin.journal, entries_of(readings, np.arange(len(readings))))
    tick_s, start, channel, value, _, _, device, count = bin_ticks(journal, cohort.tick_ms)
    of_day = np.flatnonzero(np.isin(channel, DAILY))
    estimates, surprises, outcomes, forecasts, low, daily = outputs_for(
        len(tick_s), len(channel), cohort.horizon_table.shape[1], len(of_day)
    )
    bench, rows, next_row = (
        bench_for(cohort.weights.glucose),
        np.zeros((4, ROOM)),
        np.zeros(1, dtype=np.int64),
    )
    flags = np.zeros(len(channel), dtype=np.int64)
    judge = ReferenceTwin(profile_of(twin.profile))
    for tick, now in enumerate(tick_s.tolist()):
        span = slice(int(start[tick]), int(start[tick + 1]))
        judge.surprises.clear()
        judge.tick(now, channel[span], value[span], device[span])
        surprises[span][channel[span] < c_.FIRST_EVENT] = judge.surprises
        estimates[tick] = judge.estimate
        for code, read in zip(channel[span].tolist(), value[span].tolist(), strict=True):
            if code in (c_.HEART_RATE, c_.GLUCOSE):
                forecast_tick(
                    judge.record, now, code, read, cohort.horizon_table, judge.rooms, cohort.weights, bench, rows,
                    forecasts[tick], low[tick],
                )  # fmt: skip
        tomorrow(
            judge.record,
            now,
            span.start,
            span.stop,
            channel,
            value,
            flags,
            cohort.weights.body,
            rows,
            daily,
            next_row,
        )
    twin.journal, twin.head.record = journal, judge.record
    counts = {
        "readings": len(readings),
        "applied": len(journal),
        "duplicate": len(readings) - len(journal),
        "late": 0,
    }
    return Applied(
        tick_s=tick_s, obs_start=start, obs_channel=channel, obs_value=value, readings=count, estimates=estimates,
        surprises=surprises, outcomes=outcomes, forecasts=forecasts, low_probability=low, daily=daily,
        daily_at=of_day, counts=counts,
    )  # fmt: skip
