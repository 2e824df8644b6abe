"""A Kafka producer that is stopped again whatever happens, and an error that says what to do when there is no broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from connectors.errors import Unavailable
from stream.settings import Settings

STOP_S = 5.0
# Not aiokafka's idempotence (0.14): when the broker is away for so long that a batch expires, its number is missing for
# ever, and Kafka refuses all that follows (OutOfOrderSequence) until the process ends. A duplicate does nothing here.


@asynccontextmanager
async def started_producer(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer for records of up to 16 MiB.

    Raises:
        Unavailable: naming the broker.

    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, acks="all", linger_ms=5,
        max_request_size=16_777_216, **options,
    )  # fmt: skip
    try:
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            message = f"no Kafka at {settings.broker}: start it or set TWIN_BROKER; `twin doctor` says more"
            raise Unavailable(message, 1.0) from error
        yield producer
    finally:
        with contextlib.suppress(
            TimeoutError
        ):  # whoever awaited their records has them; a broker that is away never answers
            await asyncio.wait_for(producer.stop(), STOP_S)
