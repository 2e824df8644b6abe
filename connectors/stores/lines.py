"""Line protocol: documents to the lines of /api/v2/write. Numbers are floats always, times are event time in ms.

One field type for ever: an int in one point and a float in the next would drop the second. Same measurement, tags and
time overwrite: a replay changes nothing, so nothing that changes is a tag. The document stands beside its numbers as a
field of text, so that what is read back is what was written.

twin_state      person_id        <state>_mean, <state>_sd, observed_, surprise_, probability_<name>, lag_s, n_obs, document,
                                 outlook_<channel>: the forecasts as text, which a corrected estimate does not touch
twin_parameter  person_id        <parameter>_mean, <parameter>_sd
twin_alert      person_id, rule  at onset: score, threshold, value, severity (1 low to 3 high), at, status, alert_id, document
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from connectors.stores import Document
from connectors.stores.outlooks import OUTLOOK, take_apart

SEVERITY = {"low": 1.0, "medium": 2.0, "high": 3.0}


@lru_cache(65536)  # names and people come again
def tag(text: str) -> str:
    """A tag's value or a field's name, escaped. Line protocol cannot escape a backslash: at the end it would eat a comma."""
    if not text or text[-1] == "\\" or any(ord(c) < 32 for c in text):
        raise ValueError("a name is empty, ends with a backslash or has control characters")
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def string(text: str) -> str:
    """A field of text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def number(value: float) -> str:
    """Six digits, as sensors and models are worth; times and counts from a million on keep all of theirs."""
    return f"{value:.6g}" if -1e6 < value < 1e6 else repr(float(value))


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Any], time_ms: int) -> str | None:
    """One line; None when no finite field is left. Raises ValueError or TypeError for what no line can hold."""
    cells = []
    for name, value in fields.items():
        if isinstance(value, str):
            cells.append(f"{tag(name)}={string(value)}")
        elif value is not None and math.isfinite(value):
            cells.append(f"{tag(name)}={number(value)}")
    if not cells:
        return None
    head = ",".join([measurement, *(f"{name}={tag(value)}" for name, value in tags.items())])
    return f"{head} {','.join(cells)} {time_ms}"


def spread_fields(pairs: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """`<name>_mean` and `<name>_sd` of states or parameters."""
    return {f"{name}_{what}": pair[what] for name, pair in pairs.items() for what in ("mean", "sd")}


def estimate_lines(e: Document, standing: Mapping[str, str] | None = None) -> list[str]:
    """twin_state and twin_parameter of an estimate/1, with these texts in the place of its own forecasts of a channel."""
    who, at = {"person_id": e["person"]}, e["time"]
    numbers: dict[str, Any] = spread_fields(e["state"])
    for group in ("observed", "surprise", "probability"):
        numbers |= {f"{group}_{name}": value for name, value in e.get(group, {}).items()}
    bare, outlooks = take_apart(e)
    made = {channel: body.decode() for channel, body in outlooks.items()} | dict(standing or {})
    numbers |= {f"{OUTLOOK}_{channel}": text for channel, text in made.items()}
    numbers |= {"lag_s": e.get("lag_s"), "n_obs": e.get("made_from"), "document": orjson.dumps(bare).decode()}
    found = (
        line("twin_state", who, numbers, at),
        line("twin_parameter", who, spread_fields(e.get("parameter", {})), at),
    )
    return [text for text in found if text]


def alert_lines(a: Document) -> list[str]:
    """twin_alert of an alert/1, at its onset: what becomes of it overwrites."""
    fields = {
        "score": a.get("probability"), "threshold": a.get("threshold"), "value": a.get("value"),
        "severity": SEVERITY.get(a.get("severity", "")), "at": a["at"], "status": a["state"], "alert_id": a["alert_id"],
        "document": orjson.dumps(a).decode(),
    }  # fmt: skip
    tags = {"person_id": a["person"], "rule": a.get("rule", "none")}
    return [text for text in [line("twin_alert", tags, fields, a["onset"])] if text]
