"""Commands to the worker, by their topic."""

import time

import orjson
from aiokafka import AIOKafkaProducer

from stream import topics
from stream.settings import Settings


async def send_acknowledgement(settings: Settings, person: str, alert_id: str, by: str) -> None:
    """Publish a command/1 of acknowledge; returns when the broker has it."""
    document = {"schema": "command/1", "person": person, "command": "acknowledge", "alert_id": alert_id, "by": by,
                "at": int(time.time() * 1000)}  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    try:
        await producer.send_and_wait(topics.COMMAND, orjson.dumps(document), key=person.encode())
    finally:
        await producer.stop()
