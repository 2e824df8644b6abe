"""Heart rate of a second round from its speeds, fitted on the first, beside a first-order model of the same people.

    python tests/bench/exercise_rounds.py FOLDER [--json]

FOLDER holds exercise_yoyo.csv.gz (evaluate only; it never comes into the project). Everybody with heart rate and speed on two
days is scored: fit on the first day (what people have in common on everybody's first day), predict the whole of the second
from speed, without and with its first minutes. Nothing of a second day is in any fit.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

sys.path[:0] = [str(Path(__file__).parents[2])]

from connectors.channels import CODE_OF  # noqa: E402
from connectors.table import read_table  # noqa: E402
from stream.planned import bouts_of  # noqa: E402
from twin.learned import exercise  # noqa: E402
from twin.learned.exercise_cohort import prior_of  # noqa: E402

MINUTES = (0, 1, 2, 3, 5)
DRAWS, SEED, DAY_MS = 2000, 1, 86_400_000


def first_order(theta, speed):
    """Rest + gain x speed, approached with one time constant up and another down."""
    rest, gain, up, down = theta
    aim, rate, at = rest + gain * speed, np.empty(len(speed)), rest
    for i, target in enumerate(aim):
        at += (target - at) * (1.0 - np.exp(-1.0 / np.exp(up if target > at else down)))
        rate[i] = at
    return rate


def fit_first_order(speed, at, rates):
    """Least squares from several starts."""
    fits = [
        least_squares(
            lambda theta: first_order(theta, speed)[at] - rates,
            [rates.min(), 30.0, up, down],
            x_scale=[10, 10, 0.5, 0.5],
        )
        for up in (2.5, 4.0)
        for down in (3.0, 4.5)
    ]
    return min(fits, key=lambda fit: fit.cost).x


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def rounds(path):
    """Both days of each person who has heart rate and speed on two: one bout a day."""
    table = read_table(path)
    moving = np.isin(table.channel, [CODE_OF["speed"], CODE_OF["heart_rate"]])
    found = {}
    for number, person in enumerate(table.persons):
        own = (table.person == number) & moving
        days = []
        for day in np.unique(table.time_ms[own] // DAY_MS):
            bouts = [
                b for _, _, b in bouts_of(table.rows(np.flatnonzero(own & (table.time_ms // DAY_MS == day))))
            ]
            bouts = [b for b in bouts if len(b[1]) >= 60]
            if bouts:
                days.append(max(bouts, key=lambda b: len(b[1])))
        if len(days) == 2:
            found[person] = days
    return found


def judge(path):
    """A row a person: RMSE of first order, and ours with so many first minutes; coverage without any."""
    rows, days = [], rounds(path)
    prior = prior_of([[one] for one, _ in days.values()])
    for person, (one, (speed, at, rates)) in days.items():
        theta = fit_first_order(*one)
        row = {"person": person, "first_order": rms(first_order(theta, speed)[at] - rates)}
        numbers = exercise.for_another_day(exercise.fit([one], prior).mean, prior)
        for minutes in MINUTES:
            told = at < 60 * minutes
            mean, sd = exercise.predict(numbers, speed, at[told], rates[told])
            row[f"after_{minutes}"] = rms(mean[at] - rates)
            z = np.abs(mean[at] - rates) / sd[at]
            row[f"c50_{minutes}"], row[f"c90_{minutes}"] = (
                float(np.mean(z < 0.6745)),
                float(np.mean(z < 1.6449)),
            )
        rows.append(row)
    return rows


def summary(rows):
    """Means over sessions, change to first order with a bootstrap over people, the worst person."""
    first = np.array([row["first_order"] for row in rows])
    draws = np.random.default_rng(SEED).integers(0, len(rows), (DRAWS, len(rows)))
    found = {"people": len(rows), "first_order": float(first.mean())}
    for minutes in MINUTES:
        own = np.array([row[f"after_{minutes}"] for row in rows])
        change = 100.0 * (own[draws].mean(axis=1) / first[draws].mean(axis=1) - 1.0)
        found[f"after_{minutes}"] = {
            "rmse": float(own.mean()), "percent": float(100.0 * (own.mean() / first.mean() - 1.0)),
            "interval": np.percentile(change, [2.5, 97.5]).tolist(), "better": int((own < first).sum()),
            "worst_percent": float(100.0 * (own / first - 1.0).max()),
            "c50": float(np.mean([row[f"c50_{minutes}"] for row in rows])),
            "c90": float(np.mean([row[f"c90_{minutes}"] for row in rows])),
        }  # fmt: skip
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = judge(chosen.folder / "exercise_yoyo.csv.gz")
    found = summary(rows)
    if chosen.json:
        print(json.dumps({"summary": found, "people": rows}, indent=1))
        return
    for row in rows:
        print(row["person"], f"{row['first_order']:6.2f}", *(f"{row[f'after_{m}']:6.2f}" for m in MINUTES))
    print(f"{found['people']} people, first order {found['first_order']:.2f} bpm")
    for minutes in MINUTES:
        f = found[f"after_{minutes}"]
        print(
            f"first {minutes} min told: {f['rmse']:.2f}, {f['percent']:+.1f} % [{f['interval'][0]:+.1f},{f['interval'][1]:+.1f}], "
            f"{f['better']} better, worst {f['worst_percent']:+.1f} %, 50: {100 * f['c50']:.0f}, 90: {100 * f['c90']:.0f}"
        )


if __name__ == "__main__":
    main()
