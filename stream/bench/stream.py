"""`twin bench stream`: readings a second to acknowledged state, latency to an alert, memory, what late data cost.

Rates are given by the wall clock and by the processor's: on a machine that does other things only the second compares. Each
figure stands beside plain aiokafka with our decoder, and stock Faust, on the same topic in the same run.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from stream import topics
from stream.bench import alive, around, inside, load, recovering
from stream.settings import Settings

Row = dict[str, Any]
PARTITIONS = 8
SINGLES_PER_S, BATCHED_PER_S = 100_000.0, 300_000.0


def row(
    what: str, ours: float, unit: str, target: float | None = None, least: bool = False, **more: Any
) -> Row:
    """One figure; `least`: the target is a lower bound."""
    ok = None if target is None else (ours >= target if least else ours <= target)
    return {"what": what, "ours": ours, "unit": unit, "target": target, "ok": ok, **more}


def within(people: int, seconds: int, resident: int) -> list[Row]:
    """What needs no broker: the way of a batch, lateness, memory."""
    rows = []
    kinds = (
        ("one reading a message", load.singles, 36_000, SINGLES_PER_S),
        ("50 readings a message", load.batches, 6000, BATCHED_PER_S),
    )
    for what, make, fetched, target in kinds:
        messages = list(make(people, seconds, inside.BEGIN_MS))
        found = inside.through(messages, fetched, 4)
        rate = found.pop("readings_per_s")
        rows.append(row(f"in process, {what}", rate, "readings/processor s", target, least=True, parts=found))
    late = inside.lateness()
    limits = {"an hour": 20.0, "24 hours": 150.0}
    rows += [
        row(
            f"late by {name}" if name in limits else name,
            value,
            "1" if name.endswith("again") else "ms",
            limits.get(name),
        )
        for name, value in late.items()
    ]
    for number in (1000, resident):
        if number:
            with tempfile.TemporaryDirectory(prefix="twin-bench-") as name:
                kept = inside.memory(number, Path(name))
            rows.append(
                row(f"resident at {number} people", kept["kb_a_person"], "kB/person", 16.0, parts=kept)
            )
            limit = 30.0 if number >= 100_000 else None
            rows.append(
                row(f"recovery of {number} twins, by the processor", kept["recovery_processor_s"], "s", limit)
            )
    return rows


@contextmanager
def _fresh(address: str, kind: str, folder: Path) -> Iterator[Settings]:
    """Topics of their own for a measurement: those that are there are deleted."""
    settings = Settings(broker=address, partitions=PARTITIONS, app_id=f"bench-{kind}-{time.time_ns()}",
                        data_dir=folder / kind)  # fmt: skip
    asyncio.run(around.delete_topics(settings))
    asyncio.run(topics.create_missing(settings))
    yield settings


KINDS = (
    # What, how it is made, so many times the seconds, target.
    ("one reading a message", load.singles, 1, SINGLES_PER_S),
    ("50 readings a message", load.batches, 5, BATCHED_PER_S),
)


def on_broker(
    people: int, seconds: int, recover: int, folder: Path, tell: Callable[[str], None]
) -> tuple[str, list[Row]]:
    """What needs a broker: rates, the others, latency, start and failover, recovery."""
    rows: list[Row] = []
    rate = SINGLES_PER_S
    one: dict[str, float] = {}
    with around.broker(folder / "kafka") as (address, kind):
        for name, make, more, target in KINDS:
            with _fresh(address, name[:2].strip(), folder) as settings:
                span = seconds * more
                now = int(time.time()) * 1000
                tell(f"sending: {name}")
                sent = around.produce(address, PARTITIONS, make(people, span, now - (span + 60) * 1000))
                tell(f"measuring: {name}")
                plain = asyncio.run(around.raw(settings))
                with around.worker(settings, folder / name[:2].strip()) as process:
                    ours = asyncio.run(around.acknowledged(settings, process))
                rows += _rates(name, target, sent, ours, plain)
                if make is load.singles:
                    rate = min(rate, ours["readings"] / ours["wall_s"])
                    rows += _others(settings, folder, sent)
                    one = ours
        rows.append(_two_workers(address, people, seconds, one, folder, tell))
        rows += _alive(address, people, rate / 2.0, folder, tell)
        if recover:
            rows += _recovery(address, recover, folder, tell)
    return kind, rows


def _rates(name: str, target: float, sent: int, ours: dict[str, float], plain: dict[str, float]) -> list[Row]:
    fed = ours["wall_s"] - ours["main_without_processor_s"]
    beside = "aiokafka getmany + decode"
    return [
        row(f"{name}, to acknowledged state", ours["readings"] / ours["wall_s"], "readings/s", target, least=True,
            beside=beside, theirs=plain["readings"] / plain["wall_s"], messages=sent, parts=ours,
            how="all readings are on the topic before the worker starts; from its first batch to the last commit"),
        row(f"{name}, less what others took of the processor", ours["readings"] / fed, "readings/s", target, least=True),
        row(f"{name}, by the processor", ours["readings"] / ours["processor_s"], "readings/processor s", target,
            least=True, beside=beside, theirs=plain["readings"] / plain["processor_s"]),
    ]  # fmt: skip


def _two_workers(
    address: str, people: int, seconds: int, one: dict[str, float], folder: Path, tell: Callable[[str], None]
) -> Row:
    """Two that share the partitions before the load is sent; they share the processors with the broker and who sends, too."""
    with _fresh(address, "two", folder) as settings, ExitStack() as stack:
        tell("measuring: two workers")
        processes = [stack.enter_context(around.worker(settings, folder / f"two-{n}")) for n in range(2)]
        for process in processes:
            process.ready()
        now = int(time.time()) * 1000
        around.produce(address, PARTITIONS, load.singles(people, seconds, now - (seconds + 60) * 1000))
        two = asyncio.run(around.acknowledged(settings, *processes))
    rate = two["readings"] / two["wall_s"]
    cores = os.cpu_count() or 1
    return row("two workers beside one, single readings", rate * one["wall_s"] / one["readings"], "1",
               1.8 if cores > 3 else None, least=True, readings_per_s=rate, cores=cores,
               by_processor=two["readings"] / two["processor_s"], parts=two)  # fmt: skip


def _recovery(address: str, people: int, folder: Path, tell: Callable[[str], None]) -> list[Row]:
    """A worker that starts with everybody's twins in the changelog."""
    with _fresh(address, "recovery", folder) as settings:
        size = asyncio.run(recovering.fill(settings, people, tell))
        tell("measuring: recovery")
        with around.worker(settings, folder / "recovery") as process:
            found = recovering.recovered(process, people)
    limit = 30.0 if people >= 100_000 else None
    return [row(f"ready with {people} twins", found["ready_s"], "s", limit, changelog_mb=size, parts=found)]


def _other(what: str, module: str, settings: Settings, *arguments: str, path: str = "") -> Row:
    """Another stream processor in a process of its own, on the topic as it is; `path`: a folder with its library."""
    command = [sys.executable, "-m", f"stream.bench.{module}", settings.broker, topics.READING, *arguments]
    environment = os.environ | ({"PYTHONPATH": path} if path else {})
    with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
        done = subprocess.run(command, capture_output=True, timeout=240, check=False, env=environment)  # noqa: S603 - our own
        found = orjson.loads(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else b"")
        return row(what, found["readings"] / found["wall_s"], "readings/s",
                   by_processor=found["readings"] / found["processor_s"])  # fmt: skip
    return row(f"{what}: no answer", float("nan"), "readings/s")


def _others(settings: Settings, folder: Path, count: int) -> list[Row]:
    number, quix = str(min(count, 100_000)), os.environ.get("TWIN_BENCH_QUIX", "")
    rows = [
        _other(
            "stock Faust, one event a reading, no filter",
            "stock",
            settings,
            str(PARTITIONS),
            number,
            str(folder / "stock"),
        )
    ]
    if quix or find_spec("quixstreams"):
        what = "Quix Streams, filterpy with 16 states a minute, nothing kept or sent"
        return [*rows, _other(what, "quix", settings, number, str(folder / "quix"), path=quix)]
    return [*rows, row("Quix Streams: not installed (TWIN_BENCH_QUIX)", float("nan"), "readings/s")]


def _alive(address: str, people: int, per_s: float, folder: Path, tell: Callable[[str], None]) -> list[Row]:
    """Start, latency at half the load, and how long a killed worker's readings wait."""
    with _fresh(address, "alive", folder) as settings:
        with around.worker(settings, folder / "alive") as process:
            tell("measuring: start")
            ready = process.ready()
            tell("measuring: latency")
            took = asyncio.run(alive.latency(settings, process.popen.pid, people, per_s, 20.0))
            tell("measuring: a killed worker")
            with around.worker(settings, folder / "second") as second:
                second.ready()
                lost = asyncio.run(alive.killed(settings, process, second))
        return [
            row("worker ready, warm", ready, "s", 5.0),
            row("reading to alert, half load, p50", took["p50_ms"], "ms", 20.0, load=took),
            row("reading to alert, half load, p99", took["p99_ms"], "ms", 100.0),
            row("kill -9 until the lag falls", lost, "s", 8.0),
        ]


def run(
    people: int, seconds: int, resident: int, recover: int, in_process: bool, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Everything."""
    from stream.compiled import load as compiled  # noqa: PLC0415 - the compiler is needed only here

    compiled()
    tell("measuring in process")
    rows = within(min(people, 600), min(seconds, 600), resident)
    kind = "none"
    if not in_process:
        with tempfile.TemporaryDirectory(prefix="twin-bench-") as name:
            kind, more = on_broker(people, seconds, recover, Path(name), tell)
            rows += more
    return {"broker": kind, "people": people, "seconds_of_each": seconds, "cores": os.cpu_count(),
            "others_load": os.getloadavg(), "figures": rows}  # fmt: skip
