"""Make the report: read, compare, count, and write one HTML page and one JSON document. Nothing is overwritten."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from connectors.table import stem_of
from stream.evaluate import alarms, baselines, figures, inside
from stream.evaluate.evidence import EvaluateError, Evidence, load, read_forecasts, table_of
from stream.evaluate.instants import DAY_S, Instants, instants
from stream.evaluate.page import render
from twin.catalogue import catalogue

FILES = ("report.html", "report.json")
SCHEMA = "evaluation/1"
Advance = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to evaluate: a replay's folder with its readings, and perhaps a table with the truth."""

    folder: Path
    out: Path
    readings: Path | None = None
    truth: Path | None = None
    onboarding_s: float = DAY_S
    title: str = ""
    beside: tuple[tuple[str, Path], ...] = ()
    check: bool = False  # whether the model's check-points are run for it


def check_free(out: Path) -> None:
    """Raises EvaluateError where results are there already."""
    there = [name for name in FILES if (out / name).exists()]
    if there:
        raise EvaluateError(f"{out} holds {there[0]} already: choose another folder")


def truth_beside(table: Path) -> Path | None:
    """The truth that `twin simulate` left beside a table."""
    stem = stem_of(table)
    found = (table.with_name(f"{stem}.truth{ending}") for ending in (".csv.gz", ".csv"))
    return next((path for path in found if path.exists()), None)


def _wanted(truth: Path | None) -> frozenset[str]:
    names = [row["name"] for row in catalogue() if row["kind"] == "parameter"]
    if truth is not None:
        names += [column.removeprefix("state.") for column in inside.truth_columns(truth)[0]]
    return frozenset(f"{name}_{what}" for name in names for what in ("mean", "sd"))


def _channel(evidence: Evidence, channel: str, task: Evaluation, step: Callable[[], None]) -> dict[str, Any]:
    groups: list[Instants] = instants(evidence, channel, task.onboarding_s)
    names = baselines.names_for(groups)
    found: dict[str, Any] = {"groups": [
        {"step_s": at.step_s, "people": list(at.people), "instants": len(at.time), "lags": at.lags.shape[1]}
        for at in groups
    ], "horizons": [], "missing": []}  # fmt: skip
    for horizon_s in sorted({h for _, what, h in evidence.forecasts if what == channel}):
        compared, everything = figures.compare(evidence, groups, horizon_s, names)
        if compared is None:
            found["missing"].append(
                {"horizon_s": horizon_s, "why": "no instant with target, forecast and baselines"}
            )
        else:
            found["horizons"].append(figures.horizon_figures(compared))
        if channel == "glucose" and horizon_s == alarms.HORIZON_S:
            found["alarms"] = alarms.low_glucose(evidence, groups, everything, task.onboarding_s)
        step()
    return found


def evaluate(task: Evaluation, advance: Advance = lambda _done, _total: None) -> dict[str, Any]:
    """Make the report; returns the document that is written as report.json.

    Raises:
        EvaluateError: a broken folder or table, or nothing in it that can be compared; nothing was written.

    """
    check_free(task.out)
    truth = task.truth or truth_beside(task.readings or table_of(task.folder))
    evidence = load(task.folder, task.readings, _wanted(truth))
    for name, folder in task.beside:
        if name in baselines.NAMES or name == "twin" or name in evidence.beside:
            raise EvaluateError(f"--beside {name}: the name is taken")
        evidence.beside[name] = read_forecasts(folder / "forecasts.csv")
    channels = sorted({channel for _, channel in evidence.series})
    total = sum(1 + len({h for _, w, h in evidence.forecasts if w == c}) for c in channels)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        advance(done, total)

    step()
    parameters = {row["name"]: row["unit"] for row in catalogue() if row["kind"] == "parameter"}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "title": task.title or f"Evaluation of {evidence.source}",
        "source": evidence.source,
        "people": evidence.people,
        "span": _span(evidence),
        "replay": {k: v for k, v in evidence.summary.items() if k != "table"},
        "onboarding_s": task.onboarding_s,
        "beside": sorted(evidence.beside),
        "trees": baselines.trees_available(),
        "channels": {channel: _channel(evidence, channel, task, step) for channel in channels},
        "verification": inside.verification() if task.check else None,
        "coverage": inside.coverage(evidence),
        "innovations": inside.innovations(evidence),
        "learning": inside.learning(evidence, parameters),
        "truth": inside.against_truth(evidence, truth) if truth is not None else None,
    }
    _write(task.out, document)
    return document


def _span(evidence: Evidence) -> list[str]:
    first = min(series.times[0] for series in evidence.series.values())
    last = max(series.times[-1] for series in evidence.series.values())
    return [str(np.datetime64(round(t), "s")) + "Z" for t in (first, last)]


def _write(out: Path, document: dict[str, Any]) -> None:
    """Both files are made beside and then moved: a failure leaves nothing."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {"report.json": json.dumps(document, indent=1, allow_nan=False), "report.html": render(document)}
    with tempfile.TemporaryDirectory(prefix=".evaluate-", dir=out) as scratch:
        for name, text in texts.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        for name in texts:
            (Path(scratch) / name).replace(out / name)
