"""The filter against filterpy with the same model, and against known truth."""

import numpy as np
import pytest

from stream.cohort import Cohort
from stream.virtual import DEMO, draw_person, simulate
from stream.warm import readings_of
from twin import record as r_
from twin.filter.points import cholesky
from twin.profile import Profile
from twin.reference import ReferenceTwin
from twin.summary import GLUCOSE_AT, PARAMETER_COLUMNS, RATE_AT

START_MS = 1_795_392_000_000  # a midnight
WHOLE = draw_person("whole", Profile(), 11)


@pytest.fixture(scope="module")
def day():
    readings, truth = simulate(DEMO[0], START_MS, 1.0)
    cohort = Cohort()
    return readings, truth, cohort, cohort.apply(readings)


def block(record, name):
    module, mean_at, at, _ = r_.BLOCKS[name]
    return record[mean_at : mean_at + module.N], record[at : at + module.N**2].reshape(module.N, -1)


@pytest.mark.parametrize("name", list(r_.BLOCKS))
def test_agrees_with_filterpy_over_a_day_of_all_channels(name, judged):
    ours, theirs = (block(record, name) for record in judged)
    sd = np.sqrt(np.diag(theirs[1]))

    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-6 * sd.min())
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6, atol=1e-6 * sd.max() ** 2)


@pytest.fixture(scope="module")
def judged():
    readings, _ = simulate(WHOLE, START_MS, 1.0)
    cohort = Cohort()
    done = cohort.apply(readings)
    reference = ReferenceTwin(WHOLE.profile)
    for tick in range(len(done.tick_s)):
        span = slice(done.obs_start[tick], done.obs_start[tick + 1])
        channels, values = done.obs_channel[span], done.obs_value[span]
        reference.tick(float(done.tick_s[tick]), channels, values, np.zeros(len(values)))
    return cohort.twins["whole"].head.record, reference.record


def test_finds_the_truth_of_a_virtual_person(day):
    _, truth, _, done = day
    late = done.tick_s > done.tick_s[0] + 12 * 3600
    resting = done.estimates[-1][PARAMETER_COLUMNS["resting_heart_rate_parameter"]]
    for column, name in ((RATE_AT, "heart_rate"), (GLUCOSE_AT, "glucose")):
        true = np.array([truth[int(t * 1000)][name] for t in done.tick_s[late]])
        inside = np.abs(done.estimates[late, column] - true) < 1.96 * done.estimates[late, column + 1]
        assert 0.86 < inside.mean() <= 1.0, name

    assert abs(resting - DEMO[0].parameters["resting_heart_rate_parameter"]) < 4.0


def test_every_number_stays_finite_for_wild_readings():
    rng = np.random.default_rng(0)
    cohort = Cohort()
    for channel, low, high, step in (("heart_rate", 20, 300, 60), ("glucose", 20, 600, 300)):
        wild = readings_of(channel, 600, step, 0.0)
        wild.value = rng.choice([low, high, (low + high) / 2], 600).astype(float)
        done = cohort.apply(wild)
        assert np.isfinite(done.surprises).all()
    record = cohort.twins["warm"].head.record

    assert np.isfinite(record).all()
    for name in r_.BLOCKS:
        _, covariance = block(record, name)
        assert np.linalg.eigvalsh(covariance).min() > -1e-9


def test_a_covariance_that_is_none_is_repaired_and_reported():
    broken = np.array([[1.0, 2.0], [2.0, 1.0]])
    factor = np.zeros((2, 2))

    assert cholesky(broken, factor) == 1
    assert np.isfinite(factor).all()


def test_the_bands_widen_over_a_gap():
    cohort = Cohort()
    first = cohort.apply(readings_of("glucose", 60, 300, 110.0))
    sd = first.forecasts[-1, 1, :, 1]

    assert sd[1] > sd[0] > 0
