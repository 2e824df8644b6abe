"""The smoother against a linear case with a known answer, and against the truth of a virtual person."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from connectors.channels import CHANNEL_CODES
from stream.cohort import Cohort
from stream.smoothing import smooth
from stream.virtual import draw_person, readings_of_rows, simulate_rows
from twin.filter.points import draw, gather
from twin.filter.smooth import OFF, READY, follow, link_room, stand, step_back, unlearn
from twin.profile import Profile
from twin.summary import PARAMETER_COLUMNS, SEEN_COLUMNS, STATE_COLUMNS

START_MS = 1_795_392_000_000  # a midnight
N, STEPS, STRIDE = 3, 40, 8
F = np.array([[1.0, 0.1, 0.0], [-0.2, 0.95, 0.1], [0.0, 0.0, 0.9]])
Q, H, R = np.diag([0.02, 0.05, 0.01]), np.array([1.0, 0.0, 0.5]), 0.3


def kalman_and_rts():
    """The textbook's filter and smoother in matrices; every fourth step is not observed."""
    rng = np.random.default_rng(3)
    x, m, p = rng.standard_normal(N), np.zeros(N), np.eye(N)
    filtered, predicted, values = [(m, p)], [], []
    for step in range(STEPS):
        x = F @ x + np.sqrt(np.diag(Q)) * rng.standard_normal(N)
        m, p = F @ m, F @ p @ F.T + Q
        predicted.append((m, p))
        values.append(H @ x + np.sqrt(R) * rng.standard_normal() if step % 4 else None)
        if values[-1] is not None:
            k = p @ H / (H @ p @ H + R)
            m, p = m + k * (values[-1] - H @ m), p - np.outer(k, H @ p)
        filtered.append((m, p))
    smoothed = [filtered[-1]]
    for (m, p), (ahead_m, ahead_p) in zip(filtered[-2::-1], predicted[::-1], strict=True):
        gain = p @ F.T @ np.linalg.inv(ahead_p)
        after_m, after_p = smoothed[-1]
        smoothed.append((m + gain @ (after_m - ahead_m), p + gain @ (after_p - ahead_p) @ gain.T))
    return filtered, smoothed[::-1]


def sigma_point_step(mean, covariance, link):
    points, factor = np.zeros(N * STRIDE), np.zeros((N, N))
    draw(mean, covariance, factor, points, STRIDE)
    points[:] = (F @ points.reshape(N, STRIDE)).ravel()
    gather(points, mean, covariance, STRIDE)
    covariance += Q
    follow(factor, points, STRIDE, mean, covariance, link)


def test_is_the_textbooks_smoother_for_a_linear_model():
    filtered, expected = kalman_and_rts()
    mean, covariance = filtered[-1][0].copy(), filtered[-1][1].copy()
    for step in range(STEPS - 1, -1, -1):
        link = link_room(N)
        link.status[0] = READY
        sigma_point_step(filtered[step][0].copy(), filtered[step][1].copy(), link)
        step_back(filtered[step][0], filtered[step][1], mean, covariance, link)

        np.testing.assert_allclose(mean, expected[step][0], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(covariance, expected[step][1], rtol=1e-6, atol=1e-7)


def test_several_steps_without_a_reading_are_one_link():
    link, (m, p) = link_room(N), (np.array([1.0, -1.0, 0.5]), np.diag([1.0, 2.0, 0.5]))
    link.status[0] = READY
    mean, covariance = m.copy(), p.copy()
    for _ in range(5):
        sigma_point_step(mean, covariance, link)
    times_five = np.linalg.matrix_power(F, 5)

    np.testing.assert_allclose(link.gain, p @ times_five.T @ np.linalg.inv(covariance), atol=1e-7)


def test_noise_alone_and_a_state_that_began_anew():
    p = np.array([[2.0, 0.8, 0.1], [0.8, 1.0, 0.0], [0.1, 0.0, 0.5]])
    link, factor = link_room(N), np.zeros((N, N))
    link.status[0] = READY
    stand(p, np.zeros(N), p + Q, factor, link)
    np.testing.assert_allclose(link.gain, p @ np.linalg.inv(p + Q), atol=1e-7)
    unlearn(0, 0.0, 4.0, factor, link)

    cross, ahead = p.copy(), p + Q
    cross[:, 0] = 0.0
    ahead[0, :], ahead[:, 0], ahead[0, 0] = 0.0, 0.0, 4.0
    np.testing.assert_allclose(link.gain, cross @ np.linalg.inv(ahead), atol=1e-7)


def test_switched_off_it_leaves_everything_alone():
    link = link_room(N)
    sigma_point_step(np.zeros(N), np.eye(N), link)

    assert link.status[0] == OFF
    assert not link.gain.any()


@pytest.fixture(scope="module")
def person():
    """A day and a half of every channel: readings, truth by tick, filtered and smoothed estimates."""
    virtual = draw_person("whole", Profile(), 11)
    rows, truth = [], []
    for at_ms, _, read, body in simulate_rows(virtual, START_MS, 1.5):
        rows += [(at_ms, channel, value) for channel, value in read.items()]
        truth.append(body.observables() | {f"state.{name}": value for name, value in body.states().items()})
    readings = readings_of_rows("whole", rows)
    done = Cohort().apply(readings)
    return readings, truth, done, smooth(readings, None, 60_000)


def test_its_ticks_are_the_filters_and_the_last_one_is_the_same(person):
    _, _, done, (tick_s, estimates) = person

    np.testing.assert_array_equal(tick_s, done.tick_s)
    np.testing.assert_array_equal(estimates[-1], done.estimates[-1])


def test_is_nearer_to_the_truth_than_the_filter_and_says_how_near(person):
    _, truth, done, (_, estimates) = person
    late = slice(600, None)
    columns = {name: SEEN_COLUMNS[name] for name in ("heart_rate", "glucose", "interstitial_glucose", "skin_temperature")}  # fmt: skip
    columns |= {f"state.{name}": STATE_COLUMNS[name] for name in ("arousal", "glucose_disturbance",
        "unmeasured_demand", "distal_temperature")}  # fmt: skip
    ratios = []
    for name, at in columns.items():
        true = np.array([row[name] for row in truth])[late]
        error, before = (table[late, at] - true for table in (estimates, done.estimates))
        inside = np.abs(error) < 1.96 * estimates[late, at + 1]
        ratios.append(np.sqrt(np.mean(error**2) / np.mean(before**2)))
        assert inside.mean() > 0.84, name

    # One state of one person may be further by chance (six people: .81 to 1.08 of the skin's), all of them together not.
    assert np.exp(np.mean(np.log(ratios))) < 0.97
    assert max(ratios) < 1.15


def test_knows_no_less_than_the_filter(person):
    _, _, done, (_, estimates) = person
    for name, at in {**STATE_COLUMNS, **PARAMETER_COLUMNS}.items():
        before, after = done.estimates[600:, at + 1], estimates[600:, at + 1]
        # A log-normal's sd follows its mean; the median is of sds.
        assert np.nanmedian(after) <= 1.25 * np.nanmedian(before), name
        assert np.isfinite(after).all(), name


def test_replay_writes_the_smoothed_estimates_beside_the_filtered(person, tmp_path):
    readings = person[0]
    table, out = tmp_path / "readings.csv", tmp_path / "out"
    rows = [f"ada,{np.datetime64(int(t), 'ms')}Z,{CHANNEL_CODES[c]},{v}" for t, c, v in zip(
        readings.time_ms[:400], readings.channel[:400], readings.value[:400], strict=True)]  # fmt: skip
    table.write_text("person,time,channel,value\n" + "\n".join(rows) + "\n")
    command = [sys.executable, "-m", "stream.commands", "replay", str(table), "--out", str(out), "--smooth"]
    subprocess.run(command, check=True, capture_output=True, timeout=500)
    tables = [list(csv.reader((out / name).read_text().splitlines())) for name in
              ("estimates.csv", "estimates_smoothed.csv")]  # fmt: skip

    filtered = [name for name in tables[0][0] if not name.startswith("surprise_")]
    width = len(filtered)
    assert filtered == tables[1][0]
    assert [row[:2] for row in tables[0]] == [row[:2] for row in tables[1]]
    assert tables[0][-1][:width] == tables[1][-1] and tables[0][5] != tables[1][5]
    assert subprocess.run([*command[:-2], str(tmp_path / "b"), "--smooth", "--as-arrived"], capture_output=True,
                          check=False).returncode == 2  # fmt: skip
