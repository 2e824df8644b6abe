"""What-if from a running worker: the twin that it wrote last, over Kafka, with nothing written."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from connectors.errors import Unavailable
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.cohort import Cohort
from stream.outlook import OutlookError
from stream.outlook_run import outlook
from stream.outlook_source import Heads
from stream.producing import started_producer
from stream.sending import minutes_of
from stream.settings import Settings
from stream.virtual import DEMO, simulate

PARTITIONS = 2
START_MS = 1_763_600_400_000
WANTED = {"meal": ["60@+20min"], "exercise": ["20min@6met"]}


@pytest.fixture(scope="module")
def settings(kafka, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    made = Settings(
        broker=kafka.bootstrap, partitions=PARTITIONS, data_dir=folder, sqlite_path=folder / "t.sqlite", app_id="ahead"
    )  # fmt: skip
    asyncio.run(topics.create_missing(made))
    return made


@pytest.fixture(scope="module")
def environment(settings):
    return os.environ | {
        "TWIN_BROKER": settings.broker, "TWIN_PARTITIONS": str(PARTITIONS), "TWIN_APP_ID": settings.app_id,
        "TWIN_DATA_DIR": str(settings.data_dir), "TWIN_SQLITE_PATH": str(settings.sqlite_path),
        "TWIN_CHECKPOINT_S": "1", "TWIN_SILENT_AFTER_MIN": "100000000",
    }  # fmt: skip


@pytest.fixture(scope="module")
def readings():
    return {person.name: simulate(person, START_MS, 0.1)[0] for person in DEMO}


@pytest.fixture
def worker(settings, environment, readings):
    with (settings.data_dir / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream.commands", "worker"], env=environment, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, cwd=settings.data_dir,
        )  # fmt: skip
    try:
        asyncio.run(send(settings, readings))
        wait(settings, {name: int(found.time_ms.max()) for name, found in readings.items()})
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def send(settings, readings):
    async with started_producer(settings) as producer:
        for table in readings.values():
            for _, batches in minutes_of(table, 600):
                for person, value in batches:
                    await producer.send_and_wait(topics.READING, value, key=person.encode())


def wait(settings, until):
    end = time.monotonic() + 90
    while time.monotonic() < end:
        latest = {e["person"]: e["time"] for e in asyncio.run(stored(settings))}
        if all(latest.get(name, 0) >= at_ms // 60_000 * 60_000 for name, at_ms in until.items()):
            time.sleep(3)  # the checkpoint follows within a second
            return
        time.sleep(0.5)
    pytest.fail((settings.data_dir / "worker.log").read_text()[-3000:])


async def stored(settings):
    store = SqliteStore(settings.sqlite_path)
    try:
        return await store.latest()
    finally:
        await store.close()


async def ends(settings):
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker)
    await consumer.start()
    names = (topics.changelog(settings), topics.READING, topics.ESTIMATE, topics.COMMAND)
    found = await consumer.end_offsets([TopicPartition(n, p) for n in names for p in range(PARTITIONS)])
    await consumer.stop()
    return found


def test_a_running_workers_twin_is_looked_ahead_from_and_nothing_is_written(
    settings, environment, readings, worker
):
    before = asyncio.run(ends(settings))
    documents = {}
    for name in readings:
        done = subprocess.run(
            [sys.executable, "-m", "stream.commands", "outlook", name, "--meal", "60@+20min", "--exercise", "20min@6met",
             "--hours", "1", "--json"],
            env=environment, capture_output=True, text=True, check=False, cwd=settings.data_dir,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        documents[name] = json.loads(done.stdout)
    whole = Cohort()
    for found in readings.values():
        whole.apply(found)

    assert documents == {name: outlook(name, whole.twins[name].head.record, WANTED, 1.0) for name in readings}
    assert asyncio.run(ends(settings)) == before
    assert worker.poll() is None

    heads = Heads(settings)
    first = asyncio.run(heads.record(DEMO[0].name))
    again = asyncio.run(heads.record(DEMO[0].name))  # read by its place: nothing is new
    other = asyncio.run(heads.record(DEMO[1].name))

    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert outlook(DEMO[1].name, other, WANTED, 1.0) == documents[DEMO[1].name]
    with pytest.raises(OutlookError, match="no twin of that name"):
        asyncio.run(heads.record("nobody"))


def test_a_group_that_never_ran_is_named(settings):
    with pytest.raises(OutlookError, match="no worker with TWIN_APP_ID=elsewhere has run here"):
        asyncio.run(Heads(settings.model_copy(update={"app_id": "elsewhere"})).record("ada"))


def test_no_broker_is_said(settings):
    with pytest.raises(Unavailable, match=r"no Kafka at 127.0.0.1:1"):
        asyncio.run(Heads(settings.model_copy(update={"broker": "127.0.0.1:1"})).record("ada"))
