"""Sinks that come and go in mid-stream, on real Kafka and InfluxDB: the last version of every row stays, offsets fit."""

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from connectors.stores.influx import InfluxStore
from stream import topics
from stream.health import Metrics
from stream.sink import Sink
from tests.flow.sinks import influx_sink

PEOPLE, TIMES, VERSIONS = 30, 4, 60
START_MS = 1_763_600_400_000


def estimate(person, at, version):
    return {"schema": "estimate/1", "person": f"moves-{person}", "time": START_MS + 60_000 * at, "made_from": version,
            "lag_s": 0.0, "late_readings": 0, "state": {"glucose": {"mean": 100.0 + version, "sd": 1.0}}, "parameter": {},
            "surprise": {}, "observed": {}, "probability": {}, "outlook": []}  # fmt: skip


async def run(settings, influx2):
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    sinks = []

    def join():
        sinks.append(asyncio.ensure_future(Sink(settings, Metrics()).run()))

    async def leave():
        task = sinks.pop(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    join()
    for version in range(1, VERSIONS + 1):
        for person in range(PEOPLE):
            for at in range(TIMES):
                document = estimate(person, at, version)
                await producer.send(topics.ESTIMATE, orjson.dumps(document), key=document["person"].encode())
        await producer.flush()
        await asyncio.sleep(0.15)
        if version in (15, 35):
            join()
        if version in (25, 45):
            await leave()
    await producer.stop()
    store = InfluxStore(influx2.url, influx2.token, influx2.org, influx2.bucket)
    for _ in range(120):
        rows = [e for person in range(PEOPLE) for e in await store.states(f"moves-{person}", 0, 2**62)]
        if len(rows) == PEOPLE * TIMES and all(e["made_from"] == VERSIONS for e in rows):
            break
        await asyncio.sleep(0.5)
    while sinks:
        await leave()
    own = await store.ask("SELECT * FROM twin_sink")
    await store.close()
    return rows, own


async def standing(settings):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=f"{settings.app_id}-sink", enable_auto_commit=False
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topics.ESTIMATE, number) for number in range(settings.partitions)]
        ends = await consumer.end_offsets(parts)
        return {part.partition: (await consumer.committed(part) or 0, ends[part]) for part in parts}
    finally:
        await consumer.stop()


@pytest.fixture(scope="module")
def told(kafka, influx2):
    settings = influx_sink(kafka, influx2, "moves", partitions=4, worker_name="mover")
    asyncio.run(topics.create_missing(settings))
    rows, own = asyncio.run(run(settings, influx2))
    return rows, own, asyncio.run(standing(settings))


def test_the_last_version_of_every_row_stays(told):
    found = {(e["person"], e["time"]): e for e in told[0]}
    wanted = [estimate(person, at, VERSIONS) for person in range(PEOPLE) for at in range(TIMES)]

    assert found == {(e["person"], e["time"]): e for e in wanted}


def test_a_sink_that_is_stopped_hands_in_what_it_holds_and_commits_it(told):
    assert all(committed == end for committed, end in told[2].values()), told[2]


def test_it_tells_of_itself_in_rows_of_its_own(told):
    columns = {name for series in told[1] for name in series["columns"]}
    workers = {
        value for series in told[1] for row in series["values"] for value in row if isinstance(value, str)
    }

    assert {"twin_sink_queued_bytes", "twin_sink_lag_seconds"} <= columns
    assert "mover" in workers
