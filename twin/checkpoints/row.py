"""One check-point: what was expected, what came out, and whether it is near enough."""

from typing import Any

Row = dict[str, Any]


def row(what: str, expected: float, got: float, tolerance: float) -> Row:
    """A check-point; ok if |got - expected| <= tolerance."""
    ok = bool(abs(got - expected) <= tolerance)
    return {"what": what, "expected": expected, "got": float(got), "tolerance": tolerance, "ok": ok}
