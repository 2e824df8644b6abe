"""What a running worker tells, on real Apache Kafka: ready, metrics, nothing else listening, gone within ten seconds."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import orjson
import pytest

from connectors.decode import decode
from deploy.services.services import free_port
from stream import topics
from stream.sending import minutes_of
from stream.settings import Settings
from stream.virtual import DEMO, simulate
from stream.warm import warm
from tests.flow.test_worker import START_MS, everything, post


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.3)
    return None


def listening(pid):
    """Ports on which a process listens, and on which addresses."""
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {(row[1].split(":")[0], int(row[1].split(":")[1], 16))
            for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}  # fmt: skip


def number(text, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def on_topic(settings):
    """Good readings of the topic, which other tests share."""
    records = asyncio.run(everything(settings, topics.READING))
    return len(decode([r.value for r in records], [r.key for r in records], int(time.time() * 1000)))


@pytest.fixture(scope="module")
def told(kafka, tmp_path_factory):
    warm()
    folder, port = tmp_path_factory.mktemp("health"), free_port()
    settings = Settings(broker=kafka.bootstrap, partitions=2, app_id="health")
    asyncio.run(topics.create_missing(settings))
    readings, _ = simulate(DEMO[0], START_MS, 0.1)
    batches = [batch for _, found in minutes_of(readings, 600) for batch in found]
    future = orjson.dumps({"person": "f", "channel": "heart_rate", "time": 2**42, "value": 60})
    environment = os.environ | {
        "TWIN_BROKER": kafka.bootstrap, "TWIN_PARTITIONS": "2", "TWIN_APP_ID": "health", "TWIN_DATA_DIR": str(folder),
        "TWIN_SQLITE_PATH": str(folder / "t.sqlite"), "TWIN_CHECKPOINT_S": "1", "TWIN_SESSION_TIMEOUT_S": "2",
        "TWIN_HEARTBEAT_S": "0.5", "TWIN_SILENT_AFTER_MIN": "100000000", "TWIN_HEALTH_PORT": str(port),
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "stream.commands", "worker"], env=environment, stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, cwd=folder)  # fmt: skip
    try:
        ready = until(lambda: get(port, "/ready")[0] == 200)
        asyncio.run(post(settings, topics.READING, [*batches, batches[0], ("f", future)]))
        applied = 'twin_readings_total{outcome="applied"}'
        until(lambda: number(get(port, "/metrics")[1], applied) >= len(readings))
        until(lambda: number(get(port, "/metrics")[1], "twin_lag_records") == 0)
        time.sleep(2.5)  # the sink is a little behind
        seen = {
            "ready": ready, "sent": on_topic(settings), "metrics": get(port, "/metrics")[1],
            "document": json.loads(get(port, "/ready")[1]), "table": get(port, "/table/twins/")[0],
            "listens": listening(process.pid), "port": port,
        }  # fmt: skip
        kafka.stop()  # also with a broker that is away it must go
        time.sleep(1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        seen["stopped_after"] = time.monotonic() - began
        yield seen
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        kafka.start()


def test_ready_tells_what_it_knows(told):
    assert told["ready"]
    assert told["document"] | {"sink_lag_s": 0} == {
        "status": "ok", "joined": True, "recovering": False, "rebalancing": False, "acknowledgement_age_s": 0.0,
        "lag_records": 0, "recovered_records": 0, "sink_lag_s": 0, "sink_state": "closed",
    }  # fmt: skip


def test_metrics_count_what_was_sent(told):
    text = told["metrics"]

    taken = sum(number(text, f'twin_readings_total{{outcome="{o}"}}') for o in ("applied", "duplicate"))

    assert taken == told["sent"]
    assert number(text, 'twin_refused_total{reason="future"}') >= 1
    assert number(text, 'twin_nis_count{channel="heart_rate"}') > 100
    assert 0.1 < number(text, 'twin_nis_sum{channel="heart_rate"}') / number(
        text, 'twin_nis_count{channel="heart_rate"}'
    ) < 10  # fmt: skip
    assert number(text, "twin_people") >= 1
    assert number(text, "twin_checkpoint_bytes_total") > 1000
    assert number(text, "twin_filter_microseconds_total") > 0
    assert number(text, 'twin_sink_rows_total{outcome="stored"}') > 100
    assert DEMO[0].name not in text


def test_it_listens_on_loopback_and_nowhere_else(told):
    assert told["listens"] == {("0100007F", told["port"])}
    assert told["table"] == 404


def test_it_is_gone_within_ten_seconds_even_without_a_broker(told):
    assert told["stopped_after"] < 10.0
