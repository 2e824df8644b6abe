"""Heart rate of a plan of speeds, from bouts of the past."""

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.commands import app
from stream.planned import planned, teaching
from twin.learned import exercise
from twin.learned.exercise_cohort import prior_of

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


def truth(speeds, higher=0.0, person=PERSON):
    seconds = np.arange(2 * len(speeds) - 1, dtype=float)
    drive, rate = np.empty(len(seconds)), np.empty(len(seconds))
    moved = person.copy()
    moved[exercise.REST] += higher
    exercise.run(moved, np.interp(seconds, seconds[::2], speeds), drive, rate)
    return rate[::2]


def day(number, seed, known_s=np.inf, higher=0.0, person=PERSON):
    """Channels of a day's session with heart rate up to `known_s`, and the true rates."""
    speeds = session(seed)
    times = 1.7e9 + number * DAY_S + 2.0 * np.arange(len(speeds))
    rates = truth(speeds, higher, person)
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
    return teaching(table(*day(0, 1)[0]))


def test_a_person_seen_once_is_predicted_far_better_than_a_stranger(history):
    channels, rates = day(7, 2, known_s=0.0)
    (own,) = planned(history, table(*channels))
    (stranger,) = planned([], table(*channels))

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
    both = exercise.fit(teaching(table(*day(0, 1)[0], *day(3, 5)[0])))
    one = exercise.fit(history)

    assert (
        rms((both.mean - PERSON) / exercise.PRIOR_SD) <= rms((one.mean - PERSON) / exercise.PRIOR_SD) * 1.05
    )
    assert np.all(both.variance < one.variance)


def test_a_walk_without_heart_rate_teaches_nothing():
    channels, _ = day(0, 1, known_s=0.0)

    assert teaching(table(*channels)) == []


def test_what_people_have_in_common_is_learned_of_them():
    rng = np.random.default_rng(7)
    alike = exercise.PRIOR + np.array([8.0, 0.1, 0.1, -0.9, -0.3, -0.2, 0.1, 0.0, 0.1])
    people = [alike + 0.2 * exercise.PRIOR_SD * rng.standard_normal(exercise.N) for _ in range(8)]
    bouts = [teaching(table(*day(0, 20 + i, person=person)[0])) for i, person in enumerate(people)]
    prior = prior_of(bouts)

    far = (exercise.PRIOR - alike) / exercise.PRIOR_SD
    assert rms((prior.mean - alike) / exercise.PRIOR_SD) < 0.6 * rms(far)
    assert np.all(prior.sd < exercise.PRIOR_SD)
    stranger = alike + 0.2 * exercise.PRIOR_SD * rng.standard_normal(exercise.N)
    channels, rates = day(7, 40, known_s=0.0, person=stranger)
    (informed,) = planned([], table(*channels), prior)
    (blind,) = planned([], table(*channels))
    assert rms(informed.mean - rates) < 0.6 * rms(blind.mean - rates)


def test_one_person_alone_hardly_moves_the_prior_and_nobody_not_at_all(history):
    assert prior_of([]) is exercise.EVERYBODY
    own = prior_of([history])
    assert np.all(
        np.abs(own.mean - exercise.PRIOR) <= 0.6 * np.abs(PERSON - exercise.PRIOR) + 0.1 * exercise.PRIOR_SD
    )
    assert np.all(own.sd > 0.4 * exercise.PRIOR_SD)


def test_a_strap_that_reads_wrong_for_minutes_bends_the_numbers_little(history, monkeypatch):
    (speed, at, readings) = history[0]
    wrong = np.where((at > 100) & (at < 300), 180.0, readings)
    own = np.empty(len(speed))
    exercise.run(PERSON, speed, np.empty(len(speed)), own)

    def off(bout):
        rate = np.empty(len(speed))
        exercise.run(exercise.fit([bout]).mean, speed, np.empty(len(speed)), rate)
        return rms(rate - own)

    assert off(history[0]) < 2.0
    robust = off((speed, at, wrong))
    monkeypatch.setattr(exercise, "ROBUST", 1e9)
    assert robust < 0.5 * off((speed, at, wrong))


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


def written(path, people):
    """A table file of (person, channels) pairs."""
    lines = ["person,time,channel,value"]
    names = {CODE_OF[name]: name for name in ("speed", "heart_rate")}
    for person, channels in people:
        for code, stamps, values, _ in channels:
            lines += [
                f"{person},{np.datetime64(int(t), 'ms')}Z,{names[int(c)]},{v:.3f}"
                for c, t, v in zip(code, stamps, values, strict=True)
            ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_plan_is_predicted_for_everybody_in_it_and_a_team_helps_its_stranger(tmp_path):
    rng = np.random.default_rng(3)
    alike = exercise.PRIOR + np.array([8.0, 0.1, 0.1, -0.9, -0.3, -0.2, 0.1, 0.0, 0.1])
    team = [alike + 0.2 * exercise.PRIOR_SD * rng.standard_normal(exercise.N) for _ in range(5)]
    past = [(f"p{i}", day(0, 30 + i, person=person)[0]) for i, person in enumerate(team[:4])]
    (known, _), (new, truth_new) = (day(7, 50 + i, known_s=0.0, person=team[i]) for i in (0, 4))
    plan = written(tmp_path / "plan.csv", [("p0", known), ("new", new)])
    found = {}
    for name, history in (("team", past), ("one", past[:1])):
        out = tmp_path / name
        table = written(tmp_path / f"{name}.csv", history)
        done = CliRunner().invoke(app, ["replay", str(table), "--out", str(out), "--plan", str(plan)])
        assert done.exit_code == 0, done.output
        with (out / "planned.csv").open() as file:
            found[name] = list(csv.DictReader(file))

    assert len(found["team"]) == len(found["one"]) == sum(len(channels[0][0]) for channels in (known, new))
    assert set(found["team"][0]) >= {"person", "made_at", "time", "channel", "mean", "sd", "q05", "q95"}
    error = {
        name: rms([float(row["mean"]) for row in rows if row["person"] == "new"] - truth_new)
        for name, rows in found.items()
    }
    assert error["team"] < 0.9 * error["one"], error
