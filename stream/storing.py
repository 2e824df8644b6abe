"""A twin as changelog records and back.

Keys: b"j|person|hour" one hour of the journal, b"c|person|tick" a checkpoint, b"a|person" the book of alerts and
b"t|person" the head and everything small. They are written in this order, and the head carries the digest of the
journal that it was made from: a twin whose records were cut apart by a crash is seen, and run again from its oldest
checkpoint, which no reading of the window can have changed. The book is also written by itself, before alerts are
sent (stream.announcing), and may be ahead of the head. Every value begins with the version of its layout; a newer one
is refused by name.
"""

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream.journal import ENTRY
from stream.migrating import NewerState, check_layout, lay
from stream.person import BEGINNING, HOUR_MS, Checkpoint, PersonTwin
from stream.policy import new_state
from twin import record as r_
from twin.channels import SENSORS
from twin.profile import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.cohort import Cohort

__all__ = ["LAYOUT", "TOLD", "NewerState", "assemble", "portrait", "records_of", "restore"]
LAYOUT = 3  # 2 knew no waiting readings, and had the alerts in the head
SEPARATOR = b"|"


def _positions() -> NDArray[np.int64]:
    """Where the numbers of a record lie that nothing else tells: not the constants, and one half of each covariance."""
    kept = np.ones(r_.SIZE, dtype=bool)
    kept[r_.FAST_BODY : r_.FAST_MEAN] = False
    for block, _, at, _ in r_.BLOCKS.values():
        kept[at : at + block.N**2] = np.tri(block.N, dtype=bool).ravel()
    return np.flatnonzero(kept)


TOLD = _positions()


def _pack(checkpoint: Checkpoint) -> bytes:
    row = np.concatenate([checkpoint.record[TOLD], checkpoint.policy])
    return np.int64(checkpoint.tick).tobytes() + row.astype("<f8").tobytes()


def _unpack(data: bytes, profile: dict[str, object]) -> Checkpoint:
    record = r_.genesis(profile_of(profile))
    policy = new_state()
    stored = lay(np.frombuffer(data, "<f8", offset=8), record, TOLD)
    policy[: len(stored)] = stored
    for block, _, at, _ in r_.BLOCKS.values():
        covariance = record[at : at + block.N**2].reshape(block.N, block.N)
        covariance[:] = np.tril(covariance) + np.tril(covariance, -1).T
    return Checkpoint(int(np.frombuffer(data, "<i8", 1)[0]), record, policy, written=True)


def _checkpoint_key(person: bytes, tick: int) -> bytes:
    return b"c|" + person + SEPARATOR + str(tick).encode()


def records_of(twin: PersonTwin) -> "Iterator[tuple[bytes, bytes | None]]":
    """What is to be written of a twin; it counts as written then."""
    person = twin.person.encode()
    version = bytes([LAYOUT])
    hours = twin.journal["time_ms"] // HOUR_MS
    for hour in sorted(twin.dirty_hours):
        key = b"j|" + person + SEPARATOR + str(hour).encode()
        data = twin.journal[hours == hour].tobytes()
        if data:
            twin.stored[key] = zlib.crc32(data)
            yield key, version + data
        elif twin.stored.pop(key, None) is not None:
            yield key, None
    standing = set()
    for checkpoint in twin.checkpoints:
        if checkpoint.tick == BEGINNING:
            continue
        key = _checkpoint_key(person, checkpoint.tick)
        standing.add(key)
        if not checkpoint.written:
            checkpoint.written = True
            twin.stored[key] = 0
            yield key, version + _pack(checkpoint)
    for key in [key for key in twin.stored if key[:1] == b"c" and key not in standing]:
        del twin.stored[key]
        yield key, None
    if twin.book_changed:
        twin.book_changed = False
        yield book_of(twin, [])
    header = orjson.dumps({
        "offset": twin.offset, "late": twin.late, "newest_ms": twin.newest_ms, "profile": twin.profile,
        "journal": _digest(twin),
        "from_beginning": twin.checkpoints[0].tick == BEGINNING, "waiting": twin.waiting.tobytes().hex(),
    })  # fmt: skip
    yield b"t|" + person, version + len(header).to_bytes(4, "big") + header + _pack(twin.head)
    twin.dirty_hours.clear()
    twin.touched = False


def book_of(twin: PersonTwin, unsaid: list[dict[str, Any]]) -> tuple[bytes, bytes]:
    """The record of a person's alerts, and of those that are about to be published: they are said again after a crash."""
    book = orjson.dumps({"alerts": twin.alerts, "unsaid": unsaid})
    return b"a|" + twin.person.encode(), bytes([LAYOUT]) + book


def _digest(twin: PersonTwin) -> int:
    return sum(digest for key, digest in twin.stored.items() if key[:1] == b"j")


def restore(cohort: "Cohort", key: bytes, value: bytes | None) -> None:
    """Put one record where it belongs; `assemble` follows when all are in."""
    kind, rest = key[:1], key[2:]
    person = (rest if kind in (b"a", b"t") else rest.rsplit(SEPARATOR, 1)[0]).decode()
    twin = cohort.twin(person)
    if value is None:
        twin.stored.pop(key, None)
        twin.parts[key] = None
        return
    check_layout(value[0], LAYOUT)
    if kind == b"a":
        book = orjson.loads(value[1:])
        twin.alerts = book["alerts"]
        cohort.unsaid[person] = book["unsaid"]
        return
    twin.parts[key] = value[1:]
    if kind == b"j":
        twin.stored[key] = zlib.crc32(value[1:])
    elif kind == b"c":
        twin.stored[key] = 0


def assemble(twin: PersonTwin) -> bool:
    """Lay restored parts over what is in memory. False: they are not of one moment, and the twin must be run again."""
    parts, twin.parts = twin.parts, {}
    if not parts:
        return True
    head = parts.get(b"t|" + twin.person.encode())
    header: dict[str, Any] = {}
    if head is not None:
        size = int.from_bytes(head[:4], "big")
        header = orjson.loads(head[4 : 4 + size])
        twin.offset, twin.late, twin.newest_ms = header["offset"], header["late"], header["newest_ms"]
        twin.alerts = twin.alerts or header.get("alerts", {})
        twin.waiting = np.frombuffer(bytes.fromhex(header.get("waiting", "")), dtype=ENTRY)
        if header["profile"] != twin.profile:
            twin.use_profile(profile_of(header["profile"]), header["profile"])
        twin.head = _unpack(head[4 + size :], twin.profile)
    _lay_journal(twin, {_number(key): data for key, data in parts.items() if key[:1] == b"j"})
    found = {c.tick: c for c in twin.checkpoints if c.tick != BEGINNING}
    for tick, data in ((_number(key), data) for key, data in parts.items() if key[:1] == b"c"):
        found.pop(tick, None)
        if data is not None:
            found[tick] = _unpack(data, twin.profile)
    beginning = [c for c in twin.checkpoints if c.tick == BEGINNING and header.get("from_beginning", True)]
    twin.checkpoints = beginning + [found[tick] for tick in sorted(found)]
    twin.dirty_hours.clear()
    twin.touched = False
    return header.get("journal") == _digest(twin)


def _number(key: bytes) -> int:
    return int(key.rsplit(SEPARATOR, 1)[1])


def _lay_journal(twin: PersonTwin, hours: dict[int, bytes | None]) -> None:
    """Replace whole hours of the journal."""
    if hours:
        others = twin.journal[~np.isin(twin.journal["time_ms"] // HOUR_MS, list(hours))]
        j = np.concatenate([others, *(np.frombuffer(data, dtype=ENTRY) for data in hours.values() if data)])
        twin.journal = j[np.lexsort((j["key"], j["source"], j["channel"], j["time_ms"]))]


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
        "header": record[
            : r_.FAST_BODY
        ].tolist(),  # what is held, what was taken: `twin outlook` looks ahead from it
        "constants": record[r_.FAST_BODY : r_.FAST_MEAN].tolist(),
    }
