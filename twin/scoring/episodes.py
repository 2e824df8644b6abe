"""Low-glucose episodes and what an alarm rule makes of them.

An episode begins at the first reading below 70 mg/dL of a run of at least 15 minutes, after 30 minutes at or above. An alarm
is a hit where an episode begins 0 to 45 minutes later. Rules are asked at every reading at or above 70, fire when their
condition becomes true, and rest for 30 minutes. Gaps of more than 15 minutes (1.5 intervals of slow sensors) end a run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LOW = 70.0
LASTS_S, BEFORE_S, AHEAD_S, REST_S = 900.0, 1800.0, 2700.0, 1800.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one rule on one person; add them up and divide at the end."""

    episodes: int
    caught: int
    warned_15: int
    alarms: int
    true_alarms: int
    windows: int
    windows_hit: int
    days: float
    leads_min: tuple[float, ...]


def _breaks(times: Floats, step_s: float) -> Flags:
    """True where a reading does not follow on the one before."""
    gaps = np.diff(times, prepend=-np.inf)
    return np.asarray(gaps > max(900.0, 1.5 * step_s), dtype=np.bool_)


def onsets(times: Floats, values: Floats, step_s: float) -> Floats:
    """Times at which episodes begin [s]."""
    low = values < LOW
    broken = _breaks(times, step_s)
    slack = 0.5 * step_s  # clocks of sensors jitter
    found = []
    run_start, high_since, pending = -1, np.nan, False
    for i in range(len(times)):
        if broken[i]:
            run_start, high_since = -1, np.nan
        if not low[i]:
            run_start = -1
            high_since = times[i] if np.isnan(high_since) else high_since
            continue
        if run_start < 0:
            run_start, pending = i, times[i] - high_since >= BEFORE_S - slack
        if pending and times[i] - times[run_start] + step_s >= LASTS_S - slack:
            found.append(times[run_start])
            pending = False
        high_since = np.nan
    return np.array(found, dtype=np.float64)


def alarms(times: Floats, values: Floats, condition: Flags, step_s: float) -> Floats:
    """Times at which a rule fires: its condition becomes true while glucose is at or above the limit [s]."""
    broken = _breaks(times, step_s)
    fired = []
    last, before = -np.inf, False
    for i in range(len(times)):
        if broken[i]:
            before = False
        now = bool(condition[i]) and values[i] >= LOW
        if now and not before and times[i] - last >= REST_S:
            fired.append(times[i])
            last = times[i]
        before = now
    return np.array(fired, dtype=np.float64)


def quiet_windows(times: Floats, values: Floats, began: Floats, step_s: float) -> Floats:
    """Ends of windows of 45 minutes, one after the other, of readings at or above 70 without a gap.

    No episode begins in them, nor in the 45 minutes before and after.
    """
    broken = _breaks(times, step_s)
    ends = []
    start = 0
    for i in range(len(times)):
        if broken[i] or values[i] < LOW:
            start = i + 1 if values[i] < LOW else i
            continue
        if times[i] - times[start] + 0.5 * step_s >= AHEAD_S:
            at = np.searchsorted(began, times[start] - AHEAD_S)
            near = at < len(began) and began[at] <= times[i] + AHEAD_S
            if not near:
                ends.append(times[i])
            start = i + 1
    return np.array(ends, dtype=np.float64)


def tally(times: Floats, values: Floats, fired: Floats, step_s: float) -> Tally:
    """Score alarm times against the episodes of one person; placebo: quiet windows in which an alarm fell.

    Args:
        times: of the readings at which the rule was asked [s], rising.
        values: glucose then [mg/dL].
        fired: times of the alarms [s], rising.
        step_s: interval of the sensor [s].

    """
    began = onsets(times, values, step_s)
    leads = []
    for onset in began:
        first = np.searchsorted(fired, onset - AHEAD_S)
        if first < len(fired) and fired[first] <= onset:
            leads.append(float(onset - fired[first]) / 60.0)
    nxt = np.searchsorted(began, fired)
    ahead = np.append(began, np.inf)[nxt] - fired
    ends = quiet_windows(times, values, began, step_s)
    first = np.searchsorted(fired, ends - AHEAD_S, side="right")
    hit = np.append(fired, np.inf)[first] <= ends
    return Tally(
        len(began), len(leads), sum(lead >= 15.0 for lead in leads), len(fired), int((ahead <= AHEAD_S).sum()),
        len(ends), int(hit.sum()), float(len(times) * step_s / 86400.0), tuple(leads),
    )  # fmt: skip


def rates(parts: list[Tally]) -> dict[str, float | None]:
    """Figures of one rule over people: shares, false alarms a day, lead [min], and the placebo rate beside them."""
    total = {
        name: sum(getattr(p, name) for p in parts)
        for name in (
            "episodes",
            "caught",
            "warned_15",
            "alarms",
            "true_alarms",
            "windows",
            "windows_hit",
            "days",
        )
    }
    leads = [lead for p in parts for lead in p.leads_min]

    def share(part: str, whole: str) -> float | None:
        return total[part] / total[whole] if total[whole] else None

    false = total["alarms"] - total["true_alarms"]
    return {
        "episodes": total["episodes"], "days": total["days"], "alarms": total["alarms"],
        "sensitivity": share("caught", "episodes"), "ppv": share("true_alarms", "alarms"),
        "false_per_day": false / total["days"] if total["days"] else None,
        "lead_min": float(np.median(leads)) if leads else None,
        "warned_15_min": share("warned_15", "episodes"),
        "placebo": share("windows_hit", "windows"), "placebo_windows": total["windows"],
    }  # fmt: skip
