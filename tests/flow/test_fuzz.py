"""Hostile payloads through the topics of a real worker: each refused with a reason, what is between them applied.

5,000 here; `TWIN_FUZZ=100000 pytest tests/flow/test_fuzz.py` is the long form. The table of reasons stands at the end of the run.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from connectors.decode import decode
from connectors.errors import Reason
from deploy.services.services import free_port
from stream import topics
from stream.cohort import Cohort
from stream.settings import Settings
from stream.warm import warm
from tests.conftest import SAID
from tests.flow.fuzz import payloads
from tests.flow.test_health import get, number
from tests.flow.test_worker import everything, started

COUNT = int(os.environ.get("TWIN_FUZZ", "5000"))
EVERY = 5  # a good reading after so many hostile ones
GOOD = [f"good-{i}" for i in range(4)]
TOPICS = (*[topics.READING] * 17, topics.COMMAND, topics.ESTIMATE, topics.ALERT)
FLAT_BYTES = 40_000_000
REASONS = {reason.value for reason in Reason}
HUGE = [  # once each: just below what the topic takes, a key that is, headers that are
    (None, b"[" * 16_700_000, []),
    (b"k" * 8_000_000, b"{" * 8_000_000, []),
    (b"fuzz-1", b"{}", [("h" * 1000, b"v" * 14_000_000)]),
]


def resident(process):
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


async def send(settings, process, port, now, seen):
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, max_request_size=16_777_216)
    await producer.start()
    waiting, good = [], Counter()

    async def settle():
        for kind, topic, key, value, future in waiting:
            sent = await future
            seen["sent"].append((kind, topic, sent.partition, sent.offset, key, value))
        waiting.clear()

    try:
        for i, (kind, key, value) in enumerate(payloads(COUNT, now)):
            topic = TOPICS[i % len(TOPICS)]
            waiting.append((kind, topic, key, value, await producer.send(topic, value, key=key)))
            if i % EVERY == 0:
                who = GOOD[i // EVERY % len(GOOD)]
                good[who] += 1
                # Seconds of some hours: however many, all inside the window.
                at = now - 6 * 3_600_000 + round(good[who] * 20_000_000 / (COUNT / EVERY / len(GOOD) + 1))
                text = orjson.dumps(
                    {"person": who, "channel": "heart_rate", "time": at, "value": 60.0 + good[who] % 9}
                )
                seen["good"].setdefault(who, []).append(text)
                waiting.append(("good", topics.READING, who.encode(), text,
                                await producer.send(topics.READING, text, key=who.encode())))  # fmt: skip
            if len(waiting) >= 1000:
                await settle()
            if i % (COUNT // 10) == COUNT // 10 - 1:
                await settle()
                await idle(port)
                seen["resident"].append(resident(process))
        for key, value, headers in HUGE:
            waiting.append(("huge", topics.READING, key, value,
                            await producer.send(topics.READING, value, key=key, headers=headers)))  # fmt: skip
            await settle()
    finally:
        await producer.stop()


async def idle(port):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        text = (await asyncio.to_thread(get, port, "/metrics"))[1]
        if "twin_lag_records 0" in text and number(text, "twin_people") > 0:
            return


@pytest.fixture(scope="module")
def told(kafka, tmp_path_factory):
    warm()
    folder, port = tmp_path_factory.mktemp("fuzz"), free_port()
    settings = Settings(
        broker=kafka.bootstrap, partitions=2, app_id="fuzz", data_dir=folder, sqlite_path=folder / "t.sqlite"
    )
    asyncio.run(topics.create_missing(settings))
    seen = {"sent": [], "good": {}, "resident": [], "settings": settings}
    now = int(time.time() * 1000) - 60_000
    process = started(settings, TWIN_HEALTH_PORT=str(port), TWIN_LOG_LEVEL="debug")
    try:
        began = time.monotonic()
        asyncio.run(send(settings, process, port, now, seen))
        asyncio.run(idle(port))
        time.sleep(4)  # the sink is a little behind
        seen["seconds"], seen["metrics"] = time.monotonic() - began, get(port, "/metrics")[1]
        seen["alive"] = process.poll() is None
        process.terminate()
        seen["code"] = process.wait(20)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
    seen["letters"] = {
        (topic, int(h["x-original-partition"]), int(h["x-original-offset"])): (
            h["x-error-class"].decode(),
            r.value,
            h,
        )
        for topic in dict.fromkeys(TOPICS)
        for r in asyncio.run(everything(settings, topics.dead_letters(topic)))
        for h in [dict(r.headers)]
    }
    seen["log"] = (folder / "worker.log").read_text()
    return seen


def test_nothing_crashed_and_memory_stayed_flat(told):
    half = told["resident"][len(told["resident"]) // 2 :]

    assert (told["alive"], told["code"]) == (True, 0)
    crash = re.search(r"(?s).{0,500}(Traceback|batch_failed|Task exception|stalled).{0,3000}", told["log"])
    assert not crash, crash.group()
    assert max(half) - told["resident"][1] < FLAT_BYTES, told["resident"]


def test_every_reading_record_is_refused_with_the_reason_or_wholly_applied(told):
    table, accepted, waiting = Counter(), Counter(), 0
    for kind, topic, partition, offset, key, value in told["sent"]:
        letter = told["letters"].get((topic, partition, offset))
        if letter is None and topic == topics.COMMAND:
            waiting += 1  # a worker that stops leaves the rest of them to the next one
            continue
        if letter is None:
            accepted[kind] += 1
            if topic == topics.READING:
                assert decode([value], [key], 2**60).refused == [], (kind, value[:100])
            continue
        reason, body, _ = letter
        assert reason in REASONS
        assert body == (value or b"") or kind == "huge"
        table[topic, reason] += 1
    SAID.append(f"fuzz: {len(told['sent']) - sum(map(len, told['good'].values()))} hostile records in {told['seconds']:.0f} s, "
                f"resident MB {[round(r / 1e6) for r in told['resident']]}")  # fmt: skip
    SAID.extend(f"fuzz: {topic:16} {reason:16} {n}" for (topic, reason), n in sorted(table.items()))
    SAID.append(f"fuzz: {waiting} commands were left to the next worker when this one was stopped")
    SAID.append(f"fuzz: valid after all, applied: {dict(accepted)}")

    assert {reason for topic, reason in table if topic == topics.READING} >= {
        "unparseable", "schema_invalid", "unknown_channel", "out_of_range", "not_finite", "bad_time", "too_large", "unknown_unit",
    }  # fmt: skip
    assert {topic for topic, _ in table} == set(TOPICS)
    for kind in ("noise", "nesting", "truncated", "no_object", "huge", "unicode_fault", "size"):
        assert accepted[kind] <= (len(told["sent"]) // 100 if kind in ("unicode_fault", "size") else 0), kind


def test_what_no_topic_could_take_again_is_cut_and_says_so(told):
    huge = [
        (kind, *told["letters"][topic, p, o]) for kind, topic, p, o, _, _ in told["sent"] if kind == "huge"
    ]

    assert [reason for _, reason, _, _ in huge] == ["too_large", "unparseable", "schema_invalid"]
    assert huge[0][3]["x-original-size"] == b"16700000"
    assert len(huge[0][2]) == 15_000_000


def test_the_readings_between_them_are_applied_bit_for_bit(told):
    restored = Cohort()
    for record in asyncio.run(everything(told["settings"], topics.changelog(told["settings"]))):
        restored.restore(record.key, record.value)
    restored.finish_restore()
    for who, values in told["good"].items():
        whole = Cohort()
        whole.apply(decode(values, [None] * len(values), 2**60))

        assert len(restored.twins[who].journal) == len(values)
        assert json.dumps(restored.twin_json(who)) == json.dumps(whole.twin_json(who))


def test_no_value_and_no_person_is_in_the_log(told):
    assert not re.search(r"fuzz-\d|good-\d|jndi|DROP TABLE|77\.125|passwd", told["log"])
