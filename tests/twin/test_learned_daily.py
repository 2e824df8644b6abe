"""Next-day values: which readings stand for a day, the filter against matrices, the gain over simple means."""

import numpy as np
import pytest

from twin.learned import daily as d_
from twin.learned.body_weights import load_body
from twin.learned.daily_training import forecast, scored, train_daily

NUMBERS = load_body().daily
MONDAY = 1_700_438_400.0  # 2023-11-20
SKIN, SLEEP, STEPS = (d_.NAMES.index(name) for name in ("skin_temperature", "sleep_duration", "steps"))


def constants(place):
    return NUMBERS[place * d_.CONSTANTS : (place + 1) * d_.CONSTANTS]


def alone(place, values, start=MONDAY, step=86400.0):
    times = start + step * np.arange(len(values))
    return times, np.full(len(values), float(place)), np.asarray(values, dtype=float)


def person(seed, days=60):
    """Every channel: a level of one's own, weekends, noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(d_.CHANNELS):
        unit, usual = constants(place)[:2]
        level = usual + 0.5 * unit * rng.standard_normal()
        for day in range(days):
            weekend = 0.4 * unit if day % 7 >= 5 else 0.0
            rows.append((MONDAY + 86400.0 * day, place, level + weekend + 0.8 * unit * rng.standard_normal()))
    rows.sort()
    return tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))


def test_the_filter_is_the_textbook_one_over_missing_days():
    rng = np.random.default_rng(0)
    unit, usual, walk, step, left, week, prior, noise = constants(SLEEP)[:8]
    times = MONDAY + 86400.0 * np.array([0, 1, 2, 5, 6, 7, 14, 15, 16, 17])
    values = usual + 0.7 * unit * rng.standard_normal(10)
    m, p = np.zeros(5), np.diag([prior**2, step**2 / (1 - left**2), week**2, week**2, week**2])

    def look(now):
        weekday = (now // 86400 + 3) % 7
        turn = 2 * np.pi * weekday / 7
        return np.array([1, 1, (weekday >= 5) - 2 / 7, np.sin(turn), np.cos(turn)])

    def ahead(days):
        f = np.diag([1, left**days, 1, 1, 1])
        q = np.diag([walk**2 * days, step**2 * (1 - left ** (2 * days)) / (1 - left**2), 0, 0, 0])
        return f @ m, f @ p @ f.T + q

    out, _ = forecast((times, np.full(10, float(SLEEP)), values), NUMBERS)
    for i, now in enumerate(times):
        if i:
            m, p = ahead((now - times[i - 1]) / 86400)
        h = look(now)
        gain = p @ h / (h @ p @ h + noise)
        m, p = m + gain * ((values[i] - usual) / unit - h @ m), p - np.outer(gain, h @ p)
        next_m, next_p = ahead(1.0)
        h = look(now + 86400)

        assert out[i, 0] == pytest.approx(usual + unit * (h @ next_m), rel=1e-9)
        assert out[i, 7] == pytest.approx(unit * np.sqrt(h @ next_p @ h + noise), rel=1e-9)


def test_knowing_the_level_beats_yesterday_and_the_last_week():
    errors = []
    for seed in range(12):
        rows = person(seed)
        out, _ = forecast(rows, NUMBERS)
        judged = scored(*rows, ~np.isnan(out[:, 0]))
        made, target = judged["made"].astype(int), judged["target"].astype(int)
        mine = rows[1][made] == STEPS
        values = rows[2][target][mine]
        errors.append(
            [
                np.mean((f - values) ** 2)
                for f in (out[made, 0][mine], judged["persistence"][mine], judged["week"][mine])
            ]
        )
    twin, yesterday, week = np.mean(errors, axis=0)

    assert twin < 0.95 * week < week < yesterday


def test_a_reading_that_failed_is_no_value_of_a_day():
    out, _ = forecast(alone(SLEEP, [7.0, 0.0, 7.5]), NUMBERS)

    assert np.isnan(out[1, 0])
    assert np.isfinite(out[[0, 2], 0]).all()


def test_a_day_without_steps_is_one():
    out, _ = forecast(alone(STEPS, [9000.0, 9000.0, 0.0]), NUMBERS)

    assert np.isfinite(out[2, 0])
    assert out[2, 0] < out[1, 0]


def test_a_stream_by_the_minute_is_no_daily_channel():
    out, _ = forecast(alone(SKIN, np.full(3000, 33.0), step=60.0), NUMBERS)

    assert np.isnan(out[1:, 0]).all()


def test_a_nap_does_not_count_as_the_next_night():
    times = np.array([0.0, 8.0, 24.0]) * 3600.0 + MONDAY
    out, _ = forecast((times, np.full(3, float(SLEEP)), np.array([7.0, 1.0, 7.2])), NUMBERS)

    assert np.isnan(out[1, 0])
    assert np.isfinite(out[2, 0])


def test_surprises_of_other_channels_move_tomorrows_resting_rate():
    quiet, ill = person(1, 30), person(1, 30)
    last = (ill[0] == ill[0].max()) & (ill[1] == d_.NAMES.index("respiration_rate"))
    ill[2][last] += 4.0
    rest = (quiet[0] == quiet[0].max()) & (quiet[1] == d_.RESTING)
    shift = forecast(ill, NUMBERS)[0][rest, 0] - forecast(quiet, NUMBERS)[0][rest, 0]

    assert 0.01 < abs(shift[0]) < 2.0


def test_bands_move_towards_the_person():
    rng = np.random.default_rng(5)
    unit, usual = constants(SLEEP)[:2]

    def last_band(scale):
        out, _ = forecast(alone(SLEEP, usual + scale * unit * rng.standard_normal(400)), NUMBERS)
        return out[-1, 1] / out[20, 1]

    assert last_band(0.2) < 0.85 < 1.1 < last_band(1.6)


def test_training_repeats_itself_and_recovers_the_scale():
    people = {str(seed): person(seed, 40) for seed in range(4)}
    first = train_daily(people)

    np.testing.assert_array_equal(first, train_daily(people))
    assert first[SLEEP * d_.CONSTANTS] == pytest.approx(0.82 * constants(SLEEP)[0], rel=0.2)
