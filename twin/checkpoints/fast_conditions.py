"""Block F against section 19: what the sets of conditions show."""

import math

from twin.blocks import fast
from twin.checkpoints.fast_run import EXERCISE, MOVING, STEADY, FastRun, compare, person, seated
from twin.checkpoints.row import Row, row
from twin.conditions_fast import body_of


def condition_rows() -> list[Row]:
    """Section 19: what the sets of conditions show."""
    rows: list[Row] = []
    pressures = ("heart_rate", "mean_arterial_pressure", "bp_systolic", "bp_diastolic")
    for condition, values in (
        ("hypertension_1", (66.8, 108, 145, 83)), ("hypertension_2", (66.8, 116, 152, 92)),
        ("hypertension_old", (66.8, 116, 160, 86)),
    ):  # fmt: skip
        seen = seated(person(condition)).seen()
        compare(rows, condition, seen, dict(zip(pressures, values, strict=True)), STEADY)
    heavy = body_of(100.0, 1.78, 40.0, 1.0, ("t2d",))
    cases: tuple[tuple[str, fast.Body, float, float, dict[str, float]], ...] = (
        ("t2d, 100 kg", heavy, 100.0, 5.0, {"heart_rate": 77, "bp_systolic": 132, "bp_diastolic": 82, "hrv_rmssd": 22}),
        ("heart_failure", person("heart_failure"), 75.0, 3.0,
         {"heart_rate": 81, "stroke_volume": 68, "bp_systolic": 109, "bp_diastolic": 76, "hrv_rmssd": 18}),
        ("athlete", person("athlete"), 75.0, 5.0, {"heart_rate": 52}),
    )  # fmt: skip
    moving: dict[str, dict[str, float]] = {
        "t2d, 100 kg": {"heart_rate": 122},
        "heart_failure": {"exercise_fraction": 0.55, "heart_rate": 110, "arterial_co2": 35.9},
        "athlete": {"heart_rate": 80},
    }
    loose: dict[str, float] = EXERCISE | {"exercise_fraction": 0.01, "ventilation": 1.7}
    for name, body, weight, met, rest in cases:
        run = seated(body, weight=weight)
        compare(rows, name, run.seen(), rest, STEADY | {"hrv_rmssd": 0.6})
        compare(
            rows, f"{name}, {met:g} METs", run.set(met=met, **MOVING).advance(8.0).seen(), moving[name], loose
        )
    hard = seated(person("heart_failure")).set(met=5.0, **MOVING).advance(8.0).seen()
    compare(rows, "heart_failure, 5 METs", hard, {
        "exercise_fraction": 0.98, "heart_rate": 135, "ventilation": 43,
    }, loose)  # fmt: skip
    for dose, rest_fall, work_fall in ((0.5, 3.4, 10.0), (1.0, 6.8, 20.0)):
        body = fast.default_body()._replace(daily_beta_blockade=dose)
        falls = [
            a.seen().heart_rate - b.seen().heart_rate
            for a, b in ((seated(), seated(body)), (_at_6(fast.default_body()), _at_6(body)))
        ]
        rows.append(row(f"beta-blocker {dose:g}: fall of heart rate at rest", rest_fall, falls[0], 0.5))
        rows.append(row(f"beta-blocker {dose:g}: fall of heart rate at 6 METs", work_fall, falls[1], 1.0))
    rows += _standing_rows()
    return rows


def _at_6(body: fast.Body) -> FastRun:
    return seated(body).set(met=6.0, **MOVING).advance(6.0)


def _standing_rows() -> list[Row]:
    """Autonomic neuropathy: mean pressure falls on standing, in health it does not."""
    rows = []
    for what, body, sign in (
        ("healthy", fast.default_body(), 1.0),
        ("neuropathy", person("autonomic_neuropathy"), -1.0),
    ):
        change = seated(body, posture=1.0).seen().mean_arterial_pressure
        change -= seated(body, posture=0.0).seen().mean_arterial_pressure
        rows.append(
            row(
                f"{what}: sign of the change of mean pressure on standing",
                sign,
                math.copysign(1.0, change),
                0.0,
            )
        )
    return rows
