"""The product itself before the foreign judge: the simglucose people's tables through the cohort of the worker.

    python tests/bench/simglucose_product.py [--json]

A person has a type 1 profile with their weight and nothing else that the simulator knows; the pump's rate is told once.
One setting for every way of telling the meals. Scored by simglucose_judge.judge from the estimates that the page shows.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.cohort import Cohort  # noqa: E402
from stream.virtual import readings_of_rows  # noqa: E402
from tests.bench import simglucose_judge as judging  # noqa: E402
from tests.bench.simglucose_people import BLIND, CHOSEN, START, STEP_MINUTES  # noqa: E402
from twin import channels as c_  # noqa: E402
from twin.summary import GLUCOSE_AT, PARAMETER_COLUMNS  # noqa: E402

START_MS = round(START.timestamp() * 1000)
MINUTE_MS = 60_000


def rows_of(person, logged, count):
    """What a phone would send: (time [ms], channel, value) of the first `count` glucose readings and all that goes with them."""
    minutes = count * STEP_MINUTES
    yield START_MS, "insulin_basal_rate", person.basal
    for i, value in enumerate(person.glucose[:count]):
        if np.isfinite(value):
            yield START_MS + i * STEP_MINUTES * MINUTE_MS, "glucose", float(value)
    for channel, doses in (("carbohydrate_intake", logged / 1000.0), ("insulin_bolus", person.bolus)):
        for minute in np.flatnonzero(doses[:minutes]):
            yield START_MS + int(minute) * MINUTE_MS, channel, float(doses[minute])


def log_normal(mean, sd):
    """Mean and sd of the logarithm."""
    variance = np.log1p((sd / mean) ** 2)
    return np.log(mean) - 0.5 * variance, np.sqrt(variance)


def estimate(person, logged, count=judging.READINGS):
    """Mean and sd of ln plasma glucose, innovation, ln sI, Gb at every reading (t, 5), as the judge wants them."""
    cohort = Cohort()
    cohort.set_profile(person.name, {"weight_kg": person.weight, "conditions": ["t1d"]})
    done = cohort.apply(readings_of_rows(person.name, list(rows_of(person, logged, count))))
    read = np.flatnonzero(done.obs_channel == c_.GLUCOSE)
    tick = np.searchsorted(done.obs_start, read, side="right") - 1
    sensitivity, basal = (PARAMETER_COLUMNS[name] for name in ("insulin_sensitivity", "basal_glucose"))
    found = np.full((judging.READINGS, 5), np.nan)
    at = np.flatnonzero(np.isfinite(person.glucose[:count]))
    row = done.estimates[tick]
    found[at, 0], found[at, 1] = log_normal(row[:, GLUCOSE_AT], row[:, GLUCOSE_AT + 1])
    found[at, 2] = done.surprises[read]
    found[at, 3], _ = log_normal(row[:, sensitivity], row[:, sensitivity + 1])
    found[at, 4] = row[:, basal]
    return found


def table():
    """Every row: days' first seed, way of telling and figures."""
    for seed in (*CHOSEN, BLIND):
        people = judging.load(seed)
        for telling in judging.TELLINGS:
            yield (
                {"days": seed, "formulation": "product", "meals": telling}
                | judging.judge(people, telling, estimate)
            )


def main():
    found = []
    if "--json" not in sys.argv:
        print(judging.HEAD)
    for row in table():
        found.append(row)
        if "--json" not in sys.argv:
            print(judging.line(row), flush=True)
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
