"""Error and calibration of one channel at one horizon: twin beside baselines, by person, by stratum, with intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.evaluate import baselines
from stream.evaluate.evidence import Evidence, Floats
from stream.evaluate.instants import Forecast, Instants, of_twin, targets
from stream.evaluate.strata import strata
from twin.scoring import bootstrap, grids
from twin.scoring.errors import pinball, pit_histogram, scores, share_inside

ALONE = ("twin", "linear", "damped")  # not worth an interval of their own


@dataclass(frozen=True, slots=True)
class Compared:
    """One horizon, groups of all intervals together; `person` indexes `people` and everything is on the same rows."""

    channel: str
    horizon_s: int
    people: tuple[str, ...]
    person: NDArray[np.int64]
    target: Floats
    by: dict[str, Forecast]
    strata: dict[str, NDArray[np.bool_]]


def _rows(forecast: Forecast, rows: NDArray[np.bool_]) -> Forecast:
    sd = None if forecast.sd is None else forecast.sd[rows]
    learned = None if forecast.learned is None else forecast.learned[rows]
    return Forecast(forecast.mean[rows], forecast.quantiles[rows], sd, learned)


def _joined(parts: list[Forecast]) -> Forecast:
    sds = [part.sd for part in parts if part.sd is not None]
    learned = [part.learned for part in parts if part.learned is not None]
    return Forecast(
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.quantiles for part in parts]),
        np.concatenate(sds) if len(sds) == len(parts) else None,
        np.concatenate(learned) if len(learned) == len(parts) else None,
    )


def compare(
    evidence: Evidence, groups: list[Instants], horizon_s: int, names: tuple[str, ...]
) -> tuple[Compared | None, list[dict[str, Forecast]]]:
    """The rows where target, twin and every baseline are there; and the forecasts of all rows, for the alarms.

    Where a group of people is too small to teach a baseline, its rows are left out of the comparison.
    """
    people = tuple(sorted({name for at in groups for name in at.people}))
    persons, goals, masks = [], [], []
    kept: dict[str, list[Forecast]] = {}
    everything = []
    for at in groups:
        target = targets(evidence, at, horizon_s)
        by = {"twin": of_twin(evidence.forecasts, at, horizon_s)}
        by.update({name: of_twin(issued, at, horizon_s) for name, issued in evidence.beside.items()})
        by.update(baselines.forecasts(evidence, at, target, horizon_s, names))
        everything.append(by)
        rows = ~np.isnan(target) & baselines.compared(at, horizon_s)
        for forecast in by.values():
            rows &= ~np.isnan(forecast.mean) & ~np.isnan(forecast.quantiles).any(axis=1)
        if not rows.any():
            continue
        index = np.array([people.index(name) for name in at.people], dtype=np.int64)
        persons.append(index[at.person[rows]])
        goals.append(target[rows])
        masks.append({name: mask[rows] for name, mask in strata(evidence, at)})
        for name, forecast in by.items():
            kept.setdefault(name, []).append(_rows(forecast, rows))
    if not persons:
        return None, everything
    joined = {name: _joined(parts) for name, parts in kept.items()}
    mask = {name: np.concatenate([m[name] for m in masks]) for name in masks[0]}
    channel = groups[0].channel
    compared = Compared(
        channel, horizon_s, people, np.concatenate(persons), np.concatenate(goals), joined, mask
    )
    return compared, everything


def _sums(values: Floats, person: NDArray[np.int64], people: int) -> Floats:
    return np.bincount(person, weights=values, minlength=people).astype(np.float64)


def _intervals(c: Compared, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Person-level bootstrap of the twin's figures on these rows, and of its change against baselines."""
    person, target = c.person[rows], c.target[rows]
    present, person = np.unique(person, return_inverse=True)
    count = len(present)
    twin = _rows(c.by["twin"], rows)
    ones = _sums(np.ones(len(target)), person, count)
    squares = _sums((twin.mean - target) ** 2, person, count)
    inside = {
        "coverage_50": (target >= twin.quantiles[:, 1]) & (target <= twin.quantiles[:, 3]),
        "coverage_90": (target >= twin.quantiles[:, 0]) & (target <= twin.quantiles[:, 4]),
    }
    found: dict[str, Any] = {"rmse": bootstrap.rmse_interval(squares, ones)}
    losses = _sums(2.0 * pinball(target, twin.quantiles), person, count)
    found["crps"] = bootstrap.ratio_interval(losses, ones)
    for name, flags in inside.items():
        found[name] = bootstrap.ratio_interval(_sums(flags.astype(np.float64), person, count), ones)
    found["against"] = {}
    for name in c.by:
        if name not in ALONE:
            other = _sums((c.by[name].mean[rows] - target) ** 2, person, count)
            change = 100.0 * (float(np.sqrt(squares.sum() / other.sum())) - 1.0) if other.sum() > 0 else None
            loss = _sums(2.0 * pinball(target, c.by[name].quantiles[rows]), person, count)
            found["against"][name] = {
                "rmse_change_percent": change, "interval": bootstrap.change_interval(squares, other),
                **_crps_change(losses, loss),
                "people_better": int((squares < other).sum()), "people": count,
            }  # fmt: skip
    return found


def _crps_change(losses: Floats, other: Floats) -> dict[str, Any]:
    """Change of CRPS against another forecast [%], with its interval over people."""
    if other.sum() <= 0.0:
        return {"crps_change_percent": None, "crps_interval": None}
    ratio = bootstrap.ratio_interval(losses, other)
    return {
        "crps_change_percent": 100.0 * (float(losses.sum() / other.sum()) - 1.0),
        "crps_interval": None if ratio is None else [100.0 * (bound - 1.0) for bound in ratio],
    }


def _share_learned(forecast: Forecast, rows: NDArray[np.bool_]) -> dict[str, float] | None:
    """The learned part's share of the twin's change from now: mean and quartiles; None where nobody told it."""
    told = np.zeros(0) if forecast.learned is None else forecast.learned[rows]
    told = told[~np.isnan(told)]
    if not len(told):
        return None
    low, middle, high = np.quantile(told, [0.25, 0.5, 0.75]).tolist()
    return {"mean": float(told.mean()), "q25": low, "q50": middle, "q75": high}


def _of(c: Compared, rows: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    found = {}
    for name, forecast in c.by.items():
        part = _rows(forecast, rows)
        found[name] = scores(c.target[rows], part.mean, part.quantiles, part.sd)
    return found


def horizon_figures(c: Compared) -> dict[str, Any]:
    """Everything that the report says about one horizon."""
    every = np.ones(len(c.target), dtype=np.bool_)
    twin = c.by["twin"]
    found: dict[str, Any] = {
        "horizon_s": c.horizon_s,
        "n": len(c.target),
        "people": len(np.unique(c.person)),
        "scores": _of(c, every),
        "intervals": _intervals(c, every),
        "learned": _share_learned(twin, every),
        "pit": pit_histogram(c.target, twin.quantiles),
        "reliability": [
            {"nominal": level, "observed": share_inside(c.target, np.full(len(c.target), -np.inf), column)}
            for level, column in zip((0.05, 0.25, 0.5, 0.75, 0.95), twin.quantiles.T, strict=True)
        ],
        "by_person": {},
        "by_stratum": {},
    }
    for number, person in enumerate(c.people):
        rows = c.person == number
        if rows.any():
            found["by_person"][person] = _of(c, rows)
    for name, rows in c.strata.items():
        if rows.any():
            found["by_stratum"][name] = {
                "n": int(rows.sum()), "scores": _of(c, rows), "intervals": _intervals(c, rows),
                "learned": _share_learned(twin, rows),
            }  # fmt: skip
    if c.channel == "glucose":
        found["grids"] = {
            name: {
                "clarke": grids.zone_shares(grids.clarke_zones(c.target, forecast.mean)),
                "dts": grids.zone_shares(grids.dts_zones(c.target, forecast.mean)),
            }
            for name, forecast in c.by.items()
        }
    # A thinned scatter of measured against forecast, evenly in time, for the page's error grid.
    keep = np.linspace(0, len(c.target) - 1, min(900, len(c.target))).astype(np.int64)
    found["scatter"] = [[round(float(c.target[i]), 1), round(float(twin.mean[i]), 1)] for i in keep]
    return found
