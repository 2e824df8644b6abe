"""The worker's one table: the changelog is the truth, the cohorts in memory its cache."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import faust
import structlog
from faust.types import TP

from stream.cohort import Cohort
from stream.watchdog import EXIT_WITHOUT_ACKNOWLEDGING

log = structlog.get_logger()
TELL_S = 2.0  # how often a recovery says how far it is
BATCH_BYTES = 1_000_000  # of a checkpoint's batch, as long as no single twin is above it
LARGEST_BATCH = 15_000_000  # what the broker takes (max.message.bytes), with a margin
HEAD, BOOK = b"t|", b"a|"
READ_AGAIN = 5  # recoveries in a row that may end before their end; then the process ends
CUT_S = 1.0
OVERHEAD = 40  # what a record takes besides key and value, at most
Record = tuple[bytes, bytes | None]
Kind = tuple[int, bytes]


class TwinTable(faust.Table):
    """Cohorts by partition. Faust recovers it; nobody writes it but `write`, which waits for the broker."""

    make_cohort: Callable[[int], Cohort]

    def __post_init__(self) -> None:
        self.cohorts: dict[int, Cohort] = {}
        self.offsets: dict[Any, int] = {}
        # By partition and by what it is, HEAD or BOOK: what was sent to the changelog and did not arrive.
        self.writing: Counter[Kind] = Counter()
        self.turns: dict[int, asyncio.Future[None]] = {}  # by partition, the hand-over of what was last
        self.read = 0  # records of changelogs
        self.told = time.monotonic()
        self.again = 0  # how often in a row a recovery ended before its end

    def cohort(self, partition: int) -> Cohort:
        """The twins of a partition."""
        if partition not in self.cohorts:
            self.cohorts[partition] = type(self).make_cohort(partition)
        return self.cohorts[partition]

    def persisted_offset(self, tp: Any) -> int:
        """Up to where recovery need not read again: what we recovered or wrote without a gap; -1: read everything.

        Never None: Faust then takes how far it once read itself, of which we may have dropped the twins since.
        """
        return self.offsets.get(tp, -1)

    def apply_changelog_batch(self, batch: Any) -> None:
        """Take a fetch of the changelog."""
        for event in batch:
            cohort = self.cohort(event.message.partition)
            for record in event.value:
                cohort.restore(record.key, record.value)
            self.offsets[event.message.tp] = event.message.offset
            self.read += len(event.value)
        if time.monotonic() - self.told > TELL_S:
            self.told = time.monotonic()
            log.info(
                "recovering_twins", records=self.read, people=sum(c.people() for c in self.cohorts.values())
            )

    async def on_rebalance(self, *arguments: Any, **named: Any) -> None:
        """Before the changelogs are read: forget twins that are ahead of them.

        A batch that was applied after the last checkpoint, or whose checkpoint never arrived, comes again; a twin that
        kept it in memory would skip it then, and nobody would ever write it.
        """
        ahead = {number for number, cohort in self.cohorts.items() if _ahead(cohort)}
        ahead |= {number for number, _ in +self.writing}
        self.writing = Counter()
        for partition in ahead & self.cohorts.keys():
            self.cohorts.pop(partition).close()
            self.offsets.pop(TP(self.changelog_topic_name, partition), None)
        await super().on_rebalance(*arguments, **named)

    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Drop what is no longer ours, put the rest together; read again what was not read.

        Faust says so, too, of a recovery that a rebalance has overtaken while it ended: of partitions that came with it
        nothing was read yet. Another recovery begins then, and this end means nothing.
        """
        recovery = self.app.tables.recovery
        if recovery.signal_recovery_start.is_set():
            log.info("recovery_overtaken")
            return
        if lacking := self.lacking(active_tps):
            if self.again >= READ_AGAIN:
                os._exit(EXIT_WITHOUT_ACKNOWLEDGING)
            self.again += 1
            for tp in lacking:
                recovery.active_offsets[tp] = self.offsets.get(tp, -1)
            recovery.signal_recovery_start.set()
            await asyncio.sleep(CUT_S)  # Faust cuts the end of this recovery meanwhile, and begins anew
            return
        self.again = 0
        kept = active_tps | standby_tps
        self.offsets = {tp: offset for tp, offset in self.offsets.items() if tp in kept}
        for partition in self.cohorts.keys() - {tp.partition for tp in kept}:
            self.cohorts.pop(partition).close()
        for cohort in self.cohorts.values():
            cohort.finish_restore()
        await super().on_recovery_completed(active_tps, standby_tps)

    def lacking(self, tps: Iterable[Any]) -> list[Any]:
        """Partitions whose twins would lack what their changelog says of them."""
        ends = self.app.tables.recovery.active_highwaters
        found = []
        for tp in tps:
            read, end = self.offsets.get(tp, -1), ends.get(tp)
            if end is not None and read < end:
                log.warning("changelog_not_read", partition=tp.partition, read=read, end=end)
                found.append(tp)
        return found

    def write(
        self, partition: int, people: Iterable[str] | None = None, after: Iterable[asyncio.Future[Any]] = ()
    ) -> "Sent":
        """Write what changed of these people of a partition, or of all, as it is now; `arrived` waits for the broker.

        The records of a twin travel in one batch, which the broker takes whole or not at all: a head whose journal did
        not come with it would say that readings were applied which nobody has.

        Args:
            partition: of the changelog.
            people: all that were touched where None.
            after: what must have arrived before: estimates of what this state says is done.

        """
        return self._produce(partition, list(self.cohort(partition).changed(people)), HEAD, list(after))

    def note(
        self, partition: int, alerts: list[dict[str, Any]], after: Sequence[asyncio.Future[Any]] = ()
    ) -> "Sent":
        """Write the books of alerts that are about to be sent, as they are now; the changelog knows of all that is sent."""
        return self._produce(partition, list(self.cohort(partition).books(alerts)), BOOK, after)

    def cut(self, partition: int) -> bool:
        """Whether state was handed to the producer whose arrival nobody has seen: it counts as written.

        Books of alerts are on their way at any time; whoever announces waits for them (stream.flights).
        """
        return self.writing[partition, HEAD] > 0

    def _produce(
        self, partition: int, records: list[Record], last: bytes, after: Sequence[asyncio.Future[Any]] = ()
    ) -> "Sent":
        sent = Sent(
            TP(self.changelog_topic_name, partition),
            sum(len(value or b"") for _, value in records),
            self.writing,
            last,
        )
        if records:
            self.writing[partition, last] += 1
            before = self.turns.get(partition)
            sent.handed = self.turns[partition] = asyncio.ensure_future(
                self._hand_over(sent, records, [*after, *([before] if before is not None else [])])
            )
        return sent

    async def _hand_over(self, sent: "Sent", records: list[Record], after: list[asyncio.Future[Any]]) -> None:
        """In the order of asking, which is that of the state: the later record of a key is what counts."""
        if after:
            await asyncio.wait(after)
        producer = self.app.producer.changelog  # aiokafka's own: 24 us a record where send_changelog takes 70
        for batch in batches(records, last=sent.last):
            future = await producer.send_batch(
                built(producer, batch), sent.tp.topic, partition=sent.tp.partition
            )
            future.add_done_callback(partial(self._count, sent, len(batch)))
            sent.waiting.append(future)

    def _count(self, sent: "Sent", count: int, future: asyncio.Future[Any]) -> None:
        """Move the persisted offset on where nobody wrote in between; else recovery reads from there."""
        if sent.writing is not self.writing or future.cancelled() or future.exception():
            return  # of before a rebalance, in which these twins may have been dropped
        first = future.result().offset
        if first == self.offsets.get(sent.tp, -1) + 1:
            self.offsets[sent.tp] = first + count - 1

    async def arrived(self, sent: "Sent") -> int:
        """Wait for the broker; returns the bytes written."""
        if sent.handed is None:
            return 0
        await asyncio.shield(sent.handed)
        for future in sent.waiting:
            await future
        sent.writing[sent.tp.partition, sent.last] -= 1
        return sent.size


@dataclass
class Sent:
    """Batches of one partition of the changelog on their way, of state (HEAD) or of books; `writing` counts them meanwhile."""

    tp: TP
    size: int
    writing: Counter[Kind]
    last: bytes
    handed: asyncio.Future[None] | None = None
    waiting: list[asyncio.Future[Any]] = field(default_factory=list)


def _ahead(cohort: Cohort) -> bool:
    return any(twin.touched for twin in cohort.twins.values())


def built(producer: Any, batch: list[Record]) -> Any:
    """A closed batch of the producer, for its `send_batch`."""
    builder = producer.create_batch()
    for key, value in batch:
        if builder.append(timestamp=None, key=key, value=value) is None:
            raise RuntimeError(f"a batch of {len(batch)} records is above producer_max_batch_size")
    builder.close()
    return builder


def batches(records: list[Record], limit: int = BATCH_BYTES, last: bytes = HEAD) -> Iterator[list[Record]]:
    """Cut between twins, so that no batch but one of a single twin is above.

    Args:
        records: as Cohort.changed gives them.
        limit: bytes of a batch.
        last: what the key of a twin's last record begins with.

    """
    batch: list[Record] = []
    size = 0
    twin: list[Record] = []
    for record in records:
        twin.append(record)
        if record[0][:2] == last:
            weight = sum(len(key) + len(value or b"") + OVERHEAD for key, value in twin)
            if batch and size + weight > limit:
                yield batch
                batch, size = [], 0
            batch, size, twin = batch + twin, size + weight, []
    if batch or twin:
        yield batch + twin
