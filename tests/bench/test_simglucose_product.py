"""The product before the foreign judge, in short: four people, two days that no setting was chosen on."""

import numpy as np
import pytest

from tests.bench import simglucose_judge as judging
from tests.bench import simglucose_product as product
from tests.bench.simglucose_people import BLIND

COUNT = 577  # readings of two days
SCORED = slice(288, COUNT)
TELLINGS = ("announced", "30 % forgotten", "unannounced")


@pytest.fixture(scope="module")
def people():
    return judging.load(BLIND)[:4]


@pytest.fixture(scope="module")
def found(people):
    return {
        telling: [
            product.estimate(p, judging.told(p, telling, i), COUNT)[SCORED] for i, p in enumerate(people)
        ]
        for telling in TELLINGS
    }


def errors(people, runs):
    truth = np.array([person.plasma[SCORED] for person in people])
    sensor = np.array([person.glucose[SCORED] for person in people]) - truth
    return truth, np.exp([run[:, 0] for run in runs]) - truth, sensor


@pytest.mark.parametrize("telling", TELLINGS)
def test_the_product_is_nearer_to_plasma_than_the_sensor(people, found, telling):
    _, own, sensor = errors(people, found[telling])

    assert judging.rms(own) < 0.95 * judging.rms(sensor)


@pytest.mark.parametrize("telling", TELLINGS)
def test_its_bands_cover(people, found, telling):
    truth, _, _ = errors(people, found[telling])
    mean, sd = (np.array([run[:, i] for run in found[telling]]) for i in (0, 1))

    assert 0.88 <= np.mean(np.abs(np.log(truth) - mean) < 1.96 * sd) <= 0.99


@pytest.mark.parametrize("telling", TELLINGS)
def test_low_glucose_is_seen(people, found, telling):
    truth, own, _ = errors(people, found[telling])
    low = truth < judging.LOW

    assert low.sum() > 20
    assert abs(own[low].mean()) <= 10.0
