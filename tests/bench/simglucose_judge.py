"""How near plasma glucose comes to what a foreign simulator knows: readings of twenty people, days 2 to 5.

    python tests/bench/simglucose_judge.py [--json]

One row a formulation, set of days and way of telling meals; `sensor` is the sensor against the same plasma glucose.
The first two sets of days chose the settings; the last was scored once, afterwards.
"""

import csv
import json
import sys
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from tests.bench import simglucose_filter as f  # noqa: E402
from tests.bench.simglucose_insulin import body_of, insulin_path  # noqa: E402
from tests.bench.simglucose_people import BLIND, CHOSEN, DAYS, START, make  # noqa: E402
from twin.physiology.insulin import PMOL_PER_UNIT  # noqa: E402

READINGS = DAYS * 288 + 1
SCORED = slice(288, None)  # after the first day
FORGOTTEN, MISJUDGED = 0.30, 0.30  # share of the meals; sd of ln amount
EXPLAINED_MINUTES = 15  # a bolus this long after a logged meal belongs to it
LOW, HYPO = 80.0, 60.0  # mg/dL
TELLINGS = ("announced", "amounts wrong by 30 %", "30 % forgotten", "unannounced")
FORMULATIONS = {
    "study": f.STUDY,
    "study, unannounced": f.STUDY_UNANNOUNCED,
    "without the bolus hint": f.Settings(bolus_meal=0.0),
    "recommended": f.Settings(),
}


@dataclass(slots=True)
class Person:
    """Glucose and plasma every five minutes [mg/dL], carbohydrate [mg] and bolus [iU] by the minute."""

    name: str
    weight: float
    ratio: float  # g/iU, for comparison with what the filter learns; it never sees it
    basal: float = 0.0  # iU/h
    glucose: np.ndarray = field(default_factory=lambda: np.full(READINGS, np.nan))
    plasma: np.ndarray = field(default_factory=lambda: np.full(READINGS, np.nan))
    carbohydrate: np.ndarray = field(default_factory=lambda: np.zeros(READINGS * f.STEP))
    bolus: np.ndarray = field(default_factory=lambda: np.zeros(READINGS * f.STEP))


def load(first_seed):
    """The twenty people of a set of days."""
    where, people = make(first_seed), {}
    for row in rows(where / "people.csv"):
        people[row["person"]] = Person(
            row["person"], float(row["weight_kg"]), float(row["carbohydrate_ratio"])
        )
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


def told(person, telling, number):
    """What the log says of the meals, mg by the minute; seeds fixed by person."""
    draw = np.random.default_rng([7, number])
    eaten = person.carbohydrate
    match telling:
        case "announced":
            return eaten
        case "amounts wrong by 30 %":
            return eaten * np.exp(MISJUDGED * draw.standard_normal(eaten.size))
        case "30 % forgotten":
            return eaten * (draw.random(eaten.size) >= FORGOTTEN)
    return np.zeros(eaten.size)


def doubt_of(person, logged, settings):
    """Sd of what was eaten, mg by the minute: a share of what was logged, or what an unexplained bolus hints at."""
    doubt = settings.meal * logged
    daily_dose = 2.0 * 24.0 * person.basal
    for minute in np.flatnonzero(person.bolus):
        if not logged[max(minute - EXPLAINED_MINUTES, 0) : minute + 1].any():
            doubt[minute] = settings.bolus_meal * 1000.0 * person.bolus[minute] * 500.0 / daily_dose
    return doubt


def estimate(person, logged, settings):
    """Mean and sd of ln plasma glucose [mg/dL], innovation, ln sI, Gb at every reading (t, 5)."""
    body = body_of(person.weight, person.basal)
    infusion = body.basal_infusion + person.bolus * PMOL_PER_UNIT / person.weight
    path = np.zeros((infusion.size + 1, 2))
    insulin_path(infusion, body, path)
    mean, covariance, noise = f.prior(settings, body)
    out = np.zeros((READINGS, 5))
    doubt = doubt_of(person, logged, settings)
    f.run(person.glucose, logged, doubt, path, mean, covariance, noise, settings, body, out)
    out[:, 0] -= np.log(body.vg)
    return out


def rms(errors):
    return float(np.sqrt(np.mean(errors**2)))


def judge(people, telling, estimator):
    """The figures of one formulation and way of telling; pooled over people unless said otherwise.

    Args:
        people: of `load`.
        telling: one of TELLINGS.
        estimator: called with a person and what is logged of the meals [mg by the minute]; returns at every reading
            mean and sd of ln plasma glucose [mg/dL], normalised innovation, ln sI, Gb (t, 5). Settings stand for the
            study's filter with them; anything else, such as a replay of the product, can be judged as well.

    """
    if isinstance(estimator, f.Settings):
        estimator = partial(estimate, settings=estimator)
    runs = [estimator(person, told(person, telling, i)) for i, person in enumerate(people)]
    truth = np.array([person.plasma[SCORED] for person in people])
    sensor = np.array([person.glucose[SCORED] for person in people]) - truth
    log_mean, log_sd = (np.array([run[SCORED, i] for run in runs]) for i in (0, 1))
    error = np.exp(log_mean) - truth
    covered = np.abs(np.log(truth) - log_mean) < 1.96 * log_sd
    hypo, low = truth < HYPO, (truth >= HYPO) & (truth < LOW)
    ratios = [np.log(person.ratio) for person in people]
    return {
        "rmse": rms(error),
        "sensor_rmse": rms(sensor),
        "ratio": rms(error) / rms(sensor),
        "nearer": sum(rms(own) < rms(shown) for own, shown in zip(error, sensor, strict=True)),
        "coverage": float(covered.mean()),
        "people_covered": float(np.mean(covered.mean(axis=1) > 0.90)),
        "nis": float(np.mean([np.nanmean(run[SCORED, 2] ** 2) for run in runs])),
        "hypo_bias": float(error[hypo].mean()),
        "hypo_rmse": rms(error[hypo]),
        "hypo_coverage": float(covered[hypo].mean()),
        "sensor_hypo_bias": float(sensor[hypo].mean()),
        "sensor_hypo_rmse": rms(sensor[hypo]),
        "low_bias": float(error[low].mean()),
        "low_rmse": rms(error[low]),
        "sensor_low_rmse": rms(sensor[low]),
        "sensitivity_and_ratio": float(np.corrcoef([run[-1, 3] for run in runs], ratios)[0, 1]),
    }


def table():
    """Every row: days' first seed, formulation, telling and figures."""
    for seed in (*CHOSEN, BLIND):
        people = load(seed)
        for name, settings in FORMULATIONS.items():
            for telling in TELLINGS:
                yield {"days": seed, "formulation": name, "meals": telling} | judge(people, telling, settings)


def line(row):
    days = f"{row['days']}{' blind' if row['days'] == BLIND else ''}"
    return (
        f"{days:10}{row['formulation']:24}{row['meals']:23}{row['rmse']:6.2f}{row['sensor_rmse']:8.2f}{row['ratio']:7.3f}"
        f"{row['nearer']:8d}{row['coverage']:10.3f}{row['people_covered']:6.2f}{row['nis']:6.2f}"
        f"{row['hypo_bias']:8.1f}{row['hypo_rmse']:6.1f}{row['sensor_hypo_bias']:8.1f}{row['sensor_hypo_rmse']:6.1f}"
        f"{row['low_bias']:8.1f}{row['low_rmse']:6.1f}{row['sensor_low_rmse']:7.1f}{row['sensitivity_and_ratio']:6.2f}"
    )


HEAD = (
    f"{'days':10}{'formulation':24}{'meals':23}{'rmse':>6}{'sensor':>8}{'ratio':>7}{'nearer':>8}{'coverage':>10}"
    f"{'>.9':>6}{'nis':>6}{'<60:bias':>9}{'rmse':>5}{'sensor':>8}{'rmse':>6}{'60-80':>8}{'rmse':>6}{'sens.':>7}{'sI~CR':>6}"
)


def main():
    found = []
    if "--json" not in sys.argv:
        print(HEAD)
    for row in table():
        found.append(row)
        if "--json" not in sys.argv:
            print(line(row), flush=True)
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
