"""The sink behind a network that misbehaves, on real Kafka and InfluxDB: it waits, says so, and every row arrives."""

import asyncio

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from connectors.stores import influx
from connectors.stores.influx import InfluxStore
from stream import topics
from stream.health import Metrics
from stream.sink import CLOSED, Sink
from tests.flow.proxy import Proxy
from tests.flow.sinks import influx_sink
from tests.flow.test_worker import everything

FAULTS = ("latency", "bandwidth", "cut", "reset", "hang", "garbage", "page", "refusal")
HARD = FAULTS[2:]  # nothing can be stored in these
EACH = 150
START_MS = 1_763_600_400_000
MARK = 123.456


def estimate(number):
    return {"schema": "estimate/1", "person": f"proxy-{number % 7}", "time": START_MS + 60_000 * number, "made_from": 1,
            "lag_s": 0.0, "state": {"glucose": {"mean": MARK, "sd": 1.0}}, "parameter": {}, "surprise": {},
            "observed": {}, "probability": {}, "outlook": []}  # fmt: skip


async def run(settings, proxy, told):
    metrics = Metrics()
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    sink = asyncio.ensure_future(Sink(settings, metrics).run())
    try:
        for position, fault in enumerate(FAULTS):
            proxy.mode = fault
            for number in range(EACH * position, EACH * (position + 1)):
                document = estimate(number)
                await producer.send(topics.ESTIMATE, orjson.dumps(document), key=document["person"].encode())
            await producer.flush()
            for _ in range(80):
                await asyncio.sleep(0.1)
                if fault not in HARD or metrics.get("twin_sink_state") != CLOSED:
                    break
            told[fault] = (
                metrics.get("twin_sink_state"),
                metrics.get("twin_sink_rows_total", outcome="stored"),
            )
            proxy.mode = "pass"
            for _ in range(400):
                if metrics.get("twin_sink_rows_total", outcome="stored") >= EACH * (position + 1):
                    break
                await asyncio.sleep(0.1)
        told["metrics"] = metrics
    finally:
        sink.cancel()
        await asyncio.gather(sink, return_exceptions=True)
        await producer.stop()


@pytest.fixture(scope="module")
def told(kafka, influx2):
    patch = pytest.MonkeyPatch()
    patch.setattr(influx, "TIMEOUT", aiohttp.ClientTimeout(total=1.5, connect=1.0))
    patch.setattr("connectors.stores.answers.CONFIGURATION_PAUSE_S", 0.5)
    patch.setattr(influx, "CONFIGURATION_PAUSE_S", 0.5)
    patch.setattr("stream.breaker.LONGEST_PAUSE_S", 1.0)
    found = {}
    with Proxy(influx2.port) as proxy:
        settings = influx_sink(
            kafka, influx2, "faults", partitions=2, influx_url=f"http://127.0.0.1:{proxy.port}"
        )
        asyncio.run(topics.create_missing(settings))
        asyncio.run(run(settings, proxy, found))
    patch.undo()
    found["settings"] = settings

    async def rows():
        store = InfluxStore(influx2.url, influx2.token, influx2.org, influx2.bucket)
        try:
            return [e for n in range(7) for e in await store.states(f"proxy-{n}", 0, 2**62)]
        finally:
            await store.close()

    found["rows"] = asyncio.run(rows())
    return found


@pytest.mark.parametrize("fault", HARD)
def test_while_nothing_can_be_stored_the_breaker_is_not_closed(told, fault):
    assert told[fault][0] != CLOSED


def test_afterwards_every_row_is_there_once(told):
    expected = {(e["person"], e["time"]): e for e in map(estimate, range(EACH * len(FAULTS)))}

    assert len(told["rows"]) == len(expected)
    assert {(e["person"], e["time"]): e for e in told["rows"]} == expected


def test_no_row_was_condemned_by_somebody_between(told):
    letters = asyncio.run(everything(told["settings"], topics.dead_letters(topics.ESTIMATE)))

    assert [r for r in letters if r.key and r.key.startswith(b"proxy-")] == []
    assert told["metrics"].get("twin_sink_retries_total") >= len(HARD)
