"""The check-points of the specification: expected value, what the equations give, tolerance; a file a block."""

from twin.checkpoints import circadian, day, fast, metabolic, slow
from twin.checkpoints.row import Row


def run() -> list[Row]:
    """All rows: what, expected, got, tolerance, ok."""
    return [*fast.rows(), *metabolic.rows(), *circadian.run(), *slow.run(), *day.run()]
