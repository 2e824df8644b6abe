"""Hourly rows that the store cannot give now hold up no estimate, and are not lost with the sink; on real Kafka."""

import asyncio
import contextlib

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connectors.errors import Unavailable
from connectors.stores.hourly import HOUR_MS
from stream import owing, rolling, topics
from stream.health import Metrics
from stream.settings import Settings
from stream.sink import Sink

PEOPLE, HOURS = 20, 3


class Store:
    """Keeps everything; of hours it says nothing as long as `stuck`."""

    def __init__(self):
        self.stuck, self.rows, self.hours, self.asked = True, {}, set(), 0

    async def open(self):
        """Nothing to do."""

    async def close(self):
        """Nothing to do."""

    async def ping(self):
        return "here"

    async def write(self, estimates, alerts):
        for e in estimates:
            self.rows[e["person"], e["time"]] = self.rows.get((e["person"], e["time"]), 0) + 1
        return []

    async def roll_up(self, touched):
        self.asked += 1
        if self.stuck:
            await asyncio.sleep(0.3)
            raise Unavailable("the query takes too long", 0.0)
        self.hours |= set(touched)
        return []


async def committed(settings):
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(f"{settings.app_id}-sink")
    finally:
        await admin.close()
    return {tp.partition: (o.offset, o.metadata) for tp, o in found.items() if tp.topic == topics.ESTIMATE}


async def until(condition, seconds=40):
    for _ in range(seconds * 10):
        with contextlib.suppress(KafkaError):  # a new broker has no coordinator of the group yet
            if await condition():
                return True
        await asyncio.sleep(0.1)
    return False


async def run(settings, store):
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    ends = {}
    for number in range(PEOPLE * HOURS):
        person = f"owed-{number % PEOPLE}"
        document = {"person": person, "time": HOUR_MS * (number // PEOPLE) + 7, "state": {}}
        sent = await producer.send_and_wait(topics.ESTIMATE, orjson.dumps(document), key=person.encode())
        ends[sent.partition] = sent.offset + 1
    await producer.stop()

    async def all_stored():
        found = await committed(settings)
        return store.asked and {p: found.get(p, (0, ""))[0] for p in ends} == ends

    async def all_told():
        return {p: at for p, at in (await committed(settings)).items() if p in ends} == {
            p: (end, "") for p, end in ends.items()
        }

    told = {}
    first = asyncio.ensure_future(Sink(settings, Metrics()).run())
    told["stored while hours are stuck"] = await until(all_stored)
    told["owed"] = {p: at[1] for p, at in (await committed(settings)).items() if p in ends}
    told["asked"] = store.asked
    first.cancel()  # what it knew is gone
    await asyncio.gather(first, return_exceptions=True)
    told["hours of the first"] = set(store.hours)
    store.stuck = False
    second = asyncio.ensure_future(Sink(settings, Metrics()).run())
    told["committed whole"] = await until(all_told)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    return told


@pytest.fixture(scope="module")
def told(kafka):
    patch = pytest.MonkeyPatch()
    store = Store()
    patch.setattr("stream.sink.open_store", lambda settings: store)
    patch.setattr(
        owing.Owing.__init__, "__defaults__", (owing.MOST_PAIRS, 0.0, *owing.Owing.__init__.__defaults__[2:])
    )
    patch.setattr(rolling, "ROLL_UP_S", 0.2)
    patch.setattr("stream.breaker.LONGEST_PAUSE_S", 0.5)
    settings = Settings(broker=kafka.bootstrap, partitions=4, app_id="owed", roles="sink", store="influx")
    asyncio.run(topics.create_missing(settings))
    found = asyncio.run(run(settings, store))
    patch.undo()
    return found | {"store": store}


def test_estimates_are_acknowledged_while_the_store_cannot_give_an_hour(told):
    assert told["stored while hours are stuck"]
    assert told["asked"] > 0
    assert told["hours of the first"] == set()


def test_the_offsets_say_from_where_on_hours_are_owed(told):
    assert set(told["owed"].values()) == {"0"}


def test_the_next_sink_writes_the_hours_and_stores_nothing_twice(told):
    wanted = {(f"owed-{person}", HOUR_MS * hour) for person in range(PEOPLE) for hour in range(HOURS)}

    assert told["committed whole"]
    assert told["store"].hours == wanted
    assert set(told["store"].rows.values()) == {1}
