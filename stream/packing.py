"""Entries of a journal as few bytes: column by column, what is the same for all once, times as steps, tenths as small numbers.

Exact: what comes back is what went in, bit for bit. An entry of a watch's heart rate takes 6 bytes instead of 66.
"""

import numpy as np
from numpy.typing import NDArray

from stream.journal import ENTRY, Entries

RAW, SAME, STEPS, TIMES, TENTHS = range(5)
MOST_STEP, MOST_TENTHS = 2**31 - 1, 3276.0
COUNT = 4  # bytes of the number of entries


def pack(entries: Entries) -> bytes:
    """Sorted entries as bytes."""
    parts = [len(entries).to_bytes(COUNT, "little")]
    if len(entries):
        time_ms = np.ascontiguousarray(entries["time_ms"])
        for name in ENTRY.names or ():
            mode, data = _column(name, np.ascontiguousarray(entries[name]), time_ms)
            parts.append(bytes([mode]) + data)
    return b"".join(parts)


def _column(name: str, column: NDArray[np.generic], time_ms: NDArray[np.int64]) -> tuple[int, bytes]:
    raw = column.tobytes()
    size = column.dtype.itemsize
    if raw == raw[:size] * len(column):
        return SAME, raw[:size]
    if name == "key" and raw == time_ms.tobytes():
        return TIMES, b""
    if name == "time_ms":
        steps = np.diff(time_ms)
        if steps.min() >= 0 and steps.max() <= MOST_STEP:
            return STEPS, raw[:8] + steps.astype("<i4").tobytes()
    if name == "value":
        number = column.astype(np.float64)
        if np.abs(number).max() <= MOST_TENTHS:  # false where one is no number
            tenths = np.rint(number * 10.0).astype("<i2")
            if (tenths / 10.0).tobytes() == raw:  # also not where a zero is negative
                return TENTHS, tenths.tobytes()
    return RAW, raw


def unpack(data: bytes) -> Entries:
    """The entries again."""
    count = int.from_bytes(data[:COUNT], "little")
    entries = np.empty(count, dtype=ENTRY)
    at = COUNT
    for name in (ENTRY.names or ()) if count else ():
        kind, mode = ENTRY[name], data[at]
        at += 1
        if mode == SAME:
            entries[name] = np.frombuffer(data, kind, 1, at)[0]
            at += kind.itemsize
        elif mode == STEPS:
            steps = np.frombuffer(data, "<i4", count - 1, at + 8)
            entries[name] = np.frombuffer(data, "<i8", 1, at)[0]
            entries[name][1:] += np.cumsum(steps, dtype=np.int64)
            at += 8 + 4 * (count - 1)
        elif mode == TIMES:
            entries[name] = entries["time_ms"]
        elif mode == TENTHS:
            entries[name] = np.frombuffer(data, "<i2", count, at) / 10.0
            at += 2 * count
        else:
            entries[name] = np.frombuffer(data, kind, count, at)
            at += kind.itemsize * count
    return entries
