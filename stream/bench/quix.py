"""Quix Streams with filterpy on the same topic, for comparison: what one would write today for the same purpose.

One message a reading, its minute's mean per person, and at each new minute a step of the bench's filter of 16 states by
filterpy, the model compiled (`ring`). The filters lie in memory: no state is kept across a crash, no estimate is sent.
Its client pins another confluent-kafka than we do, so that it has a folder of its own: `pip install --target FOLDER
quixstreams` and TWIN_BENCH_QUIX=FOLDER for `twin bench stream`; by itself, with PYTHONPATH=FOLDER,
`python -m stream.bench.quix HOST:PORT TOPIC COUNT FOLDER`, which prints JSON when done.
"""

import sys
import time

import orjson

from stream.bench import ring
from stream.bench.counted import Counted


class Minutes:
    """The filter of a person and the minute that it stands in."""

    def __init__(self, minute: int) -> None:
        self.filter, self.values = ring.unscented(ring.moved, ring.read)
        self.minute, self.total, self.count = minute, 0.0, 0

    def take(self, minute: int, value: float) -> None:
        """One reading."""
        if minute != self.minute:
            self.filter.predict()
            self.values[0] = self.total / self.count / 70.0  # the ring's readings are near one
            self.filter.update(self.values)
            self.minute, self.total, self.count = minute, 0.0, 0
        self.total, self.count = self.total + value, self.count + 1


def run(address: str, topic: str, wanted: int, folder: str) -> None:
    """Read `wanted` messages, say how long it took, end the process."""
    from quixstreams import Application  # noqa: PLC0415 - only where it is installed

    people: dict[str, Minutes] = {}
    counted = Counted(wanted)
    app = Application(
        broker_address=address, consumer_group=f"quix-{time.time_ns()}", auto_offset_reset="earliest",
        auto_create_topics=False, state_dir=folder, loglevel="ERROR",
    )  # fmt: skip

    def work(value: bytes) -> None:
        counted.begin()
        reading = orjson.loads(value)
        minute = reading["time"] // 60_000
        person = people.get(reading["person"])
        if person is None:
            person = people[reading["person"]] = Minutes(minute)
        person.take(minute, reading["value"])
        counted.end()

    frame = app.dataframe(app.topic(topic, key_deserializer="bytes", value_deserializer="bytes"))
    frame.update(work)
    app.run()


if __name__ == "__main__":
    broker, name, count, place = sys.argv[1:]
    ring.moved(ring.start()[0], 1.0)  # compiled before the clock starts
    ring.read(ring.start()[0])
    run(broker, name, int(count), place)
