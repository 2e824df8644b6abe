"""Everything that must never stop a worker, at the door and on the topic: refused by reason and place, the rest applied."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from connectors.decode import decode
from connectors.stores.sqlite import SqliteStore
from deploy.services.services import free_port
from stream import topics
from stream.intake import documents
from stream.settings import Settings
from stream.warm import warm

NOW_MS = int(time.time() * 1000) - 120_000
MARK = 61.728394  # of every good reading: it must reach the store and no log
GOOD = {"person": "bad-ada", "channel": "heart_rate", "time": NOW_MS, "value": MARK}
LONG = "p" * 10_000
# What is sent, as the text of one document; the field and the reason of its refusal.
REFUSED = {
    "unparseable": (b'{"person": "bad-ada", "channel": ', "", "unparseable"),
    "not unicode": (b'{"person": "\xff\xfe"}', "", "unparseable"),
    "no object": (b"7", "", "schema_invalid"),
    "value is text": (orjson.dumps(GOOD | {"value": "87.654321"}), "value", "schema_invalid"),
    "value is a truth": (orjson.dumps(GOOD | {"value": True}), "value", "schema_invalid"),
    "channel is a number": (orjson.dumps(GOOD | {"channel": 3}), "channel", "unknown_channel"),
    "NaN": (json.dumps(GOOD | {"value": float("nan")}).encode(), "value", "not_finite"),
    "infinity": (json.dumps(GOOD | {"value": float("inf")}).encode(), "value", "not_finite"),
    "minus infinity": (json.dumps(GOOD | {"value": -float("inf")}).encode(), "value", "not_finite"),
    "beyond double": (orjson.dumps(GOOD).replace(b"61.728394", b"1e400"), "value", "not_finite"),
    "out of range": (orjson.dumps(GOOD | {"value": 987.654321}), "value", "out_of_range"),
    "unknown channel": (orjson.dumps(GOOD | {"channel": "aura"}), "channel", "unknown_channel"),
    "wrong unit": (orjson.dumps(GOOD | {"unit": "mmol/L"}), "unit", "unknown_unit"),
    "future": (orjson.dumps(GOOD | {"time": NOW_MS + 86_400_000}), "time", "future"),
    "1970": (orjson.dumps(GOOD | {"time": 0}), "time", "bad_time"),
    "no zone": (orjson.dumps(GOOD | {"time": "2026-11-20T07:31:05"}), "time", "bad_time"),
    "a long person": (orjson.dumps(GOOD | {"person": LONG}), "person", "schema_invalid"),
    "no person": (orjson.dumps({"channel": "heart_rate"}), "person", "schema_invalid"),
    "unknown field": (orjson.dumps(GOOD | {"mood": 1}), "mood", "schema_invalid"),
    "ten megabytes": (
        b'{"person": "bad-ada", "source": "' + b"s" * 10_000_000 + b'"}',
        "source",
        "schema_invalid",
    ),
}
ON_TOPIC_ONLY = {"empty": (b"", "", "unparseable")}


def good(minute):
    return GOOD | {"time": NOW_MS - 60_000 * minute}


def places(found):
    return [(r.record, r.field, r.reason.value) for r in found.refused]


def test_each_is_refused_by_place_and_reason_and_the_others_are_decoded():
    everything = REFUSED | ON_TOPIC_ONLY
    values = [value for text, _, _ in everything.values() for value in (text, orjson.dumps(GOOD))]
    found = decode(values, [None] * len(values), int(time.time() * 1000))
    expected = [
        (2 * i, field, "too_large" if name == "ten megabytes" else reason)
        for i, (name, (_, field, reason)) in enumerate(everything.items())
    ]

    assert [(r, "" if w == "too_large" else f, w) for r, f, w in expected] == places(found)
    assert found.value.tolist() == [MARK] * len(everything)
    assert not any("87.65" in r.message or "987" in r.message for r in found.refused)


@pytest.fixture(scope="module")
def running(kafka, tmp_path_factory):
    """A gateway and a worker of their own, at debug level, their logs in one file."""
    warm()
    folder, port = tmp_path_factory.mktemp("bad"), free_port()
    settings = Settings(
        broker=kafka.bootstrap, partitions=2, app_id="bad", sqlite_path=folder / "t.sqlite", gateway_port=port
    )
    asyncio.run(topics.create_missing(settings))
    environment = os.environ | {
        "TWIN_BROKER": kafka.bootstrap, "TWIN_PARTITIONS": "2", "TWIN_APP_ID": "bad", "TWIN_DATA_DIR": str(folder),
        "TWIN_SQLITE_PATH": str(folder / "t.sqlite"), "TWIN_GATEWAY_PORT": str(port), "TWIN_LOG_LEVEL": "debug",
        "TWIN_VENDOR_KEYS": '{"readings": "door-key-5150", "dexcom": "dexcom-key-5150"}',
        "TWIN_SESSION_TIMEOUT_S": "2", "TWIN_HEARTBEAT_S": "0.5", "TWIN_CHECKPOINT_S": "1",
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", "stream.commands", role], env=environment, stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL, cwd=folder)
            for role in ("gateway", "worker")
        ]  # fmt: skip
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
            break
        except OSError:
            time.sleep(0.3)
    yield settings, folder, processes
    for process in processes:
        process.terminate()
    codes = [process.wait(20) for process in processes]
    assert codes == [0, 0], "both end cleanly"


def post(settings, path, body, key="door-key-5150"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.gateway_port}{path}", body, {"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_at_the_door_each_is_named_and_the_others_are_taken(running):
    settings = running[0]
    lines = [text for text, _, _ in REFUSED.values()]
    mixed = [line for i, text in enumerate(lines) for line in (text, orjson.dumps(good(i)))]
    status, answer = post(settings, "/v1/readings", b"\n".join(mixed))
    expected = [(2 * i, field, reason) for i, (_, field, reason) in enumerate(REFUSED.values())]

    assert (status, answer["accepted"]) == (202, len(lines))
    assert [(r["index"], r["field"], r["reason"]) for r in answer["refused"]] == expected
    assert post(settings, "/v1/readings", b"")[0] == 400
    assert post(settings, "/v1/readings", b'[{"person":')[1]["message"].endswith("at line 1 column 12")
    assert post(settings, "/v1/readings", b"[" + b"7," * 13_000_000 + b"7]")[0] == 413
    assert post(settings, f"/v1/vendors/dexcom?person={LONG[:4000]}", b"{}", "dexcom-key-5150")[0] == 400
    array = (
        b'[{"person":"bad-ada","channel":"heart_rate","time":1,"value":NaN},' + orjson.dumps(good(30)) + b"]"
    )
    assert post(settings, "/v1/readings", array)[1]["accepted"] == 1


def test_ten_megabytes_of_good_readings_are_taken_in_pieces():
    many = [good(0) | {"time": NOW_MS - 1000 * i, "record_id": f"r-{i:040}"} for i in range(60_000)]
    body = orjson.dumps(many)
    from connectors.decode import decode_documents
    from stream.intake import by_person

    found = documents(body)
    records = by_person(found, decode_documents(found, NOW_MS + 1000))

    assert len(body) > 8_000_000
    assert len(records) == 3
    assert all(len(value) < 4_000_000 for _, value in records)


async def _send(settings, records):
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, max_request_size=16_777_216)
    await producer.start()
    for key, value in records:
        await producer.send_and_wait(topics.READING, value, key=key)
    await producer.stop()


async def _letters(settings, count):
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(topics.dead_letters(topics.READING), p) for p in range(2)])
    found, end = [], time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += [r for r in records if r.key and r.key.startswith(b"bad-")]
    await consumer.stop()
    return found


async def _states(settings, person):
    store = SqliteStore(settings.sqlite_path)
    try:
        return await store.states(person, 0, 2**62)
    finally:
        await store.close()


def test_on_the_topic_each_is_dead_lettered_and_everybody_goes_on(running):
    settings, folder, processes = running
    everything = REFUSED | ON_TOPIC_ONLY
    readings = [orjson.dumps(good(60 + i)) for i in range(len(everything))]
    bad = [text for text, _, _ in everything.values()]
    records = [(b"bad-ada", value) for pair in zip(bad, readings, strict=True) for value in pair]
    batch = {"schema": "readings/1", "person": "bad-bob", "channel": ["heart_rate", "aura", "heart_rate"],
             "time": [NOW_MS - 120_000, NOW_MS, NOW_MS - 60_000], "value": [MARK, 1, MARK]}  # fmt: skip
    duplicate = orjson.dumps(good(60))
    asyncio.run(_send(settings, [*records, (b"bad-ada", duplicate), (b"bad-bob", orjson.dumps(batch))]))
    letters = asyncio.run(_letters(settings, len(bad) + 1))
    by_value = {letter.value: dict(letter.headers) for letter in letters}
    end = time.monotonic() + 30
    while time.monotonic() < end:
        ada, bob = (asyncio.run(_states(settings, person)) for person in ("bad-ada", "bad-bob"))
        times = {e["time"] for e in ada}
        if len(bob) == 2 and {good(60 + i)["time"] for i in range(len(readings))} <= times:
            break
        time.sleep(0.5)

    assert [process.poll() for process in processes] == [None, None], "both go on"
    for name, (text, field, reason) in everything.items():
        headers = by_value[text]
        if name != "ten megabytes":
            assert headers["x-error-class"] == reason.encode(), name
            assert f"{field}: ".encode() in headers["x-error-message"], name
        assert headers["x-original-topic"] == topics.READING.encode()
        assert {"x-original-partition", "x-original-offset", "x-original-timestamp"} <= set(headers)
    assert len(bob) == 2
    assert {good(60 + i)["time"] for i in range(len(readings))} <= times
    assert len(ada) == len(times), "the duplicate made no second estimate"
    assert max(e["made_from"] for e in ada) == 1

    log = (folder / "log").read_text()
    assert "batch_applied" in log
    assert "readings_taken" in log
    for secret in ("61.72", "87.65", "987.6", "aura", "mood", "sssss", "ppppp", "5150", '"value"', "mmol"):
        assert secret not in log, secret
    assert not re.search(r"Traceback|Task exception", log)
