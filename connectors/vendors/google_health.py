"""Google Health API v4 (Fitbit, Pixel Watch): dataPoints of list and reconcile, and the signature of notifications.

int64 values arrive as strings. Notifications are signed by ECDSA P-256 in Tink's format: base64 of 0x01, four bytes of
key id, and a DER signature over the raw body. Nightly skin temperature is absolute here.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
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


def parse(payload: Any, person: str) -> Iterator[Fields]:
    """Readings of a list or reconcile answer, in its order; data types the twin has no channel for are passed over.

    Raises:
        PayloadError: with the place.

    """
    points = payload.get("dataPoints") if isinstance(payload, dict) else None
    if not isinstance(points, list):
        raise PayloadError("no list of dataPoints", place="dataPoints")
    for index, point in enumerate(points):
        place = f"dataPoints[{index}]"
        if not isinstance(point, dict):
            raise PayloadError("no object", place=place)
        base: Fields = {"person": person, "source": NAME}
        manual = (point.get("dataSource") or {}).get("recordingMethod") == "MANUAL"
        if manual:
            base["quality"] = "manual"
        for kind, reader in READERS.items():
            if kind in point:
                for fields in reader(point[kind], f"{place}.{kind}"):
                    yield base | fields


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
    for index, stage in enumerate(body.get("stages") or []):
        where = f"{place}.stages[{index}]"
        start, end = instant(stage.get("startTime"), where), instant(stage.get("endTime"), where)
        kind = stage.get("type")
        asleep = 0.0 if STAGES.get(kind, 1) == 0 else 1.0
        shared = {"time": start.isoformat(), "revision": revision}
        yield shared | {"channel": "asleep", "value": asleep}
        if kind in STAGES:
            yield shared | {"channel": "sleep_stage", "value": float(STAGES[kind])}
        if index == len(body["stages"]) - 1:
            yield shared | {"channel": "asleep", "value": 0.0, "time": end.isoformat()}


def _respiration(body: Fields, place: str) -> Iterator[Fields]:
    stats = body.get("fullSleepStats")
    if not stats:
        return
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
