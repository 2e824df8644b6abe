"""Our producer and a broker that is away for longer than it keeps what it holds: afterwards it sends again."""

import asyncio
import contextlib

from aiokafka.errors import KafkaError

from stream import topics
from stream.producing import started_producer
from stream.settings import Settings


async def outage(kafka, settings):
    """How many records could not be sent meanwhile, and how many could afterwards."""
    failed, sent = 0, 0
    async with started_producer(settings, request_timeout_ms=1500, retry_backoff_ms=100) as producer:
        for number in range(20):
            await producer.send_and_wait(topics.READING, b"%d" % number, partition=0)
        await asyncio.to_thread(kafka.stop)
        waiting = [await producer.send(topics.READING, b"lost-%d" % n, partition=0) for n in range(20)]
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            failed += isinstance(result, KafkaError)
        await asyncio.to_thread(kafka.start)
        for _ in range(60):
            with contextlib.suppress(KafkaError):
                await producer.send_and_wait(topics.READING, b"again", partition=0)
                sent += 1
            if sent == 5:
                break
            await asyncio.sleep(0.3)
    return failed, sent


def test_what_expired_while_the_broker_was_away_blocks_nothing_that_follows(kafka):
    settings = Settings(broker=kafka.bootstrap, partitions=1, app_id="producing")
    asyncio.run(topics.create_missing(settings))

    assert asyncio.run(asyncio.wait_for(outage(kafka, settings), 120)) == (20, 5)
