"""State to the changelog at intervals, a few people at a time, while batches go on."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from stream.cohort import Cohort
from stream.whole import whole

if TYPE_CHECKING:
    from stream.worker import Worker

log = structlog.get_logger()
SLICE_S = 0.004  # of the loop at a time: an alert that comes meanwhile waits so long
QUIET_S = 0.5
MOST_AT_ONCE = 100  # people of a slice


class Checkpoints:
    """Of one worker; one at a time."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.one = asyncio.Lock()
        self.hurry = False
        self.settling, self.writing = Slices(), Slices()

    async def make(self, hurry: bool = False) -> None:
        """State of all twins touched since to the changelog; then the offsets may be committed.

        Args:
            hurry: somebody waits for it, and no batches come: a rebalance, a stop.

        """
        self.hurry |= hurry
        async with self.one:
            self.hurry = hurry
            began = time.perf_counter()
            written = 0
            for tp in self.worker.app.consumer.applied():
                written += await self.of(tp)
        if written:
            if not hurry:  # else whoever waits commits
                await self.worker.app.consumer.commit()
            self.worker.metrics.count("twin_checkpoint_bytes_total", written)
            self.worker.metrics.count("twin_checkpoint_seconds_total", round(time.perf_counter() - began, 6))
            log.debug("checkpoint_written", bytes=written)

    async def when_quiet(self) -> None:
        """The same where nothing came for a while: the end of a backlog need not wait for its turn."""
        consumer = self.worker.app.consumer
        if time.monotonic() - self.worker.came < QUIET_S or self.one.locked():
            return
        if any(frontier.done < frontier.applied for frontier in map(consumer.frontier, consumer.applied())):
            await self.make()

    async def of(self, tp: Any) -> int:
        """State of one partition, a few people at a time, so that batches go on in between; returns the bytes written.

        Whoever was touched before the position that is noted first is written at some time after it, each with the offset
        that their own twin has applied: what a later batch added to some is skipped for them when it comes again.
        """
        consumer, cohort = self.worker.app.consumer, self.worker.table.cohort(tp.partition)
        frontier = consumer.frontier(tp)
        async with self.worker.lock:
            if frontier is None or consumer.frontier(tp) is not frontier:
                return 0
            position = frontier.applied
            if self.worker.table.cut(tp.partition):
                raise RuntimeError(
                    f"the checkpoint of partition {tp.partition} was cut: its changes count as written"
                )
            await self.worker.announcer.say_again(tp.partition)
        # What a batch that was behind left waiting comes at once; where no batch came since the last checkpoint, never.
        if not self.worker.behind.pop(tp.partition, False):
            await whole(self.settle(tp, frontier, cohort))
        sent = []
        for people in self.writing.of(cohort.touched()):
            async with self.worker.lock:
                if consumer.frontier(tp) is not frontier:
                    return 0  # the new owner runs the same batches again
                with self.writing.timed():
                    said = self.worker.flights.last(tp.partition)
                    sent.append(self.worker.table.write(tp.partition, people, said))
            await self.pause(self.writing.took_s)
        written = sum([await self.worker.table.arrived(one) for one in sent])
        if consumer.frontier(tp) is frontier:
            consumer.checkpointed({tp: position})
        return written

    async def settle(self, tp: Any, frontier: Any, cohort: Cohort) -> None:
        """Run what waits for more of its minute, and publish it: state goes to the changelog after what it says."""
        for people in self.settling.of(sorted(cohort.due)):
            async with self.worker.lock:
                if self.worker.app.consumer.frontier(tp) is not frontier:
                    return
                with self.settling.timed():
                    done = cohort.settle(people)
                    self.worker.metrics.count("twin_ticks_total", len(done.tick_s))
                    await self.worker.tell(tp.partition, cohort, done)
            await self.pause(self.settling.took_s)

    async def pause(self, took_s: float) -> None:
        """As long as a slice took, for the fetches, answers and batches of that time; none where there is only a backlog."""
        await asyncio.sleep(0.0 if self.hurry or self.worker.backlog else took_s)


class Slices:
    """So many people at a time as take SLICE_S, by what the last slice took."""

    def __init__(self) -> None:
        self.size, self.took_s = 4, 0.0

    def of(self, people: list[str]) -> Iterator[list[str]]:
        """Slices of whoever is to be done."""
        at = 0
        while at < len(people):
            chosen = people[at : at + self.size]
            at += len(chosen)
            yield chosen
            if len(chosen) == self.size:  # a rest says little
                self.size = min(
                    max(1, round(self.size * min(2.0, SLICE_S / max(self.took_s, 1e-5)))), MOST_AT_ONCE
                )

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure a slice."""
        began = time.perf_counter()
        yield
        self.took_s = time.perf_counter() - began
