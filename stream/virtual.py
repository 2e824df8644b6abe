"""Virtual people with a known truth: the twin's own equations in open loop, plus the sensors' noise.

A twin experiment shows whether the filter finds a truth that its model can express; it says nothing about people. Their
days: sleep at night with a habit of their own, walks and sport, meals, light; devices with the noise of section 13.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from twin import channels as c_
from twin.observe_glucose import glucose_noise
from twin.open_loop import OpenLoop
from twin.profile import Profile
from twin.take import DEVICE_OVER_COUNTS

MEALS = ((7.5, 45.0), (12.5, 65.0), (18.5, 75.0))  # local hour, g of carbohydrate
ACTIVITY = ((8.2, 0.4, 3.3), (13.0, 0.3, 3.0), (17.0, 0.6, 6.0))  # local hour, hours, MET
LOWEST_CGM, HIGHEST_CGM = 40.0, 400.0
MISJUDGED, MISCOUNTED = 0.20, 0.05  # sd of what is logged of a meal, and delivered of a bolus
LATENCY_MINUTES = 15.0  # from lying down to sleep
SAYS_ASLEEP, SAYS_AWAKE = 0.95, 0.50  # of a sleep sensor: asleep; awake in bed (section 13)
CARBOHYDRATE_PER_UNIT = 10.0  # g, of a bolus
ENERGY_MINUTES, ENERGY_SHARE, ENERGY_FLOOR = 15, 0.23, 0.1  # of a device's active energy; kcal/min
# Channel, minutes between readings, sd of one; night channels only asleep, the cuff and the scale at hours of the day.
NIGHT_SENSORS = (("hrv_rmssd", 30, 0.25), ("respiration_rate", 30, 0.8), ("spo2", 30, 3.0))


@dataclass(frozen=True, slots=True)
class VirtualPerson:
    """Who is simulated: the profile that the twin is told, and the parameters that it has to find."""

    name: str
    seed: int
    parameters: dict[str, float] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    whole: bool = False  # all channels, not heart rate, glucose, movement and meals alone


DEMO = (
    VirtualPerson("virtual-1", 1, {"resting_heart_rate_parameter": 55.0, "insulin_sensitivity": 1.6, "basal_glucose": 88.0}),
    VirtualPerson("virtual-2", 2, {"resting_heart_rate_parameter": 71.0, "insulin_sensitivity": 0.8, "basal_glucose": 101.0}),
)  # fmt: skip
# What people of one profile differ in (section 14): mean is the profile's prior; sd of the logarithm, or absolute.
SPREAD = {
    "resting_heart_rate_parameter": ("log", 0.10), "met_gain": ("plain", 0.15), "maximal_oxygen_uptake": ("log", 0.15),
    "sleep_fall": ("plain", 2.0), "circadian_amplitude": ("plain", 1.0), "recovery_time": ("log", 0.25),
    "log_variability": ("plain", 0.35), "resting_respiration_rate": ("log", 0.10), "insulin_sensitivity": ("log", 0.35),
    "basal_glucose": ("plain", 6.0), "gastric_emptying": ("log", 0.25), "pressure_set_point": ("plain", 5.0),
    "vascular_compliance": ("log", 0.12), "skin_site_offset": ("plain", 0.7), "temperature_set_point": ("plain", 0.12),
    "alveolar_arterial_difference": ("plain", 2.0), "clock_shift": ("plain", 0.7), "beta_cell_gain": ("log", 0.3),
    "intrinsic_period": ("plain", 0.15), "log_light_scale": ("plain", 0.4), "intake_bias": ("plain", 200.0),
    "activity_bias": ("plain", 0.08),
}  # fmt: skip
PHASE_SPREAD_H, FAT_SPREAD, WEIGHT_SPREAD = (
    0.7,
    0.12,
    0.7,
)  # of the clock; of ln fat mass; kg, of the profile's weight


def draw_person(name: str, profile: Profile, seed: int) -> VirtualPerson:
    """A person of a profile whose parameters are drawn from the spread between people."""
    rng = np.random.default_rng(seed)
    prior = OpenLoop(profile, 0.0).states()
    parameters = {}
    for parameter, (kind, sd) in SPREAD.items():
        lean = float(np.clip(rng.standard_normal(), -2.0, 2.0)) * sd
        parameters[parameter] = (
            prior[parameter] * math.exp(lean) if kind == "log" else prior[parameter] + lean
        )
    early, fatter, heavier = np.clip(rng.standard_normal(3), -2.0, 2.0).tolist()
    turn = 2.0 * math.pi / 24.0 * PHASE_SPREAD_H * early
    x, xc = prior["pacemaker_x"], prior["pacemaker_xc"]
    parameters["pacemaker_x"] = x * math.cos(turn) + xc * math.sin(turn)
    parameters["pacemaker_xc"] = xc * math.cos(turn) - x * math.sin(turn)
    fat = prior["fat_mass"] * math.exp(FAT_SPREAD * fatter)
    parameters["fat_mass"] = fat
    parameters["lean_mass"] = prior["lean_mass"] + prior["fat_mass"] - fat + WEIGHT_SPREAD * heavier
    return VirtualPerson(name, seed, parameters, profile, whole=True)


class Habits:
    """What the person does in each minute, with the chance of each day."""

    def __init__(self, rng: np.random.Generator, diabetic: bool) -> None:
        self.rng, self.diabetic = rng, diabetic
        self.day = -1

    def _plan(self) -> None:
        rng = self.rng
        self.bed, self.up = 23.2 + 0.4 * rng.standard_normal(), 7.0 + 0.4 * rng.standard_normal()
        self.sleep = self.bed + LATENCY_MINUTES / 60.0 * math.exp(0.4 * rng.standard_normal())
        self.meals = [
            (h + 0.3 * rng.standard_normal(), g * math.exp(0.25 * rng.standard_normal())) for h, g in MEALS
        ]
        self.activity = [
            (h + 0.5 * rng.standard_normal(), length * math.exp(0.2 * rng.standard_normal()), met)
            for h, length, met in ACTIVITY if rng.random() < 0.85
        ]  # fmt: skip

    def minute(self, day: int, hour: float) -> dict[int, float]:
        """Channels of the twin with their true values."""
        if day != self.day:
            self.day = day
            self._plan()
        in_bed = hour >= self.bed or hour < self.up
        asleep = 1.0 if hour >= self.sleep or hour < self.up else 0.0
        met = 0.95 if asleep else (1.1 if in_bed else 1.3)
        light = 0.0 if in_bed else (400.0 if 7.0 <= hour < 18.0 else 60.0)
        for begin, length, level in self.activity:
            if not in_bed and begin <= hour < begin + length:
                met, light = level, 2000.0 if 8.0 <= hour < 18.0 else light
        values = {
            c_.ASLEEP: asleep, c_.MET: met, c_.LIGHT: light,
            c_.POSTURE: 0.0 if in_bed else (0.8 if met > 2.0 else 0.3),
        }  # fmt: skip
        for when, grams in self.meals:
            if 0.0 <= hour - when < 1.0 / 60.0 - 1e-9 and not in_bed:
                values[c_.CARBOHYDRATE] = grams
                if self.diabetic:
                    values[c_.BOLUS] = grams / CARBOHYDRATE_PER_UNIT
        return values


def simulate_rows(
    person: VirtualPerson, start_ms: int, days: float
) -> Iterator[tuple[int, dict[int, float], dict[str, float], OpenLoop]]:
    """Minute by minute: time [ms], what was done, what the devices read (by channel name), the body itself."""
    rng = np.random.default_rng(person.seed)
    diabetic = "t1d" in person.profile.conditions
    body = OpenLoop(person.profile, start_ms / 1000.0 - 60.0, person.parameters, rng)
    habits = Habits(rng, diabetic)
    burnt = np.zeros(1)  # kcal above rest since the device last counted
    offset_ms = round(person.profile.utc_offset_h * 3_600_000)
    for minute in range(round(days * 1440)):
        at_ms = start_ms + minute * 60_000
        local = at_ms + offset_ms
        done = habits.minute(local // 86_400_000, local / 3_600_000 % 24)
        body.minute(done)
        yield at_ms, done, dict(_readings(person, body, done, minute, local, burnt, rng)), body


def _readings(
    person: VirtualPerson,
    body: OpenLoop,
    done: dict[int, float],
    minute: int,
    local_ms: int,
    burnt: NDArray[np.float64],
    rng: np.random.Generator,
) -> Iterator[tuple[str, float]]:
    seen = body.observables()
    drive = min(max(seen["exercise_fraction"], 0.0), 1.0)
    yield "heart_rate", max(seen["heart_rate"] + (2.5 + 5.5 * drive) * rng.standard_normal(), 25.0)
    yield "met", done[c_.MET]
    if minute % 5 == 0:
        shown = seen["sensor_glucose"]  # its coloured error is a state
        shown += math.sqrt(glucose_noise(shown)) * rng.standard_normal()
        yield "glucose", min(max(shown, LOWEST_CGM), HIGHEST_CGM)
    if c_.CARBOHYDRATE in done:
        yield "carbohydrate_intake", done[c_.CARBOHYDRATE] * math.exp(MISJUDGED * rng.standard_normal())
    if c_.BOLUS in done:
        yield "insulin_bolus", done[c_.BOLUS] * math.exp(MISCOUNTED * rng.standard_normal())
    if not person.whole:
        return
    yield "posture", done[c_.POSTURE]
    burnt[0] += seen["active_expenditure"]
    if minute % ENERGY_MINUTES == 0 and done[c_.ASLEEP] < 0.5:
        error = (ENERGY_SHARE * burnt[0] + ENERGY_FLOOR * ENERGY_MINUTES) * rng.standard_normal()
        yield "active_energy", max(DEVICE_OVER_COUNTS * burnt[0] + error, 0.0)
        burnt[0] = 0.0
    if minute % 5 == 0:
        yield "asleep", float(says_asleep(done, rng))
        yield "light", done[c_.LIGHT] * math.exp(0.3 * rng.standard_normal())
    for name, every, sd in NIGHT_SENSORS:
        if done[c_.ASLEEP] > 0.5 and minute % every == 0:
            error = sd * rng.standard_normal()
            read = seen[name] * math.exp(error) if name == "hrv_rmssd" else seen[name] + error
            yield name, min(read, 100.0) if name == "spo2" else read
    if minute % 60 == 0:
        yield "skin_temperature", seen["skin_temperature"] + 0.5 * rng.standard_normal()
    minute_of_day = local_ms // 60_000 % 1440
    if minute_of_day in (480, 1260):
        yield "bp_systolic", seen["bp_systolic"] + 8.0 * rng.standard_normal()
        yield "bp_diastolic", seen["bp_diastolic"] + 5.5 * rng.standard_normal()
    if minute_of_day == 450:
        yield "weight", seen["weight"] + 0.4 * seen["fed"] + 0.5 * rng.standard_normal()


def says_asleep(done: dict[int, float], rng: np.random.Generator) -> bool:
    """What a sleep sensor says: it misses some sleep, and takes every second quiet minute in bed for sleep."""
    if done[c_.ASLEEP] > 0.5:
        return rng.random() < SAYS_ASLEEP
    return done[c_.POSTURE] == 0.0 and rng.random() > SAYS_AWAKE


def simulate(
    person: VirtualPerson, start_ms: int, days: float
) -> tuple[Decoded, dict[int, dict[str, float]]]:
    """Readings of the virtual person's devices, and the truth by minute [ms]."""
    rows: list[tuple[int, str, float]] = []
    truth: dict[int, dict[str, float]] = {}
    for at_ms, _, read, body in simulate_rows(person, start_ms, days):
        rows += [(at_ms, channel, value) for channel, value in read.items()]
        seen = body.observables()
        truth[at_ms] = {"heart_rate": seen["heart_rate"], "glucose": seen["glucose"]}
    return readings_of_rows(person.name, rows), truth


def readings_of_rows(person: str, rows: list[tuple[int, str, float]]) -> Decoded:
    """Columns of rows (time [ms], channel, value) of one person."""
    count = len(rows)
    times = np.array([row[0] for row in rows], dtype=np.int64)
    zeros = np.zeros(count, dtype=np.int64)
    return Decoded(
        [person], zeros.astype(np.int32), zeros.astype(np.int32),
        np.array([CODE_OF[row[1]] for row in rows], dtype=np.int16), times, np.array([row[2] for row in rows]),
        np.full(count, np.nan), zeros, times, zeros, zeros, np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.int8),
    )  # fmt: skip
