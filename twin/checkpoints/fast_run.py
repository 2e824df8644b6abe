"""Block F of one person in open loop, and what a scenario is compared with.

`FastRun` also serves a whole day: one call of `set` and `advance` a minute, with the pacemaker's clock as an input.
"""

from typing import Self

import numpy as np

from twin.blocks import fast
from twin.checkpoints.row import Row, row
from twin.conditions_fast import CONDITIONS, changed

MOVING = {"air_speed": 0.6, "clothing": 0.5}
IN_BED = {
    "met": 0.95, "asleep": 1.0, "clock": -0.7, "posture": 0.0, "ambient_temperature": 20.0, "clothing": 2.2,
    "site_temperature": 31.5,
}  # fmt: skip


STEADY = {
    "heart_rate": 1.0, "mean_arterial_pressure": 2.0, "bp_systolic": 2.0, "bp_diastolic": 2.0, "core_temperature": 0.05,
    "mean_skin_temperature": 0.3, "skin_temperature": 0.3,
}  # fmt: skip
EXERCISE = {"exercise_fraction": 0.003, "heart_rate": 2.0, "bp_systolic": 4.0, "bp_diastolic": 4.0}


class FastRun:
    """Block F of one person in open loop: no noise, all sigma points alike.

    Args:
        body: Body of the person.
        inputs: what drives it at the beginning; `set` changes single ones.

    """

    def __init__(self, body: fast.Body, inputs: fast.Inputs) -> None:
        self.body, self.inputs = np.array(body), inputs
        mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
        fast.start(mean, covariance, self.body, np.array(inputs))
        self.points = np.repeat(mean, fast.STRIDE)
        self._work = np.zeros((3, fast.N * fast.STRIDE))
        self._seen = np.zeros(fast.SEEN * fast.STRIDE)

    def set(self, **changes: float) -> Self:
        """Change inputs by name."""
        self.inputs = self.inputs._replace(**changes)
        return self

    def advance(self, minutes: float) -> Self:
        """Move on with the inputs as they are."""
        fast.advance(self.points, minutes, np.array(self.inputs), self.body, *self._work)
        return self

    def seen(self) -> fast.Seen:
        """What perfect sensors would read now."""
        fast.observe(self.points, self._seen, np.array(self.inputs), self.body)
        return fast.Seen(*(float(value) for value in self._seen[:: fast.STRIDE]))

    def state(self, position: int) -> float:
        """One state as the filter holds it."""
        return float(self.points[position * fast.STRIDE])


def seated(body: fast.Body | None = None, /, **changes: float) -> FastRun:
    """Ten hours seated and quiet: the steady state from which the scenarios set out."""
    start = fast.default_inputs()._replace(**changes)
    return FastRun(body or fast.default_body(), start).advance(600.0)


def person(condition: str) -> fast.Body:
    """The default person with one condition."""
    return changed(fast.default_body(), CONDITIONS[condition])


def compare(
    rows: list[Row], scenario: str, seen: fast.Seen, expected: dict[str, float], tolerance: dict[str, float]
) -> None:
    """Add a row for each expected value; the tolerance is 2 % where none is named."""
    for name, value in expected.items():
        allowed = tolerance[name] if name in tolerance else 0.02 * abs(value)
        rows.append(row(f"{scenario}: {name}", value, getattr(seen, name), allowed))
