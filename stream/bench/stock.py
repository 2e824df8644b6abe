"""Stock Faust on the same topic, for comparison: one event a reading, decoded and kept as the mean of a person's minute.

No filter runs: what is measured is what an event costs before anything is done with it. Started as a process of its own:
`python -m stream.bench.stock HOST:PORT TOPIC PARTITIONS COUNT FOLDER`; prints JSON when COUNT events are done.
"""

import sys
import time
from typing import Any

import faust
import orjson

from stream.bench.counted import Counted


def application(address: str, topic: str, partitions: int, wanted: int, folder: str) -> faust.App:
    """The app; it ends the process after `wanted` events."""
    app = faust.App(
        f"stock-{time.time_ns()}", broker=f"kafka://{address}", topic_partitions=partitions, web_enabled=False,
        topic_disable_leader=True, consumer_auto_offset_reset="earliest", stream_wait_empty=False, datadir=folder,
        topic_allow_declare=False,
    )  # fmt: skip
    readings = app.topic(
        topic, key_type=bytes, value_type=bytes, value_serializer="raw", partitions=partitions
    )
    minutes: dict[str, tuple[int, float, int]] = {}
    counted = Counted(wanted)

    @app.agent(readings)  # type: ignore[untyped-decorator]
    async def work(stream: Any) -> None:
        async for value in stream:
            counted.begin()
            reading = orjson.loads(value)
            minute = reading["time"] // 60_000
            known, total, count = minutes.get(reading["person"], (minute, 0.0, 0))
            if known != minute:
                total, count = 0.0, 0
            minutes[reading["person"]] = (minute, total + reading["value"], count + 1)
            counted.end()

    return app


if __name__ == "__main__":
    broker, name, number, count, place = sys.argv[1:]
    made = application(broker, name, int(number), int(count), place)
    faust.Worker(made, loglevel="ERROR").execute_from_commandline()
