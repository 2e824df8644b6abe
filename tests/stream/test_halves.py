"""A backlog folded by two threads gives the bits of one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from connectors.channels import CODE_OF
from stream import halves
from stream.bench.inside import people_minutes
from stream.cohort import Cohort

PEOPLE, MINUTES = 7, 40


@pytest.fixture(scope="module")
def readings():
    """Heart rate of seven people, and for some of them, in the middle of it, a value of the day."""
    found = people_minutes(0, PEOPLE, 0, MINUTES)
    daily = np.arange(len(found)) % 17 == 5
    found.channel[:] = np.where(daily, CODE_OF["resting_heart_rate"], CODE_OF["heart_rate"])
    return found


def run(readings, monkeypatch, other):
    monkeypatch.setattr(halves, "_other", lambda: other)
    cohort = Cohort()
    return cohort, cohort.apply(readings)


def test_two_threads_give_the_bits_of_one(readings, monkeypatch):
    with ThreadPoolExecutor(1) as other:
        two, told_by_two = run(readings, monkeypatch, other)
    one, told_by_one = run(readings, monkeypatch, None)

    assert len(told_by_one.tick_s) == PEOPLE * MINUTES > halves.FEWEST
    assert len(told_by_one.daily) > PEOPLE
    for name in ("estimates", "surprises", "outcomes", "forecasts", "low_probability", "daily"):
        assert getattr(told_by_two, name).tobytes() == getattr(told_by_one, name).tobytes()
    for person, twin in one.twins.items():
        assert two.twins[person].head.record.tobytes() == twin.head.record.tobytes()
        assert [c.record.tobytes() for c in two.twins[person].checkpoints] == [
            c.record.tobytes() for c in twin.checkpoints
        ]


def test_a_fault_of_the_second_thread_is_not_swallowed(readings, monkeypatch):
    calls = []

    def fold(records, *_):
        calls.append(len(records))
        if len(calls) > 1:
            raise FloatingPointError

    monkeypatch.setattr(halves, "fold", fold)
    with ThreadPoolExecutor(1) as other, pytest.raises(FloatingPointError):
        run(readings, monkeypatch, other)
    assert sum(calls) == PEOPLE
