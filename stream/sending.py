"""Publish a table of readings, in event order, at a pace."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from connectors.columns import Decoded
from connectors.decode import encode_batch
from connectors.errors import Unavailable
from connectors.table import read_table
from stream import topics
from stream.settings import Settings

STEP_S = 60  # readings of one minute and person travel together
FULL_SPEED_STEP_S = 3600


def minutes_of(table: Decoded, step_s: int) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Slices of event time: its start [ms] and a readings/1 batch for every person in it."""
    order = np.lexsort((table.person, table.time_ms // (step_s * 1000)))
    slot = table.time_ms[order] // (step_s * 1000)
    for part in np.split(order, np.flatnonzero(np.diff(slot)) + 1):
        if not len(part):
            continue
        people: dict[int, list[int]] = {}
        for row in part.tolist():
            people.setdefault(int(table.person[row]), []).append(row)
        batches = [
            (table.persons[who], encode_batch(table.persons[who], table, rows, "table"))
            for who, rows in people.items()
        ]
        yield int(table.time_ms[part[0]]), batches


async def send_table(settings: Settings, path: Path, target: str, speed: float) -> dict[str, Any]:
    """Send it; returns what was sent. Raises TableError before anything is sent, Unavailable when nobody takes it."""
    table = read_table(path)
    began = time.monotonic()
    sent = {"readings": len(table), "refused": len(table.refused), "messages": 0, "seconds": 0.0}
    first: int | None = None
    step = STEP_S if speed > 0 else FULL_SPEED_STEP_S

    async def pace(at_ms: int) -> None:
        nonlocal first
        first = at_ms if first is None else first
        if speed > 0:
            await asyncio.sleep(max(0.0, began + (at_ms - first) / 1000.0 / speed - time.monotonic()))

    if target == "kafka":
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker, enable_idempotence=not settings.embedded,
                                    linger_ms=5, max_request_size=16_777_216)  # fmt: skip
        await producer.start()
        try:
            for at_ms, batches in minutes_of(table, step):
                await pace(at_ms)
                for person, value in batches:
                    await producer.send(topics.READING, value, key=person.encode())
                    sent["messages"] += 1
        finally:
            await producer.stop()
    else:
        url = f"http://{settings.gateway_host}:{settings.gateway_port}/v1/readings"
        key = settings.vendor_keys.get("readings")
        headers = {"Authorization": f"Bearer {key.get_secret_value() if key else ''}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for at_ms, batches in minutes_of(table, step):
                await pace(at_ms)
                body = orjson.dumps([orjson.loads(value) for _, value in batches])
                async with session.post(url, data=body) as answer:
                    if answer.status != 202:
                        raise Unavailable(f"{url}: HTTP {answer.status}", 1.0)
                sent["messages"] += 1
    sent["seconds"] = round(time.monotonic() - began, 3)
    return sent
