"""Where an outlook's twin comes from: a running worker's changelog, a folder of `twin replay`, or a table of readings.

From Kafka only the head of one twin is taken, as the worker last wrote it (TWIN_CHECKPOINT_S). Reading takes no part in any
group and writes nothing.
"""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from connectors.decode import milliseconds
from connectors.errors import Unavailable
from connectors.table import read_table
from stream import storing, topics
from stream.cohort import Cohort
from stream.outlook import OutlookError
from stream.replay import read_profiles
from stream.settings import Settings
from twin import record as r_
from twin.shapes import Record

FETCH_MS = 500
PATIENCE_S = 60.0


@dataclass(slots=True)
class Heads:
    """Where the changelog holds the newest head of each person; what was read once is not read again."""

    settings: Settings
    places: dict[str, tuple[TopicPartition, int]] = field(default_factory=dict)
    read_to: dict[TopicPartition, int] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def record(self, person: str) -> Record:
        """The twin of a person as the worker last wrote it.

        Raises:
            Unavailable: no broker.
            OutlookError: nobody by that name.

        """
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker, enable_auto_commit=False, auto_offset_reset="earliest",
            max_partition_fetch_bytes=16_777_216,
        )  # fmt: skip
        try:
            async with self.lock, asyncio.timeout(PATIENCE_S):
                await consumer.start()
                await asyncio.sleep(0)  # a task of aiokafka's that has not begun cannot be stopped
                return await self._find(consumer, person)
        except (KafkaError, OSError, TimeoutError) as error:
            message = (
                f"no Kafka at {self.settings.broker}: start it or set TWIN_BROKER; `twin doctor` says more"
            )
            raise Unavailable(message, 1.0) from error
        finally:
            await consumer.stop()

    async def _find(self, consumer: AIOKafkaConsumer, person: str) -> Record:
        name = topics.changelog(self.settings)
        if name not in await consumer.topics():
            raise OutlookError(
                f"no topic {name}: no worker with TWIN_APP_ID={self.settings.app_id} has run here"
            )
        parts = [TopicPartition(name, number) for number in range(self.settings.partitions)]
        consumer.assign(parts)
        ends, begins = await consumer.end_offsets(parts), await consumer.beginning_offsets(parts)
        for part in parts:
            known = self.read_to.get(part, 0)  # beyond the end: the topic was made anew
            consumer.seek(part, max(known, begins[part]) if known <= ends[part] else begins[part])
        newest: dict[str, bytes | None] = {}
        left = {part for part in parts if await consumer.position(part) < ends[part]}
        while left:
            for part, records in (await consumer.getmany(*left, timeout_ms=FETCH_MS)).items():
                for record in records:
                    if record.key is not None and record.key[:2] == b"t|":
                        who = record.key[2:].decode()
                        self.places[who] = (part, record.offset)
                        if who == person:
                            newest[who] = record.value
            left = {part for part in left if await consumer.position(part) < ends[part]}
        self.read_to.update({part: await consumer.position(part) for part in parts})
        if person not in newest and person in self.places:
            newest[person] = await _at(consumer, *self.places[person])
        value = newest.get(person)
        if value is None:
            raise OutlookError(f"{person}: the worker has no twin of that name")
        return head_of(person, value)


async def _at(consumer: AIOKafkaConsumer, part: TopicPartition, offset: int) -> bytes | None:
    """The record at one place; None where the broker has dropped it."""
    consumer.seek(part, offset)
    record = await consumer.getone(part)
    return record.value if record.offset == offset else None


def head_of(person: str, value: bytes) -> Record:
    """The record of a twin from its head in the changelog."""
    cohort = Cohort()
    storing.restore(cohort.twin(person), b"t|" + person.encode(), value)
    storing.assemble(cohort.twins[person])  # its journal is not here, and is not needed to look ahead
    return cohort.twins[person].head.record


def from_folder(folder: Path, person: str) -> Record:
    """The final twin of a person from a folder of `twin replay`; raises OutlookError."""
    path = folder / "twins.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            found = next((twin for line in file if (twin := json.loads(line))["person"] == person), None)
    except (OSError, ValueError, KeyError) as error:
        raise OutlookError(f"{path}: cannot be read: {error!r}") from error
    if found is None:
        raise OutlookError(f"{path}: nobody in it is called {person}")
    return record_of(path, found)


def record_of(path: Path, portrait: dict[str, Any]) -> Record:
    """The record of a twin from its line in twins.jsonl."""
    record = r_.genesis()
    header, constants = portrait.get("header"), portrait.get("constants")
    if not isinstance(header, list) or len(header) != r_.FAST_BODY or header[0] != r_.VERSION:
        raise OutlookError(f"{path}: written by another version of this program: replay the table again")
    record[: r_.FAST_BODY], record[r_.FAST_BODY : r_.FAST_MEAN] = header, constants
    blocks = portrait["blocks"]
    for name, (block, mean_at, at, _) in r_.BLOCKS.items():
        if name in blocks:
            record[mean_at : mean_at + block.N] = blocks[name]["mean"]
            record[at : at + block.N**2] = np.ravel(blocks[name]["covariance"])
    return record


def from_table(path: Path, person: str, profile: Path | None, until: str | None) -> Record:
    """The twin that a table's readings make, of those until a time; raises OutlookError, TableError."""
    readings = read_table(path, frozenset({person}))
    if not len(readings):
        raise OutlookError(f"{path}: nobody in it is called {person}")
    rows = np.argsort(readings.time_ms, kind="stable")
    if until is not None:
        try:
            rows = rows[readings.time_ms[rows] <= milliseconds(until)]
        except (ValueError, OverflowError) as error:
            raise OutlookError(f"until = {until[:40]!r}: RFC 3339 with a zone is needed") from error
        if not len(rows):
            raise OutlookError(f"until = {until}: the first reading of {person} is later")
    profiles = read_profiles(profile)
    cohort = Cohort()
    fields = profiles.get(person, profiles.get(""))
    if fields:
        cohort.set_profile(person, fields)
    cohort.apply(readings.rows(rows))
    return cohort.twins[person].head.record
