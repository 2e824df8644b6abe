"""Google Health API v4 (Fitbit, Pixel Watch): dataPoints of list and reconcile, notifications and their signature.

int64 values arrive as strings. Nightly skin temperature is absolute here. A notification says what changed and carries
no data; it is signed by ECDSA P-256 in Tink's format: base64 of 0x01, four bytes of key id, and a DER signature over
the raw body.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connectors.errors import PayloadError, Reason
from connectors.vendors import Fields, instant, number

NAME = "google_health"
SIGNATURE_HEADER = "google-health-api-signature"
OPERATIONS = ("UPSERT", "DELETE")
STAGES = {"AWAKE": 0, "RESTLESS": 0, "LIGHT": 1, "DEEP": 2, "REM": 3}


def verify(body: bytes, headers: Mapping[str, str], keys: Mapping[int, str]) -> None:
    """Check a notification's signature over its raw bytes.

    Args:
        body: as received.
        headers: of the request, names in lower case.
        keys: PEM public keys by Tink key id.

    Raises:
        PayloadError: bad_signature.

    """
    try:
        signature = base64.b64decode(headers.get(SIGNATURE_HEADER, ""), validate=True)
        key = load_pem_public_key(keys[int.from_bytes(signature[1:5], "big")].encode())
        if signature[:1] != b"\x01" or not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("no Tink ECDSA signature")
        key.verify(signature[5:], body, ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, ValueError, KeyError, InvalidSignature) as error:
        raise PayloadError("the signature does not fit", Reason.BAD_SIGNATURE, SIGNATURE_HEADER) from error


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notification says has changed: of whom (Google's own id), which data type, UPSERT or DELETE."""

    user: str
    data_type: str
    operation: str


def is_verification(payload: Any) -> bool:
    """Whether this is the handshake of a new subscription, to be answered with 201."""
    return isinstance(payload, dict) and payload.get("type") == "verification" and "data" not in payload


def is_notification(payload: Any) -> bool:
    """Whether this is one notification or a list of them, rather than data."""
    return isinstance(payload, list) or (isinstance(payload, dict) and "data" in payload)


def notices(payload: Any) -> list[Notice]:
    """What a delivery announces; raises PayloadError with the place."""
    found = []
    for index, item in enumerate(payload if isinstance(payload, list) else [payload]):
        place = f"[{index}].data" if isinstance(payload, list) else "data"
        data = item.get("data") if isinstance(item, dict) else None
        if not isinstance(data, dict):
            raise PayloadError("no object", place=place)
        for name in ("healthUserId", "dataType"):
            if not isinstance(data.get(name), str) or not 0 < len(data[name]) <= 200:
                raise PayloadError("is missing or no short string", place=f"{place}.{name}")
        if data.get("operation") not in OPERATIONS:
            raise PayloadError("is neither UPSERT nor DELETE", place=f"{place}.operation")
        found.append(Notice(data["healthUserId"], data["dataType"], data["operation"]))
    if not found:
        raise PayloadError("the list is empty", place="[]")
    return found


def parse(payload: Any, person: str, refused: list[PayloadError] | None = None) -> Iterator[Fields]:
    """Readings of a list or reconcile answer, in its order; data types the twin has no channel for are passed over.

    Args:
        payload: the document.
        person: the pseudonym.
        refused: takes the fault of a single data point, which then costs only that point.

    Raises:
        PayloadError: with the place; of a single data point only without `refused`.

    """
    points = payload.get("dataPoints") if isinstance(payload, dict) else None
    if not isinstance(points, list):
        raise PayloadError("no list of dataPoints", place="dataPoints")
    for index, point in enumerate(points):
        try:
            yield from [{"person": person, "source": NAME} | f for f in _point(point, f"dataPoints[{index}]")]
        except PayloadError as error:
            if refused is None:
                raise
            refused.append(error)


def _point(point: Any, place: str) -> Iterator[Fields]:
    if not isinstance(point, dict):
        raise PayloadError("no object", place=place)
    origin = point.get("dataSource")
    manual = isinstance(origin, dict) and origin.get("recordingMethod") == "MANUAL"
    for kind, reader in READERS.items():
        if kind in point:
            if not isinstance(point[kind], dict):
                raise PayloadError("no object", place=f"{place}.{kind}")
            for fields in reader(point[kind], f"{place}.{kind}"):
                yield fields | {"quality": "manual"} if manual else fields


def _sampled(channel: str, name: str) -> Callable[[Fields, str], Iterator[Fields]]:
    def read(body: Fields, place: str) -> Iterator[Fields]:
        at = instant(_dig(body, place, "sampleTime", "physicalTime"), f"{place}.sampleTime.physicalTime")
        yield {"channel": channel, "time": at.isoformat(), "value": number(body.get(name), f"{place}.{name}")}

    return read


def _daily(channel: str, name: str) -> Callable[[Fields, str], Iterator[Fields]]:
    def read(body: Fields, place: str) -> Iterator[Fields]:
        if body.get(name) is None:
            return
        date = _dig(body, place, "date")
        try:
            at = datetime(int(date["year"]), int(date["month"]), int(date["day"]), 12, tzinfo=UTC)
        except (KeyError, TypeError, ValueError) as error:
            raise PayloadError("no date", place=f"{place}.date") from error
        yield {"channel": channel, "time": at.isoformat(), "value": number(body[name], f"{place}.{name}"),
               "record_id": f"{channel}:{at.date().isoformat()}"}  # fmt: skip

    return read


def _steps(body: Fields, place: str) -> Iterator[Fields]:
    start = instant(_dig(body, place, "interval", "startTime"), f"{place}.interval.startTime")
    yield {
        "channel": "steps",
        "time": start.isoformat(),
        "value": number(body.get("count"), f"{place}.count"),
    }


def _sleep(body: Fields, place: str) -> Iterator[Fields]:
    revision = 0
    if body.get("updateTime"):
        revision = round(instant(body["updateTime"], f"{place}.updateTime").timestamp() * 1000)
    stages = body.get("stages") or []
    if not isinstance(stages, list):
        raise PayloadError("no list", place=f"{place}.stages")
    for index, stage in enumerate(stages):
        where = f"{place}.stages[{index}]"
        if not isinstance(stage, dict):
            raise PayloadError("no object", place=where)
        start, end = instant(stage.get("startTime"), where), instant(stage.get("endTime"), where)
        kind = stage.get("type")
        asleep = 0.0 if STAGES.get(str(kind), 1) == 0 else 1.0
        shared = {"time": start.isoformat(), "revision": revision}
        yield shared | {"channel": "asleep", "value": asleep}
        if str(kind) in STAGES:
            yield shared | {"channel": "sleep_stage", "value": float(STAGES[str(kind)])}
        if index == len(stages) - 1:
            yield shared | {"channel": "asleep", "value": 0.0, "time": end.isoformat()}


def _respiration(body: Fields, place: str) -> Iterator[Fields]:
    stats = body.get("fullSleepStats")
    if not stats:
        return
    if not isinstance(stats, dict):
        raise PayloadError("no object", place=f"{place}.fullSleepStats")
    at = instant(_dig(body, place, "sampleTime", "physicalTime"), f"{place}.sampleTime.physicalTime")
    fields = {"channel": "respiration_rate", "time": at.isoformat(),
              "value": number(stats.get("breathsPerMinute"), f"{place}.fullSleepStats.breathsPerMinute")}  # fmt: skip
    if stats.get("standardDeviation"):
        fields["sigma"] = number(stats["standardDeviation"], f"{place}.fullSleepStats.standardDeviation")
    yield fields


def _dig(body: Any, place: str, *names: str) -> Any:
    for name in names:
        if not isinstance(body, dict) or name not in body:
            raise PayloadError("is missing", place=f"{place}.{name}")
        body = body[name]
    return body


READERS: dict[str, Callable[[Fields, str], Iterator[Fields]]] = {
    "heartRate": _sampled("heart_rate", "beatsPerMinute"),
    "heartRateVariability": _sampled("hrv_rmssd", "rootMeanSquareOfSuccessiveDifferencesMilliseconds"),
    "oxygenSaturation": _sampled("spo2", "percentage"),
    "bloodGlucose": _sampled("glucose_bgm", "bloodGlucoseMilligramsPerDeciliter"),
    "coreBodyTemperature": _sampled("core_temperature", "temperatureCelsius"),
    "dailyRestingHeartRate": _daily("resting_heart_rate", "beatsPerMinute"),
    "dailyHeartRateVariability": _daily("hrv_rmssd", "averageHeartRateVariabilityMilliseconds"),
    "dailyOxygenSaturation": _daily("spo2", "averagePercentage"),
    "dailyRespiratoryRate": _daily("respiration_rate", "breathsPerMinute"),
    "dailySleepTemperatureDerivations": _daily("skin_temperature", "nightlyTemperatureCelsius"),
    "respiratoryRateSleepSummary": _respiration,
    "steps": _steps,
    "sleep": _sleep,
}
