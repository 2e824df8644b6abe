"""The filter against filterpy with the same model, and against known truth."""

import numpy as np
import pytest

from stream.cohort import Cohort
from stream.virtual import DEMO, simulate
from twin import fast_block, metabolic_block, observe
from twin import record as r_
from twin.constants import Profile
from twin.filter.points import cholesky
from twin.reference import ReferenceTwin

START_MS = 1_795_392_000_000  # a midnight


@pytest.fixture(scope="module")
def day():
    readings, truth = simulate(DEMO[0], START_MS, 1.0)
    cohort = Cohort()
    return readings, truth, cohort, cohort.apply(readings)


def test_agrees_with_filterpy_over_a_day(day):
    _, _, cohort, done = day
    reference = ReferenceTwin(Profile())
    for tick in range(len(done.tick_s)):
        span = slice(done.obs_start[tick], done.obs_start[tick + 1])
        reference.tick(float(done.tick_s[tick]), done.obs_channel[span], done.obs_value[span])
    ours = cohort.twins[DEMO[0].name].head.record

    for block in (slice(r_.FAST_MEAN, r_.FAST_COVARIANCE), slice(r_.METABOLIC_MEAN, r_.METABOLIC_COVARIANCE)):
        np.testing.assert_allclose(ours[block], reference.record[block], rtol=1e-6, atol=1e-6)


def test_finds_the_truth_of_a_virtual_person(day):
    _, truth, _, done = day
    last = done.estimates[done.tick_s > done.tick_s[0] + 12 * 3600]
    times = done.tick_s[done.tick_s > done.tick_s[0] + 12 * 3600]
    resting = done.estimates[-1][2 * fast_block.RESTING]
    from twin.summary import RATE_AT

    true = np.array([truth[int(t * 1000)]["heart_rate"] for t in times])
    inside = np.abs(last[:, RATE_AT] - true) < 1.96 * last[:, RATE_AT + 1]

    assert 0.88 < inside.mean() <= 1.0
    assert abs(resting - DEMO[0].resting) < 4.0


def test_every_number_stays_finite_for_wild_readings():
    rng = np.random.default_rng(0)
    from stream.warm import readings_of

    cohort = Cohort()
    for channel, low, high, step in (("heart_rate", 20, 300, 60), ("glucose", 20, 600, 300)):
        wild = readings_of(channel, 600, step, 0.0)
        wild.value = rng.choice([low, high, (low + high) / 2], 600).astype(float)
        done = cohort.apply(wild)
        assert np.isfinite(done.surprises).all()
    record = cohort.twins["warm"].head.record

    assert np.isfinite(record).all()
    covariance = record[r_.FAST_COVARIANCE : r_.METABOLIC_MEAN].reshape(fast_block.N, -1)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9


def test_a_covariance_that_is_none_is_repaired_and_reported():
    broken = np.array([[1.0, 2.0], [2.0, 1.0]])
    factor = np.zeros((2, 2))

    assert cholesky(broken, factor) == 1
    assert np.isfinite(factor).all()


def test_the_bands_widen_over_a_gap():
    from stream.warm import readings_of

    cohort = Cohort()
    first = cohort.apply(readings_of("glucose", 60, 300, 110.0))
    sd = first.forecasts[-1, 1, :, 1]

    assert sd[1] > sd[0] > 0
    assert observe.CHANNELS[1] == "glucose"
    assert metabolic_block.N == 21
