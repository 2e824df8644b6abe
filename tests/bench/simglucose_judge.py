"""How near plasma glucose comes to what a foreign simulator knows: readings of twenty people, days 2 to 5.

python tests/bench/simglucose_judge.py [--json]
"""

import csv
import json
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from tests.bench import simglucose_filter as f
from tests.bench.simglucose_people import DAYS, START, make

READINGS = DAYS * 288 + 1
SCORED = slice(288, None)  # after the first day
FORGOTTEN, MISJUDGED = 0.30, 0.30  # share of the meals; sd of ln amount


def load():
    """The twenty people as arrays: glucose, plasma (t,), carbohydrate [mg] and bolus [iU] by the minute."""
    where, people = make(), {}
    for row in rows(where / "people.csv"):
        people[row["person"]] = SimpleNamespace(
            name=row["person"], weight=float(row["weight_kg"]), ratio=float(row["carbohydrate_ratio"]), basal=0.0,
            glucose=np.full(READINGS, np.nan), plasma=np.full(READINGS, np.nan),
            carbohydrate=np.zeros(READINGS * f.STEP), bolus=np.zeros(READINGS * f.STEP),
        )  # fmt: skip
    for row in rows(where / "truth.csv"):
        people[row["person"]].plasma[minute_of(row) // f.STEP] = float(row["plasma"])
    for row in rows(where / "readings.csv"):
        person, value = people[row["person"]], float(row["value"])
        match row["channel"]:
            case "glucose":
                person.glucose[minute_of(row) // f.STEP] = value
            case "carbohydrate_intake":
                person.carbohydrate[minute_of(row)] += 1000.0 * value
            case "insulin_bolus":
                person.bolus[minute_of(row)] += value
            case "insulin_basal_rate":
                person.basal = value
    return list(people.values())


def rows(path):
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def minute_of(row):
    return int((datetime.fromisoformat(row["time"]) - START).total_seconds() // 60)


def estimate(person, carbohydrate, settings):
    """Mean and sd of ln plasma glucose, innovation, ln sI, Gb at every reading (t, 5)."""
    body = f.body_of(person.weight, person.basal)
    infusion = body.basal_infusion + person.bolus * 6000.0 / person.weight
    path = np.zeros((infusion.size + 1, 2))
    f.insulin_path(infusion, body, path)
    mean, covariance, noise = f.prior(settings, body)
    out = np.zeros((READINGS, 5))
    f.run(person.glucose, carbohydrate, path, mean, covariance, noise, settings, body, out)
    out[:, 0] -= np.log(body.vg)
    return out
