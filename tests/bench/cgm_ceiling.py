"""What is left to learn of glucose 30 min ahead: oracles that may not ship, beside the twin on the same readings.

    python tests/bench/cgm_ceiling.py FOLDER --folds W [--sets cgm_physiocgm]

Folds as in cgm_forecasts.py. On the last two fifths of each person's readings: the twin by weights that have not seen them; the
twin by the shipped weights, which have; and ridge and trees that look at what the unseen twin left of the person's own first
three fifths, by all its inputs and by every lag of an hour. Also, of each set, the person whom learning makes worst on days 4 to 14,
with an interval over quarters of days.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.evaluate.baselines import TREES  # noqa: E402
from stream.training import run_online  # noqa: E402
from stream.training_people import people_of, seen_by_twin, targets  # noqa: E402
from tests.bench import cgm_forecasts as forecasts  # noqa: E402
from twin.learned.glucose_slot import HALF_HOUR  # noqa: E402
from twin.learned.weights import load  # noqa: E402
from twin.scoring.bootstrap import change_interval  # noqa: E402

LEARNED_FROM, CLIPPED, LAGS = 0.6, 4.0, 12
RIDGES = (300.0, 3000.0, 30000.0)
SMALL_TREES = TREES | {"max_iter": 60, "max_leaf_nodes": 8, "min_samples_leaf": 100}
DRAWS, QUARTERS = 2000, 4


def own_past(person, unseen):
    """Squared errors on the later readings: the twin's, and with what ridge and trees say of its rest: name -> sum."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    x, base = seen_by_twin(person.times, person.values)
    spread, now = base[:, HALF_HOUR, 1], person.values
    at = np.arange(len(now))
    lags = np.stack([now[np.maximum(at - k, 0)] - now for k in range(1, LAGS)], axis=1) / spread[:, None]
    told = targets(person.times, now, person.step_s)[:, HALF_HOUR]
    good = np.isfinite(told) & (person.times >= person.times[0] + forecasts.DAY_S)
    x = np.column_stack([np.nan_to_num(x), lags])[good]
    x = np.clip((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9), -CLIPPED, CLIPPED)
    y, spread, twin = told[good], spread[good], unseen[good]
    rest, cut = np.clip((y - twin) / spread, -CLIPPED, CLIPPED), int(LEARNED_FROM * len(y))
    found = {"the twin": twin[cut:]}
    square = np.column_stack([np.ones(len(x)), x])
    for weight in RIDGES:
        first = square[:cut]
        solved = np.linalg.solve(first.T @ first + weight * np.eye(square.shape[1]), first.T @ rest[:cut])
        found[f"ridge {weight:.0f} of the own past"] = twin[cut:] + spread[cut:] * (square[cut:] @ solved)
    trees = HistGradientBoostingRegressor(**SMALL_TREES).fit(x[:cut], rest[:cut])
    found["trees of the own past"] = twin[cut:] + spread[cut:] * trees.predict(x[cut:])
    found["weights that have seen them"] = run_online(person, load().glucose)[0][good, HALF_HOUR, 0][cut:]
    return {name: float(((np.clip(mean, 40.0, 400.0) - y[cut:]) ** 2).sum()) for name, mean in found.items()}


def made_worst(people, runs, weights):
    """The person whose forecasts learning makes worst on days 4-14: change [%], interval over quarters of days, forecasts."""
    rows, random = [], np.random.default_rng(0)
    for person, issued, own in zip(people, runs, weights, strict=True):
        told = targets(person.times, person.values, person.step_s)[:, HALF_HOUR]
        age = (person.times - person.times[0]) / forecasts.DAY_S
        good = np.isfinite(told) & (age >= 4.0) & (age < 14.0)
        if not good.any():
            continue
        part = (QUARTERS * age[good]).astype(int)
        errors = [
            np.bincount(part, (f[good, HALF_HOUR, 0] - told[good]) ** 2)[np.unique(part)]
            for f in (issued, forecasts.population(person, own))
        ]
        drawn = random.integers(0, len(errors[0]), (DRAWS, len(errors[0])))
        change = [100.0 * (np.sqrt(a.sum(axis=-1) / b.sum(axis=-1)) - 1.0)
                  for a, b in (errors, [e[drawn] for e in errors])]  # fmt: skip
        rows.append(
            (
                float(change[0]),
                np.percentile(change[1], [2.5, 97.5]),
                int(good.sum()),
                len(errors[0]) / QUARTERS,
            )
        )
    return max(rows, key=lambda row: row[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(forecasts.PROFILES))
    chosen = parser.parse_args()
    found = forecasts.fold_weights(chosen.folds)
    for study in chosen.sets.split(","):
        people = people_of([chosen.folder / f"{study}.csv.gz"])
        weights = [found[study, person.name] for person in people]
        runs = [run_online(p, w)[0] for p, w in zip(people, weights, strict=True)]
        rows = [own_past(p, run[:, HALF_HOUR, 0]) for p, run in zip(people, runs, strict=True)]
        twin = np.array([row["the twin"] for row in rows])
        print(f"== {study}, 30 min, last two fifths of {len(people)} people, change against the unseen twin")
        for name in list(rows[0])[1:]:
            other = np.array([row[name] for row in rows])
            low, high = change_interval(other, twin)
            print(
                f"    {name:28} {100.0 * (np.sqrt(other.sum() / twin.sum()) - 1.0):+.2f} % [{low:+.2f}, {high:+.2f}]"
            )
        change, (low, high), count, days = made_worst(people, runs, weights)
        print(
            f"    made worst by learning, days 4-14: {change:+.2f} % [{low:+.2f}, {high:+.2f}], {count} forecasts in {days:.2f} days"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
