"""A twin as changelog records and back.

Keys: b"j|person|hour" one hour of the journal, b"i|person|hour|n" what came to it later, b"c|person|tick" a
checkpoint, b"a|person" the book of alerts and b"t|person" the head and everything small. They are written in this
order, and the head carries the digest of the journal that it was made from: a twin whose records were cut apart by a
crash is seen, and run again from its oldest checkpoint, which no reading of the window can have changed. The book is
also written by itself, before alerts are sent (stream.announcing), and may be ahead of the head. Every value begins
with the version of its layout; a newer one is refused by name.
"""

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream.hours import MOST_PIECES
from stream.journal import ENTRY, Entries
from stream.migrating import check_layout, lay
from stream.packing import pack, unpack
from stream.person import BEGINNING, Checkpoint, PersonTwin
from stream.policy import new_state
from twin import record as r_
from twin.profile import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator


LAYOUT = 5  # 4 wrote zeros; 3 had an hour of the journal in one piece; 2 no waiting readings, and the alerts in the head
PACKED = 4  # the first layout whose journal is packed
SPARSE = 5  # the first that leaves out what is zero: two thirds of a twin who has a watch and nothing else
DAY_MS = 86_400_000
SEPARATOR = b"|"
NUMBERS = {b"j": 1, b"i": 2, b"c": 1, b"l": 1}  # behind the person, in a key


def _positions() -> NDArray[np.int64]:
    """Where the numbers of a record lie that nothing else tells: not the constants, and one half of each covariance."""
    kept = np.ones(r_.SIZE, dtype=bool)
    kept[r_.FAST_BODY : r_.FAST_MEAN] = False
    for block, _, at, _ in r_.BLOCKS.values():
        kept[at : at + block.N**2] = np.tri(block.N, dtype=bool).ravel()
    return np.flatnonzero(kept)


TOLD = _positions()


@lru_cache(maxsize=256)
def newborn(profile: bytes) -> NDArray[np.float64]:
    """The record of a new twin with this profile, in JSON."""
    return r_.genesis(profile_of(orjson.loads(profile)))


def bytes_of(checkpoint: Checkpoint) -> bytes:
    """A checkpoint: its tick, what its record tells, the rules' state."""
    row = np.concatenate([checkpoint.record[TOLD], checkpoint.policy])
    there: NDArray[np.bool_] = row.view(np.int64) != 0  # bit by bit: minus zero is not left out
    return (
        np.int64(checkpoint.tick).tobytes() + np.int32(len(row)).tobytes() + np.packbits(there).tobytes()
        + row[there].astype("<f8").tobytes()
    )  # fmt: skip


def row_in(data: bytes, layout: int) -> NDArray[np.float64]:
    """What `bytes_of` wrote of a record and the rules' state, by the layout that it was written in."""
    if layout < SPARSE:
        return np.frombuffer(data, "<f8", offset=8)
    count = int(np.frombuffer(data, "<i4", 1, 8)[0])
    size = -(-count // 8)
    row = np.zeros(count)
    there = np.unpackbits(np.frombuffer(data, np.uint8, size, 12), count=count).astype(np.bool_)
    row[there] = np.frombuffer(data, "<f8", offset=12 + size)
    return row


def checkpoint_of(data: bytes, profile: dict[str, object], layout: int = LAYOUT) -> Checkpoint:
    """A checkpoint from its bytes, the person's profile and the layout that it was written in."""
    record = newborn(orjson.dumps(profile, option=orjson.OPT_SORT_KEYS)).copy()
    policy = new_state()
    stored = lay(row_in(data, layout), record, TOLD)
    policy[: len(stored)] = stored
    for block, _, at, _ in r_.BLOCKS.values():
        covariance = record[at : at + block.N**2].reshape(block.N, block.N)
        covariance[:] = np.tril(covariance) + np.tril(covariance, -1).T
    return Checkpoint(int(np.frombuffer(data, "<i8", 1)[0]), record, policy, written=True)


def checkpoint_key(person: bytes, tick: int) -> bytes:
    """Where a checkpoint is."""
    return b"c|" + person + SEPARATOR + str(tick).encode()


def records_of(twin: PersonTwin, tick_ms: int = 60_000) -> "Iterator[tuple[bytes, bytes | None]]":
    """What is to be written of a twin; it counts as written then."""
    person = twin.person.encode()
    version = bytes([LAYOUT])
    for hour in sorted(twin.hours.changed):
        yield from _pieces(twin, person, hour)
    twin.hours.changed.clear()
    twin.hours.anew.clear()
    standing = _anchors(twin, tick_ms)
    for checkpoint in standing:
        if not checkpoint.written:
            checkpoint.written = True
            key = checkpoint_key(person, checkpoint.tick)
            twin.stored[key] = 0
            yield key, version + bytes_of(checkpoint)
    keys = {checkpoint_key(person, checkpoint.tick) for checkpoint in standing}
    for checkpoint in twin.checkpoints:
        if checkpoint.written and checkpoint_key(person, checkpoint.tick) not in keys:
            checkpoint.hold()
            checkpoint.written = checkpoint.shelved = False
    for key in [key for key in twin.stored if key[:1] == b"c" and key not in keys]:
        del twin.stored[key]
        yield key, None
    if twin.book_changed:
        twin.book_changed = False
        yield book_of(twin, [])
    header = orjson.dumps({
        "offset": twin.offset, "late": twin.late, "newest_ms": twin.newest_ms, "profile": twin.profile,
        "journal": _digest(twin),
        "from_beginning": twin.checkpoints[0].tick == BEGINNING, "waiting": twin.waiting.tobytes().hex(),
        "due_ms": twin.due_ms,
    })  # fmt: skip
    yield b"t|" + person, version + len(header).to_bytes(4, "big") + header + bytes_of(twin.head)
    twin.touched = False


def piece_key(person: bytes, hour: int, number: int) -> bytes:
    """Where a piece of an hour is."""
    if number:
        return b"i|" + person + SEPARATOR + str(hour).encode() + SEPARATOR + str(number).encode()
    return b"j|" + person + SEPARATOR + str(hour).encode()


def _pieces(twin: PersonTwin, person: bytes, hour: int) -> "Iterator[tuple[bytes, bytes | None]]":
    """What the changelog lacks of an hour: a further piece, or all of it in one and the others deleted."""
    hours = twin.hours
    chunk, pieces = hours.of(hour) if hour in hours.chunks else None, hours.pieces.get(hour, 0)
    first, whole = pieces, chunk is None or hour in hours.anew or pieces >= MOST_PIECES
    if whole:
        for number in range(0 if chunk is None else 1, pieces):
            key = piece_key(person, hour, number)
            twin.stored.pop(key, None)
            yield key, None
        first = 0
    if chunk is None:
        hours.pieces.pop(hour, None)
        hours.written.pop(hour, None)
        return
    data = pack(chunk[0 if whole else hours.written.get(hour, 0) :])
    key = piece_key(person, hour, first)
    twin.stored[key] = zlib.crc32(data)
    hours.pieces[hour], hours.written[hour] = first + 1, len(chunk)
    yield key, bytes([LAYOUT]) + data


def _anchors(twin: PersonTwin, tick_ms: int) -> list[Checkpoint]:
    """Checkpoints that the changelog has: the oldest, the last of each day, and the last, which stands before the head.

    The others are made again by whoever needs them. A record is 6 to 15 kB, and a recovery reads them all.
    """
    there = [checkpoint for checkpoint in twin.checkpoints if checkpoint.tick != BEGINNING]
    day = [checkpoint.tick * tick_ms // DAY_MS for checkpoint in there]
    return [c for i, c in enumerate(there) if i in (0, len(there) - 1) or day[i] != day[i + 1]]


def book_of(twin: PersonTwin, unsaid: list[dict[str, Any]]) -> tuple[bytes, bytes]:
    """The record of a person's alerts, and of those that are about to be published: they are said again after a crash."""
    book = orjson.dumps({"alerts": twin.alerts, "unsaid": unsaid})
    return b"a|" + twin.person.encode(), bytes([LAYOUT]) + book


def _digest(twin: PersonTwin) -> int:
    return sum(digest for key, digest in twin.stored.items() if key[:1] in b"ij")


def person_of(key: bytes) -> str:
    """Whose record it is."""
    return key[2:].rsplit(SEPARATOR, NUMBERS.get(key[:1], 0))[0].decode()


def restore(twin: PersonTwin, key: bytes, value: bytes | None) -> list[dict[str, Any]]:
    """Put one record where it belongs; `assemble` follows when all are in. Returns alerts that may not have been sent."""
    kind = key[:1]
    if value is None:
        twin.stored.pop(key, None)
        twin.parts[key] = None
        return []
    check_layout(value[0], LAYOUT)
    if kind == b"a":
        book = orjson.loads(value[1:])
        twin.alerts = book["alerts"]
        unsaid: list[dict[str, Any]] = book["unsaid"]
        return unsaid
    twin.parts[key] = value
    if kind in (b"j", b"i"):
        twin.stored[key] = zlib.crc32(value[1:])
    elif kind == b"c":
        twin.stored[key] = 0
    elif kind == b"l":
        twin.shelved.add(key)
    return []


def assemble(twin: PersonTwin) -> bool:
    """Lay restored parts over what is in memory. False: they are not of one moment, and the twin must be run again."""
    parts, twin.parts = twin.parts, {}
    if not parts:
        return True
    head = parts.get(b"t|" + twin.person.encode())
    header: dict[str, Any] = {}
    if head is not None:
        size = int.from_bytes(head[1:5], "big")
        header = orjson.loads(head[5 : 5 + size])
        twin.offset, twin.late, twin.newest_ms = header["offset"], header["late"], header["newest_ms"]
        twin.alerts = twin.alerts or header.get("alerts", {})
        twin.waiting = np.frombuffer(bytes.fromhex(header.get("waiting", "")), dtype=ENTRY)
        if header["profile"] != twin.profile:
            twin.use_profile(profile_of(header["profile"]), header["profile"])
        twin.head = checkpoint_of(head[5 + size :], twin.profile, head[0])
        twin.head.written = False  # as a checkpoint it has no record of its own
        twin.due_ms = header.get("due_ms")
    _lay_journal(twin, parts)
    found = {c.tick: c for c in twin.checkpoints if c.tick != BEGINNING}
    for key, data in parts.items():
        if key[:1] not in b"cl":
            continue
        found.pop(_number(key), None)
        if data is not None:
            made = found[_number(key)] = checkpoint_of(data[1:], twin.profile, data[0])
            made.written, made.shelved = key[:1] == b"c", key[:1] == b"l"
    beginning = [c for c in twin.checkpoints if c.tick == BEGINNING and header.get("from_beginning", True)]
    twin.checkpoints = beginning + [found[tick] for tick in sorted(found)]
    twin.ran_ms = twin.hours.last_ms if twin.due_ms is None else twin.due_ms - 1
    twin.touched = False
    return header.get("journal") == _digest(twin)


def _number(key: bytes) -> int:
    return int(key.rsplit(SEPARATOR, 1)[1])


def _lay_journal(twin: PersonTwin, parts: dict[bytes, bytes | None]) -> None:
    """Lay pieces over the hours that they are of; some may be in memory already."""
    found: dict[int, dict[int, bytes | None]] = {}
    for key, data in parts.items():
        if key[:1] == b"j":
            found.setdefault(_number(key), {})[0] = data
        elif key[:1] == b"i":
            of, piece = key.rsplit(SEPARATOR, 2)[1:]
            found.setdefault(int(of), {})[int(piece)] = data
    hours, person = twin.hours, twin.person.encode()
    hours.tie()
    for hour, pieces in found.items():
        chunks = [entries_in(data) for _, data in sorted(pieces.items()) if data]
        if 0 not in pieces and hour in hours.chunks:
            chunks.insert(0, hours.of(hour))
        chunk = in_order(np.concatenate(chunks)) if chunks else None
        hours.pieces[hour] = sum(
            piece_key(person, hour, number) in twin.stored for number in range(MOST_PIECES + 1)
        )
        if chunk is None or not len(chunk):
            hours.chunks.pop(hour, None)
            hours.written.pop(hour, None)
            hours.pieces.pop(hour, None)
        else:
            hours.chunks[hour], hours.written[hour] = chunk, len(chunk)
    hours.anew.clear()
    hours.changed.clear()
    hours.tidy()


def entries_in(value: bytes) -> Entries:
    """What is in a record of the journal."""
    return unpack(value[1:]) if value[0] >= PACKED else np.frombuffer(value[1:], dtype=ENTRY)


def in_order(entries: Entries) -> Entries:
    """By time, each identity once."""
    j = entries[np.lexsort((entries["key"], entries["source"], entries["channel"], entries["time_ms"]))]
    same = np.ones(max(len(j) - 1, 0), dtype=bool)
    for name in ("key", "source", "channel", "time_ms"):
        same &= j[name][1:] == j[name][:-1]
    return j[np.append(True, ~same)] if len(j) else j
