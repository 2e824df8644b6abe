"""The chance that a forecast reading lies below or above a limit, as columns beside a replay's forecasts.

From the five quantiles, straight lines between them on the normal scale and beyond the outer ones (twin/scoring/errors.py),
as the report judges chances too.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from connectors.channels import CHANNELS
from stream.estimates import Z
from twin.scoring.errors import probability_below

TOGETHER = 4096  # rows at a time


class Limit(NamedTuple):
    """One column: below (`<`) or above (`>`) a limit in the channel's own unit."""

    channel: str
    sign: str
    value: float

    @property
    def name(self) -> str:
        """The column's name: channel, sign and limit as they were asked."""
        return f"{self.channel}{self.sign}{self.value:g}"


def limits_of(text: str) -> tuple[Limit, ...]:
    """`glucose<70,heart_rate>110` as limits. Raises ValueError by the part that cannot be read."""
    found = []
    for part in (piece.strip() for piece in text.split(",") if piece.strip()):
        match = re.fullmatch(r"([a-z0-9_]+)([<>])(\d+(?:\.\d+)?)", part)
        if match is None:
            raise ValueError(f"{part!r}: channel, < or >, limit, as in glucose<70")
        channel, sign, value = match.groups()
        if channel not in CHANNELS:
            raise ValueError(f"{part!r}: {channel} is not in the channel table")
        found.append(Limit(channel, sign, float(value)))
    return tuple(found)


def _cells(rows: Sequence[dict[str, str]], limit: Limit) -> Iterator[str]:
    """The chance of each row of the limit's channel; empty for others."""
    mine = [row for row in rows if row["channel"] == limit.channel]
    told = np.array([[float(row[name]) for name in Z] for row in mine]).reshape(-1, len(Z))
    below = probability_below(np.full(len(mine), limit.value), told)
    chances = iter((below if limit.sign == "<" else 1.0 - below).tolist())
    for row in rows:
        yield f"{next(chances):.4g}" if row["channel"] == limit.channel else ""


def add_chances(path: Path, limits: Sequence[Limit]) -> None:
    """Write a column for each limit behind those of forecasts.csv."""
    beside = path.with_suffix(".chances")
    with (
        path.open(encoding="utf-8", newline="") as read,
        beside.open("w", encoding="utf-8", newline="") as written,
    ):
        rows = csv.DictReader(read)
        writer = csv.writer(written)
        header = list(rows.fieldnames or ())
        writer.writerow([*header, *(limit.name for limit in limits)])
        while part := list(islice(rows, TOGETHER)):
            columns = [list(_cells(part, limit)) for limit in limits]
            for row, *chances in zip(part, *columns, strict=True):
                writer.writerow([*(row[name] for name in header), *chances])
    beside.replace(path)
