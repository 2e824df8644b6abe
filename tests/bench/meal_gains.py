"""What a meal and a dose are worth in virtual people whose logs are as bad as people's: where the priors of causes come from.

    twin simulate --people 12 --days 10 --seed 77 --out healthy.csv.gz        (also --condition prediabetes, t2d, t1d)
    python tests/bench/meal_gains.py healthy.csv.gz ... [--simglucose]

The error of the population's forecast (network alone, nothing told) in units of s_h is regressed on the causes as the twin computes
them (twin/learned/causes.py) from logs with amounts wrong by 30 %, 30 % of the meals forgotten and times wrong by 10 min. Means and sd
between people of each cause's gain at 15, 30, 60, 120 min. --simglucose: also the foreign simulator's people (simglucose_people.py).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.training_people import people_of, seen_by_twin, targets  # noqa: E402
from tests.bench import cgm_meals as meals  # noqa: E402
from tests.bench.cgm_forecasts import population  # noqa: E402
from tests.bench.simglucose_people import CHOSEN, make  # noqa: E402
from twin.learned import glucose_slot as s_  # noqa: E402
from twin.learned.adapt import CLIPPED_ERROR, CLIPPED_TERM  # noqa: E402
from twin.learned.glucose import USUAL_SD  # noqa: E402
from twin.learned.weights import load  # noqa: E402

WRONG, FORGOTTEN, LATE_S = 0.3, 0.3, 600.0
SEED = 0
NAMES = ("meal now", "meal ahead", "insulin's change", "its excess")
LEAST = 1e-6  # keeps the normal equations sound where a cause never moves


def as_logged(doses, random):
    """The same doses as a person would log them."""
    found = []
    for time, what, amount in doses:
        if what != meals.CARBOHYDRATE:
            found.append((time, what, amount))
        elif random.random() >= FORGOTTEN:
            wrong = np.exp(WRONG * random.standard_normal() - 0.5 * WRONG**2)
            found.append((time + LATE_S * random.standard_normal(), what, amount * wrong))
    return sorted(found)


def gains(person, doses, weights):
    """Gains of the four causes at each horizon by least squares (HORIZONS, 4)."""
    base = seen_by_twin(person.times, person.values)[1]
    causes = np.array([row.copy() for row in meals.causes_at(np.zeros(s_.SIZE), person.times, doses)])
    unit = USUAL_SD / base[:, s_.HALF_HOUR, 1:]
    x = np.clip(unit * causes[:, : len(NAMES)], -CLIPPED_TERM, CLIPPED_TERM)
    rest = (
        targets(person.times, person.values, person.step_s) - population(person, weights)[:, :, 0]
    ) / base[:, :, 1]
    found = np.zeros((s_.HORIZONS, len(NAMES)))
    for h in range(s_.HORIZONS):
        good = np.isfinite(rest[:, h]) & (person.times >= person.times[0] + meals.DAY_S)
        square = np.column_stack([np.ones(good.sum()), x[good]])
        told = square.T @ np.clip(rest[good, h], -CLIPPED_ERROR, CLIPPED_ERROR)
        found[h] = np.linalg.solve(square.T @ square + LEAST * np.eye(square.shape[1]), told)[1:]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--simglucose", action="store_true")
    chosen = parser.parse_args()
    groups = [(path.name, [path]) for path in chosen.tables]
    if chosen.simglucose:
        groups.append(("simglucose", [make(seed) / "readings.csv" for seed in CHOSEN]))
    weights, random = load().glucose, np.random.default_rng(SEED)
    for name, paths in groups:
        found = []
        for path in paths:
            doses = meals.doses_of(path)
            found += [gains(p, as_logged(doses.get(p.name, []), random), weights) for p in people_of([path])]
        print(f"== {name}, {len(found)} people: gain (sd between people) at 15, 30, 60, 120 min")
        for k, cause in enumerate(NAMES):
            each = np.array(found)[:, :, k]
            if np.abs(each).max() > 0.0:
                row = ", ".join(
                    f"{m:+.2f} ({sd:.2f})" for m, sd in zip(each.mean(axis=0), each.std(axis=0), strict=True)
                )
                print(f"    {cause:18} {row}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
