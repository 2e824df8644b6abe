import asyncio
import gzip
import json

import orjson
from aiohttp import ClientSession, web

from connectors.decode import decode
from stream import topics
from stream.gateway import Gateway
from stream.settings import Settings

READING = {"person": "ada", "channel": "heart_rate", "time": "2025-11-20T07:31:05Z", "value": 62.0}
KEYS = '{"readings": "open-sesame", "dexcom": "other"}'


class Recorder:
    def __init__(self):
        self.sent = []

    async def send_and_wait(self, topic, value, key=None, headers=None):
        self.sent.append((topic, key, value, headers))


def post(path, body, key="open-sesame", headers=None, monkeypatch=None):
    monkeypatch.setenv("TWIN_VENDOR_KEYS", KEYS)
    recorder = Recorder()

    async def run():
        runner = web.AppRunner(Gateway(Settings(), recorder).app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with ClientSession() as session:
                all_headers = {"Authorization": f"Bearer {key}"} | (headers or {})
                async with session.post(
                    f"http://127.0.0.1:{port}{path}", data=body, headers=all_headers
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
