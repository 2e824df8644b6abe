"""Hourly rows of people, computed by the server from what it holds: twin_state_1h, made anew when late data change the hour.

twin_state_1h  person_id  at the hour's start: <state>_mean, _min, _max, _sd of the state's mean over the hour, _n ticks

Nothing is kept in memory for it, and sending it twice overwrites it. Neither continuous queries (1.x) nor tasks (2.x)
do this: they do not look back when late data come.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.stores.lines import line

HOUR_MS = 3_600_000
NAMED = 100  # people that a query names; with more it asks for all of the hour
AGGREGATES = {"mean": "mean", "min": "min", "max": "max", "stddev": "sd", "count": "n"}
SUFFIX = "_mean"
Touched = Iterable[tuple[str, int]]


def by_hour(touched: Touched) -> dict[int, set[str]]:
    """People by the start of the hour [ms]."""
    found: dict[int, set[str]] = {}
    for person, at_ms in touched:
        found.setdefault(at_ms // HOUR_MS * HOUR_MS, set()).add(person)
    return found


def query(hour_ms: int, people: Iterable[str], literal: Any) -> str:
    """InfluxQL of one hour; `literal` escapes a text."""
    chosen = sorted(people)
    who = " OR ".join(f"person_id = {literal(person)}" for person in chosen) if len(chosen) <= NAMED else ""
    what = ", ".join(f"{name}(/{SUFFIX}$/)" for name in AGGREGATES)
    limits = f"time >= {hour_ms}ms AND time < {hour_ms + HOUR_MS}ms"
    return f"SELECT {what} FROM twin_state WHERE {limits}{f' AND ({who})' if who else ''} GROUP BY person_id"  # noqa: S608 - escaped


def rows(series: Iterable[Mapping[str, Any]], hour_ms: int, people: set[str]) -> Iterator[str]:
    """Lines of the people whose hour changed."""
    for found in series:
        person = found["tags"]["person_id"]
        if person not in people:
            continue
        numbers = {}
        for name, value in zip(found["columns"], found["values"][0], strict=True):
            kind, _, state = name.partition("_")
            if kind in AGGREGATES and state.endswith(SUFFIX):
                numbers[f"{state.removesuffix(SUFFIX)}_{AGGREGATES[kind]}"] = value
        if text := line("twin_state_1h", {"person_id": person}, numbers, hour_ms):
            yield text
