"""What lies in the dead-letter topics: counted, shown one at a time, sent again.

A letter waits until a replay has taken it: the group `<app_id>-dlq` holds how far replays came. After a crash a worker
refuses the same record again, so that letters are counted once by where the record was.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from connectors.decode import decode_documents
from connectors.errors import PayloadError, Unavailable
from connectors.parsing import parse_json
from connectors.vendors import dexcom, google_health
from stream import topics
from stream.intake import by_person, letter
from stream.letters import ATTEMPTS, FIRST_FAILED, ours
from stream.producing import started_producer
from stream.settings import Settings

FETCH_MS = 500
PARSERS: dict[str, Any] = {f"raw.{module.NAME}.v1": module for module in (google_health, dexcom)}


@dataclass(frozen=True, slots=True)
class Letter:
    """One record of a dead-letter topic."""

    topic: str  # that the record was meant for
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    waiting: bool

    def text(self, name: str) -> str:
        """A header as text."""
        return self.headers.get(name, b"").decode(errors="replace")

    @property
    def origin(self) -> tuple[str, ...]:
        """The same for two letters of one record."""
        place = self.text("x-original-partition"), self.text("x-original-offset")
        return (self.topic, *(place if place[1] else (f"dlq-{self.partition}", str(self.offset))))

    @property
    def first_failed_ms(self) -> int | None:
        """When it was refused first."""
        text = self.text(FIRST_FAILED)
        return int(text) if text.isdigit() else None


def names() -> list[str]:
    """Topics that have a dead-letter topic."""
    return [topics.READING, topics.ESTIMATE, topics.ALERT, topics.COMMAND, *PARSERS]


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=f"{settings.app_id}-dlq", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _letters(
    consumer: AIOKafkaConsumer, topic: str, partitions: int, waiting_only: bool
) -> AsyncIterator[Letter]:
    """Of one topic, up to where it ends now."""
    parts = [TopicPartition(topics.dead_letters(topic), number) for number in range(partitions)]
    consumer.assign(parts)
    ends = await consumer.end_offsets(parts)
    begins = await consumer.beginning_offsets(parts)
    taken = {part: await consumer.committed(part) or 0 for part in parts}
    for part in parts:
        consumer.seek(part, max(begins[part], taken[part]) if waiting_only else begins[part])
    left = {part for part in parts if await consumer.position(part) < ends[part]}
    while left:
        for part, records in (await consumer.getmany(*left, timeout_ms=FETCH_MS)).items():
            for record in records:
                if record.offset < ends[part]:
                    yield Letter(topic, part.partition, record.offset, record.key, record.value or b"",
                                 dict(record.headers), record.offset >= taken[part])  # fmt: skip
        left = {part for part in left if await consumer.position(part) < ends[part]}


async def _known(settings: Settings) -> dict[str, int]:
    """Topics that have a dead-letter topic on this broker, and its partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        await admin.start()
        there = set(await admin.list_topics())
        described = await admin.describe_topics([q for q in map(topics.dead_letters, names()) if q in there])
    except (KafkaError, OSError) as error:
        message = f"no Kafka at {settings.broker}: start it or set TWIN_BROKER; `twin doctor` says more"
        raise Unavailable(message, 1.0) from error
    finally:
        await admin.close()
    counts = {item["topic"]: len(item["partitions"]) for item in described}
    return {name: counts[queue] for name in names() if (queue := topics.dead_letters(name)) in counts}


async def count(settings: Settings) -> list[dict[str, Any]]:
    """A line for each topic and reason that has letters, without any value."""
    found: dict[tuple[str, str], dict[tuple[str, ...], Letter]] = {}
    known = await _known(settings)
    async with _consumer(settings) as consumer:
        for topic, partitions in known.items():
            async for item in _letters(consumer, topic, partitions, waiting_only=False):
                found.setdefault((topic, item.text("x-error-class")), {})[item.origin] = item
    lines = []
    for (topic, reason), letters in sorted(found.items()):
        newest = max(letters.values(), key=lambda item: item.first_failed_ms or 0)
        lines.append({
            "topic": topic, "reason": reason, "letters": len(letters),
            "waiting": sum(item.waiting for item in letters.values()),
            "most_attempts": max(int(item.text(ATTEMPTS) or 1) for item in letters.values()),
            "newest_failed_at": newest.first_failed_ms,
            "example": f"{topic} {newest.partition} {newest.offset}",
        })  # fmt: skip
    return lines


async def show(settings: Settings, topic: str, partition: int, offset: int) -> Letter | None:
    """One letter with its value; None if it is not there."""
    if not 0 <= partition < (await _known(settings)).get(topic, 0):
        return None
    part = TopicPartition(topics.dead_letters(topic), partition)
    async with _consumer(settings) as consumer:
        consumer.assign([part])
        begin, end = (
            (await consumer.beginning_offsets([part]))[part],
            (await consumer.end_offsets([part]))[part],
        )
        if not begin <= offset < end:
            return None
        consumer.seek(part, offset)
        records: list[Any] = []
        while not records:
            records = (await consumer.getmany(part, timeout_ms=FETCH_MS)).get(part, [])
        taken = await consumer.committed(part) or 0
        record = records[0]
        if record.offset != offset:
            return None
        headers = dict(record.headers)
        return Letter(topic, partition, offset, record.key, record.value or b"", headers, offset >= taken)


def again(item: Letter) -> list[tuple[str, bytes | None, bytes, Any]]:
    """The records that a replay sends: the letter as it came; a vendor's payload is parsed as at the door."""
    kept = [(name, value) for name, value in item.headers.items() if not ours(name)]
    kept += [(name, item.headers[name]) for name in (ATTEMPTS, FIRST_FAILED) if name in item.headers]
    if item.topic not in PARSERS:
        return [(item.topic, item.key, item.value, kept)]
    person = (item.key or b"").decode(errors="replace")
    faults: list[PayloadError] = []
    try:
        parsed = PARSERS[item.topic].parse(parse_json(item.value, "body"), person, faults)
        found = [{name: value for name, value in fields.items() if value is not None} for fields in parsed]
    except PayloadError as error:
        return [letter(item.topic, person, item.value, [error], item.headers)]
    decoded = decode_documents(found, int(time.time() * 1000))
    out: list[tuple[str, bytes | None, bytes, Any]] = [
        (topics.READING, key, value, None) for key, value in by_person(found, decoded)
    ]
    return out + ([letter(item.topic, person, item.value, faults, item.headers)] if faults else [])


async def replay(settings: Settings, chosen: Sequence[str], reason: str | None) -> dict[str, Any]:
    """Send what waits again, each record once; returns how many by topic and reason.

    With a reason the other letters stay, and so does everything behind the first of them: it is sent again by the
    next replay, which changes nothing, because what was applied is a duplicate.
    """
    sent: Counter[tuple[str, str]] = Counter()
    skipped = 0
    known = {name: partitions for name, partitions in (await _known(settings)).items() if name in chosen}
    async with _consumer(settings) as consumer, started_producer(settings) as producer:
        for topic, partitions in known.items():
            seen: set[tuple[str, ...]] = set()
            upto: dict[TopicPartition, int] = {}
            held: set[int] = set()
            async for item in _letters(consumer, topic, partitions, waiting_only=True):
                if reason is not None and item.text("x-error-class") != reason:
                    held.add(item.partition)
                    skipped += 1
                    continue
                if item.origin not in seen:
                    seen.add(item.origin)
                    where = int(item.text("x-original-partition") or 0) if item.key is None else None
                    for name, key, value, headers in again(item):
                        partition = where if name == topic else None
                        await producer.send_and_wait(
                            name, value, key=key, headers=headers, partition=partition
                        )
                    sent[topic, item.text("x-error-class")] += 1
                if item.partition not in held:
                    upto[TopicPartition(topics.dead_letters(topic), item.partition)] = item.offset + 1
            if upto:
                await consumer.commit(upto)
    lines = [{"topic": t, "reason": r, "replayed": n} for (t, r), n in sorted(sent.items())]
    return {"replayed": sum(sent.values()), "left": skipped, "by": lines}
