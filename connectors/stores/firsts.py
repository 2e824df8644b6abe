"""The first forecast stays: after a crash a tick may be forecast again, with a little more or less known.

InfluxDB keeps what is written last. So a forecast is left out where one stands. The store is asked for it only in doubt:
when nothing is known of the person yet, or a later tick of theirs was written.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from connectors.stores import Document
from connectors.stores.checks import ESTIMATE, fault
from connectors.stores.hourly import HOUR_MS, NAMED
from connectors.stores.outlooks import OUTLOOK

MOST_PEOPLE = 100_000  # whose newest tick is remembered
PREFIX = f"{OUTLOOK}_"
Ask = Callable[[str], Awaitable[list[dict[str, Any]]]]
Brought = list[tuple[Document, set[str]]]
Spared = dict[int, set[str]]  # channels to leave out, by the id of the document


def brought(estimates: Sequence[Document]) -> Brought:
    """Estimates that bring forecasts, with the channels of these."""
    return [(e, channels) for e in estimates if (channels := _channels_of(e))]


def _channels_of(e: Document) -> set[str]:
    found = e.get(OUTLOOK)
    if not isinstance(found, list) or fault(e, ESTIMATE) is not None:
        return set()
    return {f["channel"] for f in found if isinstance(f, dict) and isinstance(f.get("channel"), str)}


def _query(people: Sequence[str], since_ms: int, until_ms: int, literal: Callable[[str], str]) -> str:
    who = " OR ".join(f"person_id = {literal(person)}" for person in people)
    limits = f"time >= {since_ms}ms AND time <= {until_ms}ms"
    return f"SELECT /^{PREFIX}/ FROM twin_state WHERE {limits} AND ({who}) GROUP BY person_id"  # noqa: S608 - escaped


class Firsts:
    """What one writer knows of the forecasts that stand."""

    def __init__(self) -> None:
        # By person, time of the last estimate with a forecast that was written.
        self.newest: dict[str, int] = {}

    def forget(self) -> None:
        """Somebody else may have written since."""
        self.newest.clear()

    async def spared(self, brings: Brought, ask: Ask, literal: Callable[[str], str]) -> Spared:
        """Forecasts that are not to be written, because one was made before; also before in these."""
        doubts: dict[str, tuple[int, int]] = {}
        for e, _ in brings:
            person, at = e["person"], e["time"]
            if at <= self.newest.get(person, at):
                first, last = doubts.get(person, (at, at))
                doubts[person] = min(first, at), max(last, at)
        made: dict[tuple[str, int], set[str]] = {}
        for people in _together(doubts):
            since, until = min(doubts[p][0] for p in people), max(doubts[p][1] for p in people)
            for series in await ask(_query(people, since, until, literal)):
                for row in series["values"]:
                    there = {
                        name.removeprefix(PREFIX)
                        for name, value in zip(series["columns"], row, strict=True)
                        if name.startswith(PREFIX) and value is not None
                    }
                    made[series["tags"]["person_id"], row[0]] = there
        spared: Spared = {}
        for e, channels in brings:
            stands = made.setdefault((e["person"], e["time"]), set())
            if known := channels & stands:
                spared[id(e)] = known
            stands |= channels
        return spared

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
