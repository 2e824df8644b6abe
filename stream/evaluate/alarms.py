"""Low-glucose alarms: the twin's rules beside those that need no twin, by the protocol of twin/scoring/episodes.py."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.evaluate import baselines
from stream.evaluate.baselines import slopes
from stream.evaluate.evidence import Evidence
from stream.evaluate.instants import DAY_S, Forecast, Instants, instants, of_twin
from twin.scoring import episodes
from twin.scoring.errors import probability_below

HORIZON_S = 1800
CHANCES = (0.05, 0.08, 0.12, 0.17, 0.25, 0.35, 0.45, 0.55, 0.65)
LIVE_RULE = "low_glucose_soon"
Condition = NDArray[np.bool_]


def _conditions(at: Instants, by: dict[str, Forecast]) -> dict[tuple[str, float], Condition]:
    """Rule and threshold -> true where its condition holds; a forecast that is not there gives no alarm."""
    now, slope = at.now, slopes(at)
    low = np.full(len(now), episodes.LOW)
    found: dict[tuple[str, float], Condition] = {}
    for limit in (75.0, 80.0):
        found["glucose below", limit] = now < limit
    found["linear 15 min below", 70.0] = now + slope * 900.0 < 70.0
    for limit in (70.0, 80.0):
        found["linear 30 min below", limit] = now + slope * 1800.0 < limit
    for name in ("ar", "trees"):
        if name in by:
            for limit in (70.0, 75.0, 80.0, 85.0, 90.0):
                found[f"{name} 30 min below", limit] = by[name].mean < limit
    twin = by["twin"]
    for limit in (70.0, 75.0, 80.0, 85.0, 90.0):
        found["twin mean 30 min below", limit] = twin.mean < limit
    for name, forecast in by.items():
        if name in baselines.NAMES:
            continue
        chance = probability_below(low, forecast.quantiles)
        for level in CHANCES:
            found[f"{name} chance of < 70 at 30 min above", level] = chance > level
    return found


def _spread(at: Instants, every: Instants, forecast: Forecast) -> Forecast:
    """A forecast of the instants with whole lags, at every reading: not a number where it could not be made."""
    mean, quantiles = np.full(len(every.time), np.nan), np.full((len(every.time), 5), np.nan)
    for number in range(len(at.people)):
        some, all_rows = np.flatnonzero(at.person == number), np.flatnonzero(every.person == number)
        rows = all_rows[np.searchsorted(every.time[all_rows], at.time[some])]
        mean[rows], quantiles[rows] = forecast.mean[some], forecast.quantiles[some]
    return Forecast(mean, quantiles)


def low_glucose(
    evidence: Evidence,
    groups: list[Instants],
    forecasts: list[dict[str, Forecast]],
    onboarding_s: float = DAY_S,
) -> dict[str, Any]:
    """Figures of every rule over all people, each with its placebo rate.

    Every reading after the first day counts; a rule that needs an hour of readings is silent where it has none, as it would
    be in life.

    Args:
        groups: instants with whole lags.
        forecasts: of those instants 30 minutes ahead, by name.
        onboarding_s: time of each person that is not scored.

    """
    parts: dict[tuple[str, float], list[episodes.Tally]] = {}
    live: list[episodes.Tally] = []
    everything = instants(evidence, "glucose", onboarding_s, whole=False)
    for at, every, some in zip(groups, everything, forecasts, strict=True):
        by = {name: _spread(at, every, made) for name, made in some.items() if name in baselines.NAMES}
        by["twin"] = of_twin(evidence.forecasts, every, HORIZON_S)
        by.update({name: of_twin(issued, every, HORIZON_S) for name, issued in evidence.beside.items()})
        conditions = _conditions(every, by)
        for number, person in enumerate(every.people):
            rows = np.flatnonzero(every.person == number)
            if not len(rows):
                continue
            time, now = every.time[rows], every.now[rows]
            for rule, condition in conditions.items():
                fired = episodes.alarms(time, now, condition[rows], every.step_s)
                parts.setdefault(rule, []).append(episodes.tally(time, now, fired, every.step_s))
            fired = evidence.fired.get((person, LIVE_RULE), np.zeros(0))
            # Only alarms at instants that the other rules were asked too.
            asked = np.searchsorted(time, fired, side="right") - 1
            near = (asked >= 0) & (fired - time[np.maximum(asked, 0)] <= 60.0)
            fired = fired[near & (now[np.maximum(asked, 0)] >= episodes.LOW)]
            live.append(episodes.tally(time, now, fired, every.step_s))
    rules = [
        {"rule": name, "threshold": limit, **episodes.rates(tallies)}
        for (name, limit), tallies in parts.items()
    ]
    if live:
        rules.append({"rule": f"alert as issued: {LIVE_RULE}", "threshold": None, **episodes.rates(live)})
    first = rules[0] if rules else {"episodes": 0, "days": 0.0}
    return {"episodes": first["episodes"], "days": first["days"], "rules": rules}
