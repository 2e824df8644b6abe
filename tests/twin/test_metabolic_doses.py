"""Block G's edges: the sensor's noise, meals that take time, what a bolus hints at, a pump that falls silent."""

import numpy as np
import pytest

from twin import channels as c_
from twin import record as r_
from twin.blocks import metabolic
from twin.blocks.metabolic_prior import sensor_variance
from twin.inputs import eat, metabolic_inputs
from twin.observe_glucose import note_surprise
from twin.profile import Profile
from twin.take import hold_input, take_dose

NOW = 1.8e9
T1D = Profile(weight_kg=70.0, conditions=("t1d",))


@pytest.fixture
def record():
    return r_.genesis(T1D)


def stomach(record):
    variance = r_.METABOLIC_COVARIANCE + metabolic.STOMACH * (metabolic.N + 1)
    return record[r_.METABOLIC_MEAN + metabolic.STOMACH], record[variance]


def after_a_day(record, step_minutes):
    """Variances of the sensor's error and of its driver after a day of their equations and noise, begun at no error."""
    k = record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
    body = metabolic.Body(*k)
    own, kept = (
        np.exp(-step_minutes / body.sensor_lag_minutes),
        np.exp(-step_minutes / body.sensor_error_minutes),
    )
    across = (kept - own) / (1.0 - body.sensor_lag_minutes / body.sensor_error_minutes)
    step = np.array([[own, across], [0.0, kept]])
    u, mean, errors = metabolic.default_inputs(), np.zeros(metabolic.N), np.zeros((2, 2))
    pair = slice(metabolic.SENSOR_ERROR, metabolic.SENSOR_DRIVER + 1)
    for _ in range(round(1440 / step_minutes)):
        noise = np.zeros((metabolic.N, metabolic.N))
        metabolic.add_process_noise(mean, noise, 0.5 * step_minutes, u, k)
        errors = step @ (errors + noise[pair, pair]) @ step.T + noise[pair, pair]
    return np.diag(errors)


def test_noise_half_before_and_half_after_keeps_the_size_of_a_sensor_s_error(record):
    body = metabolic.Body(*record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY])

    np.testing.assert_allclose(after_a_day(record, 1.0), sensor_variance(body), rtol=0.02)


@pytest.mark.parametrize("cuts", [(5.0, 5.0), (1.0, 2.0, 3.0, 4.0), (7.0, 60.0), (300.0,)])
def test_a_meal_arrives_whole_however_time_is_cut(record, cuts):
    take_dose(record, c_.CARBOHYDRATE, 60.0, NOW)
    u, at, eaten = np.zeros(metabolic.INPUTS), NOW, 0.0
    for minutes in cuts:
        eat(record, at, at + 60.0 * minutes, u)
        eaten += u[metabolic.INTAKE] * minutes
        at += 60.0 * minutes

    assert eaten == pytest.approx(60_000.0)


def test_a_second_meal_leaves_nothing_of_the_first_on_the_plate(record):
    take_dose(record, c_.CARBOHYDRATE, 60.0, NOW)
    take_dose(record, c_.CARBOHYDRATE, 20.0, NOW + 300.0)
    body = metabolic.Body(*record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY])

    assert stomach(record)[0] == pytest.approx((1.0 - body.fast_fraction) * 30_000.0)


def test_a_bolus_without_a_meal_hints_at_one(record):
    hold_input(record, c_.BASAL_RATE, 1.0, NOW - 3600.0)
    before = stomach(record)
    take_dose(record, c_.BOLUS, 6.0, NOW)
    after = stomach(record)

    assert after[0] == before[0]
    assert np.sqrt(after[1] - before[1]) == pytest.approx(0.5 * 6.0 * 500.0 / 48.0 * 1000.0)


def test_a_bolus_after_its_meal_hints_at_nothing(record):
    take_dose(record, c_.CARBOHYDRATE, 60.0, NOW)
    before = stomach(record)
    take_dose(record, c_.BOLUS, 6.0, NOW + 600.0)

    assert stomach(record) == before


def test_a_silent_pump_keeps_its_usual_rate(record):
    hold_input(record, c_.BASAL_RATE, 1.4, NOW)
    u = np.zeros(metabolic.INPUTS)
    metabolic_inputs(record, NOW + 3 * 86400.0, u)

    assert u[metabolic.INFUSION] == pytest.approx(1.4 * 100.0 / 70.0)


def test_innovations_of_one_sign_widen_the_flux_and_are_forgotten_in_silence(record):
    u, k = np.zeros(metabolic.INPUTS), record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
    mean, body = record[r_.METABOLIC_MEAN : r_.METABOLIC_MEAN + metabolic.N], metabolic.Body(*k)
    record[r_.LAST_S + c_.GLUCOSE] = NOW
    metabolic_inputs(record, NOW, u)
    quiet = metabolic.flux_variance(mean, u, body)
    for i in range(6):
        note_surprise(record, 2.0, NOW + 300.0 * (i + 1))
        record[r_.LAST_S + c_.GLUCOSE] = NOW + 300.0 * (i + 1)
    metabolic_inputs(record, NOW + 1800.0, u)
    active = metabolic.flux_variance(mean, u, body)
    metabolic_inputs(record, NOW + 30_000.0, u)

    assert active == pytest.approx(quiet * (1.0 + body.flux_widening))
    assert metabolic.flux_variance(mean, u, body) == pytest.approx(quiet, rel=1e-3)
