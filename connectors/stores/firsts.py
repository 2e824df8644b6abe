"""The first forecast stays: after a crash a tick may be forecast again, with a little more or less known.

InfluxDB keeps what is written last. So where a forecast stands, that one is written again in the place of a later one; not left
out, since what a server shows need not be kept yet: a write that it refused may stand in its memory until it is restarted.
The store is asked only in doubt: when nothing is known of the person yet, or a later tick of theirs was written.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from connectors.stores import Document
from connectors.stores.checks import ESTIMATE, fault
from connectors.stores.hourly import HOUR_MS, NAMED
from connectors.stores.outlooks import OUTLOOK, channels_of, take_apart

MOST_PEOPLE = 100_000  # whose newest tick is remembered
PREFIX = f"{OUTLOOK}_"
Ask = Callable[[str], Awaitable[list[dict[str, Any]]]]
Brought = list[tuple[Document, set[str]]]
# Forecasts to write instead, as text by channel, by the id of the document.
Standing = dict[int, dict[str, str]]


def brought(estimates: Sequence[Document]) -> Brought:
    """Estimates that bring forecasts, with the channels of these."""
    return [
        (e, set(channels)) for e in estimates if (channels := channels_of(e)) and fault(e, ESTIMATE) is None
    ]


def _query(people: Sequence[str], since_ms: int, until_ms: int, literal: Callable[[str], str]) -> str:
    who = " OR ".join(f"person_id = {literal(person)}" for person in people)
    limits = f"time >= {since_ms}ms AND time <= {until_ms}ms"
    return f"SELECT /^{PREFIX}/ FROM twin_state WHERE {limits} AND ({who}) GROUP BY person_id"  # noqa: S608 - escaped


def _text(stands: str | Document, channel: str) -> str:
    return stands if isinstance(stands, str) else take_apart(stands)[1][channel].decode()


class Firsts:
    """What one writer knows of the forecasts that stand."""

    def __init__(self) -> None:
        # By person, time of the last estimate with a forecast that was written.
        self.newest: dict[str, int] = {}

    def forget(self) -> None:
        """Somebody else may have written since."""
        self.newest.clear()

    async def standing(self, brings: Brought, ask: Ask, literal: Callable[[str], str]) -> Standing:
        """Forecasts that were made before those that these bring; also before in these."""
        doubts: dict[str, tuple[int, int]] = {}
        for e, _ in brings:
            person, at = e["person"], e["time"]
            if at <= self.newest.get(person, at):
                first, last = doubts.get(person, (at, at))
                doubts[person] = min(first, at), max(last, at)
        made: dict[tuple[str, int], dict[str, str | Document]] = {}
        for people in _together(doubts):
            since, until = min(doubts[p][0] for p in people), max(doubts[p][1] for p in people)
            for series in await ask(_query(people, since, until, literal)):
                for row in series["values"]:
                    made[series["tags"]["person_id"], row[0]] = {
                        name.removeprefix(PREFIX): value
                        for name, value in zip(series["columns"], row, strict=True)
                        if name.startswith(PREFIX) and value is not None
                    }
        found: Standing = {}
        for e, channels in brings:
            stands = made.setdefault((e["person"], e["time"]), {})
            if known := channels & stands.keys():
                found[id(e)] = {channel: _text(stands[channel], channel) for channel in known}
            stands.update(dict.fromkeys(channels - known, e))
        return found

    def written(self, brings: Brought) -> None:
        """They are stored."""
        for e, _ in brings:
            person = e["person"]
            self.newest[person] = max(e["time"], self.newest.pop(person, 0))  # the last to be forgotten
        for person in list(self.newest)[: max(0, len(self.newest) - MOST_PEOPLE)]:
            del self.newest[person]


def _together(doubts: Mapping[str, tuple[int, int]]) -> list[list[str]]:
    """People of about one time, as many as a query names."""
    by_hour: dict[int, list[str]] = {}
    for person, (first, _) in doubts.items():
        by_hour.setdefault(first // HOUR_MS, []).append(person)
    return [people[at : at + NAMED] for people in by_hour.values() for at in range(0, len(people), NAMED)]
