"""A store that comes back is used within seconds, whatever went before; on real Kafka and InfluxDB, a proxy between."""

import asyncio
import time

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from stream import topics
from stream.health import Metrics
from stream.sink import CLOSED, Sink
from tests.flow.proxy import Proxy
from tests.flow.sinks import influx_sink
from tests.flow.test_sink_faults import estimate

EACH, AWAY_S, WITHIN_S = 300, 8.0, 12.0
# What the proxy does, one after the other, before it lets everything pass.
OUTAGES = {
    "away when the sink starts": ["cut"],
    "stopped": ["cut"],
    "hangs": ["hang"],
    "asks for five minutes, and is started anew": ["busy", "cut"],
}


async def run(settings, proxy):
    metrics, told = Metrics(), {}
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    sink, sent = None, 0
    try:
        for outage, modes in OUTAGES.items():
            for mode in modes:
                proxy.mode = mode
                sink = sink or asyncio.ensure_future(Sink(settings, metrics).run())
                for number in range(sent, sent + EACH):
                    document = estimate(number)
                    await producer.send(
                        topics.ESTIMATE, orjson.dumps(document), key=document["person"].encode()
                    )
                sent += EACH
                await producer.flush()
                await asyncio.sleep(AWAY_S)
            state = metrics.get("twin_sink_state")
            proxy.mode, began = "pass", time.monotonic()
            while metrics.get("twin_sink_rows_total", outcome="stored") < sent and not sink.done():
                await asyncio.sleep(0.05)
                if time.monotonic() - began > 120:
                    break
            told[outage] = state, time.monotonic() - began
    finally:
        sink.cancel()
        await asyncio.gather(sink, return_exceptions=True)
        await producer.stop()
    return told


@pytest.fixture(scope="module")
def told(kafka, influx2):
    with Proxy(influx2.port) as proxy:
        settings = influx_sink(
            kafka, influx2, "returns", partitions=2, influx_url=f"http://127.0.0.1:{proxy.port}"
        )
        asyncio.run(topics.create_missing(settings))
        return asyncio.run(run(settings, proxy))


@pytest.mark.parametrize("outage", OUTAGES)
def test_everything_is_stored_within_seconds_of_its_return(told, outage):
    state, took = told[outage]

    assert took < WITHIN_S
    assert state != CLOSED or outage == "hangs", "a request that hangs has not failed yet"
