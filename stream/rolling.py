"""What the sink writes that comes from no record: hourly rows, the row of all people, its own counters.

They are asked of the store and may take long; a task and a breaker of their own, so that no estimate waits for them.
"""

import asyncio
import platform
import time
from collections.abc import Callable
from functools import partial

import structlog

from connectors.stores import Store
from connectors.stores.overview import STEP_MS
from stream.breaker import Breaker
from stream.health import Metrics
from stream.owing import Owing

log = structlog.get_logger()
ROLL_UP_S, OWN_ROW_S = 5.0, 60.0
REST = 3.0  # times as long as it took: the store has the other three quarters of its time for estimates


class Rolling:
    """Until cancelled.

    Args:
        newest_ms: the newest event time that is stored.
        first: whether this sink has the first partition, and so writes the row of all people.

    """

    def __init__(
        self, store: Store, owing: Owing, metrics: Metrics, worker: str, newest_ms: Callable[[], int],
        first: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.store, self.owing, self.metrics, self.worker = store, owing, metrics, worker or platform.node()
        self.newest_ms, self.first = newest_ms, first
        self.breaker = Breaker("store, hours")
        self.overviewed = 0  # the last step with a row of all people
        self.told = 0.0

    async def run(self) -> None:
        """One round after the other."""
        while True:
            began = time.monotonic()
            await self.hours()
            await self._overview()
            await self._own()
            await asyncio.sleep(max(ROLL_UP_S, REST * (time.monotonic() - began)))

    async def hours(self) -> None:
        """The rows that are owed now, a query of at most a hundred people after the other."""
        roll_up = getattr(self.store, "roll_up", None)
        if roll_up is None:
            return
        left = len(self.owing)
        while left > 0 and (pairs := self.owing.begin()):
            left -= len(pairs)
            try:
                refused = await self.breaker.persist(
                    partial(roll_up, pairs), lambda: bool(self.owing.writing)
                )
            except BaseException:
                self.owing.failed()
                raise
            self.owing.done()
            if refused:
                log.warning("hours_refused", rows=len(refused), example=refused[0].reason)

    async def _overview(self) -> None:
        """Once a step of event time."""
        write_overview, newest_ms = getattr(self.store, "write_overview", None), self.newest_ms()
        if write_overview is not None and self.first() and newest_ms // STEP_MS > self.overviewed:
            await self.breaker.persist(lambda: write_overview(newest_ms), self.first)
            self.overviewed = newest_ms // STEP_MS

    async def _own(self) -> None:
        now = time.monotonic()
        if now - self.told > OWN_ROW_S and (write_own := getattr(self.store, "write_own", None)) is not None:
            self.told = now
            numbers = {name: self.metrics.total(name) for name in self.metrics.names("twin_sink_")}
            await self.breaker.persist(lambda: write_own(self.worker, numbers, int(time.time() * 1000)))
