"""What a batch did to the twins, and what the rules of alerts look at in it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.person import PersonTwin
from stream.policy import REST_MET, Signal
from twin import channels as c_
from twin.summary import GLUCOSE_AT, RATE_AT, RESTING_AT

OUTCOMES = ("applied", "duplicate", "late", "replayed", "waiting")
HOUR_S = 3600.0


@dataclass(slots=True)
class Run:
    """The ticks of one person that were run, as positions in the arrays of Applied."""

    person: str
    ticks: slice
    twin: PersonTwin


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
    low_probability: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
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
    wanted = np.flatnonzero(np.isfinite(applied.low_probability) | (has_rate & at_rest))
    found = {}
    for tick in wanted.tolist():
        row = applied.estimates[tick]
        found[tick] = Signal(
            float(applied.tick_s[tick]), float(applied.low_probability[tick]), float(row[GLUCOSE_AT]),
            float(row[RATE_AT]) if has_rate[tick] else math.nan, float(row[RESTING_AT]), bool(at_rest[tick]),
        )  # fmt: skip
    return found


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
