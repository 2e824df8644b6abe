"""The oracle of heart rate sees no future, and finds what other people show."""

import numpy as np
import pytest

from tests.bench import heart_ceiling as c


def test_means_end_where_they_are_asked_and_leave_gaps_out():
    minutes = c.Minutes(60.0 * np.array([0, 1, 3, 4]), np.array([1.0, 2.0, 4.0, 9.0]), 0.0, 5)
    at = np.array([3])

    assert minutes.mean(at, 0, 3) == pytest.approx(3.0), "of minutes 1 and 3: 2 is a gap, 4 is to come"
    assert minutes.ago(at, 2) == 2.0
    assert np.isnan(minutes.ago(at, 4))


def test_what_is_to_come_changes_no_input():
    rng = np.random.default_rng(0)
    times, values = 60.0 * np.arange(9 * c.DAY), 70.0 + rng.standard_normal(9 * c.DAY)
    table = type(
        "Table",
        (),
        {"person": np.zeros(0), "channel": np.zeros(0), "time_ms": np.zeros(0), "value": np.zeros(0)},
    )
    inside, until = np.zeros((len(times), 15)), 8 * c.DAY
    later = values.copy()
    later[until:] += 50.0
    told = [c.told(table, 0, times, v, 3600, inside)[:until] for v in (values, later)]

    np.testing.assert_array_equal(*told)


def test_the_oracle_finds_what_holds_for_other_people():
    rng = np.random.default_rng(1)
    x, person = rng.standard_normal((10_000, 3)), np.repeat(np.arange(10), 1000)
    error = 0.5 * x[:, 0] + 0.1 * rng.standard_normal(10_000)
    found = c.oracle(x, error, person)

    assert all(np.std(error - shift) < 0.3 * np.std(error) for shift in found.values())
