"""Hours whose rows are owed: bounded, fair, and known again after a crash by what was committed."""

import asyncio
import random
from typing import NamedTuple

import pytest
from aiokafka.errors import KafkaError

from connectors.stores.hourly import HOUR_MS
from stream import owing as module
from stream.owing import Owing
from stream.positions import Positions


class Part(NamedTuple):
    """As aiokafka's."""

    topic: str
    partition: int


ONE, TWO = Part("estimate.v1", 1), Part("estimate.v1", 2)


def owed(*notes, most=100):
    found = Owing(most, hold_s=0.0)
    for note in notes:
        found.note(*note)
    return found


def test_an_hour_is_owed_from_its_first_record_until_it_is_written():
    found = owed((ONE, 7, "ada", 5), (ONE, 9, "ada", 6), (TWO, 3, "bob", HOUR_MS))

    assert found.firsts() == {ONE: 7, TWO: 3}
    assert found.begin() == {("ada", 0)}
    assert found.firsts() == {ONE: 7, TWO: 3}
    found.done()
    assert found.firsts() == {TWO: 3}
    assert found.begin() == {("bob", HOUR_MS)}
    found.done()
    assert (len(found), found.begin()) == (0, set())


@pytest.mark.parametrize(
    ("end", "first"),
    [(Owing.done, 12), (Owing.failed, 7)],
    ids=["a row that was written", "one that could not be, from where it was"],
)
def test_what_comes_while_a_row_is_written_is_owed_again(end, first):
    found = owed((ONE, 7, "ada", 5))
    found.begin()
    found.note(ONE, 12, "ada", 6)
    end(found)

    assert found.firsts() == {ONE: first}
    assert len(found) == 1


def test_no_hour_waits_behind_one_that_changes_all_the_time(monkeypatch):
    monkeypatch.setattr(module, "MOST_ASKED", 2)
    found = owed(*((ONE, n, f"p{n}", 0) for n in range(6)), (ONE, 6, "p0", HOUR_MS))
    asked = []
    for turn in range(4):
        asked.append(found.begin())
        found.done()
        for n in range(6):
            found.note(ONE, 10 * turn + n, f"p{n}", 0)

    assert {("p0", HOUR_MS)} in asked[:3]
    assert all(len(pairs) <= 2 for pairs in asked)


def test_what_changes_in_an_hour_is_collected_before_its_row_is_written():
    now = [100.0]
    found = Owing(hold_s=30.0, clock=lambda: now[0])
    found.note(ONE, 1, "ada", 5)
    now[0] = 120.0
    found.note(ONE, 2, "bob", 5)
    found.note(ONE, 3, "bob", HOUR_MS)
    early = found.begin()
    now[0] = 130.0

    assert early == set()
    assert found.begin() == {("ada", 0), ("bob", 0)}
    found.failed()
    assert found.begin() == {("ada", 0), ("bob", 0)}, "what failed has waited"
    found.done()
    assert found.begin() == set()
    now[0] = 150.0
    assert found.begin() == {("bob", HOUR_MS)}


def test_what_does_not_fit_is_owed_to_the_topic():
    found = owed((ONE, 7, "ada", 5), (ONE, 8, "bob", 5), (ONE, 9, "eve", 5), (TWO, 1, "tom", 5), most=2)

    assert len(found) == 2
    assert found.dropped == {ONE: 9, TWO: 1}
    assert found.firsts() == {ONE: 7, TWO: 1}


def test_what_was_revoked_is_somebody_elses():
    found = owed((ONE, 7, "ada", 5), (TWO, 3, "bob", 5), (TWO, 4, "eve", 2 * HOUR_MS), most=2)
    found.begin()
    found.forget([TWO])

    assert found.firsts() == {ONE: 7}
    assert len(found) == 1
    found.failed()
    assert found.begin() == {("ada", 0)}


class Consumer:
    """A group's offsets and one partition, as aiokafka shows them."""

    def __init__(self):
        self.at, self.group, self.fails = 0, {}, False

    def assignment(self):
        return {ONE}

    def seek(self, part, offset):
        self.at = offset

    async def beginning_offsets(self, parts):
        return dict.fromkeys(parts, 0)

    async def commit(self, offsets):
        if self.fails:
            raise KafkaError
        self.group |= offsets


def positions_of(consumer):
    found = Positions(None, consumer, "group", True)

    async def told():
        return dict(consumer.group)

    found._told = told
    found.came([ONE])
    return found


def test_a_commit_that_failed_is_made_again():
    async def run():
        consumer = Consumer()
        positions = positions_of(consumer)
        await positions.begin()
        consumer.fails = True
        await positions.commit({ONE: 5}, {})
        before = dict(consumer.group)
        consumer.fails = False
        await positions.commit({}, {})
        return before, consumer.group

    assert asyncio.run(run()) == ({}, {ONE: (5, "")})


@pytest.mark.parametrize("seed", range(30))
def test_whatever_crashes_every_hour_is_written_after_its_last_record(seed):
    """A topic of one person's hours in any order; a sink that stores, rolls up, commits and dies at random."""
    rng = random.Random(seed)
    topic = [rng.randrange(6) for _ in range(200)]  # the hour of each record
    consumer, stored, rows = Consumer(), {}, {}  # by hour the last record; as it was when the row was written

    async def live(last):
        positions, owing = positions_of(consumer), Owing(most=3, hold_s=0.0)
        await positions.begin()
        done = positions.stored[ONE]
        for _ in range(10_000 if last else rng.randrange(150)):
            what = rng.random()
            if what < 0.5 and consumer.at < len(topic):
                offset = consumer.at
                consumer.at += 1
                if positions.is_new(ONE, offset):
                    stored[topic[offset]] = done = offset
                    done += 1
                owing.note(ONE, offset, "ada", topic[offset] * HOUR_MS)
            elif what < 0.7:
                for person, hour in owing.begin():
                    assert person == "ada"
                    rows[hour // HOUR_MS] = stored[hour // HOUR_MS]
                (owing.failed if rng.random() < 0.2 else owing.done)()
            elif what < 0.8:
                await positions.commit({ONE: done}, owing.firsts())
            elif what < 0.9 and len(owing) < 2:
                for part, offset in list(owing.dropped.items()):
                    positions.rewind(part, offset)
                    del owing.dropped[part]
        return positions, owing

    async def run():
        for _ in range(6):
            await live(last=False)
        positions, owing = await live(last=True)
        await positions.commit({}, owing.firsts())

    asyncio.run(run())
    last = {hour: offset for offset, hour in enumerate(topic)}

    assert stored == last
    assert rows == last
    assert consumer.group[ONE] == (len(topic), "")
