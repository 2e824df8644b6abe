"""What is wrong, and what to do about it."""

import asyncio
import contextlib
import ctypes
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from connectors.decode import FUTURE_MS
from connectors.errors import Unavailable
from stream import topics
from stream.settings import Settings
from stream.sink import open_store
from twin.jit import cache_folder

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}
PYTHON = ((3, 11), (3, 14))
RELEASED_MS = 1_763_596_800_000  # 2025-11-20: a clock before this program was written is wrong
UNSYNCHRONISED = 5  # TIME_ERROR, what Linux's adjtimex returns then
WAIT_S = 5.0


def _finding(ok: bool, what: str, found: str, do: str) -> dict[str, Any]:
    return {"ok": ok, "what": what, "found": found, "do": "" if ok else do}


async def examine(settings: Settings, fix: bool) -> list[dict[str, Any]]:
    """Findings, the most basic first: versions, equations, broker, topics, clock, store."""
    found = _versions()
    warm = cache_folder().exists()
    found.append(_finding(warm, "compiled equations", str(cache_folder()), "run: twin warm"))
    broker, newest_ms = await _broker(settings, fix)
    found += broker
    found.append(clock_finding(int(time.time() * 1000), newest_ms, _synchronised()))
    store = open_store(settings)
    variables = (
        "TWIN_INFLUX_URL, _TOKEN, _ORG and _BUCKET"
        if settings.store == "influx"
        else "TWIN_SQLITE_PATH and the disk"
    )
    try:
        found += await _buckets(store, settings, fix)
        found.append(_finding(True, "store", await store.ping(), ""))
    except Unavailable as error:
        found.append(_finding(False, "store", str(error), f"check {variables}"))
    finally:
        await store.close()
    return found


async def _buckets(store: Any, settings: Settings, fix: bool) -> list[dict[str, Any]]:
    """Buckets and what they keep; one that is there stays as its owner set it."""
    look = getattr(store, "look", None)  # SQLite has none
    if look is None:
        return []
    wanted = {settings.influx_bucket: settings.influx_keep_days}
    for long in (settings.influx_long_bucket, settings.influx_alert_bucket):
        if long:
            wanted[long] = settings.influx_keep_long_days
    found = []
    for bucket in await look(wanted, fix):
        keeps = "for ever" if bucket.days is None else f"{bucket.days:.0f} days"
        shown = f"{bucket.name} keeps {keeps}" if bucket.there else f"{bucket.name} is missing"
        shown += ", created" if bucket.made else ""
        found.append(_finding(bucket.there, "bucket", shown, "run: twin doctor --fix, or make it"))
    return found


def _versions() -> list[dict[str, Any]]:
    lowest, highest = (".".join(map(str, v)) for v in PYTHON)
    fits = PYTHON[0] <= sys.version_info[:2] <= PYTHON[1]
    found = [_finding(fits, "Python", platform.python_version(), f"use Python {lowest} to {highest}")]
    for name, wanted in PINNED.items():
        try:
            have = version(name)
        except PackageNotFoundError:
            have = "missing"
        found.append(_finding(have == wanted, f"version of {name}", have, f"pip install {name}=={wanted}"))
    return found


def _synchronised() -> bool | None:
    """Whether the kernel says that something keeps its clock right; None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, AttributeError):
        buffer = ctypes.create_string_buffer(512)  # struct timex, modes 0: only reads
        state: int = ctypes.CDLL(None).adjtimex(buffer)
        return None if state < 0 else state != UNSYNCHRONISED
    return None


def clock_finding(now_ms: int, newest_ms: int | None, synchronised: bool | None) -> dict[str, Any]:
    """Judge this machine's clock: against this program's age, and against the newest record on Kafka.

    Args:
        now_ms: the clock.
        newest_ms: when the newest reading was written to Kafka, by its writer's clock; None if there is none.
        synchronised: what the kernel says.

    """
    words = {True: "kept by the kernel's time service", False: "no time service keeps it", None: ""}[
        synchronised
    ]
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_ms / 1000)) + (
        f", {words}" if words else ""
    )
    do = "set the clock and keep it by NTP (chrony, systemd-timesyncd): readings of the future are refused"
    if now_ms < RELEASED_MS:
        return _finding(False, "clock", shown, do)
    if newest_ms is not None and newest_ms > now_ms + FUTURE_MS:
        behind = round((newest_ms - now_ms) / 1000)
        return _finding(False, "clock", f"{shown}; Kafka holds a record written {behind} s ahead of it", do)
    return _finding(True, "clock", shown, "")


async def _broker(settings: Settings, fix: bool) -> tuple[list[dict[str, Any]], int | None]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker, request_timeout_ms=5000)
    try:
        await asyncio.wait_for(admin.start(), 10)
    except (KafkaError, TimeoutError, OSError) as error:
        await admin.close()
        do = "start Kafka or set TWIN_BROKER (development: python deploy/services/services.py start kafka)"
        return [_finding(False, "broker", f"{settings.broker}: {type(error).__name__}", do)], None
    try:
        there = set(await admin.list_topics())
        needed = topics.needed(settings)
        created = await topics.create_missing(settings) if fix else []
        described = await admin.describe_topics(sorted(set(needed) & there))
        stamped = await _stamped_by_broker(admin) if topics.READING in there | set(created) else True
    finally:
        await admin.close()
    missing = sorted(set(needed) - there - set(created))
    shown = (
        f"{len(missing)} missing: {', '.join(missing[:3])}"
        if missing
        else f"all there, {len(created)} created"
    )
    found = [
        _finding(True, "broker", settings.broker, ""),
        _finding(not missing, "topics", shown, "run: twin doctor --fix"),
    ]
    if not stamped:
        do = f"kafka-configs --alter --topic {topics.READING} --add-config message.timestamp.type=LogAppendTime"
        shown = f"{topics.READING} keeps its senders' times: a sender with a wrong clock decides what is too early"
        found.append(_finding(False, "timestamps", shown, do))
    odd = [f"{t['topic']} has {len(t['partitions'])}" for t in described
           if len(t["partitions"]) != needed[t["topic"]]]  # fmt: skip
    if odd:
        do = "set TWIN_PARTITIONS to what reading.v1 has, or make the topics anew while there is no data"
        found.append(_finding(False, "partitions", f"{settings.partitions} set; {', '.join(odd[:3])}", do))
    newest = None
    counts = {t["topic"]: len(t["partitions"]) for t in described}
    if counts.get(topics.READING):
        with contextlib.suppress(KafkaError, TimeoutError):
            newest = await asyncio.wait_for(_newest_ms(settings, counts[topics.READING]), WAIT_S)
    return found, newest


async def _stamped_by_broker(admin: AIOKafkaAdminClient) -> bool:
    """Whether reading.v1 is stamped by the broker; also where it does not say (the embedded one)."""
    with contextlib.suppress(KafkaError, TimeoutError, IndexError, ValueError):
        return await asyncio.wait_for(_timestamp_type(admin), WAIT_S) != "CreateTime"
    return True


async def _timestamp_type(admin: AIOKafkaAdminClient) -> str | None:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topics.READING)])
    values = {
        entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]
    }
    return values.get("message.timestamp.type")


async def _newest_ms(settings: Settings, partitions: int) -> int | None:
    """Timestamp of the newest record of reading.v1."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topics.READING, number) for number in range(partitions)]
        consumer.assign(parts)
        ends = {part: end for part, end in (await consumer.end_offsets(parts)).items() if end > 0}
        times = []
        for part, end in ends.items():
            consumer.seek(part, end - 1)
            fetched = await consumer.getmany(part, timeout_ms=1000)
            times += [record.timestamp for records in fetched.values() for record in records]
        return max(times, default=None)
    finally:
        await consumer.stop()
