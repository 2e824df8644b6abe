"""All people in one row: twin_cohort, so that no dashboard asks for everybody (5 s at 100,000 people).

twin_cohort  cohort  at five minutes of event time: n people seen in the half hour before, alerts_open, and of each state
                     <state>_q05, _q25, _q50, _q75, _q95 over people of their latest mean
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from connectors.stores.lines import line

STEP_MS, WINDOW_MS = 300_000, 1_800_000
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
OPEN_ALERTS = 'SELECT count("at") FROM twin_alert WHERE "status" = \'active\' OR "status" = \'acknowledged\''


def query(newest_ms: int) -> str:
    """InfluxQL of everybody's latest states of the half hour."""
    limits = f"time > {newest_ms - WINDOW_MS}ms AND time <= {newest_ms}ms"
    return f"SELECT last(/_mean$/) FROM twin_state WHERE {limits} GROUP BY person_id"  # noqa: S608 - own numbers


def row(series: Iterable[Mapping[str, Any]], alerts_open: int, newest_ms: int, cohort: str) -> str | None:
    """The line; None if nobody was seen."""
    values: dict[str, list[float]] = {}
    people = 0
    for found in series:
        people += 1
        for name, value in zip(found["columns"], found["values"][0], strict=True):
            if name.startswith("last_") and value is not None:
                values.setdefault(name.removeprefix("last_").removesuffix("_mean"), []).append(value)
    if not people:
        return None
    numbers: dict[str, float] = {"n": people, "alerts_open": alerts_open}
    for state, of_people in values.items():
        at = np.quantile(of_people, list(QUANTILES.values())).tolist()
        numbers |= {f"{state}_{name}": value for name, value in zip(QUANTILES, at, strict=True)}
    return line("twin_cohort", {"cohort": cohort}, numbers, newest_ms // STEP_MS * STEP_MS)
