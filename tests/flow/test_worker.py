"""Readings in, twins out, on real Apache Kafka: killed in mid-stream, the same bits."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from connectors.decode import decode
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.cohort import Cohort
from stream.sending import minutes_of
from stream.settings import Settings
from stream.virtual import DEMO, simulate
from stream.warm import warm

PARTITIONS = 2
START_MS = 1_763_600_400_000


@pytest.fixture(scope="module")
def settings(kafka, tmp_path_factory):
    warm()
    folder = tmp_path_factory.mktemp("worker")
    made = Settings(
        broker=kafka.bootstrap,
        partitions=PARTITIONS,
        data_dir=folder,
        sqlite_path=folder / "t.sqlite",
        app_id="flow",
    )
    asyncio.run(topics.create_missing(made))
    return made


def started(settings, **more):
    """A worker process; its log is appended to."""
    environment = (
        os.environ
        | {
            "TWIN_BROKER": settings.broker,
            "TWIN_PARTITIONS": str(PARTITIONS),
            "TWIN_APP_ID": settings.app_id,
            "TWIN_DATA_DIR": str(settings.data_dir),
            "TWIN_SQLITE_PATH": str(settings.sqlite_path),
            "TWIN_CHECKPOINT_S": "1",
            "TWIN_SESSION_TIMEOUT_S": "2",
            "TWIN_HEARTBEAT_S": "0.5",
            "TWIN_SILENT_AFTER_MIN": "100000000",
        }
        | more
    )
    with (settings.data_dir / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stream.commands", "worker"],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=settings.data_dir,
        )


async def send(settings, records):
    await post(settings, topics.READING, records)


async def post(settings, topic, records):
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    for person, value in records:
        await producer.send_and_wait(topic, value, key=person.encode())
    await producer.stop()


async def everything(settings, topic):
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, auto_offset_reset="earliest")
    await consumer.start()
    parts = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    consumer.assign(parts)
    ends = await consumer.end_offsets(parts)
    found = []
    while any([await consumer.position(p) < ends[p] for p in parts]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += records
    await consumer.stop()
    return found


def wait_for(settings, person, at_ms, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        latest = asyncio.run(latest_of(settings))
        if any(e["person"] == person and e["time"] >= at_ms for e in latest):
            return
        time.sleep(0.5)
    pytest.fail((settings.data_dir / "worker.log").read_text()[-3000:])


async def latest_of(settings):
    store = SqliteStore(settings.sqlite_path)
    try:
        return await store.latest()
    finally:
        await store.close()


def test_a_killed_worker_leaves_the_same_twins_and_loses_nothing(settings):
    readings, _ = simulate(DEMO[0], START_MS, 0.25)
    batches = [batch for _, found in minutes_of(readings, 600) for batch in found]
    whole = Cohort()  # of what is sent: it names a source, which the readings themselves do not
    whole.apply(decode([value for _, value in batches], [None] * len(batches), int(readings.time_ms.max())))
    third = len(batches) // 3
    process = started(settings)
    try:
        asyncio.run(send(settings, batches[:third]))
        wait_for(settings, DEMO[0].name, START_MS)
        asyncio.run(send(settings, batches[third : 2 * third]))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        asyncio.run(send(settings, [(DEMO[0].name, b"[not json"), *batches[2 * third :], batches[0]]))
        process = started(settings)
        wait_for(settings, DEMO[0].name, int(readings.time_ms.max()))
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
    restored = Cohort()
    for record in asyncio.run(everything(settings, topics.changelog(settings))):
        restored.restore(record.key, record.value)
    restored.finish_restore()
    name = DEMO[0].name
    letters = [
        letter
        for letter in asyncio.run(everything(settings, topics.dead_letters(topics.READING)))
        if letter.key == name.encode()
    ]
    published = asyncio.run(everything(settings, topics.ESTIMATE))
    reported = {orjson.loads(r.value)["time"] for r in published if r.key == name.encode()}

    assert json.dumps(restored.twin_json(name)) == json.dumps(whole.twin_json(name))
    assert len(restored.twins[name].journal) == len(readings)
    assert {dict(r.headers)["x-error-class"] for r in letters} == {b"unparseable"}
    assert letters[0].value == b"[not json"
    assert {int(t) for t in np.unique(readings.time_ms)} == reported
