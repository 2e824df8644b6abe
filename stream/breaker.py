"""Trying again without a stampede: growing, jittered pauses, one request to look, then twice as many each time.

A server that comes back would fall again under everything that has waited for it.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from connectors.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger()
LONGEST_PAUSE_S, LONGEST_ASKED_S = 60.0, 300.0
CLOSED, HALF_OPEN, OPEN = range(3)
BREAKER = ("closed", "half open", "open")


def pause_after(attempt: int, asked_s: float) -> float:
    """Full jitter, and never less than the server asked for (within reason)."""
    return max(min(asked_s, LONGEST_ASKED_S), random.uniform(0.0, min(LONGEST_PAUSE_S, 0.5 * 2**attempt)))  # noqa: S311


class Breaker:
    """Of one server.

    Args:
        what: for the log.
        width: requests at a time when all is well.
        noted: hears every change of the state.

    """

    def __init__(self, what: str, width: int = 1, noted: Callable[[int], None] = lambda _: None) -> None:
        self.what, self.width, self.noted = what, width, noted
        self.state, self.allowed, self.flying = CLOSED, width, 0
        self.attempt, self.until = 0, 0.0
        self.changed = asyncio.Condition()

    def _be(self, state: int) -> None:
        self.state = state
        self.noted(state)

    async def _enter(self) -> None:
        while True:
            async with self.changed:
                left = self.until - time.monotonic() if self.state == OPEN else 0.0
                if left <= 0.0:
                    if self.state == OPEN:
                        self._be(HALF_OPEN)
                    if self.flying < (1 if self.state == HALF_OPEN else self.allowed):
                        self.flying += 1
                        return
                    await self.changed.wait()
            if left > 0.0:
                await asyncio.sleep(left)

    async def persist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try until it works."""
        while True:
            await self._enter()
            try:
                done = await action()
            except Unavailable as error:
                self.attempt += 1
                pause = pause_after(self.attempt, error.retry_after)
                self.until = max(self.until, time.monotonic() + pause)
                self.allowed = 1
                self._be(OPEN)
                log.warning(
                    "waiting", what=self.what, why=str(error), attempt=self.attempt, seconds=round(pause, 1)
                )
            else:
                self.attempt, self.allowed = 0, min(self.width, max(1, self.allowed) * 2)
                self._be(CLOSED)
                return done
            finally:
                self.flying -= 1
                async with self.changed:
                    self.changed.notify_all()
