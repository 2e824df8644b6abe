import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.alerts.webhook import sign
from connectors.errors import PayloadError
from connectors.tink import read_keyset
from connectors.vendors import dexcom, google_health

PAYLOADS = Path(__file__).parent / "payloads"


def signed(key, body, identity=77):
    return base64.b64encode(
        b"\x01" + identity.to_bytes(4, "big") + key.sign(body, ec.ECDSA(hashes.SHA256()))
    ).decode()


def load(name):
    return json.loads((PAYLOADS / name).read_text())


def test_google_health_reads_samples_intervals_daily_values_and_sleep():
    found = list(google_health.parse(load("google_health_list.json"), "ada"))

    assert [(f["channel"], f["value"]) for f in found] == [
        ("heart_rate", 62.0),
        ("steps", 14.0),
        ("resting_heart_rate", 57.0),
        ("asleep", 1.0),
        ("sleep_stage", 1.0),
        ("asleep", 0.0),
    ]
    assert found[0]["time"] == "2026-11-20T07:31:05+00:00"


def test_google_health_names_the_place_of_a_fault():
    broken = {"dataPoints": [{"heartRate": {"sampleTime": {}, "beatsPerMinute": "62"}}]}

    with pytest.raises(PayloadError) as caught:
        list(google_health.parse(broken, "ada"))
    assert caught.value.place == "dataPoints[0].heartRate.physicalTime"


def test_google_health_signature_is_checked_over_the_raw_bytes():
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = b'{"type":"x"}'
    signature = base64.b64encode(
        b"\x01" + (7).to_bytes(4, "big") + key.sign(body, ec.ECDSA(hashes.SHA256()))
    ).decode()
    headers = {google_health.SIGNATURE_HEADER: signature}

    google_health.verify(body, headers, {7: pem.decode()})
    with pytest.raises(PayloadError):
        google_health.verify(body + b" ", headers, {7: pem.decode()})
    with pytest.raises(PayloadError):
        google_health.verify(body, {}, {7: pem.decode()})


def test_dexcom_reads_values_censors_limits_and_takes_receivers_as_utc():
    found = list(dexcom.parse(load("dexcom_egvs.json"), "ada"))

    assert [(f["value"], f["quality"]) for f in found] == [(118.0, "ok"), (40.0, "censored_low"), (6.1, "ok")]
    assert found[1]["time"] == "2026-11-20T07:36:05+00:00"
    assert found[2]["unit"] == "mmol/L"


def test_standard_webhooks_golden_vectors():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    assert (
        sign(secret, "msg_01", 1763622131, b'{"type":"alert.opened"}')
        == "v1,rmCJeKLY5dtaO2BFPcUeo+hyN6n/A1eQOwuu9xz25RE="
    )
    assert (
        sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_broken_record_of_a_payload_costs_itself():
    egvs, points = load("dexcom_egvs.json"), load("google_health_list.json")
    egvs["records"].insert(1, {"recordId": "x", "systemTime": "yesterday", "value": 1})
    egvs["records"].append(7)
    points["dataPoints"].insert(0, {"sleep": {"stages": [3]}})
    faults = []

    assert len(list(dexcom.parse(egvs, "ada", faults))) == 3
    assert len(list(google_health.parse(points, "ada", faults))) == 6
    assert [fault.place for fault in faults] == [
        "records[1].systemTime",
        f"records[{len(egvs['records']) - 1}]",
        "dataPoints[0].sleep.stages[0]",
    ]


NOTICE = {
    "data": {"version": "1", "healthUserId": "1234567890", "operation": "UPSERT", "dataType": "heart-rate"}
}


def test_notifications_are_read_one_or_a_list_and_faults_named():
    assert google_health.notices(NOTICE) == [google_health.Notice("1234567890", "heart-rate", "UPSERT")]
    assert len(google_health.notices([NOTICE, NOTICE])) == 2
    for broken, place in (
        ([NOTICE, {"data": 1}], "[1].data"),
        ({"data": {}}, "data.healthUserId"),
        ({"data": NOTICE["data"] | {"operation": "PEEK"}}, "data.operation"),
        ([], "[]"),
    ):
        with pytest.raises(PayloadError) as caught:
            google_health.notices(broken)
        assert caught.value.place == place


def test_a_keyset_as_google_publishes_it_gives_keys_that_verify(keyset):
    key, document = keyset
    body = b'{"type":"verification"}'

    keys = read_keyset(document)
    google_health.verify(body, {google_health.SIGNATURE_HEADER: signed(key, body)}, keys)
    assert list(keys) == [77]
    with pytest.raises(PayloadError):
        read_keyset(b'{"key": [{"status": "ENABLED"}]}')
    with pytest.raises(PayloadError):
        read_keyset(document.replace(b"ENABLED", b"DISABLED"))
