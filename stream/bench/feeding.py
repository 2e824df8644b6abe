"""Heart rates of many people at a steady rate, from a process of their own.

`python -m stream.bench.feeding HOST:PORT PARTITIONS PEOPLE PER_S SECONDS`: the bench listens for alerts meanwhile, and must
not be late because it sends.
"""

import sys
import time

from confluent_kafka import Producer

from stream import topics
from stream.bench import load
from stream.bench.around import partition_of

NAP_S = 0.005


def feed(address: str, partitions: int, people: int, per_s: float, seconds: float) -> int:
    """Send; returns how many."""
    producer = Producer({"bootstrap.servers": address, "compression.type": "lz4", "linger.ms": 2,
                         "queue.buffering.max.messages": 1_000_000})  # fmt: skip
    known = [(name, name.encode(), partition_of(name, partitions)) for name in load.names(people)]
    began, done = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        due, now_ms = int(passed * per_s), int(time.time() * 1000)
        for number in range(done, due):
            name, key, partition = known[number % people]
            value = load.SINGLE % (key, now_ms, load.rate_at(number // people, number % people))
            producer.produce(topics.READING, value, name, partition=partition)
        done = due
        producer.poll(0)
        time.sleep(NAP_S)
    producer.flush(30)
    return done


if __name__ == "__main__":
    place, parts, number_of_people, rate, duration = sys.argv[1:]
    print(feed(place, int(parts), int(number_of_people), float(rate), float(duration)))  # noqa: T201 - its answer
