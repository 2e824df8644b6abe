"""A batch is done whole, or the process ends: whatever it is, acknowledging would lose what was not done."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from stream.watchdog import EXIT_WITHOUT_ACKNOWLEDGING

log = structlog.get_logger()


@contextmanager
def or_end(message: Any) -> Iterator[None]:
    """An error in what is done with this batch ends the process."""
    try:
        yield
    except Exception:
        log.exception("batch_failed", partition=message.partition, offset=message.offset)
        os._exit(EXIT_WITHOUT_ACKNOWLEDGING)


async def whole(work: Coroutine[Any, Any, None]) -> None:
    """So does a cut in the middle: the twins have the batch then, and its estimates are not out."""
    try:
        await work
    except asyncio.CancelledError:
        log.error("batch_cut", exit_code=EXIT_WITHOUT_ACKNOWLEDGING)  # noqa: TRY400 - a traceback says nothing more
        os._exit(EXIT_WITHOUT_ACKNOWLEDGING)
