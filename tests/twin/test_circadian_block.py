import math

import numpy as np
import pytest
from numba.core import config

from twin.blocks import circadian as block
from twin.checkpoints import circadian as checkpoints
from twin.filter.points import draw, gather

COMPILED = not config.DISABLE_JIT
ROWS = checkpoints.run() if COMPILED else []
DAYS = 365 if COMPILED else 1  # in pure Python only shapes are checked
WORK = np.zeros((3, block.N * block.STRIDE))


@pytest.fixture
def k():
    return np.array(block.default_body())


def started(k, hour=0.0):
    mean, covariance = np.zeros(block.N), np.zeros((block.N, block.N))
    block.start(mean, covariance, k, np.array(block.default_inputs()), hour)
    return mean, covariance


def spread_of_phase(mean, covariance):
    """Standard deviation across the cycle, h."""
    phase = math.atan2(mean[1], mean[0])
    across = np.array([-math.sin(phase), math.cos(phase)]) / math.hypot(mean[0], mean[1])
    return math.sqrt(across @ covariance[:2, :2] @ across) * 12.0 / math.pi


def seen_of(mean, k):
    out = np.zeros(block.SEEN * block.STRIDE)
    block.observe(np.repeat(mean, block.STRIDE), out, np.array(block.default_inputs()), k)
    return block.Seen(*out[:: block.STRIDE])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_the_equations_give_the_checkpoint(row):
    assert row["ok"], f"expected {row['expected']} +/- {row['tolerance']}, got {row['got']:.3f}"


def test_every_number_of_the_body_has_an_entry():
    assert tuple(block.PARAMETERS) == block.Body._fields
    assert tuple(state.name for state in block.STATES) == block.State._fields


def test_starting_a_day_later_is_starting_at_midnight(k):
    np.testing.assert_allclose(started(k, 24.0)[0], started(k, 0.0)[0], atol=2e-3)


@pytest.mark.parametrize("hour", [3.0, 9.5, 18.0])
def test_starting_at_an_hour_is_living_until_then(k, hour):
    run = np.repeat(started(k)[0], block.STRIDE)
    for tenth in range(round(hour * 10)):
        awake = 7.0 <= (tenth + 0.5) / 10 < 23.0
        block.advance(run, 6.0, np.array([1000.0 * awake, 1.0 - awake]), k, *WORK)

    np.testing.assert_allclose(started(k, hour)[0], run[:: block.STRIDE], atol=2e-3)


def test_the_prior_is_an_hour_of_phase(k):
    mean, covariance = started(k, 10.0)
    assert 0.85 < spread_of_phase(mean, covariance) < 1.25


def test_sleep_is_likely_at_night_and_not_by_day(k):
    assert seen_of(started(k, 3.0)[0], k).sleep_drive > 0.75
    assert seen_of(started(k, 15.0)[0], k).sleep_drive < 0.05


def test_glucose_tolerance_is_best_in_the_biological_morning(k):
    by_hour = [seen_of(started(k, float(hour))[0], k).tolerance for hour in range(24)]

    assert int(np.argmax(by_hour)) in {7, 8, 9}
    assert int(np.argmin(by_hour)) in {19, 20, 21}


def test_light_does_nothing_through_shut_eyes(k):
    dark, lit = (np.repeat(started(k, 12.0)[0], block.STRIDE) for _ in range(2))
    block.advance(dark, 60.0, np.array([0.0, 1.0]), k, *WORK)
    block.advance(lit, 60.0, np.array([1500.0, 1.0]), k, *WORK)

    np.testing.assert_array_equal(dark, lit)


@pytest.mark.parametrize("lux", [50.0, 300.0, 10000.0, 100000.0])
def test_steps_are_short_enough(k, lux):
    coarse, fine = (np.repeat(started(k, 6.9)[0], block.STRIDE) for _ in range(2))
    u = np.array([lux, 0.0])
    block.advance(coarse, 30.0, u, k, *WORK)
    for _ in range(120):
        block.advance(fine, 0.25, u, k, *WORK)

    np.testing.assert_allclose(coarse[:: block.STRIDE], fine[:: block.STRIDE], atol=5e-3)


@pytest.mark.skipif(not COMPILED, reason="minutes in pure Python")
def test_light_of_the_day_tells_the_phase_better_than_darkness(k):
    spreads = {}
    for bright in (1000.0, 0.0):
        mean, covariance = started(k)
        covariance[:2, :2] *= 4.0
        factor, points = np.zeros_like(covariance), np.zeros(block.N * block.STRIDE)
        for hour in range(24 * 21):
            awake = 7 <= hour % 24 < 23
            u = np.array([bright * awake, 1.0 - awake])
            draw(mean, covariance, factor, points, block.STRIDE)
            block.advance(points, 60.0, u, k, *WORK)
            gather(points, mean, covariance, block.STRIDE)
            block.add_process_noise(mean, covariance, 60.0, u)
        spreads[bright] = spread_of_phase(mean, covariance)

    assert spreads[1000.0] < 0.6
    assert spreads[0.0] > 2.0 * spreads[1000.0]


@pytest.mark.parametrize("wild", [False, True])
def test_a_year_stays_finite(k, wild):
    rng = np.random.default_rng(1)
    mean, covariance = started(k, 8.0)
    factor, points = np.zeros_like(covariance), np.zeros(block.N * block.STRIDE)
    u = np.array(block.default_inputs())
    for _ in range(DAYS * 8):
        if wild:
            u[:] = rng.choice([0.0, 50.0, 200000.0]), rng.choice([0.0, 1.0])
        draw(mean, covariance, factor, points, block.STRIDE)
        block.advance(points, 180.0, u, k, *WORK)
        gather(points, mean, covariance, block.STRIDE)
        block.add_process_noise(mean, covariance, 180.0, u)
        block.add_parameter_noise(covariance, 0.125)

    assert np.isfinite(points).all()
    assert np.isfinite(mean).all()
    assert np.abs(mean[:2]).max() < 3.0
    assert np.linalg.eigvalsh(covariance).min() > 0.0
    assert all(math.isfinite(value) for value in seen_of(mean, k))
