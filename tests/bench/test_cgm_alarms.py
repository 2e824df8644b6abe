"""The search for rules counts as the protocol does and opens as the shipped rule does."""

import numpy as np
import pytest

from stream import policy
from stream.training_people import Person
from tests.bench import cgm_alarms as alarms
from twin.learned.glucose import SAID, TREND
from twin.scoring import episodes


@pytest.fixture(scope="module", params=[300.0, 900.0], ids=["quick", "slow"])
def lived(request):
    """A person who is often low, with gaps, and what was said of it at random around the truth."""
    random, count = np.random.default_rng(3), 4000
    times = 1.7e9 + request.param * np.arange(count)
    values = 95.0 + 35.0 * np.sin(np.arange(count) / 9.0) + random.normal(0.0, 6.0, count)
    kept = random.random(count) > 0.05
    person = Person("s", "ada", times[kept], values[kept], request.param)
    said = np.empty((kept.sum(), SAID))
    said[:, :TREND] = (
        random.random((kept.sum(), TREND)) * np.clip((110.0 - person.values) / 60.0, 0.0, 1.0)[:, None]
    )
    said[:, TREND] = person.values + random.normal(-8.0, 6.0, kept.sum())
    return person, said


def test_the_rule_of_the_search_is_the_shipped_one(lived):
    person, said = lived
    near = policy.QUICK if person.step_s < policy.QUICK_S else policy.SLOW
    room = np.empty(len(person.times))
    chance = np.ascontiguousarray(0.5 * (said[:, 0] + said[:, 1]))
    count = alarms.opens(
        person.times,
        person.values,
        chance,
        said[:, TREND].copy(),
        near.chance,
        near.trend,
        near.glucose,
        room,
    )
    # Behind a gap the shipped rule takes a quick sensor for a slow one: here the limits are the same.
    quick, policy.QUICK_S = policy.QUICK_S, 0.0 if near is policy.SLOW else np.inf
    try:
        shipped = alarms.own_alarms(person, said)
    finally:
        policy.QUICK_S = quick

    assert len(shipped) > 20
    np.testing.assert_array_equal(room[:count], shipped)


def test_the_quick_count_is_the_protocols(lived):
    person, said = lived
    fired = episodes.alarms(person.times, person.values, said[:, TREND] < 80.0, person.step_s)
    later = person.times >= person.times[0] + alarms.DAY_S
    whole = episodes.rates(
        [
            episodes.tally(
                person.times[later],
                person.values[later],
                fired[fired >= person.times[later][0]],
                person.step_s,
            )
        ]
    )

    counted = alarms.counted(alarms.truths([person]), [fired])
    assert whole["episodes"] > 20
    np.testing.assert_allclose(
        counted, (whole["sensitivity"], whole["false_per_day"], whole["warned_15_min"])
    )


def test_the_curve_is_read_where_it_reaches_and_nowhere_else():
    curve = [{"sensitivity": s, "false_per_day": f} for s, f in ((0.9, 2.0), (0.5, 1.0))]

    assert alarms.along(curve, "sensitivity", 0.7) == pytest.approx(1.5)
    assert np.isnan(alarms.along(curve, "sensitivity", 0.95))
