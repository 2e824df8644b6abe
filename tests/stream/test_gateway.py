import asyncio
import base64
import gzip
import json
import os

import orjson
import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.decode import decode
from connectors.errors import PayloadError
from stream import topics
from stream.gateway import Gateway
from stream.settings import Settings

READING = {"person": "ada", "channel": "heart_rate", "time": "2025-11-20T07:31:05Z", "value": 62.0}
KEYS = '{"readings": "open-sesame", "dexcom": "other", "google_health": "of-google"}'


class Recorder:
    def __init__(self):
        self.sent = []

    async def send_and_wait(self, topic, value, key=None, headers=None):
        self.sent.append((topic, key, value, headers))


def post(path, body, key="open-sesame", headers=None, monkeypatch=None, reachable=None):
    monkeypatch.setenv("TWIN_VENDOR_KEYS", KEYS)
    recorder = Recorder()

    async def run():
        runner = web.AppRunner(Gateway(Settings(), recorder, *reachable or ()).app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with ClientSession() as session:
                all_headers = {"Authorization": f"Bearer {key}"} | (headers or {})
                method = "GET" if body is None else "POST"
                async with session.request(
                    method, f"http://127.0.0.1:{port}{path}", data=body, headers=all_headers
                ) as answer:
                    return answer.status, await answer.json(content_type=None)
        finally:
            await runner.cleanup()

    status, answer = asyncio.run(run())
    return status, answer, recorder.sent


def test_one_an_array_ndjson_and_gzip_are_taken(monkeypatch):
    line = json.dumps(READING).encode()
    for body, headers, count in (
        (line, {}, 1),
        (b"[" + line + b"," + line + b"]", {}, 2),
        (line + b"\n" + line, {}, 2),
        (gzip.compress(line), {"Content-Encoding": "gzip"}, 1),
    ):
        status, answer, sent = post("/v1/readings", body, headers=headers, monkeypatch=monkeypatch)

        assert (status, answer["accepted"]) == (202, count)
        assert (sent[0][0], sent[0][1]) == (topics.READING, b"ada")
        assert len(decode([sent[0][2]], [b"ada"], 1_795_600_000_000)) == count


def test_refusals_are_named_and_the_others_accepted(monkeypatch):
    body = orjson.dumps([READING, READING | {"value": 999}, READING | {"channel": "aura"}])
    status, answer, _ = post("/v1/readings", body, monkeypatch=monkeypatch)

    assert (status, answer["accepted"]) == (202, 1)
    assert [(r["index"], r["field"], r["reason"]) for r in answer["refused"]] == [
        (1, "value", "out_of_range"),
        (2, "channel", "unknown_channel"),
    ]


def test_five_thousand_readings_go_in_one_request(monkeypatch):
    many = [READING | {"time": 1_763_600_000_000 + i * 1000} for i in range(5000)]
    status, answer, sent = post("/v1/readings", orjson.dumps(many), monkeypatch=monkeypatch)

    assert (status, answer["accepted"], len(sent)) == (202, 5000, 1)


def test_a_wrong_key_gets_401_and_learns_nothing(monkeypatch):
    for path in ("/v1/readings", "/v1/vendors/dexcom?person=ada", "/v1/vendors/nobody?person=ada"):
        status, answer, sent = post(path, b"{}", key="wrong", monkeypatch=monkeypatch)

        assert (status, answer, sent) == (401, {"error": "unauthorized"}, [])


def test_a_vendor_payload_goes_raw_and_as_readings(monkeypatch):
    body = json.dumps(
        {
            "recordType": "egv",
            "records": [
                {
                    "recordId": "1",
                    "systemTime": "2025-11-20T07:31:05Z",
                    "value": 118,
                    "status": "ok",
                    "unit": "mg/dL",
                }
            ],
        }
    ).encode()
    status, answer, sent = post("/v1/vendors/dexcom?person=ada", body, key="other", monkeypatch=monkeypatch)

    assert (status, answer["accepted"]) == (202, 1)
    assert [s[0] for s in sent] == ["raw.dexcom.v1", topics.READING]
    assert gzip.decompress(sent[0][2]) == body


def test_broken_bodies_are_refused_and_dead_lettered(monkeypatch):
    assert post("/v1/readings", b"", monkeypatch=monkeypatch)[0] == 400
    assert post("/v1/readings", b"x", headers={"Content-Encoding": "gzip"}, monkeypatch=monkeypatch)[0] == 400
    assert post("/v1/readings", b"[1,", monkeypatch=monkeypatch)[0] == 400
    status, answer, sent = post(
        "/v1/vendors/dexcom?person=ada", b'{"records": 3}', key="other", monkeypatch=monkeypatch
    )

    assert (status, answer["place"]) == (400, "records")
    assert sent[0][0] == "raw.dexcom.v1.dlq"


DOOR = "/v1/vendors/google_health"
NOTICE = {
    "data": {
        "version": "1",
        "clientProvidedSubscriptionName": "sub-1",
        "healthUserId": "1234567890",
        "operation": "UPSERT",
        "dataType": "heart-rate",
        "intervals": [
            {"physicalTimeInterval": {"startTime": "2026-11-20T07:00:00Z", "endTime": "2026-11-20T07:15:00Z"}}
        ],
    }
}


def notify(body, key, path, monkeypatch, authorization="of-google", tamper=b""):
    monkeypatch.setenv("TWIN_GOOGLE_HEALTH_KEYSET", str(path))
    signature = b"\x01" + (77).to_bytes(4, "big") + key.sign(body, ec.ECDSA(hashes.SHA256()))
    headers = {"GOOGLE-HEALTH-API-SIGNATURE": base64.b64encode(signature).decode()}
    return post(DOOR, body + tamper, key=authorization, headers=headers, monkeypatch=monkeypatch)


def test_a_signed_notification_is_acknowledged_and_goes_raw(monkeypatch, keyset, tmp_path):
    key, document = keyset
    (tmp_path / "keys.json").write_bytes(document)
    for payload in (NOTICE, [NOTICE, NOTICE]):
        body = json.dumps(payload).encode()
        status, answer, sent = notify(body, key, tmp_path / "keys.json", monkeypatch)

        assert (status, answer) == (204, None)
        assert [(topic, gzip.decompress(value)) for topic, _, value, _ in sent] == [
            ("raw.google_health.v1", body)
        ]
        assert b"1234567890" not in sent[0][1], "the vendor's user id is no key"


def test_a_wrong_signature_gets_401_and_learns_nothing(monkeypatch, keyset, tmp_path):
    key, document = keyset
    (tmp_path / "keys.json").write_bytes(document)
    body, path = json.dumps(NOTICE).encode(), tmp_path / "keys.json"
    stranger = ec.generate_private_key(ec.SECP256R1())
    answers = [
        notify(body, stranger, path, monkeypatch),
        notify(body, key, path, monkeypatch, tamper=b" "),
        notify(body, key, path, monkeypatch, authorization="wrong"),
        notify(body, key, tmp_path / "nowhere", monkeypatch),
        post(DOOR, body, key="of-google", monkeypatch=monkeypatch),
    ]

    assert answers == [(401, {"error": "unauthorized"}, [])] * 5


def test_keys_rotate_without_a_restart(monkeypatch, keyset, tmp_path):
    document = keyset[1]
    path = tmp_path / "keys.json"
    path.write_bytes(b'{"key": []}')
    monkeypatch.setenv("TWIN_GOOGLE_HEALTH_KEYSET", str(path))
    gateway = Gateway(Settings(), Recorder())
    with pytest.raises(PayloadError, match="no enabled"):
        gateway._keys(path)
    path.write_bytes(document)
    os.utime(path, (1, 1))

    assert list(gateway._keys(path)) == [77]


def test_the_handshake_of_a_subscription_is_201_with_the_secret_and_401_without(monkeypatch):
    body = b'{"type":"verification"}'

    assert post(DOOR, body, key="of-google", monkeypatch=monkeypatch) == (201, None, [])
    assert post(DOOR, body, key="", monkeypatch=monkeypatch) == (401, {"error": "unauthorized"}, [])


def test_a_broken_notification_is_refused_by_place_and_dead_lettered(monkeypatch, keyset, tmp_path):
    key, document = keyset
    (tmp_path / "keys.json").write_bytes(document)
    status, answer, sent = notify(b'{"data": {}}', key, tmp_path / "keys.json", monkeypatch)

    assert (status, answer["place"]) == (400, "data.healthUserId")
    assert sent[0][0] == "raw.google_health.v1.dlq"


def test_a_broken_record_costs_itself_and_the_payload_is_dead_lettered_beside(monkeypatch):
    good = {"recordId": "r-1", "systemTime": "2025-11-20T07:31:05Z", "value": 118, "unit": "mg/dL"}
    body = json.dumps({"recordType": "egv", "records": [good, good | {"systemTime": "soon"}]}).encode()
    status, answer, sent = post("/v1/vendors/dexcom?person=ada", body, key="other", monkeypatch=monkeypatch)

    assert (status, answer["accepted"]) == (202, 1)
    assert [r["field"] for r in answer["refused"]] == ["records[1].systemTime"]
    assert [s[0] for s in sent] == ["raw.dexcom.v1", "raw.dexcom.v1.dlq", topics.READING]
    assert json.loads(sent[2][2])["record_id"] == ["r-1"]


def test_identity_and_source_of_a_reading_reach_the_topic(monkeypatch):
    first = READING | {"record_id": "a", "source": "watch", "revision": 2}
    batch = {"schema": "readings/1", "person": "ada", "channel": ["heart_rate"] * 3, "record_id": ["x", "y", "z"],
             "time": [1763623865000 + i for i in range(3)], "value": [60, 999, 62]}  # fmt: skip
    _, answer, sent = post("/v1/readings", orjson.dumps([first, batch, READING]), monkeypatch=monkeypatch)
    written = decode([s[2] for s in sent], [b"ada"] * len(sent), 1_795_600_000_000)
    direct = decode([orjson.dumps(d) for d in (first, batch, READING)], [b"ada"] * 3, 1_795_600_000_000)

    assert (answer["accepted"], answer["refused"][0]["index"]) == (4, [1, 1])
    assert sorted(zip(written.key, written.source, written.revision, strict=True)) == sorted(
        zip(direct.key, direct.source, direct.revision, strict=True)
    )


def test_ready_says_whether_kafka_answers(monkeypatch):
    async def away():
        return False

    assert post("/live", None, monkeypatch=monkeypatch)[0] == 200
    assert post("/ready", None, monkeypatch=monkeypatch)[0] == 200
    assert post("/ready", None, monkeypatch=monkeypatch, reachable=[away])[:2] == (
        503,
        {"status": "kafka_unavailable"},
    )
