"""twin simulate: virtual people as a table of readings, with their truth and their profiles beside it.

The table and the truth come from the twin's own equations (stream/virtual.py); a seed makes the same people each time.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from connectors.table import stem_of
from stream.truth import stamp, truth_header, truth_row
from stream.virtual import draw_person, simulate_rows
from twin.profile import Profile

START_MS = 1_795_392_000_000  # 2026-11-23, a midnight: a seed's people do not depend on the day of the call
READING_HEADER = ("person", "time", "channel", "value")
HEIGHTS = {"male": (1.78, 0.07), "female": (1.65, 0.065)}  # m: mean and sd
BODY_MASS_INDEX, AGES = (24.5, 3.0), (22.0, 74.0)  # kg/m2; years
Advance = Callable[[float, float], None]


class SimulateError(ValueError):
    """What cannot be simulated or written; nothing was written."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """How many people, how many days, with which conditions, from which seed, into which table."""

    people: int
    days: float
    out: Path
    conditions: tuple[str, ...] = ()
    seed: int = 1


def beside(out: Path, what: str) -> Path:
    """`<stem of TABLE>.<what>`, in TABLE's folder."""
    name = stem_of(out)
    return out.with_name(f"{name}.{what}")


def draw_profile(rng: np.random.Generator, conditions: Sequence[str]) -> Profile:
    """A body of the spread among adults; what a condition changes is the profile's business."""
    sex = "male" if rng.random() < 0.5 else "female"
    mean, sd = HEIGHTS[sex]
    height = mean + sd * float(np.clip(rng.standard_normal(), -2.0, 2.0))
    index = BODY_MASS_INDEX[0] + BODY_MASS_INDEX[1] * float(np.clip(rng.standard_normal(), -2.0, 2.0))
    age = round(float(rng.uniform(*AGES)))
    return Profile(round(index * height**2, 1), round(height, 2), float(age), sex, tuple(conditions))


def run(task: Simulation, advance: Advance) -> dict[str, Any]:
    """Simulate and write; returns the summary.

    Raises:
        SimulateError: a file of that name is there, or the name is no table's.
        ProfileError: an unknown condition.

    """
    if not task.out.name.endswith((".csv", ".csv.gz")):
        raise SimulateError(f"--out {task.out}: a table's name ends in .csv or .csv.gz")
    packed = task.out.suffix == ".gz"
    truth, profiles = beside(task.out, "truth.csv" + ".gz" * packed), beside(task.out, "profiles.json")
    for path in (task.out, truth, profiles):
        if path.exists():
            raise SimulateError(f"{path} is there already: choose another name")
    seeds = np.random.SeedSequence(task.seed).generate_state(task.people).tolist()
    chosen = [draw_profile(np.random.default_rng(seed), task.conditions) for seed in seeds]
    people = [
        draw_person(f"virtual-{i + 1}", profile, int(seed))
        for i, (profile, seed) in enumerate(zip(chosen, seeds, strict=True))
    ]
    task.out.parent.mkdir(parents=True, exist_ok=True)
    scratch = [path.with_name(f".{path.name}.part") for path in (task.out, truth, profiles)]
    minutes, done, readings = task.people * task.days * 1440.0, 0, 0
    try:
        with ExitStack() as stack:
            tables = [csv.writer(_open(stack, path, packed)) for path in scratch[:2]]
            tables[0].writerow(READING_HEADER)
            tables[1].writerow(truth_header())
            for person in people:
                for at_ms, _, read, body in simulate_rows(person, START_MS, task.days):
                    time = stamp(at_ms)
                    tables[0].writerows(
                        [person.name, time, channel, f"{value:.6g}"] for channel, value in read.items()
                    )
                    tables[1].writerow(truth_row(person.name, at_ms, body))
                    readings, done = readings + len(read), done + 1
                    if done % 60 == 0:
                        advance(done, minutes)
        documents = {person.name: asdict(person.profile) for person in people}
        scratch[2].write_text(json.dumps(documents, indent=1), encoding="utf-8")
        for part, path in zip(scratch, (task.out, truth, profiles), strict=True):
            part.replace(path)
    finally:
        for part in scratch:
            part.unlink(missing_ok=True)
    return {
        "people": task.people, "days": task.days, "seed": task.seed, "conditions": list(task.conditions),
        "readings": readings, "table": str(task.out), "truth": str(truth), "profiles": str(profiles),
    }  # fmt: skip


def _open(stack: ExitStack, path: Path, packed: bool) -> io.TextIOBase:
    if not packed:
        return stack.enter_context(path.open("w", encoding="utf-8", newline=""))
    # Without a name and a time in the header, so that a seed gives the same bytes.
    file = stack.enter_context(path.open("wb"))
    raw = stack.enter_context(gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0, compresslevel=6))
    return stack.enter_context(io.TextIOWrapper(cast("Any", raw), encoding="utf-8", newline=""))
