"""From transitions of rules to alerts as people see them: published once a state, acknowledged, never left open."""

from typing import Any

from stream.person import PersonTwin
from stream.policy import DATA_MISSING, DISCLAIMER, TITLES, Transition, alert_id

MODEL = "wearable-twin/0.1.0"
OPEN = ("pending", "active", "acknowledged")
REMEMBERED = 50  # resolved alerts of a person that are kept for late data


def _document(person: str, change: Transition, newest_ms: int) -> dict[str, Any]:
    return {
        "schema": "alert/1",
        "alert_id": alert_id(person, change.rule.name, change.onset_s),
        "person": person,
        "rule": change.rule.name,
        "kind": change.rule.kind,
        "severity": change.rule.severity,
        "state": change.state,
        "onset": round(change.onset_s * 1000),
        "at": round(change.at_s * 1000),
        "title": TITLES[change.rule.name],
        "why": list(change.why),
        "value": round(change.value, 3) if change.value == change.value else None,
        "threshold": round(change.threshold, 3),
        "probability": None if change.probability is None else round(change.probability, 4),
        "horizon_s": change.rule.horizon_s,
        "data_age_s": max(0.0, (newest_ms - change.at_s * 1000) / 1000.0),
        "acknowledged_by": None,
        "model": MODEL,
        "disclaimer": DISCLAIMER,
    }


def publish(twin: PersonTwin, changes: list[Transition], since_s: float) -> list[dict[str, Any]]:
    """Alerts to send after a run that began at `since_s`: each state once; what late data undid is resolved."""
    out: list[dict[str, Any]] = []
    reached: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        document = _document(twin.person, change, twin.newest_ms)
        reached.setdefault(document["alert_id"], []).append(document)
    for identity, documents in reached.items():
        known = twin.alerts.get(identity)
        for document in documents:
            if known is not None and (known["state"] == "resolved" or document["state"] in known["seen"]):
                continue
            seen = [*(known["seen"] if known else []), document["state"]]
            if known is not None and known["state"] == "acknowledged" and document["state"] != "resolved":
                continue
            document["acknowledged_by"] = known["acknowledged_by"] if known else None
            known = document | {"seen": seen}
            twin.alerts[identity] = known
            out.append(document)
    for identity, known in twin.alerts.items():
        undone = known["onset"] / 1000.0 > since_s and identity not in reached
        if undone and known["state"] in OPEN and known["kind"] == "clinical":
            out.append(
                _close(known, known["at"], "Later data changed the picture: the condition did not hold.")
            )
    resolved = [identity for identity, known in twin.alerts.items() if known["state"] == "resolved"]
    for identity in resolved[:-REMEMBERED]:
        del twin.alerts[identity]
    if out:
        twin.touched = True
    return out


def _close(known: dict[str, Any], at_ms: int, why: str) -> dict[str, Any]:
    known["state"], known["at"], known["why"] = "resolved", at_ms, [why]
    known["seen"].append("resolved")
    return {name: value for name, value in known.items() if name != "seen"}


def acknowledge(twin: PersonTwin, identity: str, by: str, at_ms: int) -> list[dict[str, Any]]:
    """Mark an open alert as taken by somebody."""
    known = twin.alerts.get(identity)
    if known is None or known["state"] not in ("pending", "active"):
        return []
    known["state"], known["at"], known["acknowledged_by"] = "acknowledged", at_ms, by
    known["seen"].append("acknowledged")
    twin.touched = True
    return [{name: value for name, value in known.items() if name != "seen"}]


def _duration(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def watch_silence(twin: PersonTwin, now_ms: int, silent_after_ms: int) -> list[dict[str, Any]]:
    """Open a technical alert when a person's data stopped, resolve it when they are back."""
    if twin.newest_ms <= 0:
        return []
    silent = now_ms - twin.newest_ms > silent_after_ms
    known = [a for a in twin.alerts.values() if a["rule"] == DATA_MISSING.name and a["state"] in OPEN]
    if silent and not known:
        minutes = (now_ms - twin.newest_ms) / 60_000
        change = Transition(DATA_MISSING, "active", twin.newest_ms / 1000.0, now_ms / 1000.0, minutes,
                            silent_after_ms / 60_000, None,
                            (f"No reading for {_duration(minutes)}: the state is not known, it is not normal.",))  # fmt: skip
        document = _document(twin.person, change, now_ms)
        document["data_age_s"] = (now_ms - twin.newest_ms) / 1000.0
        twin.alerts[document["alert_id"]] = document | {"seen": ["active"]}
        twin.touched = True
        return [document]
    if not silent and known:
        twin.touched = True
        return [_close(alert, now_ms, "Data are back.") for alert in known]
    return []
