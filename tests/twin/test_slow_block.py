import math

import numpy as np
import pytest
from numba.core import config

from twin.blocks import slow as block
from twin.checkpoints import slow as checkpoints
from twin.filter.correct import correct
from twin.filter.points import draw, gather
from twin.physiology.body_composition import DAY_TO_DAY_SD, SCALE_SD, scale_reading

COMPILED = not config.DISABLE_JIT
ROWS = checkpoints.run() if COMPILED else []
HALF_DAYS = 730 if COMPILED else 6  # a year; in pure Python, where only shapes are checked, three days
WORK = np.zeros((3, block.N * block.STRIDE))
DAY = 1440.0


@pytest.fixture
def k():
    return np.array(block.default_body())


def started(k):
    mean, covariance = np.zeros(block.N), np.zeros((block.N, block.N))
    block.start(mean, covariance, k, np.array(block.default_inputs()))
    return mean, covariance


def after(k, minutes, **inputs):
    x = np.repeat(started(k)[0], block.STRIDE)
    u = np.array(block.default_inputs()._replace(**inputs))
    block.advance(x, minutes, u, k, *WORK)
    out = np.zeros(block.SEEN * block.STRIDE)
    block.observe(x, out, u, k)
    return block.Seen(*out[:: block.STRIDE])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_the_equations_give_the_checkpoint(row):
    assert row["ok"], f"expected {row['expected']} +/- {row['tolerance']}, got {row['got']:.3f}"


def test_every_number_of_the_body_has_an_entry():
    assert tuple(block.PARAMETERS) == block.Body._fields
    assert tuple(state.name for state in block.STATES) == block.State._fields


def test_the_prior_weight_is_known_though_fat_is_not(k):
    _, covariance = started(k)
    sd = math.sqrt(covariance[:2, :2].sum())

    assert sd == pytest.approx(1.0, abs=0.05)


def test_a_measured_expenditure_equal_to_intake_keeps_the_weight(k):
    kept = block.maintenance(block.default_body())
    seen = after(k, 60 * DAY, measured=1.0, expenditure=kept / DAY)

    assert seen.daily_expenditure == pytest.approx(kept, abs=1.0)
    assert seen.body_fat == pytest.approx(22.0, abs=0.05)


def test_a_measured_deficit_is_lost_as_tissue(k):
    kept = block.maintenance(block.default_body())
    seen = after(k, 30 * DAY, measured=1.0, expenditure=(kept + 500.0) / DAY)

    assert 16.5 - seen.fat_mass == pytest.approx(500.0 * 30 / 9440.0 * 0.9, abs=0.15)


def test_a_night_without_drinking_costs_half_a_percent_of_body_mass(k):
    seen = after(k, 480.0, asleep=1.0)

    assert 0.6 < seen.dehydration < 1.1
    assert seen.weight == pytest.approx(75.0 - seen.dehydration * 0.75, abs=0.01)
    assert seen.blood_volume_deviation == pytest.approx(-0.015 * seen.dehydration)


def test_thirst_restores_what_an_hour_of_hard_sweat_took(k):
    lost = after(k, 60.0, sweat=1.2)
    x = np.repeat(started(k)[0], block.STRIDE)
    x[block.WATER_DEFICIT * block.STRIDE : (block.WATER_DEFICIT + 1) * block.STRIDE] = 1.2
    block.advance(x, 600.0, np.array(block.default_inputs()), k, *WORK)

    assert lost.dehydration > 1.0
    assert x[block.WATER_DEFICIT * block.STRIDE] < 0.35


def test_training_tires_first_and_pays_later(k):
    harder = 130.0 / DAY
    week, months = after(k, 5 * DAY, training_impulse=harder), after(k, 120 * DAY, training_impulse=harder)

    assert week.maximal_uptake_drift < 0.0 < 3.0 < months.maximal_uptake_drift
    assert week.resting_rate_drift == pytest.approx(3.0 * (1 - math.exp(-5 / 7)), abs=0.02)
    assert months.resting_rate_drift == pytest.approx(3.0, abs=0.02)
    assert months.variability_drift == pytest.approx(-0.15, abs=0.002)


def test_the_habit_changes_nothing(k):
    seen = after(k, 200 * DAY)

    assert abs(seen.maximal_uptake_drift) + abs(seen.resting_rate_drift) < 1e-6


def test_a_meal_weighs_on_the_scale():
    assert scale_reading(75.0, 1.0) == pytest.approx(75.4)


def test_less_fat_is_more_sensitive(k):
    assert after(k, 180 * DAY, energy_intake=2172.0).fat_sensitivity == pytest.approx(1.12, abs=0.02)


WILD = {
    "energy_intake": (0.0, 20000.0), "carbohydrate_share": (0.0, 1.0), "sodium": (0.0, 30000.0),
    "expenditure": (0.0, 25.0), "measured": (0.0, 1.0), "sweat": (0.0, 4.0), "drinking": (0.0, 10.0),
    "drinking_known": (0.0, 1.0), "asleep": (0.0, 1.0), "training_impulse": (0.0, 5.0),
}  # fmt: skip


def simulated_year(k, inputs):
    mean, covariance = started(k)
    factor, points = np.zeros_like(covariance), np.zeros(block.N * block.STRIDE)
    for u in inputs:
        draw(mean, covariance, factor, points, block.STRIDE)
        block.advance(points, 720.0, u, k, *WORK)
        gather(points, mean, covariance, block.STRIDE)
        block.add_process_noise(mean, covariance, 720.0, u)
        block.add_parameter_noise(covariance, 0.5)
    out = np.zeros(block.SEEN * block.STRIDE)
    block.observe(np.repeat(mean, block.STRIDE), out, inputs[-1], k)

    assert np.isfinite(points).all()
    assert np.isfinite(mean).all()
    assert (
        np.linalg.eigvalsh(covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))).min()
        > -1e-9
    )
    return block.Seen(*out[:: block.STRIDE])


def test_a_year_of_habit_stays_finite_and_near(k):
    seen = simulated_year(k, [np.array(block.default_inputs())] * HALF_DAYS)

    assert 60.0 < seen.weight < 90.0


@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_wild_inputs_stays_finite(k, seed):
    rng = np.random.default_rng(seed)
    seen = simulated_year(
        k, [np.array([rng.choice(WILD[name]) for name in block.Inputs._fields]) for _ in range(HALF_DAYS)]
    )

    assert all(math.isfinite(value) for value in seen)
    assert 5.0 < seen.weight < 700.0


@pytest.mark.parametrize("end", [0, 1])
def test_a_year_at_the_bounds_stays_finite(k, end):
    for measured in (0.0, 1.0):
        values = {name: WILD[name][end] for name in WILD} | {"measured": measured}
        seen = simulated_year(k, [np.array([values[name] for name in block.Inputs._fields])] * HALF_DAYS)

        assert all(math.isfinite(value) for value in seen)


@pytest.mark.skipif(not COMPILED, reason="minutes in pure Python")
@pytest.mark.parametrize("seed", range(4))
def test_the_scale_tells_what_was_eaten(k, seed):
    rng = np.random.default_rng(seed)
    eaten = block.default_inputs()._replace(energy_intake=2672.0 + 300.0, sodium=4000.0 * (1 + 300 / 2672))
    truth = np.repeat(started(k)[0], block.STRIDE)
    mean, covariance = started(k)
    factor, points = np.zeros_like(covariance), np.zeros(block.N * block.STRIDE)
    out, gain, report = np.zeros(block.SEEN * block.STRIDE), np.zeros(block.N), np.zeros(3)
    weight = slice(0, block.STRIDE)  # the first thing seen
    for _ in range(42):
        for asleep, hours in ((0.0, 16.0), (1.0, 8.0)):
            for who, inputs in ((truth, eaten), (points, block.default_inputs())):
                u = np.array(inputs._replace(asleep=asleep))
                if who is points:
                    draw(mean, covariance, factor, points, block.STRIDE)
                block.advance(who, 60.0 * hours, u, k, *WORK)
            gather(points, mean, covariance, block.STRIDE)
            block.add_process_noise(mean, covariance, 60.0 * hours, u)
        block.add_parameter_noise(covariance, 1.0)
        block.observe(truth, out, u, k)
        noise = SCALE_SD**2 + DAY_TO_DAY_SD**2
        reading = scale_reading(out[0], 0.0) + math.sqrt(noise) * rng.standard_normal()
        draw(mean, covariance, factor, points, block.STRIDE)
        block.observe(points, out, u, k)
        correct(points, out[weight], block.STRIDE, reading, noise, mean, covariance, gain, report)
    sd = math.sqrt(covariance[block.INTAKE_BIAS, block.INTAKE_BIAS])
    # What the scale tells is the balance: intake less what is burnt by an activity that is not known better.
    balance = mean[block.INTAKE_BIAS] - 1670.0 * mean[block.ACTIVITY_BIAS] * 0.9

    assert mean[block.INTAKE_BIAS] == pytest.approx(300.0, abs=2.5 * sd)
    assert sd < 220.0
    assert balance == pytest.approx(300.0, abs=250.0)
    assert balance > 50.0
