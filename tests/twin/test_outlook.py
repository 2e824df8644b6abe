"""Samples carried ahead: their moments, their pairs, and the physiology of each scenario."""

import numpy as np
import pytest

from twin import record as r_
from twin.blocks import fast, metabolic
from twin.forecast import forecast_glucose
from twin.open_loop import OpenLoop
from twin.outlook import Plan, inflammation_of, nothing, run
from twin.outlook_channels import CHANNELS, sensed, true_values
from twin.outlook_start import SAMPLES, start
from twin.physiology.movement import air_pressure
from twin.profile import Profile
from twin.workspace import rooms

MINUTES = 150
NOON = 1.7e9 // 86400 * 86400 + 43200.0
EXERCISE = slice(60, 105)
AT = {name: i for i, name in enumerate(CHANNELS)}


def twin_of(conditions=()):
    """A posterior at noon: where a body in open loop has come to, half as unsure as the prior."""
    body = OpenLoop(Profile(conditions=conditions), NOON - 1800.0)
    for _ in range(30):
        body.minute({})
    record = body.record
    record[r_.INTENSITY_SD] = 0.0  # a body in open loop has no spread to tell
    for block, _, at, _ in r_.BLOCKS.values():
        fresh, mean = np.zeros((block.N, block.N)), np.zeros(block.N)
        if block is fast:
            fast.start(mean, fresh, record[r_.FAST_BODY : r_.METABOLIC_BODY], body.rooms.fast.inputs)
        elif block is metabolic:
            metabolic.start(
                mean, fresh, record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY], body.rooms.metabolic.inputs
            )
            fresh[[metabolic.STOMACH, metabolic.GUT]] = fresh[:, [metabolic.STOMACH, metabolic.GUT]] = 0.0
        else:
            fresh = np.diag([state.sd**2 for state in block.STATES])
        record[at : at + block.N**2] = 0.25 * fresh.ravel()
    return record


@pytest.fixture(scope="module")
def healthy():
    return twin_of()


@pytest.fixture(scope="module")
def diabetic():
    return twin_of(("t1d",))


def planned(**changes):
    plan = nothing(MINUTES)
    for name, (where, value) in changes.items():
        getattr(plan, name)[where] = value
    return plan


def exercise(met=6.0, **others):
    return planned(met=(EXERCISE, met), efficiency=(EXERCISE, 0.15), posture=(EXERCISE, 0.8), **others)


def ahead(record, *plans, minutes=MINUTES):
    """True values by time, scenario (nothing first), channel and sample."""
    begin = start(record, np.random.default_rng(1))
    courses = run(begin, (nothing(MINUTES), *plans), minutes, np.random.default_rng(2))
    return np.array([[true_values(course) for course in now] for now in courses])


def change(record, plan, channel, minute):
    """Mean over the samples of what the plan changes of a channel, at a minute."""
    values = ahead(record, plan)
    return float((values[minute, 1, AT[channel]] - values[minute, 0, AT[channel]]).mean())


def test_samples_have_exactly_the_moments_of_the_posterior(healthy):
    begin = start(healthy, np.random.default_rng(1))
    record = begin.record
    for name, (block, at, cov, _) in r_.BLOCKS.items():
        flat = begin.samples[name].transpose(1, 0, 2).reshape(block.N, SAMPLES)
        covariance = record[cov : cov + block.N**2].reshape(block.N, block.N)
        scale = np.sqrt(np.diag(covariance)) + 1e-12

        np.testing.assert_allclose((flat.mean(axis=1) - record[at : at + block.N]) / scale, 0.0, atol=1e-7)
        np.testing.assert_allclose(
            np.cov(flat, bias=True) / np.outer(scale, scale), covariance / np.outer(scale, scale), atol=1e-5
        )


def test_the_twin_is_not_touched(healthy):
    before = healthy.tobytes()
    ahead(healthy, exercise(carbohydrate=(5, 60.0), fever=(0, 39.0), alcohol=(0, 20.0)), minutes=20)

    assert healthy.tobytes() == before


def test_the_same_plan_gives_the_same_bits(healthy):
    first, second = (ahead(healthy, exercise(), minutes=90) for _ in range(2))

    assert first.tobytes() == second.tobytes()


def test_scenarios_differ_by_their_plan_alone(healthy):
    values = ahead(healthy, nothing(MINUTES), exercise())

    np.testing.assert_array_equal(values[:, 0], values[:, 1])
    np.testing.assert_array_equal(values[: EXERCISE.start + 1, 0], values[: EXERCISE.start + 1, 2])


def test_doing_nothing_is_the_forecast_of_the_filter(diabetic):
    begin = start(diabetic, np.random.default_rng(1))
    record, forecast = begin.record, np.zeros((3, 2))
    mean = record[r_.METABOLIC_MEAN : r_.METABOLIC_MEAN + metabolic.N].copy()
    covariance = record[r_.METABOLIC_COVARIANCE : r_.METABOLIC_COVARIANCE + metabolic.N**2].reshape(
        metabolic.N, -1
    )
    horizons = np.array([900.0, 1800.0, 3600.0])
    forecast_glucose(
        record, record[r_.HEAD_S], mean, covariance.copy(), horizons, rooms().metabolic, forecast
    )
    glucose = ahead(diabetic)[:, 0, AT["glucose"]]
    spread = [np.hypot(glucose[m].std(), 0.5) for m in (15, 30, 60)]

    np.testing.assert_allclose(
        [glucose[m].mean() for m in (15, 30, 60)], forecast[:, 0], atol=0.25 * forecast[0, 1]
    )
    np.testing.assert_allclose(spread, forecast[:, 1], rtol=0.12)


def test_uncertainty_of_uptake_reaches_glucose_through_exercise(diabetic):
    sure = diabetic.copy()
    sure[r_.FAST_COVARIANCE : r_.FAST_COVARIANCE + fast.N**2] *= 1e-6
    spreads = []
    for record in (diabetic, sure):
        values = ahead(record, exercise())
        spreads.append(float((values[120, 1, AT["glucose"]] - values[120, 0, AT["glucose"]]).std()))

    assert spreads[0] ** 2 > 1.2 * spreads[1] ** 2 > 0.0


def test_a_meal_raises_glucose(healthy):
    assert change(healthy, planned(carbohydrate=(5, 60.0)), "glucose", 45) > 20.0


def test_insulin_lowers_glucose_in_a_diabetic(diabetic):
    assert change(diabetic, planned(bolus=(0, 4.0)), "glucose", 150) < -20.0


def test_more_insulin_lowers_it_more(diabetic):
    values = ahead(diabetic, planned(bolus=(0, 2.0)), planned(bolus=(0, 4.0)))[150, :, AT["glucose"]]

    assert (values[2] < values[1]).all()


def test_exercise_raises_heart_rate_and_temperature_and_lowers_a_diabetics_glucose(diabetic):
    values = ahead(diabetic, exercise())
    at_the_end = (values[EXERCISE.stop - 1, 1] - values[EXERCISE.stop - 1, 0]).mean(axis=1)

    assert at_the_end[AT["heart_rate"]] > 40.0
    assert at_the_end[AT["core_temperature"]] > 0.5
    assert at_the_end[AT["respiration_rate"]] > 5.0
    assert (values[MINUTES, 1] - values[MINUTES, 0]).mean(axis=1)[AT["glucose"]] < -5.0
    assert (values[MINUTES, 1] - values[MINUTES, 0]).mean(axis=1)[AT["weight"]] < -0.1


def test_altitude_lowers_saturation(healthy):
    fall = change(healthy, planned(air_pressure=(slice(0, None), air_pressure(3500.0))), "spo2", 60)

    assert -12.0 < fall < -4.0


def test_heat_raises_skin_temperature(healthy):
    assert change(healthy, planned(ambient=(slice(0, None), 38.0)), "skin_temperature", 90) > 2.0


def test_a_beta_blocker_lowers_the_heart_rate_of_exercise(healthy):
    values = ahead(healthy, exercise(), exercise(drug=(0, 1.0)))[EXERCISE.stop - 1, :, AT["heart_rate"]].mean(
        axis=1
    )
    risen, blocked = values[1] - values[0], values[2] - values[0]

    assert blocked < 0.9 * risen


def test_fever_brings_the_core_there_and_raises_heart_rate(healthy):
    values = ahead(healthy, planned(fever=(0, 39.0)))[MINUTES]

    assert values[1, AT["core_temperature"]].mean() == pytest.approx(39.0, abs=0.25)
    assert (values[1] - values[0]).mean(axis=1)[AT["heart_rate"]] > 8.0


def test_inflammation_holds_the_fever_that_was_asked_for():
    y = inflammation_of(2.0)

    assert 2.2 * y / (1.0 + 0.35 * y) == pytest.approx(2.0)


def test_alcohol_raises_heart_rate_and_fluid_weight(healthy):
    values = ahead(healthy, planned(alcohol=(0, 40.0)), planned(fluid=(0, 1.0)))

    assert (values[60, 1] - values[60, 0]).mean(axis=1)[AT["heart_rate"]] > 2.0
    assert 0.7 < (values[60, 2] - values[60, 0]).mean(axis=1)[AT["weight"]] < 1.0


def test_a_shifted_bedtime_moves_sleep_not_the_sun(healthy):
    evening = healthy.copy()
    evening[r_.OFFSET_H] = 9.5  # the head is at 21:30 of the person's clock
    early = planned(sleep_shift=(0, -2.0))
    begin = start(evening, np.random.default_rng(1))
    for usual, shifted in run(begin, (nothing(MINUTES), early), 60, np.random.default_rng(2)):
        asleep = (usual.asleep, shifted.asleep)

    assert asleep[0] < 0.3 < 0.9 < asleep[1]
    assert shifted.of("fast", "heart_rate").mean() < usual.of("fast", "heart_rate").mean()


def test_a_block_that_never_spoke_takes_part_at_its_prior():
    record = r_.genesis(Profile(conditions=("t1d",)))
    record[r_.HEAD_S] = NOON
    other = OpenLoop(Profile(conditions=("t1d",)), NOON)
    for at, n in ((r_.METABOLIC_MEAN, metabolic.N), (r_.CIRCADIAN_MEAN, 6)):
        record[at : at + n] = other.record[at : at + n]
    record[[r_.METABOLIC_S, r_.CIRCADIAN_S]] = NOON
    begin = start(record, np.random.default_rng(1))

    assert begin.running == {"fast": False, "metabolic": True, "circadian": True, "slow": False}
    assert begin.samples["fast"][:, fast.MAXIMAL_UPTAKE].std() == pytest.approx(
        fast.STATES[fast.MAXIMAL_UPTAKE].sd
    )
    assert change(record, exercise(), "glucose", MINUTES) < -5.0


def test_a_sensors_error_is_that_of_the_observation_model():
    normal = np.linspace(-2.0, 2.0, 101)
    true, still = np.full(101, 80.0), np.zeros(101)

    assert sensed("heart_rate", true, normal, still, 0.0).std() == pytest.approx(2.5 * normal.std())
    assert sensed("heart_rate", true, normal, still + 1.0, 0.0).std() == pytest.approx(8.0 * normal.std())
    assert sensed("spo2", true + 18.0, normal, still, 0.0).max() == 100.0
    assert (sensed("hrv_rmssd", true, normal - 50.0, still, 0.0) > 0.0).all()


def test_plans_are_of_every_field():
    assert set(nothing(3)._fields) == set(Plan._fields)
    assert all(len(values) in (1, 3) for values in nothing(3))
