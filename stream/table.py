"""The worker's one table: the changelog is the truth, the cohorts in memory its cache."""

import asyncio
from collections.abc import Callable
from typing import Any

import faust
from faust.types import TP

from stream.cohort import Cohort


class TwinTable(faust.Table):
    """Cohorts by partition. Faust recovers it; nobody writes it but `write`, which waits for the broker."""

    make_cohort: Callable[[], Cohort]

    def __post_init__(self) -> None:
        self.cohorts: dict[int, Cohort] = {}
        self.offsets: dict[Any, int] = {}

    def cohort(self, partition: int) -> Cohort:
        """The twins of a partition."""
        if partition not in self.cohorts:
            self.cohorts[partition] = type(self).make_cohort()
        return self.cohorts[partition]

    def persisted_offset(self, tp: Any) -> int | None:
        """Up to where recovery need not read again: what we recovered or wrote without a gap."""
        return self.offsets.get(tp)

    def apply_changelog_batch(self, batch: Any) -> None:
        """Take a fetch of the changelog."""
        for event in batch:
            cohort = self.cohort(event.message.partition)
            for record in event.value:
                cohort.restore(record.key, record.value)
            self.offsets[event.message.tp] = event.message.offset

    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Drop what is no longer ours, put the rest together."""
        kept = active_tps | standby_tps
        self.offsets = {tp: offset for tp, offset in self.offsets.items() if tp in kept}
        for partition in self.cohorts.keys() - {tp.partition for tp in kept}:
            del self.cohorts[partition]
        for cohort in self.cohorts.values():
            cohort.finish_restore()
        await super().on_recovery_completed(active_tps, standby_tps)

    async def write(self, partition: int) -> int:
        """Write what changed of a partition to the changelog and wait for the broker; returns the bytes written."""
        records = list(self.cohort(partition).changed())
        if not records:
            return 0
        producer = self.app.producer._producer  # aiokafka's own: 24 us a record where send_changelog takes 70
        tp = TP(self.changelog_topic_name, partition)
        sent = [
            await producer.send(tp.topic, key=key, value=value, partition=partition) for key, value in records
        ]
        for written in sorted(result.offset for result in await asyncio.gather(*sent)):
            if (
                written == self.offsets.get(tp, -1) + 1
            ):  # nobody wrote in between; else recovery reads from there
                self.offsets[tp] = written
        return sum(len(value or b"") for _, value in records)
