"""A large batch is folded beside the event loop, and gives the same bits."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from connectors.channels import CODE_OF
from stream import folding
from stream.bench.inside import people_minutes
from stream.cohort import Cohort

PEOPLE, MINUTES = 7, 40


@pytest.fixture
def readings():
    """Heart rate of seven people, and for some of them, in the middle of it, a value of the day."""
    found = people_minutes(0, PEOPLE, 0, MINUTES)
    daily = np.arange(len(found)) % 17 == 5
    found.channel[:] = np.where(daily, CODE_OF["resting_heart_rate"], CODE_OF["heart_rate"])
    return found


@pytest.fixture
def other(monkeypatch):
    """Two threads, also where there is one processor."""
    monkeypatch.setattr(folding, "threads", lambda: 2)
    with ThreadPoolExecutor(2, "fold") as other:
        monkeypatch.setattr(folding, "_aside", lambda: other)
        yield other


async def apply_aside(readings):
    cohort = Cohort()
    done, begun = cohort.begin(readings)
    await begun.run_aside()
    return cohort, cohort.end(done, begun)


def test_beside_the_loop_it_gives_the_same_bits(readings, other):
    two, told_by_two = asyncio.run(apply_aside(readings))
    one = Cohort()
    told_by_one = one.apply(readings)

    assert len(told_by_one.tick_s) == PEOPLE * MINUTES > folding.FEWEST
    assert len(told_by_one.daily) > PEOPLE
    for name in ("estimates", "surprises", "outcomes", "forecasts", "low_probability", "daily"):
        assert getattr(told_by_two, name).tobytes() == getattr(told_by_one, name).tobytes()
    for person, twin in one.twins.items():
        assert two.twins[person].head.record.tobytes() == twin.head.record.tobytes()
        assert [c.record.tobytes() for c in two.twins[person].checkpoints] == [
            c.record.tobytes() for c in twin.checkpoints
        ]


def threads_that_fold(monkeypatch, readings):
    found = []
    monkeypatch.setattr(folding, "fold", lambda *_: found.append(threading.current_thread().name))
    asyncio.run(apply_aside(readings))
    return found


def test_the_loop_goes_on_while_a_large_batch_is_folded(readings, other, monkeypatch):
    goes_on = threading.Event()

    def fold(*_):
        assert goes_on.wait(10)

    monkeypatch.setattr(folding, "fold", fold)

    async def both():
        running = asyncio.ensure_future(apply_aside(readings))
        await asyncio.sleep(0.05)
        assert not running.done()
        goes_on.set()
        await running

    asyncio.run(both())


def test_what_is_little_is_folded_at_once(readings, other, monkeypatch):
    assert threads_that_fold(monkeypatch, people_minutes(0, 1, 0, 3)) == [threading.current_thread().name]
    threads = threads_that_fold(monkeypatch, readings)
    assert len(threads) == 2
    assert all(name.startswith("fold") for name in threads)


def test_a_fault_of_another_thread_is_not_swallowed(readings, other, monkeypatch):
    def fold(*_):
        raise FloatingPointError

    monkeypatch.setattr(folding, "fold", fold)
    with pytest.raises(FloatingPointError):
        asyncio.run(apply_aside(readings))
