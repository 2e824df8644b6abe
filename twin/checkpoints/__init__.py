"""The check-points of the specification that these blocks can show: expected value, what the equations give, tolerance.

Exercise rows above 4 METs need the heat balance (core temperature raises resting uptake); they come with its block.
"""

import math
from typing import Any

import numpy as np

from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin.constants import Profile, constants_of
from twin.numerics import exp
from twin.physiology.circulation import pulse_pressure, stroke_volume
from twin.physiology.energetics import reserve_fraction, resting_oxygen_uptake
from twin.physiology.heart import rmssd
from twin.shapes import Constants, Inputs, Points

Row = dict[str, Any]


def _row(what: str, expected: float, got: float, tolerance: float) -> Row:
    ok = bool(abs(got - expected) <= tolerance)
    return {"what": what, "expected": expected, "got": float(got), "tolerance": tolerance, "ok": ok}


class FastRun:
    """Block F of one person in open loop."""

    def __init__(self, k: Constants) -> None:
        self.k, self.u = k, fast.new_inputs()
        mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
        fast.start(mean, covariance, k)
        self.x: Points = np.repeat(mean, fast.STRIDE)
        self.work = np.zeros((5, fast.N * fast.STRIDE))

    def advance(self, minutes: float) -> "FastRun":
        """Move on."""
        fast.advance(self.x, minutes, self.u, self.k, *self.work)
        return self

    def observe(self) -> dict[str, float]:
        """Heart rate, stroke volume, output, pressures, RMSSD."""
        fast.rates(self.x, self.work[0], self.work[3], self.work[4], self.u, self.k)
        rate, pressure = float(self.work[3][0]), float(self.work[4][0])
        asleep, posture = float(self.u[fast.ASLEEP]), float(self.u[fast.POSTURE])
        core = 36.85 + self.u[fast.WARMTH] + 0.30 * self.u[fast.CLOCK] - 0.15 * asleep
        resting = resting_oxygen_uptake(self.k[k_.BASAL_UPTAKE], float(core), asleep, 0.0)
        uptake = math.exp(self.x[fast.UPTAKE * fast.STRIDE])
        maximal = math.exp(self.x[fast.MAXIMAL_UPTAKE * fast.STRIDE])
        raw = reserve_fraction(uptake, resting, maximal)
        exercise = 0.01 * math.log1p(math.exp(raw / 0.01)) if raw < 1 else raw
        volume = stroke_volume(self.k[k_.RESTING_VOLUME], self.k[k_.CONTRACTILITY], exercise, posture)
        pulse = pulse_pressure(volume, pressure, self.k[k_.COMPLIANCE], exercise)
        own = math.exp(self.x[fast.RESTING * fast.STRIDE])
        return {
            "HR": rate, "SV": volume, "CO": rate * volume / 1000.0, "MAP": pressure,
            "SBP": pressure + 0.6 * pulse, "DBP": pressure - 0.4 * pulse,
            "RMSSD": rmssd(rate, own, self.k[k_.LOG_VARIABILITY], self.k[k_.BETA_BLOCKADE]),
        }  # fmt: skip


def _compare(
    rows: list[Row], scenario: str, got: dict[str, float], expected: dict[str, tuple[float, float]]
) -> None:
    rows.extend(_row(f"{scenario}: {name}", value, got[name], tol) for name, (value, tol) in expected.items())


def fast_rows() -> list[Row]:
    """Sections 12.1 and 12.2."""
    rows: list[Row] = []
    k = constants_of(Profile())
    blocked = constants_of(Profile(conditions=("beta_blocker",)))
    seated = FastRun(k).advance(60.0)
    _compare(rows, "seated", seated.observe(), {
        "HR": (66.9, 1), "SV": (86.3, 1.8), "CO": (5.77, 0.12), "MAP": (93.7, 2), "SBP": (120, 2), "DBP": (76, 2),
        "RMSSD": (37.9, 1.5),
    })  # fmt: skip
    standing = FastRun(k)
    standing.u[fast.POSTURE] = 1.0
    _compare(rows, "standing", standing.advance(60.0).observe(), {
        "HR": (73.7, 1), "SV": (74.8, 1.5), "CO": (5.52, 0.11), "MAP": (95.9, 2), "SBP": (119, 2), "DBP": (80, 2),
        "RMSSD": (31.4, 1.0),
    })  # fmt: skip
    asleep = FastRun(k)
    asleep.u[[fast.MET, fast.ASLEEP, fast.CLOCK, fast.POSTURE]] = 0.95, 1.0, -0.7, 0.0
    _compare(rows, "asleep", asleep.advance(60.0).observe(), {
        "HR": (56.0, 1), "SV": (86.5, 1.8), "CO": (4.84, 0.1), "MAP": (82.4, 2), "SBP": (105, 2), "DBP": (67, 2),
        "RMSSD": (51.5, 1.6),
    })  # fmt: skip
    _compare(rows, "beta-blocked, seated", FastRun(blocked).advance(60.0).observe(), {
        "HR": (60.1, 1), "CO": (5.19, 0.11), "MAP": (89.9, 2), "SBP": (115, 2), "DBP": (73, 2), "RMSSD": (37.2, 1.2),
    })  # fmt: skip
    for met, rate, systolic in ((2.0, 72.7, 129.0), (3.0, 82.5, 137.0), (4.0, 92.9, 143.0)):
        run = FastRun(k).advance(60.0)
        run.u[fast.MET] = met
        got = run.advance(6.0).observe()
        _compare(rows, f"{met:g} METs, 6 min", got, {"HR": (rate, 2), "SBP": (systolic, 4)})
    step = FastRun(k).advance(60.0)
    before = step.observe()["HR"]
    step.u[fast.MET] = 6.0
    rates = []
    for _ in range(36):
        step.advance(10.0 / 60.0)
        rates.append(step.observe()["HR"])
    target = before + 0.632 * (rates[-1] - before)
    reached = next(i for i, rate in enumerate(rates) if rate >= target) * 10.0 + 10.0
    rows.append(_row("seated to 6 METs: HR after 1 min", 100.2, rates[5], 2.0))
    rows.append(_row("seated to 6 METs: t63 (s), 45-62", 53.5, reached, 8.5))
    return rows


def glucose_curve(
    k: Constants, sensitivity: float, grams: float, at: tuple[int, ...]
) -> dict[int, tuple[float, float]]:
    """Plasma glucose [mg/dL] and insulin [pmol/L] after a drink over 5 min, RK4 at 1 min."""
    mean = np.zeros(metabolic.N)
    metabolic.rest(mean, k[k_.PRIOR_BASAL_GLUCOSE], math.log(sensitivity), k[k_.PRIOR_LOG_EMPTYING], k)
    x: Points = np.repeat(mean, metabolic.STRIDE)
    d, t, a = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    u: Inputs = metabolic.new_inputs()
    u[metabolic.INFUSION] = k[k_.BASAL_INFUSION]
    curve = {}
    for minute in range(max(at) + 1):
        if minute in at:
            glucose = exp(float(x[metabolic.PLASMA * metabolic.STRIDE])) / k[k_.VG]
            curve[minute] = (float(glucose), float(x[metabolic.INSULIN * metabolic.STRIDE] / k[k_.VI]))
        u[metabolic.INTAKE] = grams * 200.0 if minute < 5 else 0.0
        metabolic.advance(x, 1.0, u, k, d, t, a, 1.0)
    return curve


def glucose_rows() -> list[Row]:
    """Section 12.8."""
    rows: list[Row] = []
    at = (0, 30, 60, 90, 120, 180, 240)
    cases: tuple[tuple[str, Profile, float, tuple[float, ...], tuple[float, ...]], ...] = (
        ("healthy, sI 1.0", Profile(), 1.0, (92, 150, 163, 148, 123, 86, 80), (26, 236, 292, 272, 183)),
        ("healthy, sI 1.4", Profile(), 1.4, (92, 148, 156, 136, 109, 81, 83), (26, 220, 241, 221, 129)),
        ("prediabetes", Profile(conditions=("prediabetes",)), 0.5, (102, 166, 198, 206, 197, 157, 120),
         (45, 173, 246, 280, 268)),
        ("type 2, 91 kg", Profile(weight_kg=91.0, conditions=("t2d",)), 1.0, (164, 217, 257, 279, 284, 254, 199),
         (57, 132, 157, 193, 227)),
    )  # fmt: skip
    for name, profile, sensitivity, glucose, insulin in cases:
        curve = glucose_curve(constants_of(profile), sensitivity, 75.0, at)
        for minute, expected in zip(at, glucose, strict=True):
            rows.append(_row(f"75 g, {name}: glucose at {minute} min", expected, curve[minute][0], 3.0))
        for minute, expected in zip(at, insulin, strict=False):
            rows.append(
                _row(f"75 g, {name}: insulin at {minute} min", expected, curve[minute][1], 0.1 * expected)
            )
    drift = glucose_curve(constants_of(Profile()), 1.0, 0.0, (0, 720))
    rows.append(_row("healthy, nothing eaten: glucose drift in 12 h", 0.0, drift[720][0] - drift[0][0], 0.1))
    rows.append(_row("healthy, nothing eaten: insulin drift in 12 h", 0.0, drift[720][1] - drift[0][1], 0.1))
    type_1 = glucose_curve(constants_of(Profile(conditions=("t1d",))), 1.0, 60.0, (60, 120, 180, 240))
    for minute, expected in ((60, 246), (120, 279), (180, 272), (240, 251)):
        rows.append(
            _row(f"60 g, type 1, no bolus: glucose at {minute} min", expected, type_1[minute][0], 3.0)
        )
    return rows


def run() -> list[Row]:
    """All rows: what, expected, got, tolerance, ok."""
    return fast_rows() + glucose_rows()
