"""Twenty people whom our model did not make: simglucose 0.2.11, the UVA/Padova type 1 simulator's public version.

Ten adults and ten adolescents wear a pump and a sensor for five days of random meals. Written as the tables that
`twin replay` reads, with the truth beside them, and kept in a cache folder under a digest of this file:

    readings.csv  person,time,channel,value: glucose every 5 min [mg/dL], carbohydrate_intake [g] at the first bite,
                  insulin_bolus [iU], insulin_basal_rate [iU/h]
    truth.csv     person,time,plasma [mg/dL], every 5 min
    people.csv    person,group,weight_kg,carbohydrate_ratio (g/iU: for comparison only, no filter may see it)

Reference: Man CD et al. (2014). The UVA/PADOVA type 1 diabetes simulator: new features. J Diabetes Sci Technol 8,
26-34; Xie J (2018). Simglucose v0.2.11, https://github.com/jxx123/simglucose.

Its traps: `BG` is the interstitial value (state 13), plasma is state 4 over Vg; `env.step` averages held sensor values
over its step, so the loop here goes by the minute over its patient, sensor, pump and scenario; a pandas row of
parameters makes the equations twenty times slower than a plain namespace.

Run `python tests/bench/simglucose_people.py` for the folders' paths.
"""

import csv
import hashlib
import os
import sys
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np

DAYS = 5
CHOSEN, BLIND = (
    (100, 500),
    900,
)  # first seeds: of days that settings were chosen on, of days scored once afterwards
STEP_MINUTES = 5
START = datetime(2026, 1, 5, tzinfo=UTC)
CARBOHYDRATE_ERROR = 0.20  # sd of what a person misjudges when dosing, share of the meal
MEAL_SCALE = {"adult": 1.0, "adolescent": 0.8}
CORRECT_ABOVE, TARGET = 150.0, 140.0  # mg/dL, of simglucose's own controller
PEOPLE = tuple(f"{group}#{number:03d}" for number in range(1, 11) for group in ("adult", "adolescent"))
FILES = ("readings.csv", "truth.csv", "people.csv")


def folder(first_seed):
    """Where the tables of exactly this file and these seeds lie."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return home / "wearable-twin" / "simglucose" / f"{digest}-{first_seed}"


def simulator():
    """The foreign classes and tables; importing simglucose drags in gym 0.9, which warns about everything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from simglucose.actuator.pump import InsulinPump
        from simglucose.patient import t1dpatient
        from simglucose.sensor.cgm import CGMSensor
        from simglucose.simulation.scenario_gen import RandomScenario

        patients = pd.read_csv(t1dpatient.PATIENT_PARA_FILE).set_index("Name")
        quest = pd.read_csv(Path(t1dpatient.PATIENT_PARA_FILE).with_name("Quest.csv")).set_index("Name")
    return SimpleNamespace(
        patients=patients, quest=quest, Pump=InsulinPump, Patient=t1dpatient.T1DPatient, Action=t1dpatient.Action,
        Sensor=CGMSensor, Scenario=RandomScenario,
    )  # fmt: skip


def live(sim, name, seed):
    """One person's days: rows of readings and of truth, and who they are."""
    group = name.split("#")[0]
    row, ratio, factor = sim.patients.loc[name], sim.quest.loc[name, "CR"], sim.quest.loc[name, "CF"]
    plain = SimpleNamespace(Name=name, **{key: row[key] for key in row.index if not key.startswith("x0")})
    start = np.array([row[key] for key in row.index if key.startswith("x0")], dtype=float)
    patient = sim.Patient(plain, init_state=start, seed=seed)
    sensor = sim.Sensor.withName("Dexcom")
    sensor._params = SensorParameters(sensor._params.to_dict(), STEP_MINUTES)
    sensor.sample_time = STEP_MINUTES
    sensor.seed = seed
    pump = sim.Pump.withName("Insulet")
    begin = START.replace(tzinfo=None)
    scenario = sim.Scenario(begin, seed=seed)
    draw = np.random.default_rng([seed, 1])
    basal = pump.basal(plain.u2ss * plain.BW / 6000.0)  # iU/min
    readings, truth = [(name, START, "insulin_basal_rate", 60.0 * basal)], []
    for minute in range(DAYS * 1440 + 1):
        now = START + timedelta(minutes=minute)
        shown = sensor.measure(patient)
        if minute % STEP_MINUTES == 0:
            readings.append((name, now, "glucose", shown))
            truth.append((name, now, patient.state[3] / plain.Vg))
        meal = MEAL_SCALE[group] * scenario.get_action(begin + timedelta(minutes=minute)).meal
        bolus = 0.0
        if meal > 0.0:
            guessed = meal * max(1.0 + CARBOHYDRATE_ERROR * draw.standard_normal(), 0.0)
            correction = (shown - TARGET) / factor if shown > CORRECT_ABOVE else 0.0
            bolus = pump.bolus(guessed / ratio + correction)
            readings.append((name, now, "carbohydrate_intake", meal))
            readings.append((name, now, "insulin_bolus", bolus))
        patient.step(sim.Action(insulin=basal + bolus, CHO=meal))
    return readings, truth, (name, group, plain.BW, ratio)


class SensorParameters(dict):
    """The sensor's row with another sampling time: read both as a mapping and as attributes."""

    def __init__(self, values, sample_time):
        super().__init__(values | {"sample_time": sample_time})
        self.__dict__ = self


def write(path, header, rows):
    """A table, times in ISO 8601; appears whole or not at all."""
    with tempfile.NamedTemporaryFile("w", newline="", dir=path.parent, delete=False) as file:
        table = csv.writer(file)
        table.writerow(header)
        for row in rows:
            table.writerow(
                [
                    x.isoformat() if isinstance(x, datetime) else f"{x:.6g}" if isinstance(x, float) else x
                    for x in row
                ]
            )
    Path(file.name).replace(path)


def make(first_seed):
    """The folder with the three tables, made where they are missing (some 50 s); person i has seed first_seed + i."""
    where = folder(first_seed)
    if all((where / name).exists() for name in FILES):
        return where
    where.mkdir(parents=True, exist_ok=True)
    sim = simulator()
    readings, truth, people = [], [], []
    for number, name in enumerate(PEOPLE):
        own_readings, own_truth, person = live(sim, name, seed=first_seed + number)
        readings += own_readings
        truth += own_truth
        people.append(person)
    write(where / "truth.csv", ("person", "time", "plasma"), truth)
    write(where / "people.csv", ("person", "group", "weight_kg", "carbohydrate_ratio"), people)
    write(where / "readings.csv", ("person", "time", "channel", "value"), readings)
    return where


if __name__ == "__main__":
    for seed in (*CHOSEN, BLIND):
        sys.stdout.write(f"{make(seed)}\n")
