"""Lanes and the breaker: order by person, one request of a series at a time, bounded, acknowledged in order."""

import asyncio
import random
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from connectors.errors import Unavailable
from stream import breaker as module
from stream.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, pause_after
from stream.lanes import LINGER_S, MOST, Acknowledgements, Item, Lanes


def item(offset, person="ada", kind="estimate", size=10, part="p0"):
    record = SimpleNamespace(offset=offset, value=b"x" * size, timestamp=1000 + offset)
    return Item(part, record, kind, {"person": person, "time": offset})


def test_a_series_is_in_one_request_at_a_time_and_in_order():
    flying, most, order = Counter(), Counter(), {}

    async def write(kind, items):
        for one in items:
            flying[one.document["person"]] += (
                1
                if one.document["person"] not in {i.document["person"] for i in items[: items.index(one)]}
                else 0
            )
            order.setdefault(one.document["person"], []).append(one.offset)
        who = {one.document["person"] for one in items}
        await asyncio.sleep(random.uniform(0, 0.005))
        for person in who:
            most[person] = max(most[person], flying[person])
            flying[person] -= 1

    async def run():
        lanes = Lanes(write, 4, 1 << 20)
        lanes.start()
        for offset in range(3000):
            lanes.put(item(offset, f"p{offset % 13}"))
            if offset % 50 == 0:
                await asyncio.sleep(0.002)
        assert await lanes.idle(10)
        await lanes.stop()
        return lanes.bytes

    left = asyncio.run(run())

    assert left == 0
    assert set(most.values()) == {1}
    assert all(offsets == sorted(offsets) for offsets in order.values())
    assert sum(map(len, order.values())) == 3000


def test_alerts_wait_a_tenth_of_a_second_and_do_not_queue_behind_estimates():
    seen = []

    async def write(kind, items):
        seen.append((kind, len(items), time.monotonic()))
        if kind == "estimate":
            await asyncio.sleep(30)

    async def run():
        lanes = Lanes(write, 1, 1 << 30)
        lanes.start()
        for offset in range(MOST["estimate"] * 2):
            lanes.put(item(offset))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        for offset in range(3):
            lanes.put(item(offset, kind="alert"))
        await asyncio.sleep(0.6)
        await lanes.stop()
        return began

    began = asyncio.run(run())

    assert [(kind, count) for kind, count, _ in seen] == [("estimate", MOST["estimate"]), ("alert", 3)]
    assert LINGER_S["alert"] * 0.5 < seen[1][2] - began < 0.5


def test_a_full_lane_is_written_without_lingering():
    seen = []

    async def write(kind, items):
        seen.append(len(items))

    async def run():
        lanes = Lanes(write, 1, 1 << 30)
        lanes.start()
        for offset in range(MOST["estimate"]):
            lanes.put(item(offset))
        await asyncio.sleep(0.2)
        await lanes.stop()

    asyncio.run(run())

    assert seen == [MOST["estimate"]]


def test_whoever_fills_waits_until_there_is_room():
    gate = asyncio.Event()

    async def write(kind, items):
        await gate.wait()

    async def run():
        lanes = Lanes(write, 2, 1000)
        lanes.start()
        for offset in range(10):
            await lanes.room()
            lanes.put(item(offset, size=100))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lanes.room(), 0.2)
        gate.set()
        await asyncio.wait_for(lanes.room(), 5)
        await lanes.stop()

    asyncio.run(run())


def test_what_ends_a_lane_ends_the_sink():
    async def write(kind, items):
        raise RuntimeError("a fault of ours")

    async def run():
        lanes = Lanes(write, 1, 10)
        lanes.start()
        lanes.put(item(0, size=100))
        await lanes.room()

    with pytest.raises(RuntimeError, match="a fault of ours"):
        asyncio.run(run())


def test_only_what_is_done_with_all_before_it_is_committed():
    acks = Acknowledgements()
    items = [item(offset) for offset in (5, 6, 9)]  # compaction and transactions leave gaps
    for one in items:
        acks.add(one)
    items[1].done = items[2].done = True
    before = acks.positions()
    items[0].done = True

    assert before == {}
    assert acks.oldest_ms == 1005
    assert acks.positions() == {"p0": 10}
    assert acks.oldest_ms is None


def test_what_was_revoked_is_lost_and_never_committed():
    acks, lanes = Acknowledgements(), Lanes(None, 1, 1000)
    mine, theirs = item(1, part="p0"), item(1, part="p1")

    async def run():
        for one in (mine, theirs):
            acks.add(one)
            lanes.put(one)
        lanes.forget({"p1"})
        acks.forget({"p1"})

    asyncio.run(run())
    mine.done = theirs.done = True

    assert (mine.lost, theirs.lost) == (False, True)
    assert [list(lane.items) for lane in lanes.all] == [[], [mine]]
    assert lanes.bytes == 10
    assert acks.positions() == {"p0": 2}


def test_pauses_grow_with_full_jitter_and_are_never_shorter_than_asked():
    few, many = [pause_after(1, 0.0) for _ in range(300)], [pause_after(12, 0.0) for _ in range(300)]

    assert max(few) <= 1.0
    assert min(few) < 0.2
    assert 50 < max(many) <= 60.0
    assert min(many) < 10
    assert pause_after(3, 42.0) == 42.0
    assert pause_after(3, 9999.0) == 300.0


def test_one_looks_and_then_twice_as_many_each_time(monkeypatch):
    monkeypatch.setattr(module, "pause_after", lambda attempt, asked: 0.05)
    down, flying, most, states = [True], [0], [], []

    async def request():
        flying[0] += 1
        most.append((down[0], flying[0]))
        await asyncio.sleep(0.01)
        flying[0] -= 1
        if down[0]:
            raise Unavailable("away", 0.0)

    async def run():
        breaker = Breaker("store", 8, states.append)
        work = [asyncio.ensure_future(breaker.persist(request)) for _ in range(64)]
        await asyncio.sleep(0.5)
        down[0] = False
        await asyncio.wait_for(asyncio.gather(*work), 10)
        return breaker

    breaker = asyncio.run(run())
    looks = [n for was_down, n in most if was_down][8:]
    after = [n for was_down, n in most if not was_down]

    assert set(looks) == {1}, "while it is away one looks at a time"
    assert after[0] == 1
    assert 4 <= max(after) <= 8
    assert {OPEN, HALF_OPEN, CLOSED} == set(states)
    assert (breaker.state, breaker.flying, breaker.attempt) == (CLOSED, 0, 0)
