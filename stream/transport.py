"""One Faust event per fetch and partition, on Faust's own consumer.

Private names of Faust 0.15.3 and aiokafka 0.14 are used: both are pinned; run the live tests before raising a pin.

Rebalance, flow control and the time to commit stay Faust's. Three positions a partition: `taken` is what the next batch
must begin at; `applied`, moved when the broker has a batch's outputs, is how far a checkpoint may reach; `done`, moved when
the state is in the changelog, is what is committed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, ClassVar

import faust
from faust import streams
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage
from faust.types.tuples import ack_lock
from mode.utils.futures import notify

from stream.lines import Producer

FULL_BUFFER_S = 0.005  # Faust sleeps 1 s when every partition is back-pressured
CLOSED_WAIT_S = 0.1  # Faust waits up to 1 s for changelogs, and our partitions behind them

if streams._CStreamIterator is None:
    raise RuntimeError("faust without its Cython part acknowledges stale events unprocessed: unset NO_CYTHON")


class Frontier:
    """One partition since its last seek: fetched up to, taken up to, applied up to, done up to."""

    def __init__(self, offset: int) -> None:
        self.first = self.fetched = self.taken = self.applied = self.done = offset
        self.sought = -1  # where a gap was fetched again once


class Batch(ConsumerMessage):
    """The records of one fetch from one partition: from `start`, where the last batch ended, to `offset`."""

    __slots__ = ("frontier", "start")


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's thread, with a fetch wait that can be set: the driver hard-codes 1500 ms."""

    fetch_wait_ms: ClassVar[int] = 100

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        if not hasattr(consumer, "_fetch_max_wait_ms"):
            raise RuntimeError("aiokafka renamed _fetch_max_wait_ms")
        consumer._fetch_max_wait_ms = self.fetch_wait_ms
        return consumer


class BatchConsumer(driver.Consumer):
    """Batches for some topics. Nothing of them is fetched before the flow opens: Faust clears queues then (#596)."""

    batch_topics: ClassVar[set[str]] = set()
    before_empty: ClassVar[Callable[[], Awaitable[None]] | None] = None
    before_seek: ClassVar[Callable[[int], Awaitable[None]] | None] = (
        None  # outputs of a partition must have arrived
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._frontiers: dict[Any, Frontier] = {}
        self._open, self._member_until = False, 0.0
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:
        if self.flow_active and not self._get_active_partitions():
            await asyncio.sleep(FULL_BUFFER_S)
            return {}, set()
        return await super()._wait_next_records(timeout)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        # A set of its own: Faust's changes under the other thread, and aiokafka reads an emptied one as "all".
        wanted = {tp for tp in active_partitions if self._open or tp.topic not in self.batch_topics}
        if not wanted:
            await asyncio.sleep(FULL_BUFFER_S)
            return {}
        fetched = await super()._getmany(wanted, timeout if self._open else CLOSED_WAIT_S)
        for tp in [tp for tp in fetched if tp.topic in self.batch_topics]:
            records, frontier = fetched.pop(tp), self._frontiers.get(tp)
            if frontier is None:
                continue  # perform_seek comes, and then looks where we are
            begins_there = records[0].offset == frontier.fetched
            whole = begins_there and records[-1].offset - frontier.fetched + 1 == len(records)
            if self._open and (whole or frontier.sought == frontier.fetched):
                fetched[tp] = [(frontier, frontier.fetched, records)]
                frontier.fetched = records[-1].offset + 1
            elif (
                self._open
            ):  # drained before a seek, lost, or a gap in the log: what stays one the second time is that
                frontier.sought = frontier.fetched
                await self.seek_wait({tp: frontier.fetched})
        return {
            tp: [(None, 0, records)] if self._is_changelog_tp(tp) else records
            for tp, records in fetched.items()
        }

    def _to_message(self, tp: Any, record: Any) -> Any:
        if tp.topic not in self.batch_topics and not self._is_changelog_tp(tp):
            return super()._to_message(tp, record)
        frontier, start, records = record
        last = records[-1]
        message = Batch(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000, last.timestamp_type, (), b"", records,
            None, 0, 0, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        message.frontier, message.start = frontier, start
        return message

    async def admit(self, batch: Any) -> bool:
        """Whether this batch is the next of its partition. If one before it got lost, fetch that again."""
        current = self._frontiers.get(batch.tp)
        if (
            current is None
            or current is not batch.frontier
            or batch.generation_id != self.app.consumer_generation_id
        ):
            return False
        if batch.start == current.taken:
            # A worker that slept through its session asks the broker first.
            if monotonic() < self._member_until or await self._commit({batch.tp: current.done}):
                if (
                    self._frontiers.get(batch.tp) is not current
                ):  # asking takes time, in which it may be revoked
                    return False
                current.taken = batch.offset + 1
                return True
            if self._frontiers.get(batch.tp) is current:  # refused, so that it must come again
                await self.seek(batch.tp, current.taken)
            return False
        self.log.warning("lost %r from %s on: fetch again", batch.tp, current.taken)
        await self.seek(batch.tp, current.taken)
        return False

    def ack(self, message: Any) -> bool:
        """Note a batch as applied, its outputs as arrived; its offset is committed after `checkpointed`."""
        if not isinstance(message, Batch):
            return bool(super().ack(message))
        with ack_lock:
            message.acked = True
            self._unacked_messages.discard(message)
            notify(self._waiting_for_ack)
            frontier = self._frontiers.get(message.tp)
            if frontier is None or frontier is not message.frontier or frontier.applied != message.start:
                return False  # revoked, sought or refused since
            if message.generation_id != self.app.consumer_generation_id:
                return False
            frontier.applied = message.offset + 1
            return True

    def applied(self) -> dict[Any, int]:
        """Where each of our partitions stands."""
        return {tp: frontier.applied for tp, frontier in self._frontiers.items()}

    def joined(self) -> bool:
        """Whether partitions are ours; not before the consumer's thread has begun, where `assignment` raises."""
        try:
            return bool(self.assignment())
        except ConsumerNotStarted:
            return False

    async def standing(self) -> tuple[int, dict[Any, tuple[Any, ...]]]:
        """Records of our partitions that are not acknowledged, by the broker's word, and where each stands."""
        mine = [tp for tp in self.assignment() if tp.topic in self.batch_topics]
        ends = await self.highwaters(*mine) if mine else {}
        committed = {tp: self._committed_offset.get(tp) or 0 for tp in mine}
        lag = sum(max(0, (end or 0) - self._floor(tp, committed[tp])) for tp, end in ends.items())
        marks = {tp: (committed[tp], frontier.applied, frontier.done)
                 for tp, frontier in list(self._frontiers.items()) if tp in committed}  # fmt: skip
        return lag, marks

    def _floor(self, tp: Any, committed: int) -> int:
        """Nothing before it is ours to do: where nothing was committed the log may begin after 0."""
        frontier = self._frontiers.get(tp)
        return max(committed, frontier.first) if frontier else committed

    def frontier(self, tp: Any) -> Frontier | None:
        """Where a partition of ours stands: another object after every rebalance and seek."""
        return self._frontiers.get(tp)

    def checkpointed(self, positions: dict[Any, int]) -> None:
        """The state up to these positions is in the changelog: they may be committed."""
        for tp, offset in positions.items():
            frontier = self._frontiers.get(tp)
            if frontier is not None and frontier.done < offset <= frontier.applied:
                frontier.done = offset

    async def wait_empty(self) -> None:
        """Before a rebalance or a stop: let the batch in hand end, make the checkpoint, then what Faust does."""
        for _ in range(2000):
            if not self._unacked_messages:
                break
            await asyncio.sleep(FULL_BUFFER_S)
        if BatchConsumer.before_empty is not None:
            await BatchConsumer.before_empty()
        await super().wait_empty()

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        yield from super()._filter_tps_with_pending_acks(topics)
        yield from (
            tp for tp in list(self._frontiers) if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: Any) -> int | None:
        if tp.topic not in self.batch_topics:
            offset: int | None = super()._new_offset(tp)
            return offset
        return self._frontiers[tp].done if tp in self._frontiers else None

    async def _commit(self, offsets: Any) -> bool:
        asked = monotonic()
        if done := await super()._commit(offsets):  # the broker refuses an old generation
            self._member_until = asked + self.app.conf.broker_session_timeout
        return bool(done)

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.batch_topics:
            await super()._add_gap(tp, offset_from, offset_to - 1)  # offset_to is in flight, not a gap

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Waits for the batch in hand, checkpoints and commits it, then forgets the frontiers."""
        self._open = False
        await super().on_partitions_revoked(revoked)
        self._frontiers.clear()

    async def perform_seek(self) -> None:
        """Seek to what the broker says is committed, or to the earliest offset where nothing is."""
        self._open = False
        mine = [tp for tp in self.assignment() if tp.topic in self.batch_topics]
        self._committed_offset.update(dict.fromkeys(mine))  # Faust notes a commit that failed too
        await super().perform_seek()  # leaves a partition without a committed offset where it is
        earliest = await self.earliest_offsets(*[tp for tp in mine if not self._committed_offset[tp]])
        if earliest:
            await self.seek_wait(earliest)
        self._frontiers = {tp: Frontier(self._committed_offset[tp] or earliest[tp]) for tp in mine}

    def resume_flow(self) -> None:
        """At the end of recovery, after the last clearing of the queues."""
        super().resume_flow()
        self._open = bool(self._frontiers)

    async def seek(self, partition: Any, offset: int) -> None:
        """Seek one partition; what was fetched of it before is refused."""
        if BatchConsumer.before_seek is not None:  # it would be refused too, though the twins have it
            await BatchConsumer.before_seek(partition.partition)
        await self.seek_wait({partition: offset})
        old = self._frontiers[partition]
        self._frontiers[partition] = Frontier(offset)
        self._frontiers[partition].done = min(old.done, offset)


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer and producer."""

    Consumer = BatchConsumer
    Producer = Producer


class App(faust.App):
    """Faust's app with our transport; `early` runs from the start, where Faust's tasks wait for the recovery."""

    early: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def on_start(self) -> None:
        """Start what must not wait."""
        await super().on_start()
        for make in self.early:
            self.add_future(make())

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)


class RawSchema(faust.Schema):
    """The agent decodes: a codec here would run once per event and acknowledge what it cannot read."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The key as fetched."""
        return message.key

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The records as fetched."""
        return message.value


__all__ = ["App", "Batch", "BatchConsumer", "ConsumerThread", "RawSchema", "Transport"]
