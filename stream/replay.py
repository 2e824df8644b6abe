"""Replay a table through the engine of the worker, person by person, and write what a researcher needs."""

import csv
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from connectors.columns import Decoded
from connectors.errors import TableError
from connectors.table import read_table
from stream.chances import Limit, add_chances
from stream.cohort import Applied, Cohort
from stream.compiled import EVERYTHING, WORKER, ensure
from stream.estimates import COLUMNS, DAY_S, Z, spread, tomorrows
from stream.others import forecasts as others
from stream.planned import PLANNED, write_planned
from stream.policy import alert_id
from stream.smoothing import smooth
from stream.weights import provenance, weights_named
from twin.channels import SENSORS
from twin.forecast import LEARNED, MEAN, SD
from twin.learned.weights import WeightsError
from twin.profile import Profile, ProfileError, profile_of

FILES = ("forecasts.csv", "estimates.csv", "alerts.csv", "twins.jsonl", "summary.json")
SMOOTHED = "estimates_smoothed.csv"
FORECAST_HEADER = ("person", "made_at", "channel", "horizon_s", "mean", "sd", *Z, "learned")
ALERT_HEADER = ("person", "rule", "alert_id", "at", "state", "severity", "value", "probability", "made_at")


class ReplayError(ValueError):
    """Input that cannot be replayed; nothing was written."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What to replay, and how; horizons in seconds, the default ones where empty."""

    table: Path
    out: Path
    horizons: tuple[int, ...] = ()
    people: frozenset[str] | None = None
    profile: Path | None = None
    jobs: int = 1
    as_arrived: bool = False
    reference: bool = False
    smooth: bool = False
    weights: str = ""
    plan: Path | None = None
    channels: tuple[str, ...] = ()  # to forecast beside heart rate and glucose
    chances: tuple[Limit, ...] = ()  # to tell beside each forecast


def stamp(seconds: float) -> str:
    """RFC 3339 of event time."""
    return str(np.datetime64(round(seconds * 1000), "ms")) + "Z"


def is_profile(document: Mapping[str, object]) -> bool:
    """Whether the keys are a profile's own fields."""
    return document.keys() <= set(Profile.__dataclass_fields__)


def read_profiles(path: Path | None) -> dict[str, Any]:
    """Profiles by person; one profile for all stands under the empty name. Raises ReplayError by field."""
    if path is None:
        return {}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ReplayError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ReplayError(f"{path}: a mapping is needed")
    # A document of nothing but `parameters` is a profile, not somebody of that name.
    nested = (
        document and all(isinstance(value, dict) for value in document.values()) and not is_profile(document)
    )
    profiles = document if nested else {"": document}
    for person, fields in profiles.items():
        try:
            profile_of(fields)
        except ProfileError as error:
            raise ReplayError(f"{path}: {person or 'profile'}: {error}") from error
    return {str(person): fields for person, fields in profiles.items()}


def run(task: Replay) -> dict[str, Any]:
    """Replay; returns the summary. Everything is written beside and then moved, so that a failure leaves nothing.

    Raises:
        ReplayError: a broken table (line and column), a broken profile, results already there.

    """
    if task.out.exists() and any((task.out / name).exists() for name in (*FILES, SMOOTHED, PLANNED)):
        raise ReplayError(f"{task.out} holds results already: choose another folder")
    profiles = read_profiles(task.profile)
    try:
        weights_named(task.weights)
    except WeightsError as error:
        raise ReplayError(str(error)) from error
    with _bar() as progress:
        progress.add_task("compiling the equations (the first time about a minute)", total=None)
        ensure(stages=EVERYTHING if task.smooth else WORKER)
    began = time.perf_counter()
    with _bar() as progress:
        progress.add_task("reading the table", total=None)
        try:
            table = read_table(task.table, task.people)
        except TableError as error:
            raise ReplayError(f"{task.table}: {error}") from error
    plan = _plan(task)
    missing = sorted((task.people or frozenset()) - set(table.persons))
    if missing:
        raise ReplayError(f"{task.table}: nobody in it is called {', '.join(missing)}")
    parts = [table.rows(np.flatnonzero(table.person == index)) for index in range(len(table.persons))]
    task.out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".replay-", dir=task.out.parent))
    try:
        jobs = [
            (table.persons[i], part, profiles.get(table.persons[i], profiles.get("")), task, scratch / str(i))
            for i, part in enumerate(parts)
        ]
        done = []
        with _bar() as progress:
            bar = progress.add_task("people", total=len(jobs))
            if task.jobs > 1:
                with ProcessPoolExecutor(task.jobs) as pool:
                    for result in pool.map(_person, jobs):
                        done.append(result)
                        progress.advance(bar)
            else:
                for job in jobs:
                    done.append(_person(job))
                    progress.advance(bar)
        summary = _summary(task, table, done, time.perf_counter() - began)
        final = scratch / "all"
        _join(scratch, len(jobs), final, task.smooth)
        if task.chances:
            add_chances(final / FILES[0], task.chances)
        if plan is not None:
            write_planned(final / PLANNED, table, plan)
        (final / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
        task.out.mkdir(parents=True, exist_ok=True)
        for path in final.iterdir():
            path.replace(task.out / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return summary


def _plan(task: Replay) -> Decoded | None:
    if task.plan is None:
        return None
    try:
        return read_table(task.plan, task.people)
    except TableError as error:
        raise ReplayError(f"{task.plan}: {error}") from error


def _bar() -> Progress:
    return Progress(console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty())


def _summary(task: Replay, table: Decoded, done: list[dict[str, int]], seconds: float) -> dict[str, Any]:
    total = {
        name: sum(part[name] for part in done)
        for name in ("applied", "duplicate", "late", "ticks", "downweighted")
    }
    refused: dict[str, int] = {}
    for item in table.refused:
        refused[item.reason.value] = refused.get(item.reason.value, 0) + 1
    read = len(table) + len(table.refused)
    return {
        "table": str(task.table.resolve()), "readings": read, "people": len(table.persons), **total, "refused": refused,
        "seconds": round(seconds, 3), "readings_per_second": round(read / max(seconds, 1e-9)),
        "learned_from": provenance(task.weights),
    }  # fmt: skip


def _join(scratch: Path, count: int, final: Path, smooth: bool) -> None:
    final.mkdir()
    estimates = ("person", "time", *(f"{name}_{what}" for name, _ in COLUMNS for what in ("mean", "sd")))
    headers = {
        "forecasts.csv": FORECAST_HEADER,
        "estimates.csv": (*estimates, *(f"surprise_{name}" for name in SENSORS)),
        "alerts.csv": ALERT_HEADER,
        SMOOTHED: estimates,
    }
    for name in (*FILES[:-1], SMOOTHED) if smooth else FILES[:-1]:
        with (final / name).open("wb") as file:
            if name in headers:
                file.write((",".join(headers[name]) + "\r\n").encode())
            for i in range(count):
                with (scratch / str(i) / name).open("rb") as part:
                    shutil.copyfileobj(part, file)


def _person(job: tuple[str, Decoded, Mapping[str, object] | None, Replay, Path]) -> dict[str, int]:
    person, readings, profile, task, folder = job
    folder.mkdir()
    horizons = {"glucose": task.horizons, "heart_rate": task.horizons} if task.horizons else None
    cohort = Cohort(horizons=horizons, weights=weights_named(task.weights))
    if profile:
        cohort.set_profile(person, profile)
    counts = {"applied": 0, "duplicate": 0, "late": 0, "ticks": 0, "downweighted": 0}
    with (
        (folder / "forecasts.csv").open("w", newline="", encoding="utf-8") as forecasts,
        (folder / "estimates.csv").open("w", newline="", encoding="utf-8") as estimates,
        (folder / "alerts.csv").open("w", newline="", encoding="utf-8") as alerts,
    ):
        for batch in _batches(readings, task.as_arrived):
            done = _reference(cohort, batch) if task.reference else cohort.apply(batch)
            for name in ("applied", "duplicate", "late"):
                counts[name] += done.counts[name]
            counts["ticks"] += len(done.tick_s)
            counts["downweighted"] += int((done.outcomes == 1).sum())
            _write_forecasts(csv.writer(forecasts), cohort, person, done)
            _write_estimates(csv.writer(estimates), person, done.tick_s, done.estimates, _surprises(done))
            _write_alerts(csv.writer(alerts), person, done)
        for now, channel, made in others(readings, profile, cohort.tick_ms, task.channels, task.horizons):
            for horizon, row in zip(sorted(task.horizons), made.tolist(), strict=True):
                cells = [f"{number:.4f}" for number in row]
                csv.writer(forecasts).writerow([person, stamp(now), channel, horizon, *cells, "0"])
    if task.smooth:
        tick_s, smoothed = smooth(readings, profile, cohort.tick_ms)
        with (folder / SMOOTHED).open("w", newline="", encoding="utf-8") as file:
            _write_estimates(csv.writer(file), person, tick_s, smoothed)
    (folder / "twins.jsonl").write_text(json.dumps(cohort.twin_json(person)) + "\n", encoding="utf-8")
    return counts


def _batches(readings: Decoded, as_arrived: bool) -> list[Decoded]:
    """All at once in event order; or in file order, cut at random (the seed is fixed, the result does not depend on it)."""
    if not as_arrived:
        return [readings.rows(np.argsort(readings.time_ms, kind="stable"))]
    rng = np.random.default_rng(0)
    readings.record = np.arange(
        len(readings), dtype=np.int32
    )  # each is late or not by those before it, whatever the cuts
    cuts = np.cumsum(rng.integers(1, 200, size=len(readings) // 50 + 2))
    return [readings.rows(part) for part in np.split(np.arange(len(readings)), cuts[cuts < len(readings)])]


def _reference(cohort: Cohort, batch: Decoded) -> Applied:
    from stream.reference import reference_fold  # noqa: PLC0415 - filterpy and scipy only when asked for

    return reference_fold(cohort, batch)


def _forecast_row(
    person: str, done: Applied, tick: int, channel: str, horizon: int, one: list[float]
) -> list[object]:
    cells, at = spread(channel, one).values(), stamp(float(done.tick_s[tick]))
    return [person, at, channel, horizon, f"{one[MEAN]:.4f}", f"{one[SD]:.4f}", *cells, f"{one[LEARNED]:.4g}"]


def _write_forecasts(writer: Any, cohort: Cohort, person: str, done: Applied) -> None:
    for row, channel in enumerate(("heart_rate", "glucose")):
        for column, horizon in enumerate(sorted(cohort.horizons[channel])):
            made = done.forecasts[:, row, column]
            for tick in np.flatnonzero(~np.isnan(made[:, MEAN])).tolist():
                writer.writerow(_forecast_row(person, done, tick, channel, horizon, made[tick].tolist()))
    for tick, channel, one in tomorrows(done, 0, len(done.obs_channel)):
        writer.writerow(_forecast_row(person, done, tick, channel, DAY_S, one))


def _write_estimates(
    writer: Any,
    person: str,
    tick_s: NDArray[np.float64],
    estimates: NDArray[np.float64],
    surprises: NDArray[np.float64] | None = None,
) -> None:
    positions = [at + shift for _, at in COLUMNS for shift in (0, 1)]
    table = estimates[:, positions]
    if surprises is not None:
        table = np.concatenate([table, surprises], axis=1)
    for tick, row in zip(tick_s.tolist(), table.tolist(), strict=True):
        writer.writerow([person, stamp(tick), *("" if v != v else f"{v:.6g}" for v in row)])  # noqa: PLR0124 - nan


def _surprises(done: Applied) -> NDArray[np.float64]:
    """Normalised innovations by tick and sensor; nan where it did not speak (t, sensors)."""
    found = np.full((len(done.tick_s), len(SENSORS)), np.nan)
    tick = np.repeat(np.arange(len(done.tick_s)), np.diff(done.obs_start))
    measured = done.obs_channel < len(SENSORS)
    found[tick[measured], done.obs_channel[measured]] = done.surprises[measured]
    return found


def _write_alerts(writer: Any, person: str, done: Applied) -> None:
    for _, change in done.transitions:
        chance = "" if change.probability is None else f"{change.probability:.4f}"
        writer.writerow([
            person, change.rule.name, alert_id(person, change.rule.name, change.onset_s), stamp(change.at_s),
            change.state, change.rule.severity, f"{change.value:.3f}", chance, stamp(change.at_s),
        ])  # fmt: skip
