"""Late and early readings on real Apache Kafka: named with how late, waiting through a kill, and the same bits."""

import asyncio
import json
import signal
import time

import numpy as np
import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.decode import FUTURE_MS, decode
from stream import topics
from stream.cohort import Cohort
from stream.doctor import examine
from stream.settings import Settings
from stream.warm import warm
from tests.flow.test_worker import everything, latest_of, post, started

WHO = "late-ada"
MINUTE, HOUR = 60_000, 3_600_000


def batch(rows):
    channel, at, value = (list(column) for column in zip(*rows, strict=True))
    return orjson.dumps(
        {"schema": "readings/1", "person": WHO, "channel": channel, "time": at, "value": value}
    )


def restored(settings):
    cohort = Cohort()
    for record in asyncio.run(everything(settings, topics.changelog(settings))):
        cohort.restore(record.key, record.value)
    cohort.finish_restore()
    return cohort


def until(found, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := found():
            return got
        time.sleep(0.3)
    return None


@pytest.fixture(scope="module")
def told(kafka, tmp_path_factory):
    warm()
    folder = tmp_path_factory.mktemp("late")
    settings = Settings(
        broker=kafka.bootstrap, partitions=2, app_id="late", data_dir=folder, sqlite_path=folder / "t.sqlite"
    )
    asyncio.run(topics.create_missing(settings))
    now = int(time.time() * 1000)
    due = now + FUTURE_MS + 20_000  # 20 s too early to count at once
    days = [("heart_rate", now - 30 * MINUTE * i, 60.0 + i % 5) for i in range(6 * 48)][::-1]
    mixed = [("aura", now, 1.0), ("heart_rate", now - 30 * HOUR, 61.0), ("asleep", now - 80 * HOUR, 1.0),
             ("heart_rate", now - 26 * HOUR, 62.0), ("heart_rate", now - 2 * HOUR + 5, 63.0)]  # fmt: skip
    early = [
        ("heart_rate", now + 1000, 64.0),
        ("heart_rate", due, 65.0),
        ("heart_rate", now + 100 * 24 * HOUR, 66.0),
    ]
    sent = [batch(days), batch(mixed), batch(early)]
    process = started(settings, TWIN_FUTURE="wait")
    seen = {"sent": sent, "settings": settings, "now": now, "due": due}
    try:
        asyncio.run(post(settings, topics.READING, [(WHO, value) for value in sent]))
        waited = lambda: (twin := restored(settings).twins.get(WHO)) is not None and len(twin.waiting) == 1  # noqa: E731
        seen["waited"] = until(waited)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        seen["before"] = restored(settings).twins[WHO]
        process = started(settings, TWIN_FUTURE="wait")
        time.sleep(max(0.0, (due - FUTURE_MS) / 1000 - time.time()) + 0.5)
        last = batch([("heart_rate", now + 2000, 67.0)])
        sent.append(last)
        asyncio.run(post(settings, topics.READING, [(WHO, last)]))
        seen["row"] = until(
            lambda: [e for e in asyncio.run(latest_of(settings)) if e["person"] == WHO and e["time"] == due]
        )
        process.terminate()
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
    seen["late"] = asyncio.run(everything(settings, topics.LATE))
    seen["letters"] = asyncio.run(everything(settings, topics.dead_letters(topics.READING)))
    seen["after"] = restored(settings)
    seen["log"] = (folder / "worker.log").read_text()
    return seen


def test_what_is_beyond_its_window_lies_on_a_topic_of_its_own_with_which_and_how_late(told):
    records = {(r.value, dict(r.headers)["x-original-offset"]): dict(r.headers) for r in told["late"]}
    headers = next(iter(records.values()))

    assert [value for value, _ in records] == [told["sent"][1]]
    assert headers["x-late-readings"] == b"2"
    assert headers["x-late-index"] == b"1,3"
    assert int(headers["x-late-by-s"]) == 6 * 3600
    assert headers["x-error-class"] == b"late"
    assert b"by 6 hours at most" in headers["x-error-message"]


def test_its_neighbours_are_applied_and_the_bits_are_those_of_a_table_without_it(told):
    decoded = decode(told["sent"], [None] * 4, told["due"])
    whole = Cohort()
    late = (
        (decoded.time_ms >= told["now"] - 31 * HOUR)
        & (decoded.time_ms < told["now"] - 24 * HOUR)
        & (decoded.record == 1)
    )
    whole.apply(decoded.rows(~late))

    assert int(late.sum()) == 2
    assert json.dumps(told["after"].twin_json(WHO)) == json.dumps(whole.twin_json(WHO))
    assert (decoded.channel[decoded.record == 1] == decoded.channel[0]).sum() == 3
    assert np.array_equal(told["after"].twins[WHO].journal["time_ms"], whole.twins[WHO].journal["time_ms"])


def test_an_early_reading_waits_through_a_kill_and_never_moves_the_newest_time(told):
    assert told["waited"]
    assert told["before"].waiting["time_ms"].tolist() == [told["due"]]
    assert told["before"].newest_ms == told["now"] + 1000
    assert told["row"]
    assert len(told["after"].twins[WHO].waiting) == 0
    assert told["after"].twins[WHO].newest_ms == told["due"]


def test_one_of_a_hundred_days_ahead_is_refused(told):
    found = [dict(r.headers) for r in told["letters"] if r.value == told["sent"][2]]

    assert {headers["x-error-class"] for headers in found} == {b"future"}
    assert {headers["x-error-message"] for headers in found} == {b"[2] time: too far in the future"}


def test_how_many_came_too_late_is_seen_by_person_and_nothing_is_in_the_log(told):
    assert told["row"][0]["late_readings"] == 2
    assert told["after"].twins[WHO].late == 2
    assert WHO not in told["log"]


def test_the_doctor_says_when_the_topic_keeps_its_senders_times(told):
    async def ask(kind):
        admin = AIOKafkaAdminClient(bootstrap_servers=told["settings"].broker)
        await admin.start()
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topics.READING, {"message.timestamp.type": kind})]
        )
        await admin.close()
        found = await examine(told["settings"], False)
        return [f["ok"] for f in found if f["what"] == "timestamps"]

    assert asyncio.run(ask("CreateTime")) == [False]
    assert asyncio.run(ask("LogAppendTime")) == []
