"""The learned part of heart rate and of daily values inside the fold: off, on, late, and told once."""

import math

import numpy as np
import pytest

from stream.cohort import Cohort
from stream.estimates import DAY_S, estimates, tomorrows
from stream.virtual import readings_of_rows
from stream.weights import NONE, weights_named
from twin import record as r_
from twin.forecast import LEARNED, MEAN, QUANTILES
from twin.learned.daily_training import forecast
from twin.learned.heart_training import follow

MINUTE, START = 60_000, 1_700_438_400_000  # a Monday
HORIZONS = {"heart_rate": (60, 900, 3600)}


def rates(minutes=180, seed=0):
    rng = np.random.default_rng(seed)
    return [(START + i * MINUTE, "heart_rate", 70.0 + 5.0 * rng.standard_normal()) for i in range(minutes)]


def nights(days=12, seed=1):
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        at = START + day * 86_400_000
        rows += [
            (at, "resting_heart_rate", 60.0 + rng.standard_normal()),
            (at, "sleep_duration", 7.0 + rng.standard_normal()),
        ]
        rows.append((at, "steps", 9000.0 + 2000.0 * rng.standard_normal()))
    return rows


def applied(*batches, weights=""):
    cohort = Cohort(horizons=HORIZONS, window_s=30 * 86400, weights=weights_named(weights))
    return cohort, [cohort.apply(readings_of_rows("ada", rows)) for rows in batches]


def test_the_fold_forecasts_as_the_kernels_do():
    rows = rates()
    _, (done,) = applied(rows)
    times, values = np.array([r[0] for r in rows]) / 1000.0, np.array([r[2] for r in rows])
    alone, _ = follow(times, values, np.ones(len(rows)), weights_named().body.heart)

    np.testing.assert_array_equal(done.forecasts[:, 0, :3, MEAN], alone[:, :, 0])
    np.testing.assert_array_equal(done.forecasts[:, 0, :3, QUANTILES:LEARNED], alone[:, :, 2:])
    assert (done.forecasts[30:, 0, :3, LEARNED] > 0.0).all()
    assert (done.forecasts[:, 0, :3, LEARNED] <= 1.0).all()


def test_without_weights_the_mechanism_forecasts_alone_and_nothing_is_kept():
    cohort, (done,) = applied(rates(20), weights=NONE)
    record = cohort.twins["ada"].head.record

    assert (done.forecasts[:, 0, :3, LEARNED] == 0.0).all()
    assert np.isnan(done.forecasts[:, 0, :3, QUANTILES]).all()
    assert (record[r_.LEARNED_HEART : r_.LEARNED_DAILY_END] == 0.0).all()


def test_late_readings_rebuild_what_was_learned_bit_for_bit():
    rows = sorted(rates() + nights(2))
    late = [row for i, row in enumerate(rows) if i % 7 == 3]
    early = [row for i, row in enumerate(rows) if i % 7 != 3]
    straight, _ = applied(rows)
    apart, _ = applied(early, late)

    np.testing.assert_array_equal(
        apart.twins["ada"].head.record[r_.LEARNED_HEART :],
        straight.twins["ada"].head.record[r_.LEARNED_HEART :],
    )


def test_a_day_later_is_forecast_of_each_daily_channel_as_the_kernels_do():
    rows = nights()
    _, (done,) = applied(rows)
    found = [(tick, name, made[MEAN]) for tick, name, made in tomorrows(done, 0, len(done.obs_channel))]
    places = {"resting_heart_rate": 0.0, "sleep_duration": 5.0, "steps": 6.0}
    alone, _ = forecast(
        (
            np.array([r[0] for r in rows]) / 1000.0,
            np.array([places[r[1]] for r in rows]),
            np.array([r[2] for r in rows]),
        ),
        weights_named().body.daily,
    )
    expected = {(i // 3, rows[i][1]): alone[i, 0] for i in range(len(rows)) if not math.isnan(alone[i, 0])}

    assert {(tick, name): mean for tick, name, mean in found} == pytest.approx(expected, rel=1e-12)
    assert len(found) == 35, "the first of steps is not surely a day's"


def test_an_estimate_tells_tomorrow():
    cohort, (done,) = applied(nights())
    told = [part for part in list(estimates(cohort, done))[11]["outlook"] if part["horizon_s"] == DAY_S]

    assert {part["channel"] for part in told} == {"resting_heart_rate", "sleep_duration", "steps"}
    assert all(part["q05"] < part["q50"] < part["q95"] and part["learned"] == 1.0 for part in told)


def test_a_forecast_of_tomorrow_is_made_once_however_late_the_rest_comes():
    rows = nights()
    late = rows.pop(10)
    _, (first, second) = applied(rows, [late])
    known = {(first.tick_s[tick], name) for tick, name, _ in tomorrows(first, 0, len(first.obs_channel))}
    again = {(second.tick_s[tick], name) for tick, name, _ in tomorrows(second, 0, len(second.obs_channel))}

    assert not known & again
    assert (late[0] / 1000.0, late[1]) in again
