"""What batches say, on its way to the broker in the order of the batches, while the next one is filtered.

A batch's outputs take the broker some milliseconds, in which a worker that waits does nothing. What must not overtake
waits here: outputs of one partition are handed over one batch after the other, a batch is acknowledged after those
before it, and state goes to the changelog after all that was said of it (stream.checkpointing).
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from stream.watchdog import EXIT_WITHOUT_ACKNOWLEDGING

log = structlog.get_logger()
MOST = 3  # batches of a partition that are on their way at once


class Flight:
    """The outputs of one batch: handed to the producer, then landed."""

    def __init__(self) -> None:
        self.handed = asyncio.Event()
        self.landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Flights:
    """By partition. A flight that fails or is cut ends the process: the twins have what nobody heard."""

    def __init__(self) -> None:
        self.air: dict[int, list[Flight]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def depart(
        self,
        partition: int,
        hand_over: Callable[[], Awaitable[Iterable[Awaitable[Any]]]],
        then: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        """Send the outputs of a batch on their way.

        Args:
            partition: of the batch.
            hand_over: gives them to the producer, and returns what to wait for.
            then: what follows once all of them and of the batches before have arrived.

        """
        air = self.air.setdefault(partition, [])
        flight = Flight()
        task = asyncio.ensure_future(self._fly(air, air[-1] if air else None, flight, hand_over, then))
        air.append(flight)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _fly(
        self, air: list[Flight], before: Flight | None, flight: Flight,
        hand_over: Callable[[], Awaitable[Iterable[Awaitable[Any]]]], then: Callable[[], Awaitable[Any]] | None,
    ) -> None:  # fmt: skip
        try:
            if before is not None:
                await before.handed.wait()
            waiting = list(await hand_over())
            flight.handed.set()
            if waiting:
                await asyncio.gather(*waiting)
            if before is not None:
                await asyncio.shield(before.landed)
            if then is not None:
                await then()
        except BaseException:  # acknowledging would lose the batch, and going on would do that
            log.exception("outputs_failed", exit_code=EXIT_WITHOUT_ACKNOWLEDGING)
            os._exit(EXIT_WITHOUT_ACKNOWLEDGING)
        air.remove(flight)
        flight.landed.set_result(None)

    def last(self, partition: int) -> list[asyncio.Future[None]]:
        """What has arrived when all that is on its way now has."""
        return [flight.landed for flight in self.air.get(partition, [])[-1:]]

    async def room(self, partition: int) -> None:
        """Wait until another batch may be taken."""
        air = self.air.get(partition, [])
        while len(air) >= MOST:
            await asyncio.shield(air[0].landed)

    async def land(self, partition: int) -> None:
        """Wait for everything that is on its way."""
        for landed in self.last(partition):
            await asyncio.shield(landed)
