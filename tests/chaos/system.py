"""The system under test: real workers that a supervisor starts again, a receiver of alerts, and how far the groups came."""

import asyncio
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """Takes alerts; every twentieth call it is busy."""

    def __init__(self):
        self.taken, self.calls = set(), 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls += 1
                busy = outer.calls % 20 == 0
                if not busy:
                    data = json.loads(body).get("data", {})
                    alert = data.get("alert", data)
                    outer.taken.add((alert["alert_id"], alert["state"]))
                self.send_response(503 if busy else 204)
                if busy:
                    self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Workers:
    """Processes that are started again when they end by themselves, as an operator's supervisor would."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, os.environ | environment
        self.processes, self.ends, self.number = {}, Counter(), 0

    def start(self):
        self.number += 1
        home = self.folder / f"worker-{self.number}"
        home.mkdir()
        with (home / "log").open("wb") as log:
            self.processes[self.number] = subprocess.Popen(
                [sys.executable, "-m", "stream.commands", "worker"], cwd=home, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=self.environment | {"TWIN_DATA_DIR": str(home)},
            )  # fmt: skip
        return self.number

    def kill(self, number):
        process = self.processes.pop(number)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self, number):
        """Gracefully; returns how long it took."""
        process, began = self.processes.pop(number), time.monotonic()
        process.terminate()
        code = process.wait(30)
        self.ends[f"stopped with {code}"] += 1
        return time.monotonic() - began

    def look_after(self):
        """Start again what ended by itself; the same that broker outages ask of an operator."""
        for number, process in list(self.processes.items()):
            if process.poll() is not None:
                del self.processes[number]
                self.ends[f"ended itself with {process.returncode}"] += 1
                self.start()

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


class Groups:
    """How far consumer groups came, asked of the broker."""

    def __init__(self, settings):
        self.settings = settings

    async def ends(self, *names):
        """Where the topics end now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.broker)
        await consumer.start()
        try:
            return await consumer.end_offsets(
                [TopicPartition(name, p) for name in names for p in range(self.settings.partitions)]
            )
        finally:
            await consumer.stop()

    async def reached(self, group, marks, timeout):
        """Wait until a group has committed all marks; returns the seconds, None if it did not."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.settings.broker, group_id=group, enable_auto_commit=False
            )
            try:
                await consumer.start()
                while time.monotonic() - began < timeout:
                    left = {
                        p: end for p, end in marks.items() if end and (await consumer.committed(p) or 0) < end
                    }
                    if not left:
                        return time.monotonic() - began
                    await asyncio.sleep(0.2)
            except Exception:  # the broker may be on its way back
                await asyncio.sleep(0.3)
            finally:
                await consumer.stop()
        return None


async def records(settings, topic, partitions=None):
    """All records of a topic, or of some of its partitions, each partition in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, p) for p in partitions or range(settings.partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(p) < ends[p] for p in parts]):
            for fetched in (await consumer.getmany(timeout_ms=500)).values():
                found += fetched
        return found
    finally:
        await consumer.stop()


async def newest(settings, topic, partition, key=lambda record: record.key, each=lambda record: None):
    """The last value of each key of one partition; what is older only `each` sees."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        part, found = TopicPartition(topic, partition), {}
        consumer.assign([part])
        end = (await consumer.end_offsets([part]))[part]
        while await consumer.position(part) < end:
            for fetched in (await consumer.getmany(timeout_ms=500)).values():
                for record in fetched:
                    found[key(record)] = record.value
                    each(record)
        return found
    finally:
        await consumer.stop()
