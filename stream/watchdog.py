"""Ends a worker that has work and does not get on with it: a restart finds the same twins, a standstill loses time.

Faust only logs such a standstill (faust.md C14, C15). A thread counts, so that a blocked event loop ends too; it counts
its own naps and not the clock, so that a machine that slept is not taken for a worker that did.
"""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.get_logger()
EXIT_WITHOUT_ACKNOWLEDGING, EXIT_STALLED = 70, 71
LOOK_S, NAP_S, LONGEST_NAP_S = 1.0, 0.25, 1.0
STOP_WITHIN_S = 9.0
Probe = Callable[[], Awaitable[tuple[int, Any]]]


class Watchdog:
    """Looks every second whether there is lag, and whether anything moved.

    Args:
        limit_s: with lag and without progress for so long the process ends with EXIT_STALLED.
        probe: gives the lag [records] and marks that change with any progress; it raises when neither can be known.

    """

    def __init__(self, limit_s: float, probe: Probe) -> None:
        self.limit_s, self.probe = limit_s, probe
        self.idle_s, self.lag = 0.0, 0
        self._marks: Any = None

    async def run(self) -> None:
        """Look until cancelled."""
        stopped = threading.Event()
        threading.Thread(target=self._count, args=(stopped,), name="watchdog", daemon=True).start()
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            stopped.set()

    async def look(self) -> None:
        """One look."""
        self.lag, marks = await self.probe()
        if self.lag <= 0 or marks != self._marks:
            self.idle_s = 0.0
        self._marks = marks

    def _count(self, stopped: threading.Event) -> None:
        before = time.monotonic()
        while not stopped.wait(NAP_S):
            now = time.monotonic()
            self.idle_s += min(now - before, LONGEST_NAP_S)
            before = now
            if self.idle_s > self.limit_s:
                log.error("worker_stalled", lag=self.lag, seconds=round(self.idle_s), exit_code=EXIT_STALLED)
                os._exit(EXIT_STALLED)


def end_within(seconds: float = STOP_WITHIN_S) -> None:
    """End the process if it has not ended by itself by then: what it did not acknowledge is done again elsewhere."""

    def end() -> None:
        log.error("stop_took_too_long", seconds=seconds, exit_code=EXIT_WITHOUT_ACKNOWLEDGING)
        os._exit(EXIT_WITHOUT_ACKNOWLEDGING)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
