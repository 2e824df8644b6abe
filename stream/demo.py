"""twin demo: everything on this machine, with readings of real people and two virtual ones with a known truth.

The samples are moved in time so that they begin 30 hours ago; they flow 360 times faster than life until they reach
now, and at life's pace from there.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer
from rich.console import Console

from connectors.columns import COLUMNS, Decoded
from connectors.table import read_table
from stream import topics
from stream.compiled import WORKER, ensure
from stream.embedded import PARTITIONS, embedded_broker
from stream.logs import configure_logs
from stream.page.server import serve
from stream.sending import minutes_of
from stream.settings import Settings
from stream.virtual import DEMO, simulate

SAMPLES = Path(__file__).parent / "samples"
HISTORY_MS, SPEED = 30 * 3_600_000, 360.0
DAY_MS = 86_400_000
STOP_S = 10.0


def _merge(parts: list[Decoded]) -> Decoded:
    persons: list[str] = []
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for part in parts:
        for name in COLUMNS:
            column = getattr(part, name)
            columns[name].append(column + len(persons) if name == "person" else column)
        persons += part.persons
    return Decoded.of(persons, {name: np.concatenate(found) for name, found in columns.items()}, [])


def demo_readings(people: int, now_ms: int) -> tuple[Decoded, dict[str, dict[int, dict[str, float]]]]:
    """Samples of `people` real people and the virtual ones, beginning 30 hours ago at the same hour of the day."""
    begin = now_ms - HISTORY_MS
    parts, left = [], people
    for name in ("hr_fitbit", "cgm_azt1d", "cgm_physiocgm"):
        sample = read_table(SAMPLES / f"{name}.csv.gz")
        for index in range(len(sample.persons)):
            if left == 0:
                break
            part = sample.rows(sample.person == index)
            part.persons, part.person = [sample.persons[index]], np.zeros(len(part), dtype=np.int32)
            first = (
                int(part.time_ms.min()) // DAY_MS * DAY_MS + begin % DAY_MS
            )  # the hour of the day stays true
            part = part.rows(part.time_ms >= first)
            part.time_ms = part.time_ms - first + begin
            part.key = part.time_ms.copy()
            parts.append(part)
            left -= 1
    truths = {}
    for person in DEMO:
        readings, truths[person.name] = simulate(person, begin // 60_000 * 60_000, 3.0)
        parts.append(readings)
    return _merge(parts), truths


async def _feed(settings: Settings, readings: Decoded, begin_ms: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=5)
    await producer.start()
    try:
        for person in readings.persons:
            if person.startswith(("azt1d", "physiocgm")):
                command = {"schema": "command/1", "person": person, "command": "profile",
                           "profile": {"conditions": ["t1d"]}}  # fmt: skip
                await producer.send_and_wait(topics.COMMAND, orjson.dumps(command), key=person.encode())
        started = time.time()
        for at_ms, batches in minutes_of(readings, 60):
            ahead = (
                started + (at_ms - begin_ms) / 1000.0 / SPEED
            )  # accelerated, and never before its own time
            due = max(ahead, at_ms / 1000.0 + 60.0 if at_ms / 1000.0 + 60.0 > started + 600 else 0.0)
            await asyncio.sleep(max(0.0, due - time.time()))
            for person, value in batches:
                await producer.send(topics.READING, value, key=person.encode())
    finally:
        await producer.stop()


def _worker(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TWIN_")}
    environment |= {
        "TWIN_EMBEDDED": "1", "TWIN_BROKER": settings.broker, "TWIN_PARTITIONS": str(settings.partitions),
        "TWIN_DATA_DIR": str(settings.data_dir), "TWIN_SQLITE_PATH": str(settings.sqlite_path),
        "TWIN_FETCH_WAIT_MS": "20", "TWIN_SILENT_AFTER_MIN": "4000", "TWIN_LOG_LEVEL": "info",
    }  # fmt: skip
    with (settings.data_dir / "worker.log").open("wb") as log:
        return subprocess.Popen(  # a session of its own: Ctrl-C is ours to pass on
            [sys.executable, "-m", "stream.commands", "worker"], env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def run_demo(people: int, minutes: float, port: int, browser: bool, report: dict[str, Any]) -> int:
    """Run it; returns the exit code, and fills `report`. Stops everything it started."""
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="twin-demo-"))
    configure_logs("warning")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    base = Settings(embedded=True, partitions=PARTITIONS, page_port=port, data_dir=folder, store="sqlite",
                    sqlite_path=folder / "twin.sqlite", page_host="127.0.0.1", page_token=None)  # fmt: skip
    try:
        with embedded_broker(list(topics.needed(base))) as broker:
            console.print(f"broker      embedded Kafka at {broker}")
            report["broker"] = broker
            settings = base.model_copy(update={"broker": broker})
            began = time.monotonic()
            console.print("equations   compiling (the first time on a machine about a minute; later nothing)")
            ensure(stages=WORKER)
            console.print("worker      starting")
            process = _worker(settings)
            try:
                return asyncio.run(_live(settings, process, people, minutes, browser, console, report, began))
            finally:
                _stop(process)  # while its broker is there: without one it waits for an answer
    except KeyboardInterrupt:
        console.print("stopped")
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


async def _live(
    settings: Settings,
    process: subprocess.Popen[bytes],
    people: int,
    minutes: float,
    browser: bool,
    console: Console,
    report: dict[str, Any],
    began: float,
) -> int:
    live, now_ms = time.monotonic(), int(time.time() * 1000)
    readings, truths = await asyncio.to_thread(demo_readings, people, now_ms)
    console.print(f"people      {len(readings.persons)}: {', '.join(readings.persons)}")

    report["people"] = readings.persons

    def ready(address: str) -> None:
        report["page"] = address
        console.print(f"page        {address}   (Ctrl-C ends)")
        if browser:
            webbrowser.open(address)

    tasks = [
        asyncio.create_task(serve(settings, ready, truths)),
        asyncio.create_task(_feed(settings, readings, now_ms - HISTORY_MS)),
        asyncio.create_task(_first(settings, console, began, report)),
    ]
    end = live + minutes * 60 if minutes > 0 else float("inf")
    try:
        while time.monotonic() < end:
            await asyncio.sleep(0.25)
            if process.poll() is not None:
                console.print(f"the worker ended with {process.returncode}: see its last lines")
                console.print((settings.data_dir / "worker.log").read_text(errors="replace")[-2000:])
                return 1
            for task in tasks:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    console.print(f"error: {task.exception()!r}")
                    return 1
        return 0
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first(settings: Settings, console: Console, began: float, report: dict[str, Any]) -> None:
    """Say when the first estimates are there."""
    from stream.sink import open_store  # noqa: PLC0415

    store = open_store(settings)
    while not await store.latest():
        await asyncio.sleep(0.3)
    report["first_estimate_s"] = round(time.monotonic() - began, 1)
    console.print(f"estimates   on the page after {report['first_estimate_s']:.0f} s")
    await store.close()
