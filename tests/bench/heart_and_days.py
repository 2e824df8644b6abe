"""Heart rate 1, 15 and 60 min ahead, and next-day values, beside their baselines on the same instants.

    python tests/bench/heart_and_days.py FOLDER [--replayed DIR]... [--json]

FOLDER holds hr_fitbit.csv.gz, day_cgmacros.csv.gz (which never comes into the project) and daily_lifesnaps.csv.gz. People are
never in what they are judged by: on hr_fitbit a person's regression begins where the other people's ended, on day_cgmacros
where hr_fitbit's did; the daily constants, ridge and bands are trained anew on the other four fifths. `--replayed` takes the
forecasts of a folder of `twin replay` instead of the kernels' (shipped weights).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from connectors.channels import CODE_OF  # noqa: E402
from connectors.table import read_table  # noqa: E402
from stream.evaluate import baselines  # noqa: E402
from stream.evaluate.evidence import Evidence, Forecasts, Series, read_forecasts  # noqa: E402
from stream.evaluate.instants import instants, nearest, of_twin, targets  # noqa: E402
from stream.training_body import days, rates  # noqa: E402
from twin.learned import daily as d_  # noqa: E402
from twin.learned.daily_training import forecast, scored, train_daily  # noqa: E402
from twin.learned.heart import HORIZONS_S  # noqa: E402
from twin.learned.heart_training import follow, train_heart  # noqa: E402
from twin.scoring.bootstrap import change_interval  # noqa: E402
from twin.scoring.errors import scores  # noqa: E402

HELD_S = 300.0  # how long a MET speaks, as in twin/inputs.py
NAMES = ("persistence", "ar", "hours")


def demands_of(table, person, times, unknown=1.0):
    """MET that a reading of heart rate could know of, `unknown` where none spoke lately."""
    rows = np.flatnonzero((table.person == person) & (table.channel == CODE_OF["met"]))
    if not len(rows):
        return np.full(len(times), unknown)
    at, value = table.time_ms[rows] / 1000.0, table.value[rows]
    order = np.argsort(at, kind="stable")
    at, value = at[order], value[order]
    pick = np.searchsorted(at, times, side="right") - 1
    known = (pick >= 0) & (times - at[np.maximum(pick, 0)] <= HELD_S)
    return np.where(known, value[np.maximum(pick, 0)], unknown)


def who_tell(table, people):
    """Those of whose readings half and more know of movement. Others' column holds what is no MET, and was refused."""
    found = {}
    for number, person in enumerate(table.persons):
        if person in people:
            told = np.isfinite(demands_of(table, number, people[person][0], np.nan))
            if told.mean() >= 0.5:
                found[person] = people[person]
    return found


def by_kernels(table, people, starts):
    """Forecasts as the fold makes them, without the mechanism beside."""
    issued = {}
    for number, person in enumerate(table.persons):
        if person in people:
            times, values = people[person]
            found, _ = follow(times, values, demands_of(table, number, times), starts[person])
            for h, horizon in enumerate(HORIZONS_S):
                one = found[:, h]
                issued[person, "heart_rate", int(horizon)] = Forecasts(
                    times, one[:, 0], one[:, 1], one[:, 2:7], np.ones(len(times))
                )
    return issued


def compare(squares, target, person, quantiles, name):
    """One row: RMSE of all, change to the best or named ones with its interval, coverage."""
    row = {
        "task": name,
        "n": len(target),
        **{f"rmse_{k}": float(np.sqrt(v.mean())) for k, v in squares.items()},
    }
    sums = {k: np.bincount(person, v) for k, v in squares.items()}
    present = np.bincount(person) > 0
    for other in squares:
        if other != "twin":
            row[f"to_{other}"] = 100.0 * (row["rmse_twin"] / row[f"rmse_{other}"] - 1.0)
            row[f"interval_{other}"] = change_interval(sums["twin"][present], sums[other][present])
            row[f"better_{other}"] = int((sums["twin"] < sums[other])[present].sum())
    found = scores(target, target, quantiles)
    return row | {"people": int(present.sum()), "c50": found["coverage_50"], "c90": found["coverage_90"]}


def heart_rows(name, people, issued):
    """Heart rate against persistence, AR(30) by person folds and the person's own hour of day."""
    series = {(p, "heart_rate"): Series(times, values, 60.0) for p, (times, values) in people.items()}
    evidence = Evidence(sorted(people), series, {}, {})
    (at,) = instants(evidence, "heart_rate")
    rows = []
    for horizon in HORIZONS_S.astype(int).tolist():
        target = targets(evidence, at, horizon)
        others = baselines.forecasts(evidence, at, target, horizon, NAMES)
        twin = of_twin(issued, at, horizon)
        good = np.isfinite(target) & np.isfinite(twin.mean)
        squares = {"twin": (twin.mean - target)[good] ** 2}
        squares |= {k: (v.mean - target)[good] ** 2 for k, v in others.items()}
        title = f"{name} +{horizon // 60} min"
        rows.append(compare(squares, target[good], at.person[good], twin.quantiles[good], title))
    return rows


def daily_rows(people, forecasts_of):
    """Next-day values against yesterday's and the mean of the last seven."""
    found = {place: [] for place in range(d_.CHANNELS)}
    for number, (person, rows) in enumerate(sorted(people.items())):
        out = forecasts_of(person, rows)
        judged = scored(*rows, ~np.isnan(out[:, 0]))
        made, target = judged["made"].astype(int), judged["target"].astype(int)
        for i, (m, t) in enumerate(zip(made, target, strict=True)):
            last, week = judged["persistence"][i], judged["week"][i]
            found[int(rows[1][m])].append([number, rows[2][t], last, week, *out[m, :7]])
    rows = []
    for place, lines in found.items():
        if not lines:
            continue
        table = np.array(lines)
        target = table[:, 1]
        squares = {
            "twin": (table[:, 4] - target) ** 2, "persistence": (table[:, 2] - target) ** 2,
            "week": (table[:, 3] - target) ** 2,
        }  # fmt: skip
        rows.append(compare(squares, target, table[:, 0].astype(int), table[:, 6:11], d_.NAMES[place]))
    return rows


def out_of_fold(people, folds=5):
    """Forecasts of each person by constants of the other people."""
    names = sorted(people)
    numbers = {}
    for k in range(folds):
        trained = train_daily({p: people[p] for p in names if p not in names[k::folds]})
        numbers |= dict.fromkeys(names[k::folds], trained)
    return lambda person, rows: forecast(rows, numbers[person])[0]


def replayed_days(issued):
    """What a replay forecast for a day later, at the rows of a person."""

    def found(person, rows):
        out = np.full((len(rows[0]), 8), np.nan)
        for place, name in enumerate(d_.NAMES):
            made = issued.get((person, name, 86400))
            mine = np.flatnonzero(rows[1] == place)
            if made is None:
                continue
            pick = nearest(made.made_at, rows[0][mine], 30.0)
            mine, pick = mine[pick >= 0], pick[pick >= 0]
            out[mine, :7] = np.column_stack([made.mean[pick], made.sd[pick], made.quantiles[pick]])
        return out

    return found


def judge(folder, replayed):
    """Every row of the bench."""
    issued = {}
    for path in replayed:
        issued |= read_forecasts(path / "forecasts.csv")
    rows, starts, own = [], None, {}
    for name in ("hr_fitbit", "day_cgmacros"):
        table = read_table(folder / f"{name}.csv.gz")
        people = rates(table)
        if name == "hr_fitbit":
            starts = train_heart(people)
            own = {p: train_heart({q: r for q, r in people.items() if q != p}) for p in people}
        if replayed:
            people = {p: r for p, r in people.items() if (p, "heart_rate", 60) in issued}
            made = issued
        else:
            made = by_kernels(table, people, own if name == "hr_fitbit" else dict.fromkeys(people, starts))
        if len(people) > 1:
            rows += heart_rows(name, people, made)
            telling = who_tell(table, people)
            if 1 < len(telling) < len(people):
                rows += heart_rows(f"{name}, MET told", telling, made)
    people = days(read_table(folder / "daily_lifesnaps.csv.gz"))
    if not replayed:
        rows += daily_rows(people, out_of_fold(people))
    elif any(horizon == 86400 for _, _, horizon in issued):
        rows += daily_rows(people, replayed_days(issued))
    return rows


def line(row):
    """One row for people."""
    others = [k.removeprefix("to_") for k in row if k.startswith("to_")]
    parts = [f"{row['task']:26} n {row['n']:7d}  {row['rmse_twin']:9.3f}"]
    for other in others:
        low, high = row[f"interval_{other}"]
        parts.append(
            f"{other} {row[f'rmse_{other}']:.3f} {row[f'to_{other}']:+.2f} % [{low:+.1f},{high:+.1f}] "
            f"{row[f'better_{other}']}/{row['people']}"
        )
    return "  ".join([*parts, f"50: {100 * row['c50']:.1f}  90: {100 * row['c90']:.1f}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replayed", type=Path, action="append", default=[])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = judge(chosen.folder, chosen.replayed)
    print(json.dumps(rows, indent=1) if chosen.json else "\n".join(line(row) for row in rows))


if __name__ == "__main__":
    main()
