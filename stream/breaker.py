"""Trying again without a stampede: growing, jittered pauses, one small request to look, then twice as many each time.

A server that comes back would fall again under everything that has waited for it. And one that is back must be used
within seconds, whatever it or its jitter asked for before it went: see `look_out`.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import structlog

from connectors.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger()
LONGEST_PAUSE_S, LONGEST_ASKED_S = 60.0, 300.0
LOOK_S, LOOK_WITHIN_S = 1.0, 3.0
LEAST_PORTION = 1 / 16
SLOW_S = 5.0  # of a request; InfluxDB gives up a write after 10 s, this side after 15, and both have worked for nothing
CLOSED, HALF_OPEN, OPEN = range(3)
BREAKER = ("closed", "half open", "open")


def pause_after(attempt: int, asked_s: float) -> float:
    """Full jitter, and never less than the server asked for (within reason)."""
    jitter = random.uniform(0.0, min(LONGEST_PAUSE_S, 0.5 * 2 ** min(attempt, 10)))  # noqa: S311
    return max(min(asked_s, LONGEST_ASKED_S), jitter)


class Breaker:
    """Of one server.

    Args:
        what: for the log.
        width: requests at a time when all is well.
        noted: hears every change of the state.

    Attributes:
        portion: of a usual request that should be sent: a server too slow for large ones would never answer one.

    """

    def __init__(self, what: str, width: int = 1, noted: Callable[[int], None] = lambda _: None) -> None:
        self.what, self.width, self.noted = what, width, noted
        self.state, self.allowed, self.looks, self.flying, self.portion = CLOSED, width, 1, 0, 1.0
        self.attempt, self.until = 0, 0.0
        self.known = 0.0  # what began before this tells nothing new of the server
        self._changed = asyncio.Event()

    def _be(self, state: int) -> None:
        self.state = state
        self.noted(state)

    def hurry(self) -> None:
        """The server is there again: look now, also beside a request that still hangs."""
        if self.state != CLOSED:
            self.until, self.looks = time.monotonic(), self.flying + 1
        self.wake()

    def wake(self) -> None:
        """Let those who wait see whether they may go, or are still wanted."""
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    async def _enter(self, wanted: Callable[[], bool]) -> bool:
        while wanted():
            left = max(0.0, self.until - time.monotonic()) if self.state == OPEN else None
            if not left:
                if self.state == OPEN:
                    left = None
                    self._be(HALF_OPEN)
                if self.flying < (self.looks if self.state == HALF_OPEN else self.allowed):
                    self.flying += 1
                    return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    left
                ):  # wait_for may lose a cancellation that comes with the event
                    await self._changed.wait()
        return False

    async def persist(
        self, action: Callable[[], Awaitable[T]], wanted: Callable[[], bool] = lambda: True
    ) -> T | None:
        """Try until it works; None if it is not wanted any more."""
        while await self._enter(wanted):
            began = time.monotonic()
            try:
                done = await action()
            except Unavailable as error:
                self._failed(error, began)
            else:
                self.attempt, self.allowed, self.looks = 0, min(self.width, max(1, self.allowed) * 2), 1
                self.known = max(self.known, began)
                self._measured(time.monotonic() - began)
                self._be(CLOSED)
                return done
            finally:
                self.flying -= 1
                self.wake()
        return None

    def _measured(self, took_s: float) -> None:
        """Smaller requests before the server's patience ends, larger ones while there is room."""
        if took_s > SLOW_S:
            self.portion = max(LEAST_PORTION, self.portion / 2)
        elif took_s < SLOW_S / 2:
            self.portion = min(1.0, self.portion * 2)

    def _failed(self, error: Unavailable, began: float) -> None:
        self.portion = max(LEAST_PORTION, self.portion / 4)
        if began < self.known:  # others have said so before, or know better
            return
        self.attempt += 1
        pause = pause_after(self.attempt, error.retry_after)
        self.known = time.monotonic()
        self.until, self.allowed, self.looks = self.known + pause, 1, 1
        self._be(OPEN)
        log.warning("waiting", what=self.what, why=str(error), attempt=self.attempt, seconds=round(pause, 1))


async def look_out(breakers: Collection[Breaker], look: Callable[[], Awaitable[object]]) -> None:
    """While one of the breakers is not closed, ask every second whether the server is there; until cancelled.

    One that was gone and is there again was started anew, and has asked nobody to wait. One that answered all along
    and refuses has: that pause is kept.
    """
    gone = False
    while True:
        await asyncio.sleep(LOOK_S)
        if all(breaker.state == CLOSED for breaker in breakers):
            gone = False
            continue
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                await look()
        except Exception as error:  # noqa: BLE001 - whatever it is: the question is only whether it answers
            log.debug("store_gone", why=type(error).__name__)
            gone = True
            continue
        if gone:
            gone = False
            for breaker in breakers:
                breaker.hurry()
