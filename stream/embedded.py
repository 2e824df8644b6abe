"""The embedded broker of the demo and of fast tests: librdkafka's mock cluster, real sockets, nothing on disk.

An experimental interface of librdkafka, hence the pin. It speaks the protocol; it does not compact, does not keep,
and drops the oldest beyond 5 MiB a partition: for demonstrations, never for data.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer

PARTITIONS = 4  # what the mock gives a topic that is first asked for


@contextmanager
def embedded_broker(names: list[str]) -> Iterator[str]:
    """A broker with these topics, of 4 partitions each; gives its host:port."""
    settings: dict[str, Any] = {
        "test.mock.num.brokers": 1, "bootstrap.servers": "ignored:1", "log_level": 0, "log.queue": False,
    }  # fmt: skip
    cluster = Producer(settings)
    broker = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    address = f"{broker.host}:{broker.port}"
    for name in names:
        cluster.list_topics(name, timeout=10)
    try:
        yield address
    finally:
        cluster.flush(1)
        del cluster
