"""Real Apache Kafka 4.3.1 and InfluxDB 1.8.10 for development and tests, on 127.0.0.1 and free ports.

python deploy/services/services.py get            fetch and build into the cache; does nothing when it is there
python deploy/services/services.py start kafka    start, wait until it answers, print TWIN_* lines
python deploy/services/services.py start influx1  the same for InfluxDB 1.8.10
python deploy/services/services.py stop           stop what was started, by its process id
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wearable-twin" / "services"
STATE = CACHE / "running.json"
KAFKA = CACHE / "kafka-4.3.1"
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
message.max.bytes=16777216
"""


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


class Missing(RuntimeError):  # noqa: N818 - reads as what is wrong
    """A tool that this needs is not on the machine."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get_kafka() -> Path:
    """The folder with Kafka's jars, fetched if need be; raises Missing without java or mvn."""
    if KAFKA.exists():
        return KAFKA
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool} is not on the PATH")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        shutil.copy(HERE / "pom.xml", folder)
        out = Path(folder) / "lib"
        command = ["mvn", "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={out}"]
        subprocess.run(command, cwd=folder, check=True, timeout=600)
        if not KAFKA.exists():
            out.rename(KAFKA)
    return KAFKA


def get_influx1() -> Path:
    """The influxd of 1.8.10, built from the Go proxy if need be; raises Missing without go."""
    if INFLUX1.exists():
        return INFLUX1
    if shutil.which("go") is None:
        raise Missing("go is not on the PATH")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        environment = os.environ | {"GOTOOLCHAIN": "local", "GOBIN": folder}
        flags = "-X main.version=1.8.10"
        subprocess.run(
            ["go", "install", "-ldflags", flags, INFLUX1_MODULE], env=environment, check=True, timeout=1500
        )
        (Path(folder) / "influxd").rename(INFLUX1)
    return INFLUX1


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


def end_process(process: "subprocess.Popen[bytes] | None") -> None:
    """Ask it to stop, then make it."""
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


class Kafka:
    """One broker that is its own controller."""

    def __init__(self, folder: Path) -> None:
        self.classpath = f"{get_kafka()}/*"
        self.port, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.folder, self.config = folder, folder / "server.properties"
        self.process: subprocess.Popen[bytes] | None = None
        text = PROPERTIES.format(port=self.port, controller=controller, data=folder / "data")
        self.config.write_text(text, encoding="utf-8")
        identity = self._tool("kafka.tools.StorageTool", "random-uuid").strip().splitlines()[-1]
        self._tool("kafka.tools.StorageTool", "format", "-t", identity, "-c", str(self.config))

    def _tool(self, *arguments: str) -> str:
        command = ["java", "-cp", self.classpath, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def start(self, wait_s: float = 60.0) -> "Kafka":
        """Start it and wait until it takes connections."""
        options = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        with (self.folder / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["java", *options, "-cp", self.classpath, "kafka.Kafka", str(self.config)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.2)
            else:
                return self
        self.stop()
        raise RuntimeError(f"Kafka did not start: see {self.folder / 'kafka.log'}")

    def stop(self) -> None:
        """Stop it by its process id."""
        end_process(self.process)


def main(arguments: list[str]) -> int:
    """The command line."""
    action = arguments[0] if arguments else ""
    if action == "get":
        print(get_kafka())
        print(get_influx1())
    elif action == "start":
        which = {"kafka": Kafka, "influx1": Influx1}[arguments[1]]
        service = which(Path(tempfile.mkdtemp(prefix=f"twin-{arguments[1]}-"))).start()
        pids = json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else []
        STATE.write_text(json.dumps([*pids, service.process.pid]), encoding="utf-8")
        if isinstance(service, Kafka):
            print(f"TWIN_BROKER={service.bootstrap}")
        else:
            print(f"TWIN_STORE=influx\nTWIN_INFLUX_URL={service.url}\nTWIN_INFLUX_BUCKET=twin")
    elif action == "stop":
        if STATE.exists():
            for pid in json.loads(STATE.read_text(encoding="utf-8")):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            STATE.unlink()
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
