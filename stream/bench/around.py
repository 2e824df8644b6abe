"""The bench of the stream on a broker: a real worker process, the load, and what others do with the same topic."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition
from confluent_kafka import Producer

from connectors.decode import decode
from stream import topics
from stream.bench import load
from stream.bench.watching import Watch
from stream.settings import Settings


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, str]]:
    """host:port and what it is: TWIN_BROKER's, else Apache Kafka of the services, else none (raises RuntimeError)."""
    if address := os.environ.get("TWIN_BROKER"):
        yield address, "TWIN_BROKER"
        return
    home = Path(__file__).resolve().parents[2]
    if not (home / "deploy" / "services" / "kafka.py").exists():
        raise RuntimeError("set TWIN_BROKER: Kafka of deploy/services is found in a checkout only")
    sys.path.insert(0, str(home))
    from deploy.services.basics import Missing  # noqa: PLC0415
    from deploy.services.kafka import Kafka  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    kafka: Any = Kafka(folder)
    try:
        kafka.start()
    except Missing as error:
        raise RuntimeError(f"Apache Kafka: {error}") from error
    try:
        yield kafka.bootstrap, "Apache Kafka 4.3.1"
    finally:
        kafka.stop()


def partition_of(person: str, partitions: int) -> int:
    """Any rule does, as long as a person stays where they are."""
    return int(person[1:]) % partitions


def produce(
    address: str, partitions: int, messages: Iterable[load.Message], topic: str = topics.READING
) -> int:
    """Send everything as fast as it goes; returns how many."""
    producer = Producer({
        "bootstrap.servers": address, "compression.type": "lz4", "linger.ms": 20, "batch.size": 1_000_000,
        "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000,
    })  # fmt: skip
    count = 0
    for person, value in messages:
        while True:
            try:
                producer.produce(topic, value, person, partition=partition_of(person, partitions))
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if count % 10_000 == 0:
            producer.poll(0)
    producer.flush(120)
    return count


@dataclass
class Process:
    """A worker process and where it says how it is."""

    popen: subprocess.Popen[bytes]
    log: Path
    started: float
    health: str = ""

    def url(self) -> str:
        """Of its health server; waits for the line that names it."""
        while not self.health:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text(errors="replace"))
            if found:
                self.health = found.group()
            elif self.popen.poll() is not None:
                raise RuntimeError(f"the worker ended: {self.log.read_text(errors='replace')[-800:]}")
            else:
                time.sleep(0.05)
        return self.health

    def get(self, path: str) -> tuple[int, str]:
        """An answer of its health server."""
        try:
            with urllib.request.urlopen(self.url() + path, timeout=30) as answer:  # noqa: S310 - of our own
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> float:
        """Wait until it is; returns seconds since it was started."""
        while self.get("/ready")[0] != 200:
            time.sleep(0.05)
            if self.popen.poll() is not None:
                raise RuntimeError("the worker ended")
        return time.monotonic() - self.started

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        rows = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(name)]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows)

    def first_batch(self) -> float:
        """When the first batch was begun, on the monotonic clock, by the log: its server answers between batches only."""
        for line in self.log.read_text(errors="replace").splitlines():
            if '"event": "batch_applied"' in line:
                row = orjson.loads(line)
                at: float = datetime.fromisoformat(row["timestamp"]).timestamp() - row["milliseconds"] / 1000
                return time.monotonic() - (time.time() - at)
        return time.monotonic()  # none

    def used(self) -> tuple[float, float]:
        """Seconds of processor so far, and resident kilobytes."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        resident = next(line for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines()
                        if line.startswith("VmRSS"))  # fmt: skip
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), float(resident.split()[1])


@contextmanager
def worker(settings: Settings, folder: Path, **more: str) -> Iterator[Process]:
    """A worker without its sink, stopped at the end."""
    environment = os.environ | {
        "TWIN_BROKER": settings.broker, "TWIN_PARTITIONS": str(settings.partitions), "TWIN_APP_ID": settings.app_id,
        "TWIN_DATA_DIR": str(folder), "TWIN_ROLES": "update", "TWIN_SILENT_AFTER_MIN": "100000000",
        "TWIN_WINDOWS": "{}",
    } | more  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"worker-{time.monotonic_ns()}.log"
    with path.open("wb") as log:
        popen = subprocess.Popen(
            [sys.executable, "-m", "stream.commands", "worker"], env=environment, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
    try:
        yield Process(popen, path, time.monotonic())
    finally:
        if popen.poll() is None:
            popen.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                popen.wait(15)
        if popen.poll() is None:
            popen.kill()
            popen.wait(10)


async def _lag(consumer: AIOKafkaConsumer, parts: list[TopicPartition], ends: dict[Any, int]) -> int:
    done = [await consumer.committed(part) or 0 for part in parts]
    return sum(max(0, ends[part] - at) for part, at in zip(parts, done, strict=True))


async def acknowledged(settings: Settings, *processes: Process) -> dict[str, float]:
    """From the beginning of the first batch until the state of the last reading is acknowledged.

    All of them are on the topic before the worker starts.
    """
    parts = [TopicPartition(topics.READING, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=settings.app_id, enable_auto_commit=False
    )
    await consumer.start()
    watches = [Watch(process.popen.pid) for process in processes]
    try:
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        while await _lag(consumer, parts, ends):
            await asyncio.sleep(0.05)
            if any(process.popen.poll() is not None for process in processes):
                raise RuntimeError("the worker ended")
        ended, began = time.monotonic(), min(process.first_batch() for process in processes)
        each = [watch.between(began, ended) for watch in watches]
        for found, process in zip(each, processes, strict=True):
            found["resident_mb"] = process.used()[1] / 1024
            for name in ("readings", "ticks", "checkpoint_bytes"):
                found[name] = process.metric(f"twin_{name}_total")
        return {name: sum(found[name] for found in each) for name in each[0]} | {"wall_s": ended - began}
    finally:
        for watch in watches:
            watch.end()
        await consumer.stop()


async def raw(settings: Settings) -> dict[str, float]:
    """Plain aiokafka getmany with our decoder on the same topic: what no stream processor in Python is faster than."""
    parts = [TopicPartition(topics.READING, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, enable_auto_commit=False, auto_offset_reset="earliest"
    )  # not seek_to_beginning: that races with the reset to the end, which is the default
    await consumer.start()
    try:
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        now_ms = int(time.time() * 1000)
        began, used = time.monotonic(), time.process_time()
        readings = 0
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                readings += len(decode([r.value for r in records], [r.key for r in records], now_ms))
        return {
            "wall_s": time.monotonic() - began,
            "processor_s": time.process_time() - used,
            "readings": readings,
        }
    finally:
        await consumer.stop()


async def delete_topics(settings: Settings) -> None:
    """Delete the topics that a measurement uses, and wait until they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        wanted = set(topics.needed(settings))
        there = wanted & set(await admin.list_topics())
        if there:
            await admin.delete_topics(sorted(there))
        while wanted & set(await admin.list_topics()):
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
