"""Dexcom API v3: https://developer.dexcom.com, estimated glucose values and events.

`systemTime` is UTC of the device; app records carry Z, receiver records carry nothing and are UTC by the API's word.
HIGH and LOW are censored: the value is the limit, not a measurement. Dexcom is polled and signs nothing.
"""

from collections.abc import Iterator
from typing import Any

from connectors.errors import PayloadError
from connectors.vendors import Fields, instant, number

NAME = "dexcom"
QUALITY = {"high": "censored_high", "low": "censored_low"}
EVENTS = {"carbs": ("carbohydrate_intake", "g"), "insulin": ("insulin_bolus", "[iU]")}


def parse(payload: Any, person: str, refused: list[PayloadError] | None = None) -> Iterator[Fields]:
    """Readings of an egvs or events document, in its order.

    Args:
        payload: the document.
        person: the pseudonym.
        refused: takes the fault of a single record, which then costs only that record.

    Raises:
        PayloadError: with the place, for a document that is neither; of a single record only without `refused`.

    """
    records = payload.get("records") if isinstance(payload, dict) else None
    if not isinstance(records, list):
        raise PayloadError("no list of records", place="records")
    kind = payload.get("recordType", "egv")
    if kind not in ("egv", "event"):
        raise PayloadError("neither egv nor event", place="recordType")
    for index, record in enumerate(records):
        place = f"records[{index}]"
        try:
            if not isinstance(record, dict):
                raise PayloadError("no object", place=place)
            fields = _glucose(record, place) if kind == "egv" else _event(record, place)
        except PayloadError as error:
            if refused is None:
                raise
            refused.append(error)
            continue
        if fields is not None:
            identity = str(record.get("recordId") or "") or None
            yield {"person": person, "source": NAME, "record_id": identity} | fields


def _time(record: Fields, place: str) -> str:
    text = str(record.get("systemTime", ""))
    if text and text[-1] != "Z" and "+" not in text:
        text += "Z"
    return instant(text, f"{place}.systemTime").isoformat()


def _glucose(record: Fields, place: str) -> Fields | None:
    if record.get("value") is None:
        return None  # warm-up: a record without a value
    status = record.get("status") or "ok"
    unit = record.get("unit") or "mg/dL"
    return {
        "channel": "glucose",
        "time": _time(record, place),
        "value": number(record["value"], f"{place}.value"),
        "unit": unit,
        "quality": QUALITY.get(str(status), "ok" if status == "ok" else "suspect"),
    }


def _event(record: Fields, place: str) -> Fields | None:
    known = EVENTS.get(str(record.get("eventType")))
    if known is None or record.get("value") is None:
        return None
    deleted = record.get("eventStatus") == "deleted"
    return {
        "channel": known[0],
        "time": _time(record, place),
        "value": number(record["value"], f"{place}.value"),
        "quality": "manual",
        "op": "retract" if deleted else "upsert",
    }
