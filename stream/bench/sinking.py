"""`twin bench sink`: estimates into a real InfluxDB through our lanes, beside influxdb-client's batching and ready bytes.

All write the same rows, in turns, into one bucket, and are done when the server has said so of the last one. What each
has stored is counted by the server: a client that drops a batch is not fast.
"""

import asyncio
import contextlib
import gzip
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from influxdb_client import InfluxDBClient, Point, WriteOptions

from connectors.errors import Unavailable
from connectors.stores.influx import STORED, InfluxStore
from connectors.stores.lines import estimate_lines, spread_fields
from stream.breaker import Breaker
from stream.lanes import Item, Lanes
from stream.settings import Settings

STATES, PARAMETERS, PEOPLE, LINES = 30, 20, 500, 5000
BUSY, AGAIN_S = 429, 0.2  # the server cannot now; whoever posts waits so long
BEGIN_MS = 1_795_392_000_000
Documents = list[dict[str, Any]]


class Target(SimpleNamespace):
    """Where to write: url, token, org, bucket, width."""


def documents(count: int, turn: int) -> Documents:
    """Estimates of the size of the twin's own, of PEOPLE people, at times of their own in each turn."""
    rng = random.Random(turn)  # noqa: S311

    def spread(name: str, count: int) -> dict[str, dict[str, float]]:
        return {f"{name}_{i}": {"mean": rng.uniform(1, 200), "sd": rng.uniform(0.1, 9)} for i in range(count)}

    patterns = [(spread("state", STATES), spread("parameter", PARAMETERS)) for _ in range(50)]
    found = []
    for i in range(count):
        state, parameter = patterns[i % len(patterns)]
        at = BEGIN_MS + 60_000 * (turn * 10_000 + i // PEOPLE)
        found.append({
            "schema": "estimate/1", "person": f"p-{i % PEOPLE}", "time": at, "made_from": 2, "lag_s": 0.0, "late_readings": 0,
            "state": state, "parameter": parameter, "surprise": {"heart_rate": 0.5}, "observed": {"heart_rate": 61.0},
            "probability": {}, "outlook": [],
        })  # fmt: skip
    return found


async def lanes(target: Target, found: Documents) -> None:
    """Ours: from documents to the last acknowledgement."""
    store = InfluxStore(target.url, target.token, target.org, target.bucket)
    breaker = Breaker("bench", target.width)

    async def write(_: str, items: Sequence[Item]) -> None:
        some = [item.document for item in items if item.document is not None]
        if refused := await breaker.persist(lambda: store.write(some, [])):
            raise Unavailable(f"{len(refused)} refused: {refused[0].reason}")

    queues = Lanes(write, target.width, 64 << 20)
    queues.start()
    try:
        for offset, document in enumerate(found):
            if offset % 100 == 0:
                await queues.room()
            queues.put(
                Item(0, SimpleNamespace(offset=offset, value=b"x" * 5000, timestamp=0), "estimate", document)
            )
        if not await queues.idle(600):
            raise Unavailable("not written within ten minutes")
        for task in queues.tasks:
            if task.done():
                task.result()
    finally:
        await queues.stop()
        await store.close()


def ready(found: Documents) -> list[bytes]:
    """Compressed bodies of LINES lines."""
    texts = [text for document in found for text in estimate_lines(document)]
    return [
        gzip.compress("\n".join(texts[at : at + LINES]).encode(), 1) for at in range(0, len(texts), LINES)
    ]


async def post(target: Target, bodies: list[bytes]) -> None:
    """Nothing but HTTP."""
    headers = {"Authorization": f"Token {target.token}", "Content-Encoding": "gzip"}
    address = f"{target.url}/api/v2/write?org={target.org}&bucket={target.bucket}&precision=ms"
    gate = asyncio.Semaphore(target.width)
    async with aiohttp.ClientSession(headers=headers) as session:

        async def one(body: bytes) -> None:
            async with gate:
                while True:
                    async with session.post(address, data=body) as answer:
                        if answer.status == STORED:
                            return
                        if answer.status < BUSY:
                            raise Unavailable(f"HTTP {answer.status} to a raw post")
                    await asyncio.sleep(AGAIN_S)

        await asyncio.gather(*map(one, bodies))


def _client(target: Target, records: Callable[[], Iterator[Any]]) -> None:
    client = InfluxDBClient(target.url, target.token, org=target.org, enable_gzip=True, timeout=60_000)
    options = WriteOptions(batch_size=LINES, flush_interval=1000, max_close_wait=300_000)
    with client, client.write_api(options) as api:
        for record in records():
            api.write(target.bucket, target.org, record, write_precision="ms")


async def client_lines(target: Target, texts: list[str]) -> None:
    """The client's own batching of lines that are ready."""
    await asyncio.to_thread(_client, target, lambda: iter(texts))


async def client_points(target: Target, found: Documents) -> None:
    """The client's own batching of its Points, as its documentation shows it, without the document's text."""

    def points() -> Iterator[Any]:
        for e in found:
            for name, pairs in (("twin_state", e["state"]), ("twin_parameter", e["parameter"])):
                point = Point(name).tag("person_id", e["person"]).time(e["time"], "ms")
                for field, value in spread_fields(pairs).items():
                    point = point.field(field, value)
                yield point

    await asyncio.to_thread(_client, target, points)


CONTENDERS: dict[str, Callable[[Target, Any], Awaitable[None]]] = {
    "ours": lanes, "raw post of ready bytes": post, "client's batching, ready lines": client_lines,
    "client's batching, Points": client_points,
}  # fmt: skip


async def _stored(target: Target, since_ms: int, until_ms: int) -> int:
    store = InfluxStore(target.url, target.token, target.org, target.bucket)
    try:
        total = 0
        for name, field in (("twin_state", "state_0_mean"), ("twin_parameter", "parameter_0_mean")):
            query = f'SELECT count("{field}") FROM {name} WHERE time >= {since_ms}ms AND time <= {until_ms}ms'  # noqa: S608
            total += sum(int(row[1]) for series in await store.ask(query) for row in series["values"])
        return total
    finally:
        await store.close()


async def _turns(
    target: Target, count: int, rounds: int, advance: Callable[[float, float], None]
) -> dict[str, list[dict[str, float]]]:
    figures: dict[str, list[dict[str, float]]] = {}
    turn = 0
    for _ in range(rounds):
        for name, contender in CONTENDERS.items():
            turn += 1
            found = documents(count // 4 if name.endswith("Points") else count, turn)
            given: Any = found
            if name.startswith("raw"):
                given = ready(found)
            elif name.endswith("lines"):
                given = [text for document in found for text in estimate_lines(document)]
            began, used = time.perf_counter(), time.process_time()
            await contender(target, given)
            seconds, cpu = time.perf_counter() - began, time.process_time() - used
            stored = await _stored(target, found[0]["time"], found[-1]["time"])
            figures.setdefault(name, []).append(
                {
                    "points_per_s": stored / seconds,
                    "cpu_us_per_point": 1e6 * cpu / max(stored, 1),
                    "lost": 2 * len(found) - stored,
                }
            )
            advance(turn, 4 * rounds)
    return figures


@contextlib.contextmanager
def server(settings: Settings) -> Iterator[tuple[Target, str]]:
    """The InfluxDB of the settings if they hold a token, else one of our own where the services are built.

    Raises:
        Unavailable: neither is there.

    """
    token = settings.influx_token.get_secret_value()
    if token:
        yield Target(url=settings.influx_url, token=token, org=settings.influx_org, bucket=settings.influx_bucket,
                     width=settings.sink_lanes), settings.influx_url  # fmt: skip
        return
    try:
        from deploy.services.services import Influx2, Missing  # noqa: PLC0415 - only in a checkout
    except ImportError as error:
        raise Unavailable(
            "set TWIN_INFLUX_URL, _TOKEN, _ORG and _BUCKET: `twin bench sink` needs a real InfluxDB"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        try:
            own = Influx2(Path(folder))
        except Missing as error:
            raise Unavailable(f"no InfluxDB: set TWIN_INFLUX_*, or build one: {error}") from error
        own.start()
        try:
            yield (
                Target(
                    url=own.url, token=own.token, org=own.org, bucket=own.bucket, width=settings.sink_lanes
                ),
                "influxd of our own",
            )
        finally:
            own.stop()


def run(
    settings: Settings, count: int, rounds: int, advance: Callable[[float, float], None]
) -> dict[str, Any]:
    """Medians of all rounds, by contender, and what each has stored of what it was given."""
    with server(settings) as (target, where):
        version = asyncio.run(_version(target))
        figures = asyncio.run(_turns(target, count, rounds, advance))
    ours = statistics.median(f["points_per_s"] for f in figures["ours"])
    rows = [
        {"what": name, "points_per_s": round(statistics.median(f["points_per_s"] for f in found)),
         "cpu_us_per_point": round(statistics.median(f["cpu_us_per_point"] for f in found), 1),
         "lost": round(sum(f["lost"] for f in found)),
         "ours_over_it": round(ours / statistics.median(f["points_per_s"] for f in found), 2)}
        for name, found in figures.items()
    ]  # fmt: skip
    return {"server": f"InfluxDB {version}, {where}", "documents": count, "points_a_document": 2, "rounds": rounds,
            "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "figures": rows}  # fmt: skip


async def _version(target: Target) -> str:
    store = InfluxStore(target.url, target.token, target.org, target.bucket)
    try:
        return await store.version()
    finally:
        await store.close()
