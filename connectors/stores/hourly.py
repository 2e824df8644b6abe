"""Hourly rows of people, computed from what the server holds: twin_state_1h, made anew when late data change the hour.

twin_state_1h  person_id  at the hour's start: <state>_mean, _min, _max, _sd of the state's mean over the hour, _n ticks

Nothing is kept in memory for it, and sending it twice overwrites it. Neither continuous queries (1.x) nor tasks (2.x)
do this: they do not look back when late data come. The server is asked for the ticks, not for their aggregates: five
aggregates of 90 states take it 38 ms of a core for each person, the ticks 5 ms (2.9.1, 60 people).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.stores.lines import line

HOUR_MS = 3_600_000
NAMED = 100  # people that a query names; with more it asks for all of the hour
SUFFIX = "_mean"
Touched = Iterable[tuple[str, int]]


def by_hour(touched: Touched) -> dict[int, set[str]]:
    """People by the start of the hour [ms]."""
    found: dict[int, set[str]] = {}
    for person, at_ms in touched:
        found.setdefault(at_ms // HOUR_MS * HOUR_MS, set()).add(person)
    return found


def query(hour_ms: int, people: Iterable[str], literal: Any) -> str:
    """InfluxQL of one hour's means; `literal` escapes a text."""
    chosen = sorted(people)
    who = " OR ".join(f"person_id = {literal(person)}" for person in chosen) if len(chosen) <= NAMED else ""
    limits = f"time >= {hour_ms}ms AND time < {hour_ms + HOUR_MS}ms"
    return f"SELECT /{SUFFIX}$/ FROM twin_state WHERE {limits}{f' AND ({who})' if who else ''} GROUP BY person_id"  # noqa: S608 - escaped


def rows(series: Iterable[Mapping[str, Any]], hour_ms: int, people: set[str]) -> list[str]:
    """Lines of the people whose hour changed."""
    lines = []
    for found in series:
        person = found["tags"]["person_id"]
        if person not in people:
            continue
        numbers: dict[str, float] = {}
        for name, values in zip(found["columns"], zip(*found["values"], strict=True), strict=True):
            if name.endswith(SUFFIX) and (there := [value for value in values if value is not None]):
                numbers |= _aggregates(name.removesuffix(SUFFIX), np.array(there, dtype=float))
        if text := line("twin_state_1h", {"person_id": person}, numbers, hour_ms):
            lines.append(text)
    return lines


def _aggregates(state: str, values: NDArray[np.float64]) -> dict[str, float]:
    """Of one tick there is no standard deviation (n - 1 in its denominator)."""
    found = {"mean": values.mean(), "min": values.min(), "max": values.max(), "n": len(values)}
    if len(values) > 1:
        found["sd"] = values.std(ddof=1)
    return {f"{state}_{name}": float(value) for name, value in found.items()}
