"""Forecasts of real glucose sensors, nothing else told: the product against persistence and an autoregression.

    python tests/bench/cgm_forecasts.py FOLDER [--people 4] [--days 14] [--json]

FOLDER holds cgm_<set>.csv.gz (person,time,channel,value), which never come into the project. The first 24 h of a person
are not scored; an instant is scored where the last hour and the target are there. The autoregression (least squares on
the readings of the last hour) is fitted on the other people of the same set. Forecasts are clipped to 40-400 mg/dL.
"""

import argparse
import csv
import gzip
import json
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.cohort import Cohort  # noqa: E402
from stream.virtual import readings_of_rows  # noqa: E402

SETS = {  # native minutes between readings, conditions that the profile tells
    "azt1d": (5, ["t1d"]), "physiocgm": (5, ["t1d"]), "hupa_ucm": (15, ["t1d"]), "hall_2018": (5, []),
}  # fmt: skip
HORIZONS_S = (1800, 3600)
DAY_MINUTES, CLIP = 1440, (40.0, 400.0)
LEVELS = (0, 80, 120, 180, 500)
CHANCES = (0.0, 0.05, 0.2, 0.35, 0.5, 1.01)
HALF, NINETY = 0.6745, 1.6449
LOW = 70.0


def load(path, step):
    """Minutes since the first reading's midnight-free start, and mg/dL, by person; rounded to the native grid."""
    found = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            time = datetime.fromisoformat(row["time"]).timestamp()
            found.setdefault(row["person"], {})[round(time / 60.0 / step)] = float(row["value"])
    return {person: dict(sorted(readings.items())) for person, readings in sorted(found.items())}


def grid(readings):
    """Readings on the whole native grid, nan where none."""
    first, last = min(readings), max(readings)
    values = np.full(last - first + 1, np.nan)
    values[np.array(list(readings)) - first] = list(readings.values())
    return values


def windows(values, lags, ahead):
    """Positions with the last hour and the target, the hour (newest first, a constant at the end), the target."""
    now = np.arange(lags - 1, len(values) - ahead)
    hour = np.stack([values[now - lag] for lag in range(lags)], axis=1)
    good = np.isfinite(hour).all(axis=1) & np.isfinite(values[now + ahead])
    return now[good], np.c_[hour[good], np.ones(good.sum())], values[now[good] + ahead]


def autoregression(people, lags, ahead):
    rows = [windows(grid(readings), lags, ahead)[1:] for readings in people]
    hours, targets = (np.concatenate(part) for part in zip(*rows, strict=True))
    return np.linalg.lstsq(hours, targets, rcond=None)[0]


def product(person, readings, step, conditions):
    """Mean and sd of the forecasts (n, 2, 2), and P(low), at every reading."""
    cohort = Cohort(horizons={"glucose": HORIZONS_S})
    cohort.set_profile(person, {"conditions": conditions})
    rows = [(slot * step * 60_000, "glucose", value) for slot, value in readings.items()]
    done = cohort.apply(readings_of_rows(person, rows))
    return done.forecasts[:, 1, :2], done.low_probability


def score(name, folder, count, days):
    """Errors of every scored forecast, by horizon, and chances of low glucose with what came."""
    step, conditions = SETS[name]
    people = load(folder / f"cgm_{name}.csv.gz", step)
    lags, names = 60 // step, list(people)
    chosen = names[:: max(1, len(names) // count)][:count]
    lines = {horizon: [] for horizon in HORIZONS_S}
    chances = []
    for person in chosen:
        # Four people are too few to leave all of the scored ones out.
        others = [n for n in names if n != person and (len(names) <= count or n not in chosen)]
        first = min(people[person])
        readings = {t: v for t, v in people[person].items() if t < first + days * DAY_MINUTES // step}
        values, at = grid(readings), np.array(list(readings)) - first
        forecasts, chance = (
            np.full((len(values), *x.shape[1:]), np.nan) for x in (np.zeros((1, 2, 2)), np.zeros(1))
        )
        forecasts[at], chance[at] = product(person, readings, step, conditions)
        for h, horizon in enumerate(HORIZONS_S):
            ahead = horizon // 60 // step
            now, hour, target = windows(values, lags, ahead)
            scored = now >= DAY_MINUTES // step
            now, hour, target = now[scored], hour[scored], target[scored]
            weights = autoregression([people[n] for n in others], lags, ahead)
            lines[horizon].append(
                np.stack([target, hour[:, 0], np.clip(hour @ weights, *CLIP), *forecasts[now, h].T], axis=1)
            )
            if horizon == HORIZONS_S[0]:
                soon = np.stack([values[now + k] for k in range(1, ahead + 1)], axis=1)
                known = np.isfinite(soon).all(axis=1) & (hour[:, 0] >= LOW)
                chances.append(np.stack([chance[now[known]], (soon[known] < LOW).any(axis=1)], axis=1))
    return {h: np.concatenate(rows) for h, rows in lines.items()}, np.concatenate(chances)


def rms(x):
    return float(np.sqrt(np.mean(x**2)))


def figures(rows):
    target, now, auto, mean, sd = rows.T
    z = np.abs(target - mean) / sd
    error = np.clip(mean, *CLIP) - target
    return {
        "readings": len(rows), "persistence": rms(now - target), "autoregression": rms(auto - target),
        "product": rms(error), "against_ar": rms(error) / rms(auto - target) - 1.0, "bias": float(error.mean()),
        "within_50": float(np.mean(z < HALF)), "within_90": float(np.mean(z < NINETY)),
    }  # fmt: skip


def judge(name, folder, count, days):
    """One set: both horizons, by level at 30 minutes, and how often it was low by what chance was told."""
    lines, chances = score(name, folder, count, days)
    found = {"set": name} | {f"{h // 60} min": figures(rows) for h, rows in lines.items()}
    rows = lines[HORIZONS_S[0]]
    for low, high in pairwise(LEVELS):
        level = rows[(rows[:, 1] >= low) & (rows[:, 1] < high)]
        if len(level):
            found[f"30 min from {low}-{high}"] = figures(level)
    found["low within 30 min: told, came, readings"] = [
        (float(part[:, 0].mean()), float(part[:, 1].mean()), len(part))
        for low, high in pairwise(CHANCES)
        if len(part := chances[(chances[:, 0] >= low) & (chances[:, 0] < high)])
    ]
    return found


def line(name, row):
    return (
        f"{name:24}{row['readings']:8d}{row['persistence']:13.2f}{row['autoregression']:7.2f}{row['product']:9.2f}"
        f"{100 * row['against_ar']:+8.1f} %{row['bias']:+7.1f}{row['within_50']:7.2f}{row['within_90']:7.3f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = [judge(name, chosen.folder, chosen.people, chosen.days) for name in chosen.sets.split(",")]
    if chosen.json:
        print(json.dumps(found, indent=1))
        return
    print(
        f"{'mg/dL':24}{'n':>8}{'persistence':>13}{'AR':>7}{'product':>9}{'to AR':>10}{'bias':>7}{'50 %':>7}{'90 %':>7}"
    )
    for row in found:
        for name, part in row.items():
            if isinstance(part, dict):
                print(line(f"{row['set']} {name}".replace("30 min from", "30:"), part))
            elif isinstance(part, list):
                told = ", ".join(f"{100 * p:.0f} > {100 * c:.0f} % ({n})" for p, c, n in part)
                print(f"  chance of a low, told > came: {told}")


if __name__ == "__main__":
    main()
