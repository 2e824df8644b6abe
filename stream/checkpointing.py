"""State to the changelog at intervals, a few people at a time, while batches go on."""

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import structlog

from stream.cohort import Cohort

if TYPE_CHECKING:
    from stream.worker import Worker

log = structlog.get_logger()
AT_ONCE = 100  # people of a checkpoint, between which batches go on


class Checkpoints:
    """Of one worker; one at a time."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.one = asyncio.Lock()

    async def make(self) -> None:
        """State of all twins touched since to the changelog; then the offsets may be committed."""
        async with self.one:
            began = time.perf_counter()
            written = 0
            for tp, position in self.worker.app.consumer.applied().items():
                written += await self.of(tp, position)
        if written:
            self.worker.metrics.count("twin_checkpoint_bytes_total", written)
            self.worker.metrics.count("twin_checkpoint_seconds_total", round(time.perf_counter() - began, 6))
            log.debug("checkpoint_written", bytes=written)

    async def of(self, tp: Any, position: int) -> int:
        """State of one partition, a few people at a time, so that batches go on in between; returns the bytes written.

        Whoever was touched before `position` is written at some time after it, each with the offset that their own twin
        has applied: what a later batch added to some is skipped for them when it comes again.
        """
        consumer, cohort = self.worker.app.consumer, self.worker.table.cohort(tp.partition)
        frontier = consumer.frontier(tp)
        async with self.worker.lock:
            if frontier is None or consumer.frontier(tp) is not frontier:
                return 0
            if self.worker.table.cut(tp.partition):
                raise RuntimeError(
                    f"the checkpoint of partition {tp.partition} was cut: its changes count as written"
                )
            await self.worker.announcer.say_again(tp.partition)
        # What a batch that was behind left waiting comes at once; where no batch came since the last checkpoint, never.
        if not self.worker.behind.pop(tp.partition, False):
            await self.worker.whole(self.settle(tp, frontier, cohort))
        sent = []
        for people in batched(cohort.touched(), AT_ONCE):
            async with self.worker.lock:
                if consumer.frontier(tp) is not frontier:
                    return 0  # the new owner runs the same batches again
                sent.append(await self.worker.table.write(tp.partition, people))
        written = sum([await self.worker.table.arrived(one) for one in sent])
        if consumer.frontier(tp) is frontier:
            consumer.checkpointed({tp: position})
        return written

    async def settle(self, tp: Any, frontier: Any, cohort: Cohort) -> None:
        """Run what waits for more of its minute, and publish it: state goes to the changelog after what it says."""
        waiting: list[Any] = []
        for people in batched(sorted(cohort.due), AT_ONCE):
            async with self.worker.lock:
                if self.worker.app.consumer.frontier(tp) is not frontier:
                    return
                done = cohort.settle(people)
                self.worker.metrics.count("twin_ticks_total", len(done.tick_s))
                waiting += await self.worker.tell(tp.partition, cohort, done)
                await self.worker.announcer.announce(tp.partition, done.alerts)
        await asyncio.gather(*waiting)


def batched(people: list[str], size: int) -> Iterator[list[str]]:
    """Slices."""
    yield from (people[at : at + size] for at in range(0, len(people), size))
