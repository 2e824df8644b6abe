"""What a twin lets go of when it is on the shelf, and how it is fetched again."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream import storing
from stream.alerting import is_silent
from stream.journal import Entries
from stream.migrating import check_layout
from stream.person import BEGINNING, PersonTwin
from stream.shelf import Shelf


def rest(twin: PersonTwin, shelf: "Shelf") -> None:
    """Let go of what is on the shelf and not needed to go on: all checkpoints but the last, all hours but the last."""
    person = twin.person.encode()
    for checkpoint in twin.checkpoints[:-1]:
        if checkpoint is twin.head:
            continue
        if checkpoint.tick == BEGINNING:
            checkpoint.rest(partial(_beginning, twin))
            continue
        key = storing.checkpoint_key(person, checkpoint.tick)
        if not checkpoint.written and not checkpoint.shelved:
            key = b"l" + key[1:]  # of this process only
            shelf.put(twin.person, [(key, bytes([storing.LAYOUT]) + storing.bytes_of(checkpoint))])
            twin.shelved.add(key)
            checkpoint.shelved = True
        elif not checkpoint.written:
            key = b"l" + key[1:]
        checkpoint.rest(partial(_fetched, twin, shelf, key))
    standing = {b"l" + storing.checkpoint_key(person, checkpoint.tick)[1:] for checkpoint in twin.checkpoints}
    shelf.put(twin.person, [(key, None) for key in twin.shelved - standing])
    twin.shelved &= standing
    twin.hours.rest(partial(_hour, twin, shelf))


def _beginning(twin: PersonTwin) -> NDArray[np.float64]:
    return storing.newborn(orjson.dumps(twin.profile, option=orjson.OPT_SORT_KEYS)).copy()


def _fetched(twin: PersonTwin, shelf: "Shelf", key: bytes) -> NDArray[np.float64]:
    return storing.checkpoint_of(shelf.get(twin.person, key)[1:], twin.profile).record


def _hour(twin: PersonTwin, shelf: "Shelf", hour: int) -> Entries:
    person = twin.person.encode()
    pieces = [
        shelf.get(twin.person, storing.piece_key(person, hour, number))
        for number in range(twin.hours.pieces[hour])
    ]
    return storing.in_order(np.concatenate([storing.entries_in(data) for data in pieces]))


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What must be known of a twin on the shelf, from one of its records; None where it does not tell.

    Attributes:
        newest_ms: newest reading.
        due: whether readings are journalled and not run.
        silent: whether it is said that data stopped.
        unsaid: alerts that may not have been sent.

    """

    newest_ms: int | None = None
    due: bool | None = None
    silent: bool | None = None
    unsaid: tuple[dict[str, Any], ...] = ()


def glimpse(key: bytes, value: bytes | None) -> Glimpse:
    """Of one record of the changelog."""
    if value is None:
        return Glimpse()
    check_layout(value[0], storing.LAYOUT)
    if key[:1] == b"a":
        book = orjson.loads(value[1:])
        return Glimpse(silent=is_silent(book["alerts"]), unsaid=tuple(book["unsaid"]))
    if key[:1] != b"t":
        return Glimpse()
    header = orjson.loads(value[5 : 5 + int.from_bytes(value[1:5], "big")])
    return Glimpse(newest_ms=header["newest_ms"], due=header.get("due_ms") is not None)
