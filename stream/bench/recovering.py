"""How long a worker takes to have its twins again: a changelog of many, written as the worker writes it, then a start."""

import asyncio
import re
import time
from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from stream import topics
from stream.bench.around import Process
from stream.bench.inside import people_minutes
from stream.cohort import Cohort
from stream.settings import Settings
from stream.table import LARGEST_BATCH, batches, built

AT_ONCE, MINUTES = 1000, 3


async def fill(settings: Settings, people: int, tell: Callable[[str], None]) -> float:
    """Twins of `people`, three minutes old, into the changelog; returns megabytes of records."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, compression_type="zstd", max_batch_size=LARGEST_BATCH,
        max_request_size=16_777_216,
    )  # fmt: skip
    await producer.start()
    size = 0
    try:
        for number, first in enumerate(range(0, people, AT_ONCE)):
            cohort = Cohort(patient=True)
            for minute in range(MINUTES):
                cohort.apply(people_minutes(first, min(first + AT_ONCE, people), minute, minute + 1))
            waiting = []
            partition = number % settings.partitions
            for batch in batches(list(cohort.changed())):
                size += sum(len(value or b"") for _, value in batch)
                waiting.append(
                    await producer.send_batch(
                        built(producer, batch), topics.changelog(settings), partition=partition
                    )
                )
            await asyncio.gather(*waiting)
            if first % 20_000 == 0:
                tell(f"twins in the changelog: {first + AT_ONCE}")
    finally:
        await producer.stop()
    return size / 1e6


def recovered(process: Process, people: int) -> dict[str, float]:
    """Wait until the worker is ready with all of them: seconds since its start, of its processor, and its size."""
    ready = process.ready()
    used, resident = process.used()
    told = re.findall(
        r'"people": (\d+), "event": "recovering_twins"', process.log.read_text(errors="replace")
    )
    deadline = time.monotonic() + 30.0
    while process.metric("twin_people") < people and time.monotonic() < deadline:  # noted at /ready
        time.sleep(0.05)
        process.get("/ready")
    return {"ready_s": ready, "processor_s": used, "resident_mb": resident / 1024, "people": process.metric("twin_people"),
            "progress_told": float(len(told))}  # fmt: skip
