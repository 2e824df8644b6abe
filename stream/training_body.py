"""From tables to the learned numbers of heart rate and daily values; no chance is in it.

    twin train --body TABLE... --out body.json

Heart rate by the minute trains where a person's regression begins, daily values the constants of the daily filters; a
table may have either. The data's names and licences go into the file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from connectors.table import read_table
from twin.learned import daily as d_
from twin.learned.body_weights import body_document
from twin.learned.daily_training import train_daily
from twin.learned.heart_training import train_heart

Floats = NDArray[np.float64]
TICK_MS = 60_000
LEAST_MINUTES = 2 * 1440
SOURCES = {
    "hr_fitbit": "Fitabase Fitbit data (Furberg et al. 2016), CC0: heart rate",
    "daily_lifesnaps": "LifeSnaps (Yfantidou et al. 2022, Zenodo 6826682), CC BY 4.0: daily values",
}


def rates(table: Decoded) -> dict[str, tuple[Floats, Floats]]:
    """Heart rate by the minute of people who have at least two days of it, as the fold sees it."""
    found = {}
    for number, person in enumerate(table.persons):
        rows = np.flatnonzero((table.person == number) & (table.channel == CODE_OF["heart_rate"]))
        rows = rows[np.argsort(table.time_ms[rows], kind="stable")]
        tick = table.time_ms[rows] // TICK_MS
        first = np.flatnonzero(np.diff(tick, prepend=-1))
        if len(first) >= LEAST_MINUTES:
            count = np.diff(np.append(first, len(rows)))
            times = np.maximum.reduceat(table.time_ms[rows], first) / 1000.0
            found[person] = (times, np.add.reduceat(table.value[rows], first) / count)
    return found


def days(table: Decoded) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Values of the daily channels of each person: times [s], places, values."""
    place = np.full(len(CODE_OF), -1)
    for number, name in enumerate(d_.NAMES):
        place[CODE_OF[name]] = number
    found = {}
    for number, person in enumerate(table.persons):
        rows = np.flatnonzero((table.person == number) & (place[table.channel] >= 0))
        rows = rows[np.lexsort((place[table.channel[rows]], table.time_ms[rows]))]
        if (table.channel[rows] == CODE_OF["resting_heart_rate"]).any():
            places = place[table.channel[rows]].astype(np.float64)
            found[person] = (table.time_ms[rows] / 1000.0, places, table.value[rows])
    return found


def train(paths: Sequence[Path], licences: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The text of a weights file, and what it was made of.

    Raises:
        ValueError: nobody has a week of daily resting heart rates, or heart rate by the minute.

    """
    minutes: dict[str, tuple[Floats, Floats]] = {}
    daily: dict[str, tuple[Floats, Floats, Floats]] = {}
    data = []
    for path in paths:
        table = read_table(path)
        name = path.name.partition(".")[0]
        data.append(f"{name}: {licences[name]}" if name in licences else SOURCES.get(name, name))
        minutes |= {f"{name} {person}": rows for person, rows in rates(table).items()}
        daily |= {f"{name} {person}": rows for person, rows in days(table).items()}
    if not minutes or not daily:
        raise ValueError("tables with heart rate by the minute and with daily values are needed, both")
    about = {"data": data, "people": {"heart": len(minutes), "daily": len(daily)}}
    return body_document({"heart": train_heart(minutes), "daily": train_daily(daily)}, about), about
