"""Apache Kafka 4.3.1 from Maven Central, one process that is broker and controller."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.services.basics import CACHE, HERE, end_process, free_port, need

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


def get_kafka() -> Path:
    """The folder with Kafka's jars, fetched if need be; raises Missing without java or mvn."""
    if KAFKA.exists():
        return KAFKA
    need("java", "mvn")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        shutil.copy(HERE / "pom.xml", folder)
        out = Path(folder) / "lib"
        command = ["mvn", "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={out}"]
        subprocess.run(command, cwd=folder, check=True, timeout=600)
        if not KAFKA.exists():
            out.rename(KAFKA)
    return KAFKA


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

    def start(self, wait_s: float = 120.0) -> "Kafka":
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
