"""Train the learned part of glucose on tables of readings: features by the online kernels, networks in numpy.

The same tables give the same file, bit for bit, on one machine. Cross-validated by person: each fold's weights then run
online over the people that they have not seen, and the report says how they forecast beside persistence and an
autoregression that was fitted inside the study.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.training_directions import directions
from stream.training_network import (
    PER_HORIZON,
    Examples,
    Plan,
    chance_loss,
    fit,
    forecast_loss,
    log_odds,
    together,
)
from stream.training_people import (
    FEWEST,
    ISSUED,
    LABELS,
    Person,
    Rows,
    TrainError,
    asked,
    people_of,
    prepare,
    slowed,
    stack,
    targets,
)

__all__ = ["SOURCES", "TrainError", "Training", "train"]
from twin.learned import glucose_slot as s_
from twin.learned.glucose import SAID, SLOW_LAGS, SLOW_MIN, bench_for, series
from twin.learned.network import GlucoseWeights, Network
from twin.learned.observe import AHEAD_MIN
from twin.learned.weights import document, identified
from twin.scoring.errors import scores

Floats = NDArray[np.float64]
DAY_S = 86400.0
LAGS_S = 3600.0
CLIP = (40.0, 400.0)
# Sets whose names are known: source and licence. Only these were used for the weights that are shipped.
SOURCES = {
    "cgm_azt1d": ("AZT1D, Khamesian et al., as collected in the Glucose-ML project", "CC BY 4.0"),
    "cgm_physiocgm": ("PhysioCGM, as collected in the Glucose-ML project", "CC0"),
    "cgm_hupa_ucm": ("HUPA-UCM, Hidalgo et al., as collected in the Glucose-ML project", "CC BY 4.0"),
    "cgm_hall_2018": (
        "Hall et al. 2018, PLoS Biol 16:e2005143, as collected in the Glucose-ML project",
        "CC BY 4.0",
    ),
}
# What a unit of each cause (meal now, meal ahead, insulin's change, its excess, activity) is expected to add, in units of
# s_h, by horizon, before a person has shown it. Meals: a third of what virtual people without and with diabetes show
# (0.77, 1.07, 1.26, 1.03 and .46, .50, .31, -.32), since logs are late and wrong. Insulin: nothing, since a bolus
# lowers glucose and tells of a meal that was not logged: in virtual people the second is the stronger (twin/DECISIONS.md 38).
GAINS = (
    (0.26, 0.15, 0.0, 0.0, 0.0),
    (0.36, 0.17, 0.0, 0.0, 0.0),
    (0.42, 0.10, 0.0, 0.0, 0.0),
    (0.34, 0.0, 0.0, 0.0, 0.0),
)
FORECASTS = Plan()
CHANCES = Plan(hidden=32, deep=16, epochs=6, decay=3e-3, averaged_from=0.6)
CHANCE_SEEDS = 2


@dataclass(frozen=True, slots=True)
class Training:
    """What to train on and how; `licences` by study for tables that are not known."""

    tables: tuple[Path, ...]
    out: Path
    folds: int = 5
    seeds: int = 4
    epochs: int = FORECASTS.epochs
    licences: tuple[tuple[str, str], ...] = ()
    keep_folds: bool = False


def chances(examples: Examples, task: Training) -> Network:
    """Fit the chances of every label of some rows."""
    plan = replace(CHANCES, epochs=min(task.epochs, CHANCES.epochs))
    start, count = log_odds(examples.label), examples.label.shape[1]
    seeds = range(min(task.seeds, CHANCE_SEEDS))
    return together([fit(examples, count, chance_loss, plan, seed, start) for seed in seeds])


def least_squares(lags: Sequence[Floats], told: Sequence[Floats]) -> Floats:
    """Weights of the lags (n, k each) and a constant behind them (k + 1,), of everybody's targets (n each)."""
    square = np.column_stack([np.concatenate(lags), np.ones(sum(map(len, told)))])
    return np.asarray(np.linalg.lstsq(square, np.concatenate(told), rcond=None)[0], dtype=np.float64)


def slow_trend(people: Sequence[Person]) -> NDArray[np.float32]:
    """Autoregression to 30 min of a slow sensor: least squares on whole hours of four readings and a constant (5,).

    Of slow sensors where there are any; else of every so many readings of others, which are less smooth.
    """
    slow = [person for person in people if person.step_s > 60.0 * SLOW_MIN]
    x, y = [], []
    for person in slow or [slowed(person) for person in people]:
        hour, whole = hour_of_lags(person)
        told = targets(person.times, person.values, person.step_s)[:, s_.HALF_HOUR]
        good = whole & np.isfinite(told)
        x.append(hour[good][:, :SLOW_LAGS])
        y.append(told[good])
    if sum(map(len, y)) < FEWEST:  # of a handful nothing is learned: the last reading stays
        return np.array([1.0] + SLOW_LAGS * [0.0], dtype=np.float32)
    return least_squares(x, y).astype(np.float32)


def weights_from(people: Sequence[Person], rows: Sequence[list[Rows]], task: Training) -> GlucoseWeights:
    """Fit every network on the rows of some people, and the trend of slow sensors on their readings."""
    examples = stack(rows)
    plan = replace(FORECASTS, epochs=task.epochs)
    outputs = s_.HORIZONS * PER_HORIZON
    corrections = together([fit(examples, outputs, forecast_loss, plan, seed) for seed in range(task.seeds)])
    onsets = chances(asked(examples, slice(0, LABELS - 1)), task)
    onsets = onsets._replace(
        outer=np.ascontiguousarray(onsets.outer[:, ISSUED]), offset=onsets.offset[ISSUED].copy()
    )
    lows = chances(asked(examples, slice(LABELS - 1, LABELS)), task)
    middle, projection = directions(corrections, rows)
    gains = np.array(GAINS, dtype=np.float32)
    slow = slow_trend(people)
    return identified(GlucoseWeights(0.0, corrections, onsets, lows, middle, projection, gains, slow))


def run_online(person: Person, weights: GlucoseWeights) -> tuple[Floats, Floats]:
    """Forecasts (n, HORIZONS, 6) and what is said of lows (n, SAID) as the twin would have issued them."""
    n = len(person.times)
    issued, lows = np.zeros((n, s_.HORIZONS, PER_HORIZON)), np.zeros((n, SAID))
    causes = np.zeros((n, s_.CAUSES))
    series(
        np.zeros(s_.SIZE), weights, person.times, person.values, 0.0, causes, bench_for(weights), issued, lows
    )
    return issued, lows


def hour_of_lags(person: Person) -> tuple[Floats, NDArray[np.bool_]]:
    """The last hour's readings, newest first, and where it is whole and the first day is over."""
    count = max(4, round(LAGS_S / person.step_s))
    at = np.arange(len(person.times))
    lags = np.stack([person.values[np.maximum(at - k, 0)] for k in range(count)], axis=1)
    since = person.times - person.times[np.maximum(at - count + 1, 0)]
    whole = (at >= count - 1) & (since < (count - 0.5) * person.step_s)
    return lags, whole & (person.times >= person.times[0] + DAY_S)


def fold_of(people: Sequence[Person], folds: int) -> NDArray[np.int64]:
    """Each study's people in turn; nobody is in two folds."""
    seen: dict[str, int] = {}
    found = []
    for person in people:
        seen[person.study] = seen.get(person.study, -1) + 1
        found.append(seen[person.study] % folds)
    return np.array(found, dtype=np.int64)


def autoregression(people: Sequence[Person], fold: NDArray[np.int64], h: int) -> list[Floats]:
    """Least squares on the last hour's readings, of the other folds of the same study; nan where it cannot be fitted."""
    lags = [hour_of_lags(person) for person in people]
    told = [targets(p.times, p.values, p.step_s)[:, h] for p in people]
    found: list[Floats] = []
    for i, person in enumerate(people):
        x, y = [], []
        for j, other in enumerate(people):
            same = other.study == person.study and lags[j][0].shape[1] == lags[i][0].shape[1]
            if same and fold[j] != fold[i]:
                good = lags[j][1] & np.isfinite(told[j])
                x.append(lags[j][0][good])
                y.append(told[j][good])
        if sum(map(len, y)) < 1000:
            found.append(np.full(len(person.times), np.nan))
            continue
        solved = least_squares(x, y)
        found.append(np.clip(lags[i][0] @ solved[:-1] + solved[-1], *CLIP))
    return found


def judge(
    people: Sequence[Person], issued: Sequence[Floats], fold: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Of each study and horizon: scores of the learned forecast, RMSE of persistence and of the autoregression."""
    found = []
    for h, minutes in enumerate(AHEAD_MIN):
        auto = autoregression(people, fold, h)
        for study in dict.fromkeys(person.study for person in people):
            rows = []
            for i, person in enumerate(people):
                if person.study == study:
                    y = targets(person.times, person.values, person.step_s)[:, h]
                    good = hour_of_lags(person)[1] & np.isfinite(y)
                    columns = (y, person.values, auto[i], *issued[i][:, h].T)
                    rows.append(np.stack([column[good] for column in columns], axis=1))
            y, now, by_auto, mean, *quantiles = np.concatenate(rows).T
            line = scores(y, np.clip(mean, *CLIP), np.clip(np.stack(quantiles, axis=1), *CLIP))
            line["persistence"] = float(np.sqrt(np.mean((now - y) ** 2)))
            line["autoregression"] = float(np.sqrt(np.mean((by_auto - y) ** 2)))
            found.append({"study": study, "minutes": float(minutes), "people": len(rows), **line})
    return found


def train(task: Training, advance: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Train, cross-validate, write the weights and `<out>.report.json` beside them. Returns the report.

    Raises:
        TrainError: a table that cannot be used, or a file that is there already; nothing is written.

    """
    report_path = task.out.with_suffix(".report.json")
    fold_paths = [task.out.with_suffix(f".fold{k + 1}.json") for k in range(task.folds)]
    for path in (task.out, report_path, *(fold_paths if task.keep_folds else ())):
        if path.exists():
            raise TrainError(f"{path} is there already: choose another name")
    advance("reading the tables")
    people = people_of(task.tables)
    rows = prepare(people)
    fold = fold_of(people, task.folds)
    validated: list[dict[str, Any]] = []
    if task.folds > 1:
        issued: list[Floats] = [np.zeros(0)] * len(people)
        for k in range(task.folds):
            advance(f"fold {k + 1} of {task.folds}")
            seen = np.flatnonzero(fold != k)
            weights = weights_from([people[i] for i in seen], [rows[i] for i in seen], task)
            for i in np.flatnonzero(fold == k):
                issued[i] = run_online(people[i], weights)[0]
            if task.keep_folds:
                unseen = [[people[i].study, people[i].name] for i in np.flatnonzero(fold == k)]
                task.out.parent.mkdir(parents=True, exist_ok=True)
                fold_paths[k].write_text(document(weights, {"unseen": unseen}), encoding="utf-8")
        validated = judge(people, issued, fold)
    advance("all people")
    weights = weights_from(people, rows, task)
    about = {
        "trained_on": [
            _about(study, people, dict(task.licences)) for study in dict.fromkeys(p.study for p in people)
        ],
        "plan": {"seeds": task.seeds, **asdict(replace(FORECASTS, epochs=task.epochs))},
    }
    report = {"weights": task.out.name, **about, "folds": task.folds, "unseen_people": validated}
    task.out.parent.mkdir(parents=True, exist_ok=True)
    task.out.write_text(document(weights, about), encoding="utf-8")
    report_path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _about(study: str, people: Sequence[Person], licences: dict[str, str]) -> dict[str, Any]:
    mine = [person for person in people if person.study == study]
    source, licence = SOURCES.get(study, (study, licences.get(study, "not stated")))
    readings = sum(len(person.times) for person in mine)
    return {"study": study, "source": source, "licence": licence, "people": len(mine), "readings": readings}
