"""Heart rate of a plan of speeds, from bouts of the past."""

import numpy as np
import pytest

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.planned import numbers_of, planned
from twin.learned import exercise

PERSON = exercise.PRIOR + np.array([12.0, 0.1, 0.08, 0.3, 0.2, -0.3, 0.1, 0.1, 0.1])
DAY_S = 86400.0


def session(seed):
    """Speeds every two seconds: standing, easy running, shuttles, standing."""
    rng = np.random.default_rng(seed)
    parts = [
        np.zeros(120),
        np.full(150, 2.2),
        np.zeros(60),
        np.tile([4.2, 4.2, 4.2, 1.0, 0.0], 40),
        np.zeros(150),
    ]
    return np.concatenate([p[: int(len(p) * rng.uniform(0.8, 1.0))] for p in parts])


def rows(channel, times, values):
    count, zeros = len(times), np.zeros(len(times), dtype=np.int64)
    stamps = np.round(np.asarray(times) * 1000.0).astype(np.int64)
    return (np.full(count, CODE_OF[channel], dtype=np.int16), stamps, np.asarray(values, dtype=float), zeros)


def table(*channels):
    code, stamps, values, zeros = (np.concatenate(part) for part in zip(*channels, strict=True))
    count = len(code)
    return Decoded(
        ["ada"], zeros.astype(np.int32), zeros.astype(np.int32), code, stamps, values, np.full(count, np.nan), zeros,
        stamps, zeros, zeros, np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int8),
    )  # fmt: skip


def truth(speeds, higher=0.0):
    seconds = np.arange(2 * len(speeds) - 1, dtype=float)
    drive, rate = np.empty(len(seconds)), np.empty(len(seconds))
    moved = PERSON.copy()
    moved[exercise.REST] += higher
    exercise.run(moved, np.interp(seconds, seconds[::2], speeds), drive, rate)
    return rate[::2]


def day(number, seed, known_s=np.inf, higher=0.0):
    """Channels of a day's session with heart rate up to `known_s`, and the true rates."""
    speeds = session(seed)
    times = 1.7e9 + number * DAY_S + 2.0 * np.arange(len(speeds))
    rates = truth(speeds, higher)
    told = times - times[0] < known_s
    noisy = rates + 2.0 * np.random.default_rng(seed).standard_normal(len(rates))
    channels = [rows("speed", times, speeds)]
    if told.any():
        channels.append(rows("heart_rate", times[told], noisy[told]))
    return channels, rates


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.fixture(scope="module")
def history():
    return table(*day(0, 1)[0])


def test_a_person_seen_once_is_predicted_far_better_than_a_stranger(history):
    channels, rates = day(7, 2, known_s=0.0)
    (own,) = planned(history, table(*channels))
    (stranger,) = planned(history.rows(np.zeros(0, dtype=np.int64)), table(*channels))

    assert rms(own.mean - rates) < 0.5 * rms(stranger.mean - rates)
    assert own.sd.max() < stranger.sd.min()
    assert np.mean(np.abs(own.mean - rates) < 1.645 * own.sd) > 0.9


def test_the_first_minutes_tell_the_days_resting_rate(history):
    blind, rates = day(7, 3, known_s=0.0, higher=15.0)
    told, _ = day(7, 3, known_s=180.0, higher=15.0)
    (without,), (with_them,) = planned(history, table(*blind)), planned(history, table(*told))

    assert rms((with_them.mean - rates)[:80]) < 0.3 * rms((without.mean - rates)[:80]), "at rest"
    assert rms(with_them.mean - rates) < 0.9 * rms(without.mean - rates)
    assert with_them.made_at == pytest.approx(without.made_at + 178.0)


def test_nothing_of_the_plan_after_a_time_changes_what_is_predicted_before_it(history):
    channels, _ = day(7, 4, known_s=0.0)
    code, stamps, values, zeros = channels[0]
    changed = (code, stamps, np.where(np.arange(len(values)) > 200, 0.0, values), zeros)
    (one,), (other,) = planned(history, table(*channels)), planned(history, table(changed))

    np.testing.assert_array_equal(one.mean[:200], other.mean[:200])


def test_two_bouts_teach_more_than_one(history):
    two = table(*day(0, 1)[0], *day(3, 5)[0])
    both, one = numbers_of(two), numbers_of(history)

    assert rms((both - PERSON) / exercise.PRIOR_SD) <= rms((one - PERSON) / exercise.PRIOR_SD) * 1.05


def test_a_walk_without_heart_rate_teaches_nothing():
    channels, _ = day(0, 1, known_s=0.0)

    assert numbers_of(table(*channels)) is None


def test_at_rest_the_law_rests():
    drive, rate = np.empty(600), np.empty(600)
    exercise.run(exercise.PRIOR, np.zeros(600), drive, rate)

    assert abs(rate[-1] - exercise.PRIOR[exercise.REST]) < 2.0


def test_recovery_is_slower_after_hard_work():
    def half_time(speed):
        drive, rate = np.empty(1200), np.empty(1200)
        exercise.run(exercise.PRIOR, np.concatenate([np.full(600, speed), np.zeros(600)]), drive, rate)
        return int(np.argmax(drive[600:] < 0.5 * drive[599]))

    assert half_time(3.6) > 1.3 * half_time(1.5)
