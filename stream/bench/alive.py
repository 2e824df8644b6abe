"""What somebody who waits sees: from a reading to its alert under load, and from a killed worker to the next."""

import asyncio
import sys
import time

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from confluent_kafka import Producer

from stream import topics
from stream.bench import load
from stream.bench.around import Process, partition_of
from stream.bench.watching import Watch
from stream.settings import Settings

WARM_S = 6.0


async def latency(
    settings: Settings, pid: int, people: int, per_s: float, seconds: float
) -> dict[str, float]:
    """Milliseconds from the sending of a reading that opens an alert to the alert on its topic, under a load of others.

    Among `per_s` single heart rates a second, which another process sends, glucose of people falls whose alert opens with
    the last of three readings; ten a second, after WARM_S of load in which every twin has begun.
    """
    parts = [TopicPartition(topics.ALERT, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, enable_auto_commit=False, fetch_max_wait_ms=5
    )
    await consumer.start()
    consumer.assign(parts)
    await consumer.seek_to_end(*parts)
    sent: dict[str, float] = {}
    took: list[float] = []
    producer = Producer({"bootstrap.servers": settings.broker, "linger.ms": 0})
    stop = asyncio.Event()

    async def listen() -> None:
        while not stop.is_set():
            for records in (await consumer.getmany(timeout_ms=5)).values():
                now = time.monotonic()
                for record in records:
                    alert = orjson.loads(record.value)
                    if alert["state"] == "active" and alert["person"] in sent:
                        took.append((now - sent.pop(alert["person"])) * 1000.0)

    listener = asyncio.ensure_future(listen())
    feeder = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stream.bench.feeding", settings.broker, str(settings.partitions), str(people), str(per_s),
        str(seconds + WARM_S), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await asyncio.sleep(WARM_S)
    watch = Watch(pid)
    began = time.monotonic()
    victim = 0
    while (passed := time.monotonic() - began) < seconds:
        now_ms = int(time.time() * 1000)
        if victim < passed * 10:
            name = f"v{victim:06d}"
            for minutes in (10, 5, 0):
                value = b'{"person":"%s","channel":"glucose","time":%d,"value":%.1f}' % (
                    name.encode(), now_ms - minutes * 60_000, 58.0 + minutes,
                )  # fmt: skip
                producer.produce(
                    topics.READING, value, name, partition=partition_of(name, settings.partitions)
                )
                if minutes:
                    producer.poll(0)
            sent[name] = time.monotonic()
            victim += 1
        producer.poll(0)
        await asyncio.sleep(0.005)
    producer.flush(30)
    worked = watch.between(began, time.monotonic())
    watch.end()
    done = int((await feeder.communicate())[0])
    await asyncio.sleep(3.0)
    stop.set()
    await listener
    await consumer.stop()
    took.sort()
    p50, p99 = (
        took[min(int(share * len(took)), len(took) - 1)] if took else float("nan") for share in (0.5, 0.99)
    )
    return {
        "p50_ms": p50,
        "p99_ms": p99,
        "alerts": len(took),
        "missing": len(sent),
        "sent_per_s": done / (seconds + WARM_S),
        **worked,
    }


async def killed(settings: Settings, first: Process, second: Process) -> float:
    """Seconds from the kill of a worker, under load, until the other one has applied readings of its partitions."""
    producer = Producer({"bootstrap.servers": settings.broker, "linger.ms": 5})
    names = load.names(settings.partitions * 10)

    def send() -> None:
        now_ms = int(time.time() * 1000)
        for number, name in enumerate(names):
            value = load.SINGLE % (name.encode(), now_ms, 70.0 + number % 9)
            producer.produce(topics.READING, value, name, partition=partition_of(name, settings.partitions))
        producer.flush(5)

    for _ in range(30):  # both have their share, and applied of it
        send()
        await asyncio.sleep(0.1)
    first.popen.kill()
    began = time.monotonic()
    lag: list[tuple[float, float]] = []
    while time.monotonic() - began < 30.0:
        send()
        lag.append((time.monotonic() - began, second.metric("twin_readings_total")))
        await asyncio.sleep(0.1)
        # All of what is sent each round is applied again: both halves, not only its own.
        if len(lag) > 12 and (lag[-1][1] - lag[-11][1]) > 0.9 * 10 * len(names):
            return lag[-11][0]
    return float("nan")
