"""Train the constants of daily.py: by one-day errors, cross-validated by whoever calls with whom to leave out.

Each channel's five constants are searched by a pattern (halving steps, no chance), drawn to the values of feasible.md,
section 3, as by 20 squared units of log distance. Then a ridge for resting heart rate on what daily.surprises sees, then the
quantiles of what is left. The filter that is trained is exactly the one that runs.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.learned import daily as d_

Floats = NDArray[np.float64]
People = Mapping[str, tuple[Floats, Floats, Floats]]  # times [s], places, values: sorted by time
ONBOARDING_DAYS, WEEK, LEAST = 14.0, 7, 3
RIDGE = 300.0
DRAWN = 0.05
LARGEST_SQUARE = 9.0
FIRST_STEP, LAST_STEP = 0.5, 0.06
# Level's walk, AR(1)'s step and what is left of it after a day, sd of the week, prior sd of the level, in units.
GUESS = {
    "resting_heart_rate": (0.04, 0.575, 0.91, 0.088, 3.0), "skin_temperature": (0.074, 0.36, 0.66, 0.11, 1.5),
    "spo2": (0.047, 0.30, 0.62, 0.09, 2.9), "hrv_rmssd": (0.046, 0.60, 0.69, 0.18, 2.3),
    "respiration_rate": (0.055, 0.77, 0.63, 0.17, 2.1), "sleep_duration": (0.041, 0.19, 0.62, 0.16, 0.8),
    "steps": (0.056, 0.25, 0.54, 0.29, 2.3),
}  # fmt: skip
SMOOTHED = {
    "resting_heart_rate": (0.001, 2.5)
}  # by its maker: noise variance in units, surprise that is too far in sd
PLAIN = (1.0, 5.0)
GAUSSIAN = (-1.6448536, -0.6744898, 0.0, 0.6744898, 1.6448536)


def scored(times: Floats, places: Floats, values: Floats, taken: NDArray[np.bool_]) -> dict[str, Floats]:
    """The forecasts that are judged: yesterday was there, three of the last seven days, two weeks known.

    Returns:
        For each: `made` (row at which it was made), `target` (row), `persistence` and `week` (mean of the last seven days).

    """
    rows: list[tuple[float, float, float, float]] = []
    begin = times[0] if len(times) else 0.0
    for place in range(d_.CHANNELS):
        own = np.flatnonzero((places == place) & taken)
        day = np.round(times[own] / d_.DAY_S)
        for i in range(1, len(own)):
            recent = own[:i][day[:i] >= day[i] - WEEK]
            due = day[i] - day[i - 1] == 1 and times[own[i]] - begin >= ONBOARDING_DAYS * d_.DAY_S
            if due and len(recent) >= LEAST:
                rows.append((own[i - 1], own[i], values[own[i - 1]], float(values[recent].mean())))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return {name: table[:, i] for i, name in enumerate(("made", "target", "persistence", "week"))}


def forecast(person: tuple[Floats, Floats, Floats], numbers: Floats) -> tuple[Floats, Floats]:
    """What `daily.follow` forecasts and sees of a person."""
    out, seen = np.full((len(person[0]), 8), math.nan), np.zeros((len(person[0]), d_.RIDGE))
    d_.follow(*person, numbers, np.zeros(d_.SIZE), out, seen)
    return out, seen


def _numbers(theta: Floats, unit: float, usual: float, noise: tuple[float, float]) -> Floats:
    level, step, left, week, prior = (
        np.exp(theta[0]),
        np.exp(theta[1]),
        theta[2],
        np.exp(theta[3]),
        np.exp(theta[4]),
    )
    left = 1.0 / (1.0 + np.exp(-left))
    return np.array([unit, usual, level, step, left, week, prior, *noise, *GAUSSIAN])


def _guess(name: str) -> Floats:
    level, step, left, week, prior = GUESS[name]
    return np.array([np.log(level), np.log(step), np.log(left / (1.0 - left)), np.log(week), np.log(prior)])


def _channel(place: int, people: People) -> Floats:
    """Constants of one channel."""
    name = d_.NAMES[place]
    alone = {}
    for person, (times, places, values) in people.items():
        mine = (places == place) & ((values >= d_.POSITIVE) | (place == d_.WALKED))
        if mine.sum() > 1:
            alone[person] = (times[mine], places[mine], values[mine])
    unit = float(np.mean([values.std() for _, _, values in alone.values()]))
    usual = float(np.mean([values.mean() for _, _, values in alone.values()]))
    numbers = np.zeros(d_.NUMBERS)
    numbers[d_.UNIT :: d_.CONSTANTS][: d_.CHANNELS] = 1.0
    span = slice(place * d_.CONSTANTS, (place + 1) * d_.CONSTANTS)
    guess = _guess(name)
    judged = {p: scored(*rows, np.ones(len(rows[0]), dtype=np.bool_)) for p, rows in alone.items()}

    def cost(theta: Floats) -> float:
        numbers[span] = _numbers(theta, unit, usual, SMOOTHED.get(name, PLAIN))
        total, count = 0.0, 0
        for person, rows in alone.items():
            out, _ = forecast(rows, numbers)
            made, target = judged[person]["made"].astype(int), judged[person]["target"].astype(int)
            error = (rows[2][target] - out[made, 0]) / unit
            total += float(np.nansum(np.minimum(error**2, LARGEST_SQUARE)))
            count += len(made)
        return total / max(count, 1) + DRAWN * float(np.sum((theta - guess) ** 2))

    theta, best, step = guess.copy(), cost(guess), FIRST_STEP
    while step > LAST_STEP:
        moved = False
        for i in range(len(theta)):
            for way in (step, -step):
                trial = theta.copy()
                trial[i] += way
                found = cost(trial)
                if found < best:
                    theta, best, moved = trial, found, True
                    break
        if not moved:
            step *= 0.5
    return _numbers(theta, unit, usual, SMOOTHED.get(name, PLAIN))


def train_daily(people: People) -> Floats:
    """The constants (daily.NUMBERS,) from daily values of people: times [s], places, values, sorted by time."""
    numbers = np.zeros(d_.NUMBERS)
    for place in range(d_.CHANNELS):
        numbers[place * d_.CONSTANTS : (place + 1) * d_.CONSTANTS] = _channel(place, people)
    inputs, targets = [], []
    for rows in people.values():
        out, seen = forecast(rows, numbers)
        made, target, _, _ = _resting(rows, out)
        inputs.append(seen[made])
        targets.append((rows[2][target] - out[made, 0]) / numbers[d_.UNIT])
    x, y = np.concatenate(inputs), np.concatenate(targets)
    scale = np.maximum(x.std(axis=0), 1e-9)
    z = x / scale
    numbers[d_.CHANNELS * d_.CONSTANTS :] = (
        np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ np.clip(y, -3.0, 3.0)) / scale
    )
    _quantiles(people, numbers)
    return numbers


def _resting(rows: tuple[Floats, Floats, Floats], out: Floats) -> tuple[NDArray[np.int64], ...]:
    judged = scored(*rows, ~np.isnan(out[:, 0]))
    made, target = judged["made"].astype(np.int64), judged["target"].astype(np.int64)
    mine = rows[1][made] == d_.RESTING
    return made[mine], target[mine], made, target


def _quantiles(people: People, numbers: Floats) -> None:
    """Where each quantile lies in predictive sd, from the training people's own errors."""
    errors: list[list[float]] = [[] for _ in range(d_.CHANNELS)]
    for rows in people.values():
        out, _ = forecast(rows, numbers)
        _, _, made, target = _resting(rows, out)
        for m, t in zip(made, target, strict=True):
            errors[int(rows[1][m])].append(float((rows[2][t] - out[m, 0]) / out[m, 7]))
    for place, found in enumerate(errors):
        at = place * d_.CONSTANTS + d_.START_QUANTILES
        if found:
            numbers[at : at + d_.QUANTILES] = np.quantile(found, d_.LEVELS)
