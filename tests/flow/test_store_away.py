"""InfluxDB is stopped in mid-stream: the twins go on, the sink waits, catches up, and loses nothing."""

import asyncio
import dataclasses
import os
import subprocess
import sys
import time

import numpy as np
import orjson
import pytest

from connectors.stores.influx import InfluxStore
from stream import topics
from stream.sending import minutes_of
from stream.settings import Settings
from stream.virtual import DEMO, simulate
from stream.warm import warm
from tests.flow.test_worker import PARTITIONS, START_MS, everything, post

WHO = dataclasses.replace(DEMO[1], name="bella")
POISON = [
    b"{not json",
    b"[1]",
    b'{"person": "bella"}',
    b'{"person": "p", "time": 1, "state": {"glucose": 5}}',
]


def rows(server):
    async def ask():
        store = InfluxStore(server.url, server.token, server.org, server.bucket)
        try:
            return await store.states(WHO.name, 0, 2**62)
        finally:
            await store.close()

    return asyncio.run(ask())


def published(settings):
    found = asyncio.run(everything(settings, topics.ESTIMATE))
    return {e["time"]: e for e in (orjson.loads(r.value) for r in found if r.key == WHO.name.encode())}


def until(condition, seconds, log):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(log.read_text()[-3000:])
        time.sleep(0.3)


@pytest.fixture(scope="module")
def told(kafka, influx2, tmp_path_factory):
    """What was seen at each stage."""
    warm()
    folder = tmp_path_factory.mktemp("away")
    settings = Settings(broker=kafka.bootstrap, partitions=PARTITIONS, app_id="away")
    asyncio.run(topics.create_missing(settings))
    readings, _ = simulate(WHO, START_MS, 0.125)
    ticks = {int(t) for t in np.unique(readings.time_ms)}
    batches = [batch for _, found in minutes_of(readings, 600) for batch in found]
    third = len(batches) // 3
    middle = max(orjson.loads(batches[2 * third - 1][1])["time"])
    log = folder / "log"
    environment = os.environ | {
        "TWIN_BROKER": kafka.bootstrap,
        "TWIN_PARTITIONS": str(PARTITIONS),
        "TWIN_APP_ID": "away",
        "TWIN_DATA_DIR": str(folder),
        "TWIN_STORE": "influx",
        "TWIN_INFLUX_URL": influx2.url,
        "TWIN_INFLUX_TOKEN": influx2.token,
        "TWIN_INFLUX_ORG": influx2.org,
        "TWIN_INFLUX_BUCKET": influx2.bucket,
        "TWIN_SILENT_AFTER_MIN": "100000000",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream.commands", "worker"],
            env=environment,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            cwd=folder,
        )
    try:
        asyncio.run(post(settings, topics.READING, batches[:third]))
        until(lambda: rows(influx2), 60, log)
        influx2.stop()
        asyncio.run(post(settings, topics.READING, batches[third : 2 * third]))
        asyncio.run(post(settings, topics.ESTIMATE, [("poison", value) for value in POISON]))
        until(lambda: middle in published(settings), 30, log)
        until(lambda: "waiting" in log.read_text(), 30, log)
        stopped = influx2.process.poll() is not None
        influx2.start()
        asyncio.run(post(settings, topics.READING, batches[2 * third :]))
        until(lambda: ticks <= {e["time"] for e in rows(influx2)}, 60, log)
        letters = asyncio.run(everything(settings, topics.dead_letters(topics.ESTIMATE)))
        yield {
            "stopped": stopped,
            "ticks": ticks,
            "rows": rows(influx2),
            "published": published(settings),
            "letters": [r for r in letters if r.value in POISON],
            "log": log.read_text(),
        }
    finally:
        process.terminate()
        process.wait(20)
        if influx2.process.poll() is not None:
            influx2.start()


def test_the_twins_go_on_while_the_store_is_away(told):
    assert told["stopped"]
    assert set(told["published"]) == told["ticks"]


def test_the_sink_waits_and_then_every_row_is_there(told):
    assert "waiting" in told["log"]
    assert told["rows"] == [told["published"][t] for t in sorted(told["ticks"])]


def test_what_no_store_can_keep_is_a_dead_letter_with_its_reason(told):
    found = {r.value: dict(r.headers) for r in told["letters"]}

    assert [found[value]["x-error-class"] for value in POISON] == [
        b"unparseable",
        b"schema_invalid",
        b"sink_rejected",
        b"sink_rejected",
    ]
    assert all(h["x-original-topic"] == b"estimate.v1" for h in found.values())


def test_no_one_is_named_in_the_log(told):
    assert WHO.name not in told["log"]
