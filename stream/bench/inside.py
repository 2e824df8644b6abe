"""The worker's way of a batch without Kafka: decode, apply, documents, state; where the time goes, and what late data cost."""

import gc
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from connectors.decode import decode
from stream.bench import load
from stream.cohort import Cohort
from stream.estimates import encoded
from stream.settings import Settings
from stream.shelf import Shelf

BEGIN_MS = 1_763_600_400_000
NOW_MS = BEGIN_MS + 400 * 86_400_000
Figures = dict[str, Any]


def through(messages: list[load.Message], fetched: int, checkpoint_every: int) -> dict[str, float]:
    """Seconds of each part of the way, for a backlog fetched `fetched` messages at a time."""
    cohort = Cohort(patient=True)
    gc.set_threshold(200_000, 20, 50)  # as the worker does
    spent = {"decode": 0.0, "apply": 0.0, "documents": 0.0, "state": 0.0}
    readings = ticks = 0
    for number, at in enumerate(range(0, len(messages), fetched)):
        chosen = messages[at : at + fetched]
        values, keys = [value for _, value in chosen], [name.encode() for name, _ in chosen]
        marks = [time.thread_time()]
        decoded = decode(values, keys, NOW_MS)
        marks.append(time.thread_time())
        done = cohort.apply(decoded, np.arange(at, at + len(chosen)), behind=True)
        marks.append(time.thread_time())
        list(encoded(cohort, done))
        marks.append(time.thread_time())
        if (number + 1) % checkpoint_every == 0:
            list(cohort.changed())
        marks.append(time.thread_time())
        for name, seconds in zip(spent, np.diff(marks), strict=True):
            spent[name] += float(seconds)
        readings, ticks = readings + len(decoded), ticks + len(done.tick_s)
    whole = sum(spent.values())
    return spent | {"readings": readings, "ticks": ticks, "readings_per_s": readings / whole}


def lateness() -> dict[str, float]:
    """Milliseconds that a reading costs which comes an hour and 24 hours late, and a storm of 200 late ones in one batch."""
    everything = load.day("late", BEGIN_MS)
    newest = int(everything.time_ms.max())
    found = {}
    for name, hours in (("an hour", 1.0), ("24 hours", 23.99)):
        cohort = Cohort(patient=True)
        row = int(np.searchsorted(everything.time_ms, newest - round(hours * 3_600_000)))
        row = max(row, 1)
        cohort.apply(everything.rows(np.delete(np.arange(len(everything)), row)))
        list(cohort.changed())
        began = time.thread_time()
        done = cohort.apply(everything.rows(slice(row, row + 1)))
        found[name] = (time.thread_time() - began) * 1000.0
        found[f"{name}, ticks run again"] = len(done.tick_s)
    chosen = np.linspace(2, len(everything) - 2, 200).astype(int)
    cohort = Cohort(patient=True)
    cohort.apply(everything.rows(np.delete(np.arange(len(everything)), chosen)))
    began = time.thread_time()
    done = cohort.apply(everything.rows(chosen))
    found["a storm of 200 over the day"] = (time.thread_time() - began) * 1000.0
    found["a storm, ticks run again"] = len(done.tick_s)
    return found


def memory(people: int, folder: Path, minutes: int = 3) -> dict[str, float]:
    """Kilobytes a person, as a worker keeps them, and seconds to recover them.

    Args:
        people: each with a heart rate in each of `minutes`, and a checkpoint after each minute.
        folder: for the shelves of eight partitions.
        minutes: of life.

    """
    gc.collect()
    before = resident_kb()
    cohorts = [_kept(folder / f"{number}.sqlite") for number in range(8)]
    changelog = folder / "changelog"
    with changelog.open("wb") as log:
        for minute in range(minutes):
            for number, cohort in enumerate(cohorts):
                for first in range(number * people // 8, (number + 1) * people // 8, 2000):
                    last = min(first + 2000, (number + 1) * people // 8)
                    cohort.apply(people_minutes(first, last, minute, minute + 1))
                    for key, value in cohort.changed():
                        log.write(_framed(number, key, value))
    gc.collect()
    found = {"people": people, "kb_a_person": (resident_kb() - before) / people}
    for cohort in cohorts:
        cohort.close()
    del cohorts, cohort
    gc.collect()
    again = [_kept(folder / f"again-{number}.sqlite") for number in range(8)]
    wall, used = time.monotonic(), time.thread_time()
    with changelog.open("rb") as log:
        while head := log.read(9):
            keyed, sized = int.from_bytes(head[1:5], "big"), int.from_bytes(head[5:9], "big", signed=True)
            again[head[0]].restore(log.read(keyed), log.read(sized) if sized >= 0 else None)
    for cohort in again:
        cohort.finish_restore()
    found |= {"recovery_wall_s": time.monotonic() - wall, "recovery_processor_s": time.thread_time() - used,
              "changelog_mb": changelog.stat().st_size / 1e6, "people_again": sum(c.people() for c in again),
              "shelf_mb": sum(path.stat().st_size for path in folder.glob("again-*")) / 1e6}  # fmt: skip
    for cohort in again:
        cohort.close()
    return found


def _kept(path: Path) -> Cohort:
    resident = Settings.model_fields["resident_twins"].default // 8
    return Cohort(patient=True, shelf=Shelf(path), resident=resident)


def _framed(number: int, key: bytes, value: bytes | None) -> bytes:
    size = -1 if value is None else len(value)
    return (
        bytes([number])
        + len(key).to_bytes(4, "big")
        + size.to_bytes(4, "big", signed=True)
        + key
        + (value or b"")
    )


def people_minutes(first: int, last: int, begin: int, end: int) -> Decoded:
    """Heart rate each minute of people `first` to `last`."""
    count, span = last - first, end - begin
    person = np.repeat(np.arange(count, dtype=np.int32), span)
    time_ms = np.tile(BEGIN_MS + 60_000 * np.arange(begin, end), count)
    value: NDArray[np.float64] = 70.0 + ((time_ms // 60_000 + person) % 9).astype(np.float64)
    none = np.zeros(len(person), dtype=np.int64)
    return Decoded(
        [f"p{number:06d}" for number in range(first, last)], person, np.arange(len(person), dtype=np.int32),
        none.astype(np.int16), time_ms, value, np.full(len(person), np.nan), none, time_ms.copy(), none.copy(),
        none.copy(), np.zeros(len(person), dtype=np.bool_), none.astype(np.int8),
    )  # fmt: skip


def resident_kb() -> float:
    """This process's resident memory [kB]."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return float(line.split()[1])
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
