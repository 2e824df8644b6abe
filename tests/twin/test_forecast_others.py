"""Forecasts of breath, saturation, temperatures, variability and pressure by the mechanism."""

import math

import numpy as np
import pytest

from twin import channels as c_
from twin import record as r_
from twin.blocks import fast
from twin.forecast_others import (
    MEAN,
    OTHERS,
    QUANTILES,
    SD,
    Z,
    censored_above,
    forecast_others,
    log_normal,
    of_its_moment,
    reading_variance,
)
from twin.open_loop import OpenLoop
from twin.profile import Profile
from twin.workspace import rooms

CODES = np.array([c_.CHANNELS.index(name) for name in OTHERS])
HORIZONS = np.array([60.0, 900.0, 1800.0])
SAMPLES = np.random.default_rng(5).standard_normal(400_000)


@pytest.fixture(scope="module")
def record():
    body = OpenLoop(Profile(), 1.7e9)
    for _ in range(3):
        body.minute({})
    cov = r_.FAST_COVARIANCE
    body.record[cov : cov + fast.N**2] = np.diag([0.25 * state.sd**2 for state in fast.STATES]).ravel()
    return body.record


@pytest.fixture(scope="module")
def made(record):
    return dict(
        zip(OTHERS, forecast_others(record, record[r_.HEAD_S], CODES, HORIZONS, rooms().fast), strict=True)
    )


def test_nothing_of_it_changes_the_record(record):
    before = record.tobytes()
    forecast_others(record, record[r_.HEAD_S], CODES, HORIZONS, rooms().fast)

    assert record.tobytes() == before


def test_every_channel_is_forecast_where_a_resting_body_is(made):
    usual = {"respiration_rate": (10, 20), "spo2": (94, 99), "skin_temperature": (29, 35), "core_temperature": (36.3, 37.6),
             "body_temperature": (36.0, 37.4), "hrv_rmssd": (20, 60), "bp_systolic": (100, 135), "bp_diastolic": (60, 90)}  # fmt: skip
    for name, (low, high) in usual.items():
        assert (made[name][:, MEAN] > low).all(), name
        assert (made[name][:, MEAN] < high).all(), name


def test_quantiles_ascend_and_surround_the_mean(made):
    for rows in made.values():
        assert (np.diff(rows[:, QUANTILES:], axis=1) >= 0.0).all()
        assert (rows[:, QUANTILES] < rows[:, MEAN]).all()
        assert (rows[:, MEAN] < rows[:, QUANTILES + 4]).all()


def test_a_reading_of_the_next_minute_has_nearly_the_sensors_error(made):
    assert made["core_temperature"][0, SD] == pytest.approx(math.hypot(0.10, 0.15 / 2), rel=0.6)
    assert made["bp_systolic"][0, SD] > 8.0


def test_a_mouth_is_cooler_than_the_core(made):
    gap = made["core_temperature"][:, MEAN] - made["body_temperature"][:, MEAN]

    np.testing.assert_allclose(gap, 0.25, atol=1e-9)


def test_no_saturation_is_above_full(made):
    assert (made["spo2"] <= 100.0).all()


def test_a_censored_normal_has_the_moments_of_its_samples():
    out = np.zeros(7)
    for mean, sd in ((97.0, 3.0), (99.5, 2.0), (90.0, 1.0)):
        censored_above(mean, sd, 100.0, out)
        shown = np.minimum(mean + sd * SAMPLES, 100.0)

        assert out[MEAN] == pytest.approx(shown.mean(), abs=0.01)
        assert out[SD] == pytest.approx(shown.std(), abs=0.01)
        np.testing.assert_allclose(
            out[QUANTILES:], np.quantile(shown, [0.05, 0.25, 0.5, 0.75, 0.95]), atol=0.03
        )


def test_a_log_normal_has_the_moments_of_its_samples():
    out = np.zeros(7)
    log_normal(3.5, 0.3, out)
    shown = np.exp(3.5 + 0.3 * SAMPLES)

    assert out[MEAN] == pytest.approx(shown.mean(), rel=3e-3)
    assert out[SD] == pytest.approx(shown.std(), rel=1e-2)
    np.testing.assert_allclose(out[QUANTILES:], np.exp(3.5 + 0.3 * Z))


def test_breath_is_read_worse_awake_and_low_saturation_worse():
    breath, saturation = c_.CHANNELS.index("respiration_rate"), c_.CHANNELS.index("spo2")

    assert reading_variance(breath, 15.0, 0.0) == pytest.approx(2.0**2)
    assert reading_variance(breath, 15.0, 1.0) == pytest.approx(0.8**2)
    assert reading_variance(saturation, 85.0, 0.0) > reading_variance(saturation, 95.0, 0.0)


def test_what_comes_after_a_long_silence_may_be_a_nights_value(record):
    own, code = record.copy(), c_.CHANNELS.index("hrv_rmssd")
    own[r_.READ + code], own[r_.PAUSE_S + code] = 1.0, 1e9

    assert of_its_moment(own, code)
    own[r_.READ + code] = 2.0
    assert not of_its_moment(own, code)
    own[r_.PAUSE_S + code] = 1800.0
    assert of_its_moment(own, code)
