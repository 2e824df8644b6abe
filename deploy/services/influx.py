"""InfluxDB 1.8.10 and 2.9.1, built from the Go proxy and, for Flux of 2.9.1, from crates.io."""

import json
import os
import secrets
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from deploy.services.basics import CACHE, HERE, end_process, free_port, need

INFLUX1 = CACHE / "influxd-1.8.10"
INFLUX1_MODULE = "github.com/influxdata/influxdb/cmd/influxd@v1.8.10"
INFLUX1_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{data}/meta"
[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
index-version = "tsi1"
[http]
bind-address = "127.0.0.1:{port}"
flux-enabled = true
log-enabled = false
"""
INFLUX2 = CACHE / "influxd-2.9.1"


def get_influx1() -> Path:
    """The influxd of 1.8.10, built from the Go proxy if need be; raises Missing without go."""
    if INFLUX1.exists():
        return INFLUX1
    need("go")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        environment = os.environ | {"GOTOOLCHAIN": "local", "GOBIN": folder}
        flags = "-X main.version=1.8.10"
        subprocess.run(
            ["go", "install", "-ldflags", flags, INFLUX1_MODULE], env=environment, check=True, timeout=1500
        )
        (Path(folder) / "influxd").rename(INFLUX1)
    return INFLUX1


def get_influx2() -> Path:
    """The influxd of 2.9.1, built if need be in 4 to 10 minutes; raises Missing without Go, Rust or a C compiler."""
    if INFLUX2.exists():
        return INFLUX2
    need("go", "cargo", "clang", "cc", "pkg-config")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        subprocess.run(["bash", HERE / "influx2.sh", folder], check=True, timeout=3000)
        (Path(folder) / "influxd").rename(INFLUX2)
    return INFLUX2


class Influx1:
    """One InfluxDB 1.8.10 with a database `twin`."""

    def __init__(self, folder: Path) -> None:
        self.binary, self.folder, self.port = get_influx1(), folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        text = INFLUX1_CONFIG.format(rpc=free_port(), data=folder, port=self.port)
        (folder / "influx.conf").write_text(text, encoding="utf-8")

    def start(self, wait_s: float = 60.0) -> "Influx1":
        """Start it, wait until it answers, create the database."""
        with (self.folder / "influx.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "run", "-config", self.folder / "influx.conf"], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        query = urllib.parse.urlencode({"q": "CREATE DATABASE twin"}).encode()
        end = time.monotonic() + wait_s
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/query", query, timeout=5):  # noqa: S310 - loopback
                    return self
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"InfluxDB did not start: see {self.folder / 'influx.log'}")

    def stop(self) -> None:
        """Stop it by its process id."""
        end_process(self.process)


class Influx2:
    """One InfluxDB 2.9.1 with an organisation and a bucket `twin`; it may be started again on its port and folder."""

    org = bucket = "twin"

    def __init__(self, folder: Path) -> None:
        self.binary, self.folder, self.port = get_influx2(), folder, free_port()
        self.within: list[str] = []  # a command that starts it elsewhere: in a namespace, with limits
        self.url, self.token = f"http://127.0.0.1:{self.port}", secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, wait_s: float = 60.0) -> "Influx2":
        """Start it, wait until it is healthy, and the first time make organisation, bucket and token."""
        command = [
            *self.within, self.binary, "--reporting-disabled", "--http-bind-address", f"127.0.0.1:{self.port}",
            "--bolt-path", self.folder / "influxd.bolt", "--sqlite-path", self.folder / "influxd.sqlite",
            "--engine-path", self.folder / "engine",
        ]  # fmt: skip
        with (self.folder / "influx.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        end = time.monotonic() + wait_s
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self._ask("/health")["status"] == "pass":
                    if self._ask("/api/v2/setup")["allowed"]:
                        self._set_up()
                    return self
            except OSError:
                pass
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"InfluxDB did not start: see {self.folder / 'influx.log'}")

    def _ask(self, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.url + path, data, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def _set_up(self) -> None:
        self._ask("/api/v2/setup", {
            "username": "twin", "password": secrets.token_urlsafe(12), "org": self.org, "bucket": self.bucket,
            "token": self.token, "retentionPeriodSeconds": 0,
        })  # fmt: skip

    def stop(self) -> None:
        """Stop it by its process id."""
        end_process(self.process)
