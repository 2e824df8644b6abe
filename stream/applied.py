"""What a batch did to the twins, and what the rules of alerts look at in it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.journal import daily_key
from stream.policy import REST_MET, Signal
from twin import channels as c_
from twin.fold import FORECAST_BEFORE
from twin.summary import GLUCOSE_AT, RATE_AT, RESTING_AT

OUTCOMES = ("applied", "duplicate", "late", "replayed", "waiting")
HOUR_S = 3600.0
# Times [s] at which a person's heart rate and glucose were forecast before, and keys of their daily values.
Made = tuple[NDArray[np.float64], ...] | None


@dataclass(slots=True)
class Run:
    """The ticks of one person that were run, as positions in the arrays of Applied; and how the twin stood then."""

    person: str
    ticks: slice
    newest_ms: int
    late: int  # readings beyond their window until then


@dataclass(slots=True)
class Applied:
    """What a batch did. Arrays are of the ticks that were run, people one after the other."""

    runs: list[Run] = field(default_factory=list)
    tick_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    obs_start: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    obs_channel: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    obs_value: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    readings: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    estimates: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    surprises: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    outcomes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    forecasts: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0, 0)))
    low_probability: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    daily: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))  # for a day later
    daily_at: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64)
    )  # of which observation
    transitions: list[tuple[str, Any]] = field(
        default_factory=list
    )  # (person, Transition), by person then time
    alerts: list[dict[str, Any]] = field(default_factory=list)
    late: list[int] = field(default_factory=list)  # rows beyond their window
    late_by_ms: list[int] = field(default_factory=list)  # and how far
    ahead: list[int] = field(default_factory=list)  # rows that may not even wait for their time
    counts: dict[str, int] = field(default_factory=dict)


def signals_of(applied: Applied) -> dict[int, Signal]:
    """What the rules look at, of the ticks at which one of them has something to look at."""
    tick_of = np.repeat(np.arange(len(applied.tick_s)), np.diff(applied.obs_start))
    code = applied.obs_channel
    has_rate, at_rest = (
        np.zeros(len(applied.tick_s), dtype=bool),
        np.zeros(len(applied.tick_s), dtype=bool),
    )
    has_rate[tick_of[code == c_.HEART_RATE]] = True
    quiet = (code == c_.MET) & (applied.obs_value < REST_MET)
    quiet |= (code == c_.ASLEEP) & (applied.obs_value > 0.5)
    at_rest[tick_of[quiet]] = True
    wanted = np.flatnonzero(np.isfinite(applied.low_probability[:, 0]) | (has_rate & at_rest))
    found = {}
    for tick in wanted.tolist():
        row = applied.estimates[tick]
        found[tick] = Signal(
            float(applied.tick_s[tick]), float(applied.low_probability[tick, 0]), float(row[GLUCOSE_AT]),
            float(row[RATE_AT]) if has_rate[tick] else math.nan, float(row[RESTING_AT]), bool(at_rest[tick]),
            *applied.low_probability[tick, 1:].tolist(),
        )  # fmt: skip
    return found


def mark_made(
    forecasts: NDArray[np.float64], tick_s: NDArray[np.float64], ticks: NDArray[np.int64], known: list[Made]
) -> None:
    """Tell the fold which forecasts of each person were made when their tick was run before."""
    for i, made in enumerate(known):
        for row, made_s in enumerate((made or ())[:2]):
            again = np.isin(tick_s[ticks[i] : ticks[i + 1]], made_s)
            forecasts[ticks[i] : ticks[i + 1], row, 0, 0][again] = FORECAST_BEFORE


def forget_days_made(applied: Applied, ticks: NDArray[np.int64], known: list[Made]) -> None:
    """The same of forecasts for a day later, which the fold has made again."""
    of_day, starts = applied.daily_at, applied.obs_start
    at = applied.tick_s[np.searchsorted(starts, of_day, side="right") - 1]
    key = daily_key(at, applied.obs_channel[of_day])
    for i, made in enumerate(known):
        if made:
            own = (of_day >= starts[ticks[i]]) & (of_day < starts[ticks[i + 1]])
            applied.daily[own & np.isin(key, made[2])] = math.nan


def checkpoints_to_keep(
    tick_s: NDArray[np.float64], ticks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    """After the last tick of every hour, and before each person's last tick (whose minute may not be over)."""
    keep = np.full(len(tick_s), -1, dtype=np.int64)
    hour = tick_s // HOUR_S
    chosen = np.zeros(len(tick_s), dtype=bool)
    chosen[:-1] = hour[1:] != hour[:-1]
    ends = ticks[1:][ticks[1:] > ticks[:-1]] - 1
    firsts = ticks[:-1][ticks[1:] > ticks[:-1]]
    chosen[ends[ends > firsts] - 1] = True
    chosen[ends] = False  # that is the head itself
    keep[chosen] = np.arange(int(chosen.sum()))
    return keep, int(chosen.sum())
