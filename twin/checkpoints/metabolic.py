"""Check-points of block G: section 12.8, glucose and insulin after drinks, insulin and exercise."""

import math

import numpy as np

from twin.blocks import metabolic
from twin.checkpoints.row import Row, row
from twin.profile import Profile, metabolic_values
from twin.shapes import Points, Vector

PORTAL_MG_PER_G = 1000.0


class MetabolicRun:
    """Block G of one person in open loop, RK4 at 1 min, from the basal state."""

    def __init__(self, profile: Profile, sensitivity: float, pump: bool = False) -> None:
        self.k = metabolic.body_of(metabolic_values(profile))
        self.u = metabolic.default_inputs()
        body = metabolic.Body(*self.k.tolist())
        self.body = body
        self.u[metabolic.INFUSION] = body.basal_infusion if pump else 0.0
        mean: Vector = np.zeros(metabolic.N)
        metabolic.rest(mean, body.basal_glucose, self.k, self.u)
        mean[metabolic.SENSITIVITY] = math.log(sensitivity)
        self.x: Points = np.repeat(mean, metabolic.STRIDE)
        self.work = np.zeros((3, self.x.size))

    def advance(self, minutes: int) -> "MetabolicRun":
        """Move on."""
        for _ in range(minutes):
            metabolic.advance(self.x, 1.0, self.u, self.k, self.work[0], self.work[1], self.work[2], 1.0)
        return self

    def drink(self, grams: float) -> "MetabolicRun":
        """Take a drink over five minutes."""
        self.u[metabolic.INTAKE] = grams * PORTAL_MG_PER_G / 5.0
        self.advance(5)
        self.u[metabolic.INTAKE] = 0.0
        return self

    def inject(self, units: float) -> None:
        """A bolus under the skin."""
        at = slice(metabolic.DEPOT_1 * metabolic.STRIDE, (metabolic.DEPOT_1 + 1) * metabolic.STRIDE)
        self.x[at] += units * 6000.0 / self.body.weight

    def seen(self) -> metabolic.Seen:
        """What is seen now."""
        out = np.zeros(metabolic.SEEN * metabolic.STRIDE)
        metabolic.observe(self.x, out, self.u, self.k)
        return metabolic.Seen(*out[:: metabolic.STRIDE].tolist())

    def course(self, grams: float, minutes: int) -> list[metabolic.Seen]:
        """What is seen each minute after a drink."""
        seen = [self.seen()]
        for minute in range(minutes):
            self.u[metabolic.INTAKE] = grams * PORTAL_MG_PER_G / 5.0 if minute < 5 else 0.0
            seen.append(self.advance(1).seen())
        return seen


MINUTES = (0, 30, 60, 90, 120, 180, 240)
DRINKS = (
    ("healthy, sI 1.0", Profile(), 1.0, (92, 150, 163, 148, 123, 86, 80), (26, 236, 292, 272, 183), (164, 56)),
    ("healthy, sI 1.4", Profile(), 1.4, (92, 148, 156, 136, 109, 81, 83), (26, 220, 241, 221, 129), (158, 50)),
    ("prediabetes", Profile(conditions=("prediabetes",)), 0.5, (102, 166, 198, 206, 197, 157, 120),
     (45, 173, 246, 280, 268), (206, 86)),
    ("type 2, 91 kg", Profile(weight_kg=91.0, conditions=("t2d",)), 1.0, (164, 217, 257, 279, 284, 254, 199),
     (57, 132, 157, 193, 227), (284, 114)),
)  # fmt: skip


def drink_rows() -> list[Row]:
    """75 g of glucose in four people, and other doses."""
    rows: list[Row] = []
    for name, profile, sensitivity, glucose, insulin, peak in DRINKS:
        course = MetabolicRun(profile, sensitivity).course(75.0, 240)
        for minute, expected in zip(MINUTES, glucose, strict=True):
            rows.append(row(f"75 g, {name}: glucose at {minute} min", expected, course[minute].glucose, 3.0))
        for minute, expected in zip(MINUTES, insulin, strict=False):
            got = course[minute].insulin
            rows.append(row(f"75 g, {name}: insulin at {minute} min", expected, got, 0.1 * expected))
        levels = [seen.glucose for seen in course]
        rows.append(row(f"75 g, {name}: peak of glucose", peak[0], max(levels), 3.0))
        rows.append(row(f"75 g, {name}: minute of the peak", peak[1], levels.index(max(levels)), 4.0))
        if name == "healthy, sI 1.0":
            site = [seen.interstitial_glucose for seen in course]
            rows.append(row(f"75 g, {name}: peak at the sensor's site", 162.0, max(site), 3.0))
            rows.append(row(f"75 g, {name}: minute of that peak", 65.0, site.index(max(site)), 4.0))
    for grams, highest in ((30.0, 123.0), (50.0, 142.0), (100.0, 185.0)):
        course = MetabolicRun(Profile(), 1.0).course(grams, 120)
        rows.append(
            row(f"{grams:g} g, healthy: peak of glucose", highest, max(s.glucose for s in course), 3.0)
        )
    still = MetabolicRun(Profile(), 1.0)
    before, after = still.seen(), still.advance(720).seen()
    rows.append(
        row("healthy, nothing eaten: glucose drift in 12 h", 0.0, after.glucose - before.glucose, 0.1)
    )
    rows.append(
        row("healthy, nothing eaten: insulin drift in 12 h", 0.0, after.insulin - before.insulin, 0.1)
    )
    return rows


def type_1_rows() -> list[Row]:
    """Type 1: a meal without and with a bolus, a unit alone, exercise."""
    rows: list[Row] = []
    profile = Profile(conditions=("t1d",))
    basal = MetabolicRun(profile, 1.0, pump=True)
    rows.append(
        row("type 1: basal rate (U/h)", 1.18, basal.body.basal_infusion * basal.body.weight / 100.0, 0.03)
    )
    course = basal.course(60.0, 240)
    for minute, expected in ((30, 200), (60, 246), (120, 279), (180, 272), (240, 251)):
        got = course[minute].glucose
        rows.append(
            row(
                f"60 g, type 1, no bolus: glucose at {minute} min",
                expected,
                got,
                5.5 if minute == 30 else 3.0,
            )
        )
    treated = MetabolicRun(profile, 1.0, pump=True)
    treated.inject(6.0)
    course = treated.course(60.0, 360)
    for minute, expected in ((30, 197), (60, 221), (120, 190), (180, 146), (240, 119), (360, 101)):
        got = course[minute].glucose
        rows.append(
            row(f"60 g and 6 U, type 1: glucose at {minute} min", expected, got, 5.5 if minute == 30 else 3.0)
        )
    rows.append(row("60 g and 6 U, type 1: peak of insulin", 322.0, max(s.insulin for s in course), 32.2))
    unit = MetabolicRun(profile, 1.0, pump=True)
    unit.inject(1.0)
    rows.append(row("1 U, type 1: glucose after 4 h", 119.0, unit.advance(240).seen().glucose, 3.0))
    for name, person, pump, levels in (
        ("type 1", profile, True, ((90, 105), (120, 101), (300, 126))),
        ("healthy", Profile(), False, ((90, 87.9), (120, 86.6), (300, 90.8))),
    ):
        run = MetabolicRun(person, 1.0, pump=pump).advance(30)
        run.u[metabolic.INTENSITY] = 0.45
        at, boost = 30, 0.0
        for minute, level in levels:
            run.advance(minute - at)
            at = minute
            if minute == 90:
                run.u[metabolic.INTENSITY] = 0.0
                boost = float(run.x[metabolic.EX_BOOST * metabolic.STRIDE])
            rows.append(
                row(f"an hour at x .45, {name}: glucose at {minute} min", level, run.seen().glucose, 3.0)
            )
        if name == "healthy":
            rows.append(row("an hour at x .45: Z at its end", 0.30, boost, 0.02))
            after = float(run.x[metabolic.EX_BOOST * metabolic.STRIDE])
            rows.append(row("an hour at x .45: Z 210 min later", 0.21, after, 0.02))
    return rows


def rows() -> list[Row]:
    """All rows of block G."""
    return [*drink_rows(), *type_1_rows()]
