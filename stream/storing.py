"""A twin as changelog records and back.

Keys: b"t|person" head and everything small, b"c|person" the checkpoints, b"j|person|hour" one hour of the journal.
Every value begins with the version of its layout; a newer one is refused by name.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from stream.journal import ENTRY
from stream.person import HOUR_MS, Checkpoint, PersonTwin
from stream.policy import STATE
from twin import record as r_
from twin.channels import SENSORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.cohort import Cohort

LAYOUT = 2
SEPARATOR = b"|"


class NewerState(RuntimeError):  # noqa: N818 - reads as what was found
    """A changelog record of a later version of this program."""


def _pack(checkpoints: list[Checkpoint]) -> bytes:
    head = np.array([len(checkpoints)], dtype="<i8").tobytes()
    ticks = np.array([c.tick for c in checkpoints], dtype="<i8").tobytes()
    rows = [np.concatenate([c.record, c.policy]) for c in checkpoints]
    return head + ticks + (np.stack(rows).astype("<f8").tobytes() if rows else b"")


def _unpack(data: bytes) -> list[Checkpoint]:
    count = int(np.frombuffer(data, "<i8", 1)[0])
    ticks = np.frombuffer(data, "<i8", count, 8)
    rows = np.frombuffer(data, "<f8", offset=8 + 8 * count).reshape(count, r_.SIZE + STATE)
    return [
        Checkpoint(int(tick), row[: r_.SIZE].copy(), row[r_.SIZE :].copy())
        for tick, row in zip(ticks, rows, strict=True)
    ]


def records_of(twin: PersonTwin) -> "Iterator[tuple[bytes, bytes | None]]":
    """What is to be written of a twin; it counts as written then."""
    person = twin.person.encode()
    version = bytes([LAYOUT])
    header = orjson.dumps({
        "offset": twin.offset, "late": twin.late, "newest_ms": twin.newest_ms, "profile": twin.profile,
        "alerts": twin.alerts,
    })  # fmt: skip
    size = len(header).to_bytes(4, "big")
    yield b"t|" + person, version + size + header + _pack([twin.head])
    yield b"c|" + person, version + _pack(twin.checkpoints)
    hours = twin.journal["time_ms"] // HOUR_MS
    for hour in sorted(twin.dirty_hours):
        key = b"j|" + person + SEPARATOR + str(hour).encode()
        entries = twin.journal[hours == hour]
        if len(entries):
            twin.stored.add(key)
            yield key, version + entries.tobytes()
        elif key in twin.stored:
            twin.stored.discard(key)
            yield key, None
    twin.dirty_hours.clear()
    twin.touched = False


def restore(cohort: "Cohort", key: bytes, value: bytes | None) -> None:
    """Put one record where it belongs; `assemble` follows when all are in."""
    kind, rest = key[:1], key[2:]
    person = (rest.rsplit(SEPARATOR, 1)[0] if kind == b"j" else rest).decode()
    twin = cohort.twin(person)
    if value is None:
        twin.stored.discard(key)
        return
    if value[0] > LAYOUT:
        raise NewerState(f"changelog layout {value[0]} is newer than this worker's {LAYOUT}: upgrade it")
    body = value[1:]
    if kind == b"t":
        size = int.from_bytes(body[:4], "big")
        header = orjson.loads(body[4 : 4 + size])
        twin.offset, twin.late, twin.newest_ms = header["offset"], header["late"], header["newest_ms"]
        twin.profile, twin.alerts = header["profile"], header["alerts"]
        twin.head = _unpack(body[4 + size :])[0]
    elif kind == b"c":
        twin.checkpoints = _unpack(body)
    else:
        hour = int(rest.rsplit(SEPARATOR, 1)[1])
        entries = np.frombuffer(body, dtype=ENTRY)
        others = twin.journal[twin.journal["time_ms"] // HOUR_MS != hour]
        twin.journal = np.concatenate([others, entries])
        twin.stored.add(key)


def assemble(twin: PersonTwin) -> None:
    """Sort the journal that came in hours."""
    j = twin.journal
    twin.journal = j[np.lexsort((j["key"], j["source"], j["channel"], j["time_ms"]))]
    twin.dirty_hours.clear()
    twin.touched = False


def portrait(twin: PersonTwin) -> dict[str, Any]:
    """A twin in the open: head, and mean and covariance of each block as the filter holds them."""
    record = twin.head.record
    blocks = {
        name: {
            "states": [state.name for state in block.STATES],
            "mean": record[mean_at : mean_at + block.N].tolist(),
            "covariance": record[at : at + block.N**2].reshape(block.N, -1).tolist(),
        }
        for name, (block, mean_at, at, time_at) in r_.BLOCKS.items()
        if record[time_at] > r_.NEVER
    }
    return {
        "person": twin.person,
        "head_time": record[r_.HEAD_S],
        "blocks": blocks,
        "observations": record[r_.READINGS],
        "downweighted": record[r_.DOWNWEIGHTED],
        "repaired": record[r_.REPAIRED],
        "outliers": {
            channel: int(record[r_.OUTLIERS + i])
            for i, channel in enumerate(SENSORS)
            if record[r_.READ + i] > 0
        },
        "constants": record[r_.FAST_BODY : r_.FAST_MEAN].tolist(),
    }
