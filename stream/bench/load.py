"""Readings for the bench of the stream: people whose heart rate is read each second, as messages of one or of many.

A second of everybody comes before the next, as from many wrists at once; sixty readings of a channel are one tick.
"""

import math
from collections.abc import Iterator

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded

Message = tuple[str, bytes]
MINUTE_MS = 60_000
SINGLE = (
    b'{"schema":"reading/1","person":"%s","channel":"heart_rate","time":%d,"value":%.1f,"source":"watch"}'
)


def names(people: int) -> list[str]:
    """Pseudonyms."""
    return [f"p{number:06d}" for number in range(people)]


def rate_at(second: int, person: int) -> float:
    """A heart rate that wanders [1/min]: nothing about it is random, so that every run has the same."""
    return 70.0 + 8.0 * math.sin(second / 700.0 + person) + (second * 7919 + person * 104729) % 31 / 10.0


def singles(people: int, seconds: int, begin_ms: int) -> Iterator[Message]:
    """One reading a message: person and bytes."""
    keys = [(name, name.encode()) for name in names(people)]
    for second in range(seconds):
        at = begin_ms + 1000 * second
        for number, (name, key) in enumerate(keys):
            yield name, SINGLE % (key, at, rate_at(second, number))


def batches(people: int, seconds: int, begin_ms: int, size: int = 50) -> Iterator[Message]:
    """`size` readings of a person a message."""
    for second in range(0, seconds, size):
        span = range(second, min(second + size, seconds))
        times = ",".join(str(begin_ms + 1000 * one) for one in span)
        channels = ",".join(['"heart_rate"'] * len(span))
        for number, name in enumerate(names(people)):
            values = ",".join(f"{rate_at(one, number):.1f}" for one in span)
            yield (
                name,
                (
                    f'{{"schema":"readings/1","person":"{name}","source":"watch","channel":[{channels}],'
                    f'"time":[{times}],"value":[{values}]}}'
                ).encode(),
            )


def day(person: str, begin_ms: int) -> Decoded:
    """A day of heart rate each minute and glucose each five, as columns in order of time."""
    minutes = np.arange(1440)
    rate = np.array([rate_at(60 * int(minute), 0) for minute in minutes])
    fives = minutes[::5]
    glucose = 115.0 + 25.0 * np.sin(fives / 90.0)
    time_ms = (
        begin_ms + MINUTE_MS * np.concatenate([minutes, fives]) + np.repeat([7_000, 21_000], [1440, 288])
    )
    order = np.argsort(time_ms)
    n = len(order)
    channel = np.repeat([CODE_OF["heart_rate"], CODE_OF["glucose"]], [1440, 288]).astype(np.int16)[order]
    time_ms, none = time_ms[order], np.zeros(n, dtype=np.int64)
    return Decoded(
        [person], none.astype(np.int32), np.arange(n, dtype=np.int32), channel, time_ms,
        np.concatenate([rate, glucose])[order], np.full(n, np.nan), none, time_ms.copy(), none.copy(), none.copy(),
        np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int8),
    )  # fmt: skip
