"""The instants at which forecasts are compared: same time, same readings, same target for twin and baselines.

Gaps are left as gaps. An instant is a reading with all its lags there (an hour: 12 at 5 minutes, 4 at 15; 30 minutes of heart
rate), after the first day. A target is the reading nearest to the horizon, at most half an interval away.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.evaluate.evidence import Evidence, Floats, Issued, Series

DAY_S = 86400.0
DAILY_S = 6 * 3600.0  # values further apart than this are those of days
LIMITS = {"glucose": (40.0, 400.0)}  # what the sensors can say; forecasts are cut there, the baselines' too
JOIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Instants:
    """Readings of one channel with their lags, people of one interval between readings together.

    person: index into `people`; time [s]; lags (n, L): value now, one interval ago, and so on.
    """

    channel: str
    step_s: float
    people: tuple[str, ...]
    person: NDArray[np.int64]
    time: Floats
    lags: Floats

    @property
    def now(self) -> Floats:
        """The reading at the instant."""
        return np.asarray(self.lags[:, 0], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast for each instant: mean (n), quantiles (n, 5); not a number where there is none.

    Of a twin also its sd (n), and the learned part's share of the change from now (n).
    """

    mean: Floats
    quantiles: Floats
    sd: Floats | None = None
    learned: Floats | None = None


def nearest(times: Floats, wanted: Floats, within_s: float) -> NDArray[np.int64]:
    """Index of the time nearest to each wanted one; -1 where none is near enough. `times` rises."""
    if not len(times):
        return np.full(len(wanted), -1, dtype=np.int64)
    right = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    left = np.maximum(right - 1, 0)
    pick = np.where(np.abs(times[left] - wanted) <= np.abs(times[right] - wanted), left, right)
    return np.where(np.abs(times[pick] - wanted) <= within_s, pick, -1).astype(np.int64)


def lag_count(step_s: float) -> int:
    """An hour of lags, at least 4; of readings by the minute the last 30; of daily values a week."""
    if step_s >= DAILY_S:
        return 7
    return 30 if step_s <= 120.0 else max(4, round(3600.0 / step_s))


def lagged(series: Series, count: int) -> Floats:
    """Value now and at the intervals before, (n, count); not a number where a reading is missing."""
    found = np.full((len(series.times), count), np.nan)
    found[:, 0] = series.values
    for k in range(1, count):
        at = nearest(series.times, series.times - k * series.step_s, 0.5 * series.step_s - 1e-6)
        found[:, k] = np.where(at >= 0, series.values[at], np.nan)
    return found


def instants(
    evidence: Evidence, channel: str, onboarding_s: float = DAY_S, whole: bool = True
) -> list[Instants]:
    """Instants of a channel, a group for each interval between readings; every reading where `whole` is not asked for."""
    groups: dict[float, list[str]] = {}
    for person in evidence.people:
        series = evidence.series.get((person, channel))
        if series is not None:
            groups.setdefault(series.step_s, []).append(person)
    found = []
    for step_s, people in sorted(groups.items()):
        persons, times, lags = [], [], []
        for number, person in enumerate(people):
            series = evidence.series[person, channel]
            rows = lagged(series, lag_count(step_s))
            keep = (~np.isnan(rows).any(axis=1) | (not whole)) & (
                series.times >= series.times[0] + onboarding_s
            )
            persons.append(np.full(int(keep.sum()), number))
            times.append(series.times[keep])
            lags.append(rows[keep])
        found.append(
            Instants(channel, step_s, tuple(people), np.concatenate(persons).astype(np.int64),
                     np.concatenate(times), np.concatenate(lags))
        )  # fmt: skip
    return found


def targets(evidence: Evidence, at: Instants, horizon_s: int) -> Floats:
    """What was measured a horizon later; not a number where nothing was."""
    found = np.full(len(at.time), np.nan)
    for number, person in enumerate(at.people):
        rows = np.flatnonzero(at.person == number)
        series = evidence.series[person, at.channel]
        pick = nearest(series.times, at.time[rows] + horizon_s, 0.5 * series.step_s)
        # A reading of the past is no target: half an interval may reach back to now.
        ahead = (pick >= 0) & (series.times[pick] > at.time[rows])
        found[rows] = np.where(ahead, series.values[pick], np.nan)
    return found


def clip(channel: str, values: Floats) -> Floats:
    """Cut to what the sensor can say."""
    low, high = LIMITS.get(channel, (-np.inf, np.inf))
    return np.clip(values, low, high)


def of_twin(issued: Issued, at: Instants, horizon_s: int) -> Forecast:
    """Forecasts that a replay issued, joined by person and time."""
    n = len(at.time)
    (mean, sd, learned), quantiles = np.full((3, n), np.nan), np.full((n, 5), np.nan)
    for number, person in enumerate(at.people):
        made = issued.get((person, at.channel, horizon_s))
        if made is None:
            continue
        rows = np.flatnonzero(at.person == number)
        pick = nearest(made.made_at, at.time[rows], JOIN_S)
        rows, pick = rows[pick >= 0], pick[pick >= 0]
        mean[rows] = clip(at.channel, made.mean[pick])
        sd[rows], learned[rows] = made.sd[pick], made.learned[pick]
        quantiles[rows] = clip(at.channel, made.quantiles[pick])
    return Forecast(mean, quantiles, sd, learned)
