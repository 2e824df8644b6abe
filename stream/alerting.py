"""From transitions of rules to alerts as people see them: published once a state, acknowledged, never left open."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.person import PersonTwin
from stream.policy import DATA_MISSING, DISCLAIMER, TITLES, Transition, alert_id, open_rules

MODEL = "wearable-twin/0.1.0"
OPEN = ("pending", "active", "acknowledged")
OURS = (
    "seen",
    "knew",
)  # of an alert as the twin remembers it: states that were said, newest reading [ms] then
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


def publish(twin: PersonTwin, changes: list[Transition], policy: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Alerts to send after a run: every state of every alert that it went through, and what is true of each now.

    Late data may undo what was said: an alert that never was is resolved, one that was resolved too early is said again
    under its id. After a crash the book of alerts may be ahead of the twin: what was said when more was known
    (`knew`) is taken back only when as much is known again.

    Args:
        twin: after the run.
        changes: transitions of the run, by time.
        policy: state of the rules after the run.

    """
    if not changes and not twin.alerts:
        return []
    out: list[dict[str, Any]] = []
    reached: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        document = _document(twin.person, change, twin.newest_ms)
        reached.setdefault(document["alert_id"], []).append(document)
    for identity, documents in reached.items():
        for document in documents:
            known = twin.alerts.get(identity)
            taken = known is not None and known["state"] == "acknowledged" and document["state"] != "resolved"
            if not taken and (known is None or document["state"] not in known["seen"]):
                out.append(_say(twin, document))
            elif document is documents[-1] and known is not None and _wrong(twin, known, document["state"]):
                out.append(_say(twin, document | {"at": _next(twin, known)}))
    standing = {
        alert_id(twin.person, name, onset_s): state for name, state, onset_s in open_rules(policy)
    }  # fmt: skip
    for identity, known in twin.alerts.items():
        state = standing.get(identity, "resolved")
        if known["kind"] == "clinical" and _wrong(twin, known, state):
            why = "the condition did not hold." if state == "resolved" else "the condition held on."
            told = _plain(known) | {"state": state, "at": _next(twin, known)}
            out.append(_say(twin, told | {"why": [f"Later data changed the picture: {why}"]}))
    resolved = [identity for identity, known in twin.alerts.items() if known["state"] == "resolved"]
    for identity in resolved[:-REMEMBERED]:
        del twin.alerts[identity]
    if out:
        twin.touched = twin.book_changed = True
    return out


def _wrong(twin: PersonTwin, known: dict[str, Any], state: str) -> bool:
    """Whether what was said last is not so, as far as the twin knows as much as it did then."""
    said = known["state"]
    same = said == state or (said == "acknowledged" and state != "resolved")
    return not same and twin.newest_ms >= known.get("knew", 0)


def _next(twin: PersonTwin, known: dict[str, Any]) -> int:
    """When something is said again it is said now, and later than before: a receiver must not take it for a repeat."""
    return int(max(twin.newest_ms, known["at"] + 1))


def _say(twin: PersonTwin, document: dict[str, Any]) -> dict[str, Any]:
    known = twin.alerts.get(document["alert_id"])
    seen = known["seen"] if known else []
    seen = seen if document["state"] in seen else [*seen, document["state"]]
    document["acknowledged_by"] = known["acknowledged_by"] if known else None
    twin.alerts[document["alert_id"]] = document | {"seen": seen, "knew": twin.newest_ms}
    return document


def _plain(known: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name not in OURS}


def _close(known: dict[str, Any], at_ms: int, why: str) -> dict[str, Any]:
    known["state"], known["at"], known["why"] = "resolved", at_ms, [why]
    known["seen"].append("resolved")
    return _plain(known)


def acknowledge(twin: PersonTwin, identity: str, by: str, at_ms: int) -> list[dict[str, Any]]:
    """Mark an open alert as taken by somebody."""
    known = twin.alerts.get(identity)
    if known is None or known["state"] not in ("pending", "active"):
        return []
    known["state"], known["at"], known["acknowledged_by"] = "acknowledged", at_ms, by
    known["seen"].append("acknowledged")
    twin.touched = twin.book_changed = True
    return [_plain(known)]


def _duration(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def _of_silence(alert: dict[str, Any]) -> bool:
    return alert["rule"] == DATA_MISSING.name and alert["state"] in OPEN


def is_silent(alerts: dict[str, dict[str, Any]]) -> bool:
    """Whether one of a person's alerts says that their data stopped."""
    return any(_of_silence(alert) for alert in alerts.values())


def watch_silence(twin: PersonTwin, now_ms: int, silent_after_ms: int) -> list[dict[str, Any]]:
    """Open a technical alert when a person's data stopped, resolve it when they are back."""
    if twin.newest_ms <= 0:
        return []
    silent = now_ms - twin.newest_ms > silent_after_ms
    known = [a for a in twin.alerts.values() if _of_silence(a)]
    if silent and not known:
        minutes = (now_ms - twin.newest_ms) / 60_000
        change = Transition(DATA_MISSING, "active", twin.newest_ms / 1000.0, now_ms / 1000.0, minutes,
                            silent_after_ms / 60_000, None,
                            (f"No reading for {_duration(minutes)}: the state is not known, it is not normal.",))  # fmt: skip
        document = _document(twin.person, change, now_ms)
        document["data_age_s"] = (now_ms - twin.newest_ms) / 1000.0
        twin.touched = twin.book_changed = True
        return [_say(twin, document)]
    if not silent and known:
        twin.touched = twin.book_changed = True
        return [_close(alert, now_ms, "Data are back.") for alert in known]
    return []
