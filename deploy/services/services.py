"""Real Apache Kafka 4.3.1 and InfluxDB 1.8.10 and 2.9.1 for development and tests, on 127.0.0.1 and free ports.

python deploy/services/services.py get            fetch and build into the cache; does nothing when it is there
python deploy/services/services.py start kafka    start, wait until it answers, print TWIN_* lines
python deploy/services/services.py start influx2  the same for InfluxDB 2.9.1; influx1: 1.8.10
python deploy/services/services.py stop           stop what was started, by its process id
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

if not __package__:  # run as a file, before anything is installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.services.basics import CACHE, Missing, free_port
from deploy.services.influx import Influx1, Influx2, get_influx1, get_influx2
from deploy.services.kafka import Kafka, get_kafka

__all__ = ["Influx1", "Influx2", "Kafka", "Missing", "free_port"]
STATE = CACHE / "running.json"


def settings_of(service: Kafka | Influx1 | Influx2) -> dict[str, str]:
    """What the programs need to know to use it."""
    if isinstance(service, Kafka):
        return {"TWIN_BROKER": service.bootstrap}
    found = {"TWIN_STORE": "influx", "TWIN_INFLUX_URL": service.url, "TWIN_INFLUX_BUCKET": "twin"}
    if isinstance(service, Influx2):
        found |= {"TWIN_INFLUX_TOKEN": service.token, "TWIN_INFLUX_ORG": service.org}
    return found


def main(arguments: list[str]) -> int:
    """The command line."""
    kinds = {"kafka": Kafka, "influx1": Influx1, "influx2": Influx2}
    match arguments:
        case ["get"]:
            missing = 0
            for get in (get_kafka, get_influx1, get_influx2):
                try:
                    print(get(), flush=True)
                except Missing as error:
                    missing += 1
                    print(f"{get.__name__}: {error}", file=sys.stderr)
            return 1 if missing else 0
        case ["start", kind] if kind in kinds:
            service = kinds[kind](Path(tempfile.mkdtemp(prefix=f"twin-{kind}-"))).start()
            pids = json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else []
            STATE.write_text(json.dumps([*pids, service.process.pid]), encoding="utf-8")
            print("\n".join(f"{name}={value}" for name, value in settings_of(service).items()))
        case ["stop"]:
            if STATE.exists():
                for pid in json.loads(STATE.read_text(encoding="utf-8")):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
                STATE.unlink()
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
