"""A twin as changelog records and back.

Keys: b"j|person|hour" one hour of the journal, b"i|person|hour|n" what came to it later, b"c|person|tick" a
checkpoint, b"a|person" the book of alerts and b"t|person" the head and everything small. They are written in this
order, and the head carries the digest of the journal that it was made from: a twin whose records were cut apart by a
crash is seen, and run again from its oldest checkpoint, which no reading of the window can have changed. The book is
also written by itself, before alerts are sent (stream.announcing), and may be ahead of the head. Every value begins
with the version of its layout; a newer one is refused by name.
"""

import zlib
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream.alerting import is_silent
from stream.hours import MOST_PIECES
from stream.journal import ENTRY, Entries
from stream.migrating import NewerState, check_layout, lay
from stream.person import BEGINNING, Checkpoint, PersonTwin
from stream.policy import new_state
from stream.portrait import portrait
from twin import record as r_
from twin.profile import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.shelf import Shelf

__all__ = ["LAYOUT", "TOLD", "NewerState", "assemble", "portrait", "records_of", "restore"]
LAYOUT = (
    4  # 3 had an hour of the journal in one piece; 2 knew no waiting readings, and had the alerts in the head
)
SEPARATOR = b"|"
NUMBERS = {b"j": 1, b"i": 2, b"c": 1}  # behind the person, in a key


def _positions() -> NDArray[np.int64]:
    """Where the numbers of a record lie that nothing else tells: not the constants, and one half of each covariance."""
    kept = np.ones(r_.SIZE, dtype=bool)
    kept[r_.FAST_BODY : r_.FAST_MEAN] = False
    for block, _, at, _ in r_.BLOCKS.values():
        kept[at : at + block.N**2] = np.tri(block.N, dtype=bool).ravel()
    return np.flatnonzero(kept)


TOLD = _positions()


@lru_cache(maxsize=256)
def _new(profile: bytes) -> NDArray[np.float64]:
    """The record of a new twin with this profile, in JSON."""
    return r_.genesis(profile_of(orjson.loads(profile)))


def _pack(checkpoint: Checkpoint) -> bytes:
    row = np.concatenate([checkpoint.record[TOLD], checkpoint.policy])
    return np.int64(checkpoint.tick).tobytes() + row.astype("<f8").tobytes()


def _unpack(data: bytes, profile: dict[str, object]) -> Checkpoint:
    record = _new(orjson.dumps(profile, option=orjson.OPT_SORT_KEYS)).copy()
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
    for hour in sorted(twin.hours.changed):
        yield from _pieces(twin, person, hour)
    twin.hours.changed.clear()
    twin.hours.anew.clear()
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
        "due_ms": twin.due_ms,
    })  # fmt: skip
    yield b"t|" + person, version + len(header).to_bytes(4, "big") + header + _pack(twin.head)
    twin.touched = False


def _piece_key(person: bytes, hour: int, number: int) -> bytes:
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
            key = _piece_key(person, hour, number)
            twin.stored.pop(key, None)
            yield key, None
        first = 0
    if chunk is None:
        hours.pieces.pop(hour, None)
        hours.written.pop(hour, None)
        return
    data = chunk[0 if whole else hours.written.get(hour, 0) :].tobytes()
    key = _piece_key(person, hour, first)
    twin.stored[key] = zlib.crc32(data)
    hours.pieces[hour], hours.written[hour] = first + 1, len(chunk)
    yield key, bytes([LAYOUT]) + data


def book_of(twin: PersonTwin, unsaid: list[dict[str, Any]]) -> tuple[bytes, bytes]:
    """The record of a person's alerts, and of those that are about to be published: they are said again after a crash."""
    book = orjson.dumps({"alerts": twin.alerts, "unsaid": unsaid})
    return b"a|" + twin.person.encode(), bytes([LAYOUT]) + book


def _digest(twin: PersonTwin) -> int:
    return sum(digest for key, digest in twin.stored.items() if key[:1] in b"ij")


def person_of(key: bytes) -> str:
    """Whose record it is."""
    return key[2:].rsplit(SEPARATOR, NUMBERS.get(key[:1], 0))[0].decode()


def rest(twin: PersonTwin, shelf: "Shelf") -> None:
    """Let go of what is on the shelf and not needed to go on: all checkpoints but the last, all hours but the last."""
    person = twin.person.encode()
    for checkpoint in twin.checkpoints[:-1]:
        if checkpoint is twin.head:
            continue
        if checkpoint.tick == BEGINNING:
            checkpoint.rest(partial(_beginning, twin))
        elif checkpoint.written:
            checkpoint.rest(partial(_fetched, twin, shelf, _checkpoint_key(person, checkpoint.tick)))
    twin.hours.rest(partial(_hour, twin, shelf))


def _beginning(twin: PersonTwin) -> NDArray[np.float64]:
    return _new(orjson.dumps(twin.profile, option=orjson.OPT_SORT_KEYS)).copy()


def _fetched(twin: PersonTwin, shelf: "Shelf", key: bytes) -> NDArray[np.float64]:
    return _unpack(shelf.get(twin.person, key)[1:], twin.profile).record


def _hour(twin: PersonTwin, shelf: "Shelf", hour: int) -> Entries:
    person = twin.person.encode()
    pieces = [
        shelf.get(twin.person, _piece_key(person, hour, number)) for number in range(twin.hours.pieces[hour])
    ]
    return _sorted(np.concatenate([np.frombuffer(data[1:], dtype=ENTRY) for data in pieces]))


def glimpse(key: bytes, value: bytes) -> tuple[int | None, bool | None, list[dict[str, Any]]]:
    """What must be known of a twin on the shelf, from one of its records; None where it does not tell.

    Returns:
        Newest reading [ms], whether it is said that data stopped, and alerts that may not have been sent.

    """
    check_layout(value[0], LAYOUT)
    if key[:1] == b"a":
        book = orjson.loads(value[1:])
        return None, is_silent(book["alerts"]), book["unsaid"]
    if key[:1] != b"t":
        return None, None, []
    header = orjson.loads(value[5 : 5 + int.from_bytes(value[1:5], "big")])
    return header["newest_ms"], None, []


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
    twin.parts[key] = value[1:]
    if kind in (b"j", b"i"):
        twin.stored[key] = zlib.crc32(value[1:])
    elif kind == b"c":
        twin.stored[key] = 0
    return []


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
        twin.due_ms = header.get("due_ms")
    _lay_journal(twin, parts)
    found = {c.tick: c for c in twin.checkpoints if c.tick != BEGINNING}
    for tick, data in ((_number(key), data) for key, data in parts.items() if key[:1] == b"c"):
        found.pop(tick, None)
        if data is not None:
            found[tick] = _unpack(data, twin.profile)
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
    for hour, pieces in found.items():
        chunks = [np.frombuffer(data, dtype=ENTRY) for _, data in sorted(pieces.items()) if data]
        if 0 not in pieces and hour in hours.chunks:
            chunks.insert(0, hours.of(hour))
        chunk = _sorted(np.concatenate(chunks)) if chunks else None
        hours.pieces[hour] = sum(
            _piece_key(person, hour, number) in twin.stored for number in range(MOST_PIECES + 1)
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


def _sorted(entries: Entries) -> Entries:
    """By time, each identity once."""
    j = entries[np.lexsort((entries["key"], entries["source"], entries["channel"], entries["time_ms"]))]
    same = np.ones(max(len(j) - 1, 0), dtype=bool)
    for name in ("key", "source", "channel", "time_ms"):
        same &= j[name][1:] == j[name][:-1]
    return j[np.append(True, ~same)] if len(j) else j
