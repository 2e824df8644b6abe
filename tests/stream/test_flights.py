"""Batches whose outputs are on their way at once: in order, bounded, and never waiting for what waits for them."""

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest

from stream.announcing import Announcer
from stream.cohort import Cohort
from stream.flights import MOST, Flights
from stream.health import Metrics
from stream.table import TwinTable

SECONDS = 5.0


def test_outputs_are_handed_over_and_acknowledged_in_the_order_of_the_batches():
    async def scene():
        flights, said, answers = Flights(), [], [asyncio.get_running_loop().create_future() for _ in range(2)]

        def batch(number):
            async def hand_over():
                await asyncio.sleep(0.01 * (2 - number))  # the first takes longer
                said.append(f"handed {number}")
                return [answers[number]]

            async def then():
                said.append(f"acknowledged {number}")

            flights.depart(0, hand_over, then)

        batch(0)
        batch(1)
        await asyncio.sleep(0.06)
        answers[1].set_result(None)  # the broker answers the second first
        await asyncio.sleep(0.01)
        said.append("first answer")
        answers[0].set_result(None)
        await flights.land(0)
        return said, flights.last(0)

    said, left = asyncio.run(scene())

    assert said == ["handed 0", "handed 1", "first answer", "acknowledged 0", "acknowledged 1"]
    assert left == []


def test_no_more_than_a_few_are_on_their_way():
    async def scene():
        flights, answer = Flights(), asyncio.get_running_loop().create_future()

        async def hand_over():
            return [answer]

        for _ in range(MOST):
            await asyncio.wait_for(flights.room(0), SECONDS)
            flights.depart(0, hand_over)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flights.room(0), 0.05)
        await asyncio.wait_for(flights.room(1), SECONDS)  # of another partition
        answer.set_result(None)
        await asyncio.wait_for(flights.room(0), SECONDS)

    asyncio.run(scene())


def test_what_fails_on_its_way_ends_the_process(monkeypatch):
    ended = []
    monkeypatch.setattr("stream.flights.os._exit", ended.append)

    async def scene():
        flights, acknowledged = Flights(), []

        async def hand_over():
            raise OSError("gone")

        async def then():
            acknowledged.append(1)

        flights.depart(0, hand_over, then)
        await asyncio.sleep(0.02)
        return acknowledged

    assert asyncio.run(scene()) == []
    assert ended == [70]


class Broker:
    """Notes what is written, in its order."""

    def __init__(self):
        self.written = []

    def create_batch(self):
        batch = SimpleNamespace(keys=[], close=lambda: None)
        batch.append = lambda timestamp, key, value: batch.keys.append(key) or True
        return batch

    async def send_batch(self, batch, _topic, partition):
        await asyncio.sleep(0.01)
        self.written += batch.keys
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(SimpleNamespace(offset=len(self.written) - len(batch.keys)))
        return answer

    async def hasten(self, records):
        await asyncio.sleep(0.01)
        self.written += [b"alert " + key for _, key, _, _ in records]


def table_before(broker):
    """A table without Faust, whose changelog is the broker."""
    table = TwinTable.__new__(TwinTable)
    table.cohorts, table.offsets, table.writing, table.turns = {0: Cohort()}, {}, Counter(), {}
    table.app = SimpleNamespace(producer=SimpleNamespace(changelog=broker))
    return table, broker


def alert_of(person):
    return {"person": person, "rule": "low_glucose", "state": "active", "alert_id": person}


def test_state_waits_for_alerts_that_were_before_it_and_they_never_for_it(monkeypatch):
    """State that is written between an alert's opening and its book's writing once waited for that alert, and was waited for."""
    monkeypatch.setattr(TwinTable, "changelog_topic_name", "changelog", raising=False)

    async def scene():
        (table, broker), flights = table_before(Broker()), Flights()
        announcer, cohort = Announcer(table, broker, Metrics()), table.cohorts[0]
        sent = []
        for person in ("ada", "bob", "cyd"):
            cohort.twin(person).touched = True
            going = announcer.announce(0, [alert_of(person)])

            async def hand_over(going=going):
                return going

            flights.depart(0, hand_over)
            sent.append(table.write(0, [person], flights.last(0)))
        await asyncio.wait_for(asyncio.gather(*(table.arrived(one) for one in sent)), SECONDS)
        return broker.written

    assert asyncio.run(scene()) == [
        key
        for name in (b"ada", b"bob", b"cyd")
        for key in (b"a|" + name, b"alert " + name, b"a|" + name, b"t|" + name)
    ]


def test_a_book_on_its_way_is_no_cut_checkpoint_and_state_is(monkeypatch):
    """An alert that was being announced when a checkpoint began once ended the worker."""
    monkeypatch.setattr(TwinTable, "changelog_topic_name", "changelog", raising=False)

    async def scene():
        table, broker = table_before(Broker())
        announcer = Announcer(table, broker, Metrics())
        table.cohorts[0].twin("ada").touched = True
        going = announcer.announce(0, [alert_of("ada")])
        seen = [table.cut(0)]
        sent = table.write(0, ["ada"])
        seen.append(table.cut(0))
        await asyncio.gather(*going, table.arrived(sent))
        return [*seen, table.cut(0)]

    assert asyncio.run(scene()) == [False, True, False]
