"""Payload to alert on one page: a vendor's document by HTTP, Kafka, a twin, rows in InfluxDB, a signed alert at a receiver."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from connectors.stores.influx import InfluxStore
from deploy.services.services import free_port
from stream import topics
from stream.settings import Settings
from stream.warm import warm
from tests.flow import test_worker

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A webhook's receiver that is away for its first call."""

    def __init__(self):
        self.calls, self.port, self.loop = [], None, asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run)

    async def take(self, request):
        self.calls.append((await request.read(), dict(request.headers)))
        return web.Response(status=503 if len(self.calls) == 1 else 204, headers={"Retry-After": "1"})

    def _run(self):
        async def start():
            app = web.Application()
            app.router.add_post("/", self.take)
            self.runner = web.AppRunner(app, shutdown_timeout=0.1)
            await self.runner.setup()
            await web.TCPSite(self.runner, "127.0.0.1", 0).start()
            self.port = self.runner.addresses[0][1]
            self.ready.set()

        self.loop.run_until_complete(start())
        self.loop.run_forever()

    def __enter__(self):
        self.thread.start()
        self.ready.wait(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


def dexcom_payload():
    now = int(time.time()) - 60
    values = np.concatenate([np.linspace(160, 60, 18), np.full(4, 58.0)]).round()
    records = [
        {
            "recordId": f"r{i}",
            "systemTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 300 * (21 - i))),
            "value": int(v),
            "status": "ok",
            "unit": "mg/dL",
            "displayDevice": "iOS",
            "transmitterGeneration": "g7",
        }
        for i, v in enumerate(values)
    ]
    return json.dumps(
        {"recordType": "egv", "recordVersion": "3.0", "userId": "vendor-user-7", "records": records}
    ).encode()


def post(port, key, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/vendors/dexcom?person=flow-ada",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.load(answer)


def rows(server):
    """States and alerts by InfluxQL, and one number of each state by Flux."""
    by_flux = """from(bucket: "twin") |> range(start: -3h) |> filter(fn: (r) => r._measurement == "twin_state"
        and r.person_id == "flow-ada" and r._field == "glucose_mean") |> keep(columns: ["_time", "_value"])"""

    async def ask():
        store = InfluxStore(server.url, server.token, server.org, server.bucket)
        try:
            found = await store.states("flow-ada", 0, 2**62), await store.alerts(0, "flow-ada")
            tables = await store._client.query_api().query(by_flux)
            return *found, [record.get_value() for table in tables for record in table.records]
        finally:
            await store.close()

    return asyncio.run(ask())


def test_a_payload_becomes_rows_in_influxdb_and_an_alert_at_the_receiver(kafka, influx2, tmp_path):
    warm()
    settings = Settings(broker=kafka.bootstrap, partitions=2, app_id="payload")
    asyncio.run(topics.create_missing(settings))
    poison = [b"{not json", b"7", b'{"state": "active"}']  # before the alert, in its way
    asyncio.run(test_worker.post(settings, topics.ALERT, [("flow-ada", value) for value in poison]))
    port = free_port()
    with Receiver() as receiver:
        environment = os.environ | {
            "TWIN_BROKER": kafka.bootstrap,
            "TWIN_PARTITIONS": "2",
            "TWIN_APP_ID": "payload",
            "TWIN_DATA_DIR": str(tmp_path),
            "TWIN_STORE": "influx",
            "TWIN_INFLUX_URL": influx2.url,
            "TWIN_INFLUX_TOKEN": influx2.token,
            "TWIN_INFLUX_ORG": influx2.org,
            "TWIN_INFLUX_BUCKET": influx2.bucket,
            "TWIN_GATEWAY_PORT": str(port),
            "TWIN_VENDOR_KEYS": '{"dexcom": "door-key"}',
            "TWIN_WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/",
            "TWIN_WEBHOOK_SECRET": SECRET,
        }
        processes = []
        with (tmp_path / "log").open("wb") as log:
            for role in ("gateway", "worker"):
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "stream.commands", role],
                        env=environment,
                        stdout=log,
                        stderr=log,
                        stdin=subprocess.DEVNULL,
                        cwd=tmp_path,
                    )
                )
        try:
            end = time.monotonic() + 60
            status, answer = None, None
            while status is None and time.monotonic() < end:
                try:
                    status, answer = post(port, "door-key", dexcom_payload())
                except urllib.error.HTTPError:
                    raise
                except OSError:
                    time.sleep(0.5)
            assert (status, answer["accepted"], answer["refused"]) == (202, 22, [])
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(port, "wrong", dexcom_payload())
            refused.value.close()
            assert refused.value.code == 401
            while len(receiver.calls) < 2 and time.monotonic() < end:
                time.sleep(0.3)
            found, letters = ([], [], []), set()
            while (len(found[0]) < 22 or not found[1] or letters != set(poison)) and time.monotonic() < end:
                time.sleep(0.3)
                found = rows(influx2)
                dead = asyncio.run(test_worker.everything(settings, topics.dead_letters(topics.ALERT)))
                letters = {record.value for record in dead}
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
        logs = (tmp_path / "log").read_text()
        assert len(receiver.calls) >= 2, logs[-3000:]
        body, headers = receiver.calls[1]
        alert = Webhook(SECRET).verify(body, {k.lower(): v for k, v in headers.items()})["data"]

    states, alerts, glucose = found
    assert receiver.calls[0][1]["webhook-id"] == headers["webhook-id"], "tried again under the same id"
    assert (alert["rule"], alert["state"], alert["person"]) == ("low_glucose_soon", "active", "flow-ada")
    assert len(states) == 22
    np.testing.assert_allclose(glucose, [e["state"]["glucose"]["mean"] for e in states], rtol=1e-5)
    assert alert["alert_id"] in {a["alert_id"] for a in alerts}
    assert letters == set(poison)
    assert "vendor-user-7" not in logs
    assert "flow-ada" not in logs
