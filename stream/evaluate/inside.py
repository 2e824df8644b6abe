"""What the twin says of itself: innovations, learned parameters, states against truth, time in which it could forecast."""

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np

from stream.evaluate.evidence import CURVE_POINTS, EvaluateError, Evidence, Floats, seconds
from stream.evaluate.instants import JOIN_S, nearest
from twin.scoring.whiteness import autocorrelation, ljung_box, nis

LAGS = 20
BAND_90 = 1.6448536269514722


def innovations(evidence: Evidence) -> dict[str, Any]:
    """NIS and whiteness by channel and person, from the surprise_<channel> columns where the replay wrote them."""
    found: dict[str, Any] = {}
    for (person, name), column in evidence.columns.items():
        z = column[~np.isnan(column)]
        if not name.startswith("surprise_") or len(z) < 10 * LAGS:
            continue
        statistic, chance = ljung_box(z, LAGS)
        found.setdefault(name.removeprefix("surprise_"), {})[person] = {
            **nis(z), "ljung_box": statistic, "lags": LAGS, "p": chance,
            "autocorrelation": [round(float(r), 4) for r in autocorrelation(z, LAGS)],
        }  # fmt: skip
    return found


def _thinned(times: Floats, mean: Floats, sd: Floats) -> list[list[float]]:
    """Day since the start, mean, sd; at most 60 points, evenly in time."""
    grid = np.linspace(times[0], times[-1], CURVE_POINTS)
    keep = np.unique(np.clip(np.searchsorted(times, grid), 0, len(times) - 1))
    return [
        [round(float((times[i] - times[0]) / 86400.0), 3), float(f"{mean[i]:.5g}"), float(f"{sd[i]:.4g}")]
        for i in keep
    ]


def learning(evidence: Evidence, parameters: dict[str, str]) -> dict[str, Any]:
    """Curves of each learned parameter by person, and how far its sd fell; `parameters` are names with their units.

    A parameter that was never moved (its sd never fell below 98 % of the first) is left out: it was not learned.
    """
    found: dict[str, Any] = {}
    for name, unit in parameters.items():
        for person in evidence.people:
            mean = evidence.columns.get((person, f"{name}_mean"))
            sd = evidence.columns.get((person, f"{name}_sd"))
            if mean is None or sd is None:
                continue
            rows = np.flatnonzero(~np.isnan(mean) & ~np.isnan(sd))
            if len(rows) < 10 or sd[rows].min() > 0.98 * sd[rows[0]]:
                continue
            times = evidence.estimate_times[person][rows]
            entry = found.setdefault(name, {"unit": unit, "people": {}})
            entry["people"][person] = {
                "curve": _thinned(times, mean[rows], sd[rows]),
                "first": [float(mean[rows[0]]), float(sd[rows[0]])],
                "last": [float(mean[rows[-1]]), float(sd[rows[-1]])],
                "sd_ratio": float(sd[rows[-1]] / sd[rows[0]]) if sd[rows[0]] > 0 else None,
            }
    return found


def coverage(evidence: Evidence) -> list[dict[str, Any]]:
    """By person and channel: span, readings, share of the expected readings that came, share of time with a forecast."""
    rows = []
    for (person, channel), series in sorted(evidence.series.items()):
        made = [
            f.made_at for (who, what, _), f in evidence.forecasts.items() if (who, what) == (person, channel)
        ]
        span = float(series.times[-1] - series.times[0]) + series.step_s
        expected = span / series.step_s
        fresh = max(made, key=len) if made else np.zeros(0)
        # A forecast counts for one interval; together never more than the time there was.
        slots = len(np.unique(np.floor((fresh - series.times[0]) / series.step_s)))
        rows.append({
            "person": person, "channel": channel, "days": span / 86400.0, "readings": len(series.times),
            "step_s": series.step_s, "readings_share": min(1.0, len(series.times) / expected),
            "forecast_share": min(1.0, slots / expected),
        })  # fmt: skip
    return rows


def verification() -> dict[str, Any]:
    """How many of the specification's check-points this version of the program meets."""
    from twin.checkpoints import run  # noqa: PLC0415 - the kernels

    rows = run()
    missed = [str(row["what"]) for row in rows if not row["ok"]]
    return {"checkpoints": len(rows), "met": len(rows) - len(missed), "missed": missed}


def truth_columns(path: Path) -> tuple[list[str], dict[str, tuple[Floats, Floats]]]:
    """A truth table as `twin simulate` writes it: person,time, then a column for every observable and state.<name>.

    Returns:
        names of the columns, and by person times [s] and values (n, columns).

    """
    stamps: dict[str, list[str]] = {}
    cells: dict[str, list[list[float]]] = {}
    try:
        packed = path.suffix == ".gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="") if packed else path.open(newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            if header[:2] != ["person", "time"]:
                raise EvaluateError(f"{path}: line 1: the first columns must be person,time")
            for row in rows:
                try:
                    values = [float(cell) if cell else np.nan for cell in row[2:]]
                except ValueError as error:
                    raise EvaluateError(f"{path}: line {rows.line_num}: {error}") from error
                if len(values) != len(header) - 2:
                    raise EvaluateError(f"{path}: line {rows.line_num}: {len(row)} cells, not {len(header)}")
                stamps.setdefault(row[0], []).append(row[1])
                cells.setdefault(row[0], []).append(values)
        table = {}
        for person, texts in stamps.items():
            times = seconds(texts)
            order = np.argsort(times, kind="stable")
            table[person] = (times[order], np.array(cells[person], dtype=np.float64)[order])
    except (OSError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise error if isinstance(error, EvaluateError) else EvaluateError(f"{path}: {error}") from error
    return header[2:], table


def against_truth(evidence: Evidence, path: Path) -> dict[str, Any]:
    """Each state and observable that both have: RMSE, bias, share of the truth in the 90 % band, NEES (1 is right).

    Raises:
        EvaluateError: the table is broken, or shares no column, person or time with the estimates.

    """
    names, table = truth_columns(path)
    found: dict[str, Any] = {}
    for position, column in enumerate(names):
        name = column.removeprefix("state.")
        errors, sds = [], []
        for person, (times, values) in table.items():
            mean = evidence.columns.get((person, f"{name}_mean"))
            sd = evidence.columns.get((person, f"{name}_sd"))
            if mean is None or sd is None:
                continue
            pick = nearest(times, evidence.estimate_times[person], JOIN_S)
            truth = np.where(pick >= 0, values[pick, position], np.nan)
            rows = ~np.isnan(truth) & ~np.isnan(mean) & (sd > 0.0)
            errors.append((mean - truth)[rows])
            sds.append(sd[rows])
        error = np.concatenate(errors) if errors else np.zeros(0)
        if len(error):
            z = error / np.concatenate(sds)
            found[name] = {
                "n": len(error), "rmse": float(np.sqrt(np.mean(error**2))), "bias": float(error.mean()),
                "coverage_90": float(np.mean(np.abs(z) <= BAND_90)), "nees": float(np.mean(z**2)),
            }  # fmt: skip
    if not found:
        raise EvaluateError(f"{path}: no column, person and time in common with the estimates")
    return found
