"""The learned forecast of heart rate: its filter against matrices, its bands, its safety, its memory of open forecasts."""

import numpy as np
import pytest

from twin.learned import heart as h_
from twin.learned import heart_slot as s_
from twin.learned import heart_space as p_
from twin.learned.body_weights import load_body
from twin.learned.heart_training import follow, train_heart

NONE = np.zeros(h_.HORIZONS * h_.N)
DAY = 1440


def rhythm(days, seed=0, sd=6.0, minutes=25.0):
    """A day's wave, an Ornstein-Uhlenbeck process and a sensor, by the minute."""
    rng = np.random.default_rng(seed)
    times = 1.7e9 + 60.0 * np.arange(days * DAY)
    left = np.exp(-1.0 / minutes)
    steps = sd * np.sqrt(1.0 - left**2) * rng.standard_normal(len(times))
    process = np.zeros(len(times))
    for i in range(1, len(times)):
        process[i] = left * process[i - 1] + steps[i]
    wave = 8.0 * np.sin(2.0 * np.pi * times / 86400.0)
    return times, 70.0 + wave + process + rng.standard_normal(len(times))


def by_matrices(times, values):
    """The state space as a textbook Kalman filter; the levels of volatility and Huber's weight by the same rules."""
    m, p, level = np.zeros(8), np.zeros((8, 8)), 1.0
    for n, (now, value) in enumerate(zip(times, values, strict=True)):
        if n == 0:
            m[3] = 0.5 * (value + p_.USUAL_BPM)
            lowest = 2 * np.pi * p_.USUAL_LOWEST_H / 24
            m[4:6] = -p_.USUAL_FALL * np.cos(lowest), -p_.USUAL_FALL * np.sin(lowest)
            p = np.diag([*p_.SD**2, p_.USUAL_SD**2, *[p_.HARMONIC_SD**2] * 4])
        else:
            dt = now - times[n - 1]
            f = np.diag([*np.exp(-dt / p_.TAU_S), 1, 1, 1, 1, 1])
            q = np.zeros(8)
            q[:3] = p_.SD**2 * (1 - np.exp(-2 * dt / p_.TAU_S)) * level
            q[3], q[4:] = p_.MEAN_WALK**2 * dt / 86400, p_.HARMONIC_WALK**2 * dt / 86400
            m, p = f @ m, f @ p @ f.T + np.diag(q)
        turn = 2 * np.pi * (now % 86400) / 86400
        look = np.array([1, 1, 1, 1, np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)])
        variance = look @ p @ look
        z = (value - look @ m) / np.sqrt(variance + p_.NOISE)
        gain = p @ look / (variance + p_.NOISE * max(1, abs(z) / p_.HUBER))
        m, p = m + gain * (value - look @ m), p - np.outer(gain, look @ p)
        level = np.clip(
            level * np.exp(max(p_.LEVEL_RATE, 1 / (n + 30)) * (min(z * z, 9) - p_.LEVEL_AIM)), 0.05, 20
        )
    return m, p


def test_the_filter_is_the_textbook_one_over_uneven_times():
    rng = np.random.default_rng(1)
    times = 1.7e9 + np.cumsum(rng.choice([60.0, 75.0, 300.0, 4000.0], size=200))
    values = 70.0 + 8.0 * rng.standard_normal(200)

    _, memory = follow(times, values, np.ones(200), NONE)
    m, p = by_matrices(times, values)

    np.testing.assert_allclose(memory[s_.AT_MEAN : s_.AT_COVARIANCE], m, rtol=1e-8, atol=1e-8)
    packed = memory[s_.AT_COVARIANCE : s_.AT_PROFILE]
    np.testing.assert_allclose(packed, p[np.tril_indices(8)], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("offset_h", [0.0, -8.0, 3.0])
def test_everybody_begins_with_a_usual_day_of_local_time(offset_h):
    midnight = 1.7e9 // 86400.0 * 86400.0
    rows, out, memory = np.zeros((3, h_.N)), np.zeros((24, h_.OUT)), np.zeros(h_.SIZE)
    h_.take_heart_rate(memory, midnight, 70.0, 1.0, offset_h, NONE, rows)
    for hour in range(24):
        h_.outlook_heart_rate(memory, midnight, 70.0, 1.0, 86400.0 + 3600.0 * hour, rows, out[hour])
    bins = memory[s_.AT_PROFILE : s_.AT_WEIGHTS]

    assert np.argmin(out[:, 0]) == (p_.USUAL_LOWEST_H - offset_h) % 24.0
    assert np.argmin(bins) / 2.0 == pytest.approx((p_.USUAL_LOWEST_H - offset_h) % 24.0, abs=0.51)


def test_bands_hold_what_they_say_after_the_first_days():
    times, values = rhythm(10, sd=9.0)
    found, _ = follow(times, values, np.ones(len(times)), NONE)

    for h, minutes in enumerate((1, 15, 60)):
        rows = np.arange(3 * DAY, len(times) - minutes)
        target, band = values[rows + minutes], found[rows, h]
        assert np.mean((target >= band[:, 2]) & (target <= band[:, 6])) == pytest.approx(0.9, abs=0.05)
        assert np.mean((target >= band[:, 3]) & (target <= band[:, 5])) == pytest.approx(0.5, abs=0.08)


def test_what_is_learned_does_not_harm_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(2)
    times = 1.7e9 + 60.0 * np.arange(4 * DAY)
    values = 70.0 + 5.0 * rng.standard_normal(len(times))
    found, _ = follow(times, values, np.ones(len(times)), NONE)
    level = np.cumsum(values) / np.arange(1, len(values) + 1)
    rows = np.arange(2 * DAY, len(times) - 60)

    error = np.sqrt(np.mean((found[rows, 2, 0] - values[rows + 60]) ** 2))

    assert error < 1.02 * np.sqrt(np.mean((level[rows] - values[rows + 60]) ** 2))


def test_learning_helps_where_movement_foretells_the_next_minute():
    rng = np.random.default_rng(3)
    times = 1.7e9 + 60.0 * np.arange(3 * DAY)
    demand = 1.0 + 4.0 * (rng.random(len(times)) < 0.05)
    values = 65.0 + rng.standard_normal(len(times))
    values[1:] += 6.0 * (demand[:-1] - 1.0)  # a minute after it began
    rows = np.arange(2 * DAY, len(times) - 1)

    told, _ = follow(times, values, demand, NONE)
    untold, _ = follow(times, values, np.ones(len(times)), NONE)
    error = [np.sqrt(np.mean((f[rows, 0, 0] - values[rows + 1]) ** 2)) for f in (told, untold)]

    assert error[0] < 0.9 * error[1]


def test_an_open_forecast_is_learned_from_when_its_target_comes_and_not_before():
    times, values = rhythm(1, seed=4)
    _, before = follow(times[:15], values[:15], np.ones(15), NONE)
    _, after = follow(times[:16], values[:16], np.ones(16), NONE)
    span = slice(s_.AT_WEIGHTS + h_.N, s_.AT_WEIGHTS + 2 * h_.N)  # of 15 minutes

    assert (before[span] == 0.0).all()
    assert (after[span] != 0.0).any()


def test_a_gap_closes_open_forecasts_without_learning():
    times, values = rhythm(1, seed=5)
    times = np.concatenate([times[:10], times[10:12] + 7200.0])
    _, memory = follow(times, values[:12], np.ones(12), NONE)
    open_scales = memory[s_.AT_OPEN :].reshape(s_.OPEN, s_.OPEN_SIZE)[:, s_.SCALE]

    assert (memory[s_.AT_WEIGHTS + h_.N : s_.AT_DOUBT] == 0.0).all()
    assert (open_scales > 0.0).sum() == 3, "one a horizon, from after the gap"


def test_other_horizons_lie_between_their_neighbours():
    times, values = rhythm(2, seed=6)
    _, memory = follow(times, values, np.ones(len(times)), NONE)
    rows, out = np.zeros((3, h_.N)), np.zeros((4, h_.OUT))
    for i, horizon in enumerate((900.0, 1800.0, 3600.0, 7200.0)):
        h_.outlook_heart_rate(memory, times[-1], values[-1], 1.0, horizon, rows, out[i])

    assert np.isfinite(out).all()
    assert out[0, 1] < out[1, 1] < out[2, 1] < out[3, 1]
    assert (np.diff(out[:, 2:], axis=1) >= 0.0).all()


def test_training_is_the_mean_of_where_people_came_and_repeats_itself():
    people = {"a": rhythm(2, seed=7), "b": rhythm(2, seed=8)}
    alone = [
        follow(*rows, np.ones(len(rows[0])), NONE)[1][s_.AT_WEIGHTS : s_.AT_DOUBT] for rows in people.values()
    ]

    np.testing.assert_array_equal(train_heart(people), np.mean(alone, axis=0))


def test_the_shipped_numbers_load():
    shipped = load_body()

    assert shipped.used == 1.0
    assert np.abs(shipped.heart).max() < 1.0
