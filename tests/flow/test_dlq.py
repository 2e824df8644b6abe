"""Dead letters on real Apache Kafka: original bytes and headers, counted once, sent again, and counted by attempts."""

import asyncio
import base64
import json
import os
import subprocess
import sys

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from stream import topics
from stream.letters import dead_letter
from stream.settings import Settings
from tests.flow.test_worker import everything

SECRET = "987.654321"
BODY = b'{"person": "dlq-ada", "channel": "heart_rate", "value": ' + SECRET.encode() + b"}"
EGV = {"recordId": "r1", "systemTime": "2026-11-20T10:00:00Z", "value": 111, "status": "ok", "unit": "mg/dL"}
DEXCOM = json.dumps({"recordType": "egv", "recordVersion": "3.0", "userId": "u", "records": [EGV]}).encode()


class Record:
    def __init__(self, offset, value, headers=(), key=b"dlq-ada"):
        self.partition, self.offset, self.timestamp, self.key = 1, offset, 1_700_000_000_000, key
        self.value, self.headers = value, headers


def twin(settings, *arguments):
    environment = os.environ | {"TWIN_BROKER": settings.broker, "TWIN_APP_ID": settings.app_id}
    done = subprocess.run(
        [sys.executable, "-m", "stream.commands", "dlq", *arguments], env=environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def ask(settings, *arguments):
    code, out, err = twin(settings, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def settings(kafka):
    made = Settings(broker=kafka.bootstrap, partitions=2, app_id="dlq-test")
    asyncio.run(topics.create_missing(made))
    command = dead_letter(
        topics.COMMAND, Record(3, BODY, [("ce_id", b"7")]), "schema_invalid", "value: is wrong"
    )
    again = dead_letter(
        topics.COMMAND, Record(3, BODY, [("ce_id", b"7")]), "schema_invalid", "value: is wrong"
    )
    other = dead_letter(topics.COMMAND, Record(4, b"\xff\xfe"), "unparseable", "is no JSON")
    from stream.intake import PayloadError, letter

    vendor = letter("raw.dexcom.v1", "dlq-vendor", DEXCOM, [PayloadError("then unknown")])

    async def send():
        producer = AIOKafkaProducer(bootstrap_servers=made.broker)
        await producer.start()
        for topic, key, value, headers in (command, again, other, vendor):
            await producer.send_and_wait(topic, value, key=key, headers=headers)
        await producer.stop()

    asyncio.run(send())
    return made


def mine(lines):
    return {(line["topic"], line["reason"]): line for line in lines
            if line["topic"] in (topics.COMMAND, "raw.dexcom.v1")}  # fmt: skip


def test_letters_are_counted_once_shown_and_sent_again(settings):
    listed = ask(settings, "list")
    before = mine(listed)
    command = before[topics.COMMAND, "schema_invalid"]
    _, plain, _ = twin(settings, "list")
    shown = ask(settings, "show", *command["example"].split())
    by_reason = ask(settings, "replay", "--topic", topics.COMMAND, "--reason", "unparseable")
    replayed = ask(settings, "replay", "--topic", topics.COMMAND)
    vendor = ask(settings, "replay", "--topic", "raw.dexcom.v1")
    nothing = ask(settings, "replay", "--topic", topics.COMMAND)
    after = mine(ask(settings, "list"))
    sent = [r for r in asyncio.run(everything(settings, topics.COMMAND)) if r.key == b"dlq-ada"]
    made = [r for r in asyncio.run(everything(settings, topics.READING)) if r.key == b"dlq-vendor"]

    assert (command["letters"], command["waiting"], command["most_attempts"]) == (1, 1, 1)
    assert SECRET not in json.dumps(listed) + plain
    assert base64.b64decode(shown["value_base64"]) == BODY
    assert shown["headers"]["ce_id"] == "7"
    assert {"x-original-partition": "1", "x-original-offset": "3", "x-original-timestamp": "1700000000000",
            "x-error-class": "schema_invalid", "x-attempts": "1"}.items() <= shown["headers"].items()  # fmt: skip
    assert {"x-first-failed-at", "x-app-version", "x-error-message"} <= set(shown["headers"])
    assert (by_reason["replayed"], by_reason["left"]) == (1, 2)
    assert replayed["replayed"] == 2, "the held one comes again with what was before it"
    assert nothing["replayed"] == 0
    assert {r.value for r in sent} == {BODY, b"\xff\xfe"}
    assert dict(next(r for r in sent if r.value == BODY).headers)["ce_id"] == b"7"
    assert not any(name.startswith("x-original") for r in sent for name, _ in r.headers)
    assert vendor["replayed"] == 1
    assert orjson.loads(made[0].value)["value"] == [111.0]
    assert {line["waiting"] for line in after.values()} == {0}


def test_a_letter_that_fails_again_counts_its_attempts_and_keeps_its_first_time():
    _, key, value, first = dead_letter("reading.v1", Record(9, BODY), "future", "time: is in the future")
    kept = [(n, v) for n, v in first if n in ("x-attempts", "x-first-failed-at")]
    _, _, _, second = dead_letter(
        "reading.v1", Record(12, value, kept, key), "future", "time: is in the future"
    )

    assert dict(second)["x-attempts"] == b"2"
    assert dict(second)["x-first-failed-at"] == dict(first)["x-first-failed-at"]
    assert dict(second)["x-original-offset"] == b"12"


def test_what_is_not_there_is_said(settings):
    code, _, err = twin(settings, "show", topics.COMMAND, "0", "100000")
    wrong, _, names = twin(settings, "replay", "--topic", "aura.v1")

    assert code == wrong == 3
    assert "no letter 100000" in err
    assert "reading.v1" in names
