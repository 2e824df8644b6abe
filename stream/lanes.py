"""Queues between the topic and the store: alerts first, estimates by person, so that a series is in one request only.

A lane writes one request after the other. A person's documents are always in the same lane and in the order of the
topic: of two versions of a row the later one is written later. What is queued is bounded by bytes: whoever fills waits.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

LINGER_S = {"alert": 0.1, "estimate": 1.0}
MOST = {
    "alert": 500,
    "estimate": 2500,
}  # documents of a request: an estimate has two lines, and 5,000 are the optimum
MOST_BYTES = 4_000_000


class Acknowledgements:
    """How far a partition may be committed: what came first is done first."""

    def __init__(self) -> None:
        self._open: dict[Any, deque[Item]] = {}
        self._upto: dict[Any, int] = {}

    def add(self, item: "Item") -> None:
        """Note what has to be done."""
        self._open.setdefault(item.part, deque()).append(item)

    def positions(self) -> dict[Any, int]:
        """By partition, one beyond the last of those that are done with all before them."""
        for part, items in self._open.items():
            while items and items[0].done:
                self._upto[part] = items.popleft().offset + 1
        return dict(self._upto)

    def forget(self, parts: Iterable[Any]) -> None:
        """They are somebody else's."""
        for part in parts:
            for item in self._open.pop(part, ()):
                item.lost = True
            self._upto.pop(part, None)

    @property
    def oldest_ms(self) -> int | None:
        """When the topic took the oldest record that is not done."""
        return min((items[0].record.timestamp for items in self._open.values() if items), default=None)


class Item:
    """A document on its way, with the record that it came in."""

    __slots__ = ("came", "document", "done", "kind", "lost", "offset", "part", "record", "size")

    def __init__(self, part: Any, record: Any, kind: str, document: dict[str, Any] | None) -> None:
        self.part, self.record, self.kind, self.document = part, record, kind, document
        self.offset, self.size = record.offset, len(record.value or b"")
        self.came, self.done, self.lost = time.monotonic(), False, False


Write = Callable[[str, Sequence[Item]], Awaitable[None]]


class Lane:
    """One queue and the task that empties it."""

    def __init__(self, kind: str, write: Write, drained: Callable[[], None]) -> None:
        self.kind, self.write, self.drained = kind, write, drained
        self.items: deque[Item] = deque()
        self.wake, self.idle = asyncio.Event(), asyncio.Event()
        self.hurry = False
        self.idle.set()

    def put(self, item: Item) -> None:
        """Behind the others."""
        self.items.append(item)
        self.idle.clear()
        if len(self.items) == 1 or len(self.items) >= MOST[self.kind]:
            self.wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while not self.items:
                self.idle.set()
                self.wake.clear()
                await self.wake.wait()
            await self._linger()
            batch: list[Item] = []
            size = 0
            while (
                self.items
                and len(batch) < MOST[self.kind]
                and (not batch or size + self.items[0].size < MOST_BYTES)
            ):
                batch.append(self.items.popleft())
                size += batch[-1].size
            if batch:
                await self.write(self.kind, batch)
            self.drained()

    async def _linger(self) -> None:
        while self.items and len(self.items) < MOST[self.kind] and not self.hurry:
            left = self.items[0].came + LINGER_S[self.kind] - time.monotonic()
            if left <= 0:
                return
            self.wake.clear()
            try:
                async with asyncio.timeout(left):
                    await self.wake.wait()
            except TimeoutError:
                return


class Lanes:
    """All of them.

    Args:
        write: takes a kind (alert, estimate) and items; returns when each is stored or lies with the dead letters.
        width: lanes of estimates.
        limit: bytes that may be queued.

    """

    def __init__(self, write: Write, width: int, limit: int) -> None:
        self.bytes, self.limit = 0, limit
        self._room = asyncio.Event()
        self._room.set()
        self._write = write
        self.alerts = Lane("alert", self._written, self._drained)
        self.estimates = [Lane("estimate", self._written, self._drained) for _ in range(width)]
        self.all = [self.alerts, *self.estimates]
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to empty them."""
        self.tasks = [asyncio.ensure_future(lane.run()) for lane in self.all]

    def put(self, item: Item) -> None:
        """Into its lane."""
        self.bytes += item.size
        if self.bytes >= self.limit:
            self._room.clear()
        person = (item.document or {}).get("person")
        lane = (
            self.alerts if item.kind == "alert" else self.estimates[hash(str(person)) % len(self.estimates)]
        )
        lane.put(item)

    async def _written(self, kind: str, items: Sequence[Item]) -> None:
        try:
            await self._write(kind, items)
        finally:
            self.bytes -= sum(item.size for item in items)

    def _drained(self) -> None:
        if self.bytes < self.limit:
            self._room.set()

    async def room(self) -> None:
        """Wait until something more may be queued; raises what ended a lane."""
        waiting = asyncio.ensure_future(self._room.wait())
        try:
            done, _ = await asyncio.wait([waiting, *self.tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        for task in done & set(self.tasks):
            task.result()

    def forget(self, parts: Iterable[Any]) -> None:
        """Throw away what waits of these partitions: their new owner reads it again."""
        gone = set(parts)
        for lane in self.all:
            kept = [item for item in lane.items if item.part not in gone]
            self.bytes -= sum(item.size for item in lane.items if item.part in gone)
            lane.items = deque(kept)
        self._drained()

    async def idle(self, within_s: float) -> bool:
        """Hand in what waits without lingering; whether all of it was done in time."""
        for lane in self.all:
            lane.hurry = True
            lane.wake.set()
        try:
            async with asyncio.timeout(within_s):
                for lane in self.all:
                    await lane.idle.wait()
        except TimeoutError:
            return False
        finally:
            for lane in self.all:
                lane.hurry = False
        return True

    async def stop(self) -> None:
        """End the tasks."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
