"""Publish a table of readings, in event order, at a pace."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import orjson

from connectors.columns import Decoded
from connectors.decode import encode_batch
from connectors.errors import Unavailable
from connectors.table import read_table
from stream import topics
from stream.producing import started_producer
from stream.settings import Settings

STEP_S = 60  # readings of one minute and person travel together
FULL_SPEED_STEP_S = 3600
IN_FLIGHT = 2000  # records that the broker has not confirmed yet
Batches = list[tuple[str, bytes]]
Deliver = Callable[[Batches], Awaitable[int]]


def minutes_of(table: Decoded, step_s: int) -> Iterator[tuple[int, Batches]]:
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


@asynccontextmanager
async def _kafka(settings: Settings) -> AsyncIterator[Deliver]:
    waiting: list[Any] = []

    async def confirmed() -> None:
        await asyncio.gather(*waiting)
        waiting.clear()

    async with started_producer(settings) as producer:

        async def deliver(batches: Batches) -> int:
            for person, value in batches:
                waiting.append(await producer.send(topics.READING, value, key=person.encode()))
            if len(waiting) >= IN_FLIGHT:
                await confirmed()
            return 0

        yield deliver
        await confirmed()


@asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[Deliver]:
    url = f"http://{settings.gateway_host}:{settings.gateway_port}/v1/readings"
    key = settings.vendor_keys.get("readings")
    headers = {"Authorization": f"Bearer {key.get_secret_value() if key else ''}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def deliver(batches: Batches) -> int:
            body = orjson.dumps([orjson.loads(value) for _, value in batches])
            try:
                async with session.post(url, data=body) as answer:
                    if answer.status == 401:
                        raise Unavailable(f"{url}: wrong key: set TWIN_VENDOR_KEYS, readings", 1.0)
                    if answer.status != 202:
                        raise Unavailable(f"{url}: HTTP {answer.status}", 1.0)
                    return len((await answer.json())["refused"])
            except aiohttp.ClientConnectionError as error:
                raise Unavailable(f"no gateway at {url}: start `twin gateway`", 1.0) from error

        yield deliver


async def send_table(
    settings: Settings, path: Path, target: str, speed: float,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> dict[str, Any]:  # fmt: skip
    """Send it; returns what was sent, when all is confirmed. `progress` hears of readings done, of how many.

    Raises:
        TableError: before anything is sent.
        Unavailable: nobody takes it.

    """
    table = read_table(path)
    began = time.monotonic()
    sent = {"readings": len(table), "refused": len(table.refused), "messages": 0, "seconds": 0.0}
    first: int | None = None
    times = np.sort(table.time_ms)
    async with (_kafka if target == "kafka" else _gateway)(settings) as deliver:
        for at_ms, batches in minutes_of(table, STEP_S if speed > 0 else FULL_SPEED_STEP_S):
            first = at_ms if first is None else first
            if speed > 0:
                await asyncio.sleep(max(0.0, began + (at_ms - first) / 1000.0 / speed - time.monotonic()))
            sent["refused"] += await deliver(batches)
            sent["messages"] += len(batches) if target == "kafka" else 1
            progress(int(np.searchsorted(times, at_ms, side="right")), len(table))
    progress(len(table), len(table))
    sent["seconds"] = round(time.monotonic() - began, 3)
    return sent
