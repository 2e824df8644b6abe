"""Who comes first on the page."""

from typing import Any

SEVERITY = {"high": 0, "medium": 1, "low": 2}
TARGET = (70.0, 180.0)  # mg/dL, consensus time in range


def urgency(person: dict[str, Any]) -> tuple[int, int, str]:
    """Open clinical alerts by severity, then acknowledged ones, then the unknown, then glucose out of range."""
    alerts, glucose = person["alerts"], person["observed"].get("glucose", TARGET[0])
    clinical = [SEVERITY[a["severity"]] for a in alerts if a["kind"] == "clinical" and a["state"] == "active"]
    if clinical:
        return 0, min(clinical), person["person"]
    if any(a["kind"] == "clinical" for a in alerts):
        return 1, 0, person["person"]
    if alerts or person["stale"]:
        return 2, 0, person["person"]
    return (4 if TARGET[0] <= glucose <= TARGET[1] else 3), 0, person["person"]
