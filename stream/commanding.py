"""Commands to the worker, by their topic."""

import time

import orjson

from stream import topics
from stream.producing import started_producer
from stream.settings import Settings


async def send_acknowledgement(settings: Settings, person: str, alert_id: str, by: str) -> None:
    """Publish a command/1 of acknowledge; returns when the broker has it. Raises Unavailable without one."""
    document = {"schema": "command/1", "person": person, "command": "acknowledge", "alert_id": alert_id, "by": by,
                "at": int(time.time() * 1000)}  # fmt: skip
    async with started_producer(settings) as producer:
        await producer.send_and_wait(topics.COMMAND, orjson.dumps(document), key=person.encode())
