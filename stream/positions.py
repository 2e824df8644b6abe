"""How far a consumer's partitions are stored, and from where on their hourly rows are owed; both committed as one.

The offset that is committed says what is stored. Its metadata say how far before it the first record lies whose hour is
still owed: whoever gets the partition reads these records once more, for the hours only, and stores nothing of them.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream.consuming import commit
from stream.settings import Settings

log = structlog.get_logger()
AGAIN_S = 0.5


class Positions:
    """Of one consumer.

    Args:
        look_back: whether hours are kept at all; without, nothing is read twice.

    Attributes:
        seen: by partition the next record that was never taken; what comes from before it is told for the hours only.
        back: by partition how far records are told once more, while they are.
        fresh: partitions that just came, of which nothing is known; nothing of them may be taken.

    """

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, group: str, look_back: bool) -> None:
        self.settings, self.consumer, self.group = settings, consumer, group
        self.look_back = look_back
        self.seen: dict[Any, int] = {}
        self.back: dict[Any, int] = {}
        self.stored: dict[Any, int] = {}
        self.committed: dict[Any, tuple[int, str]] = {}
        self.fresh: set[Any] = set()
        self.times = 0  # that partitions came or went

    def forget(self, parts: Iterable[Any]) -> None:
        """They are somebody else's."""
        self.times += 1
        for part in parts:
            self.fresh.discard(part)
            for known in (self.seen, self.back, self.stored, self.committed):
                known.pop(part, None)

    def came(self, parts: Iterable[Any]) -> None:
        """They are ours."""
        self.times += 1
        if self.look_back:
            self.fresh |= set(parts)

    async def begin(self) -> None:
        """Read what was committed of the partitions that came, and start each at the first hour that is owed."""
        while self.fresh:
            times, parts = self.times, list(self.fresh)
            try:
                told = await self._told()
                missing = [part for part in parts if told.get(part, (-1, ""))[0] < 0]
                told |= {p: (at, "") for p, at in (await self.consumer.beginning_offsets(missing)).items()}
            except KafkaError as error:
                log.warning("offsets_unknown", why=type(error).__name__)
                await asyncio.sleep(AGAIN_S)
                return
            if times != self.times:
                continue
            for part in parts:
                offset, metadata = told[part]
                self.stored[part] = self.seen[part] = offset
                self.rewind(part, int(metadata) if metadata.isdigit() else offset)
            self.fresh.clear()

    async def _told(self) -> dict[Any, tuple[int, str]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.broker)
        try:
            await admin.start()
            found = await admin.list_consumer_group_offsets(self.group)
        finally:
            await admin.close()
        return {part: (told.offset, told.metadata or "") for part, told in found.items()}

    def rewind(self, part: Any, offset: int) -> None:
        """Read from there once more; what was seen is told for the hours only."""
        self.consumer.seek(part, offset)
        if offset < self.seen.get(part, 0):
            self.back[part] = offset

    def is_new(self, part: Any, offset: int) -> bool:
        """Whether the record was never taken; it is now."""
        if offset < self.seen.get(part, 0):
            self.back[part] = offset + 1
            return False
        self.seen[part] = offset + 1
        self.back.pop(part, None)
        return True

    async def commit(self, stored: Mapping[Any, int], firsts: Mapping[Any, int]) -> None:
        """What is new since the last time.

        Args:
            stored: by partition one beyond the last record that is stored with all before it.
            firsts: by partition the first record whose hour is owed.

        """
        self.stored |= stored
        new = {}
        for part in self.consumer.assignment():
            offset = self.stored.get(part)
            if offset is None or part in self.fresh:
                continue
            first = min(offset, firsts.get(part, offset), self.back.get(part, offset))
            value = offset, str(first) if first < offset else ""
            if self.committed.get(part) != value:
                new[part] = value
        if new and await commit(self.consumer, new):
            self.committed |= new
