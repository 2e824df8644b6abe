"""Forecasts of real glucose sensors, nothing else told: the twin against autoregression and boosted trees, people unseen.

    twin train FOLDER/cgm_{azt1d,physiocgm,hupa_ucm,hall_2018}.csv.gz --keep-folds --out W.json      (shell braces)
    python tests/bench/cgm_forecasts.py FOLDER [--folds W] [--unseen-study V] [--mechanism 4] [--json]

FOLDER holds cgm_<set>.csv.gz (person,time,channel,value), which never come into the project. W.fold1.json ... are the
weights of each fold with whom they have not seen; V.cgm_<set>.json weights trained without that set. The first 24 h of a
person are not scored; an instant is scored where the last hour and the target are there. The baselines are those of `twin
evaluate`, fitted inside the study on other people. Intervals: 95 %, by drawing people again. --mechanism N: the twin with
its learned part off, N people of each set for 14 days, beside the same baselines. Low-glucose alarms by the protocol of
twin/scoring/episodes.py, from the twin's own rule (stream/policy.py) and from the autoregression (cgm_alarms.py).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.cohort import Cohort  # noqa: E402
from stream.evaluate import baselines  # noqa: E402
from stream.evaluate.instants import Forecast, Instants, clip, lag_count  # noqa: E402
from stream.training import hour_of_lags, run_online  # noqa: E402
from stream.training_network import hidden_units  # noqa: E402
from stream.training_people import people_of, seen_by_twin, targets  # noqa: E402
from stream.virtual import readings_of_rows  # noqa: E402
from stream.weights import weights_named  # noqa: E402
from tests.bench.cgm_alarms import TO_BAR, alarms  # noqa: E402
from twin.learned.observe import AHEAD_MIN  # noqa: E402
from twin.learned.weights import load  # noqa: E402
from twin.scoring.bootstrap import change_interval, ratio_interval  # noqa: E402
from twin.scoring.errors import scores  # noqa: E402

# A sensor that reads each 15 min smooths more: a flux seems to last longer, and the error is smaller (twin/README.md). Chosen
# on every other person of the set.
SENSOR_15_MIN = {"flux_minutes": 40.0, "sensor_error_sd": 8.0, "untold_flux_sd": 1.0}
PROFILES = {
    "cgm_azt1d": {"conditions": ["t1d"]},
    "cgm_physiocgm": {"conditions": ["t1d"]},
    "cgm_hupa_ucm": {"conditions": ["t1d"], "parameters": SENSOR_15_MIN},
    "cgm_hall_2018": {},
}
SCORED = (1, 2)  # of AHEAD_MIN: 30 and 60 min
DAY_S, MECHANISM_DAYS = 86400.0, 14
RISING = 1.0 / 60.0  # mg/dL/s


def instants(people):
    """Where forecasts are compared, everybody of one set together, and which readings of each person these are."""
    step = 900.0 if np.median([p.step_s for p in people]) > 600.0 else 300.0
    chosen, lags = [], []
    for person in people:
        hour, whole = hour_of_lags(person)
        chosen.append(np.flatnonzero(whole))
        lags.append(hour[whole][:, : lag_count(step)])
    number = np.concatenate([np.full(len(rows), i) for i, rows in enumerate(chosen)])
    times = np.concatenate([p.times[rows] for p, rows in zip(people, chosen, strict=True)])
    names = tuple(p.name for p in people)
    return Instants("glucose", step, names, number, times, np.concatenate(lags)), chosen


def at_instants(parts, chosen):
    return np.concatenate([part[rows] for part, rows in zip(parts, chosen, strict=True)])


def strata(at):
    """Names and masks known when the forecast is made; hours are those of the table."""
    slope, hour = baselines.slopes(at), at.time % DAY_S / 3600.0
    yield "below 70", at.now < 70.0
    yield "70 to 180", (at.now >= 70.0) & (at.now <= 180.0)
    yield "above 180", at.now > 180.0
    yield "rising", slope > RISING
    yield "falling", slope < -RISING
    yield "night", hour < 6.0
    yield "day", hour >= 6.0


def inside(y, quantiles, person=None):
    """Share of the targets in the 50 and the 90 % band [%]; with `person`, the interval over people of each instead."""
    found = []
    for a, b in ((1, 3), (0, 4)):
        held = (y >= quantiles[:, a]) & (y <= quantiles[:, b])
        if person is None:
            found.append(round(100 * float(np.mean(held)), 1))
        else:
            each = ratio_interval(np.bincount(person, held), np.bincount(person))
            found.append(None if each is None else [round(100 * x, 1) for x in each])
    return found


def compare(at, y, ours, horizon_s, names=("persistence", "ar", "trees")):
    """Scores of ours and of the baselines, and ours against each with its interval."""
    known = np.isfinite(y) & np.isfinite(ours.mean)
    others = baselines.forecasts(None, at, y, horizon_s, names)
    for other in others.values():
        known &= np.isfinite(other.mean) & np.isfinite(other.quantiles).all(axis=1)
    row = scores(y[known], ours.mean[known], ours.quantiles[known])
    found = {"twin": row, "against": {}}
    for name, other in others.items():
        found[name] = scores(y[known], other.mean[known], other.quantiles[known])
        mine, theirs = (
            np.bincount(at.person[known], (f.mean[known] - y[known]) ** 2, len(at.people))
            for f in (ours, other)
        )
        change = 100.0 * (np.sqrt(mine.sum() / theirs.sum()) - 1.0)
        crps = row["crps"] / found[name]["crps"] - 1.0
        found["against"][name] = {"rmse_percent": change, "interval": change_interval(mine, theirs), "crps": crps,
                                  "people_better": int((mine < theirs).sum()), "people": len(mine)}  # fmt: skip
    found["strata"] = {
        name: inside(y[known & mask], ours.quantiles[known & mask])
        for name, mask in strata(at)
        if (known & mask).any()
    }
    found["strata_interval"] = {
        name: inside(y[known & mask], ours.quantiles[known & mask], at.person[known & mask])
        for name, mask in strata(at)
        if (known & mask).any()
    }
    return found


def issued_forecast(issued, chosen, h):
    rows = at_instants([part[:, h] for part in issued], chosen)
    return Forecast(clip("glucose", rows[:, 0]), clip("glucose", rows[:, 1:]))


def learning(people, issued, still, h):
    """Change of RMSE against the population model, by days of data; the worst person's change [%]."""
    found = {}
    for name, low, high in (("days 2-4", 1, 4), ("days 4-14", 4, 14), ("later", 14, 1e9)):
        mine, theirs = [], []
        for person, part, other in zip(people, issued, still, strict=True):
            age = (person.times - person.times[0]) / DAY_S
            y = targets(person.times, person.values, person.step_s)[:, h]
            rows = np.isfinite(y) & (age >= low) & (age < high)
            mine.append(((part[rows, h, 0] - y[rows]) ** 2).sum())
            theirs.append(((other[rows, h, 0] - y[rows]) ** 2).sum())
        mine, theirs = (np.array(x) for x in (mine, theirs))
        seen = theirs > 0.0
        if seen.any():
            each = 100.0 * (np.sqrt(mine[seen] / theirs[seen]) - 1.0)
            whole = 100.0 * (np.sqrt(mine.sum() / theirs.sum()) - 1.0)
            found[name] = {"percent": whole, "interval": change_interval(mine[seen], theirs[seen]),
                           "worst_person": float(each.max()), "more_than_1_worse": int((each > 1.0).sum())}  # fmt: skip
    return found


def filter_alone(person):
    """The linear filter, which is base and scale of the learned part, with the quantiles of its normal (n, HORIZONS, 6)."""
    base = seen_by_twin(person.times, person.values)[1]
    return base[:, :, :1] + base[:, :, 1:] * np.array([0.0, -1.645, -0.6745, 0.0, 0.6745, 1.645])


def population(person, weights):
    """What the network says of everybody: forecasts without anything of the person's own (n, HORIZONS, 6)."""
    x, base = seen_by_twin(person.times, person.values)
    network = weights.corrections
    out = (hidden_units(network, x) @ network.outer + network.offset).reshape(len(x), len(AHEAD_MIN), -1)
    return base[:, :, :1] + base[:, :, 1:] * out


def mechanism(people, count, profile):
    """The twin with the learned part off, on some people and days: beside the baselines fitted on all of them."""
    chosen = people[:: max(1, len(people) // count)][:count]
    made = {}
    for person in chosen:
        rows = person.times < person.times[0] + MECHANISM_DAYS * DAY_S
        cohort = Cohort(horizons={"glucose": (1800, 3600)}, weights=weights_named("none"))
        cohort.set_profile(person.name, profile)
        told = [
            (int(1000 * t), "glucose", v)
            for t, v in zip(person.times[rows], person.values[rows], strict=True)
        ]
        made[person.name] = cohort.apply(readings_of_rows(person.name, told)).forecasts[:, 1, :, :2]
    issued = []
    for person in people:
        both = np.full((len(person.times), 4, 6), np.nan)
        part = made.get(person.name)
        if part is not None:
            for column, h in enumerate(SCORED):
                mean, sd = part[:, column].T
                both[: len(mean), h, 0] = mean
                both[: len(mean), h, 1:] = mean[:, None] + sd[:, None] * np.array(
                    [-1.645, -0.6745, 0, 0.6745, 1.645]
                )
        issued.append(both)
    return issued


def scene(people):
    """Where forecasts are compared, which readings these are, and what each person's sensor then read."""
    at, chosen = instants(people)
    return at, chosen, [targets(p.times, p.values, p.step_s) for p in people]


def against_ar(name, issued, at, chosen, told, horizons=SCORED):
    """Everybody's forecasts, at each horizon, against the autoregression that was trained in the study."""
    found = {}
    for h in horizons:
        minutes = int(AHEAD_MIN[h])
        y = at_instants([part[:, h] for part in told], chosen)
        found[f"{minutes} min, {name}"] = compare(
            at, y, issued_forecast(issued, chosen, h), 60 * minutes, ("ar",)
        )
    return found


def unseen_study(people, weights, at, chosen, told):
    """The twin by weights that have not seen this study."""
    return against_ar("unseen study", [run_online(p, weights)[0] for p in people], at, chosen, told)


def autoregression(people, at, chosen, y):
    """What it expects 30 min after every reading of each person; beyond all limits where the hour is not whole."""
    mean = baselines.forecasts(None, at, y, 1800, ("ar",))["ar"].mean
    parts = []
    for number, (person, rows) in enumerate(zip(people, chosen, strict=True)):
        parts.append(np.full(len(person.times), np.inf))
        parts[-1][rows] = mean[at.person == number]
    return parts


def judge(study, people, found, unseen, count):
    """Everything about one set."""
    at, chosen, told = scene(people)
    weights = [found[person.name] for person in people]
    runs = [run_online(p, w) for p, w in zip(people, weights, strict=True)]
    issued, lows = [run[0] for run in runs], [run[1] for run in runs]
    still = [population(p, w) for p, w in zip(people, weights, strict=True)]
    alone = [filter_alone(p) for p in people]
    result = {"set": study}
    for h in SCORED:
        minutes = int(AHEAD_MIN[h])
        y = at_instants([part[:, h] for part in told], chosen)
        result[f"{minutes} min"] = compare(at, y, issued_forecast(issued, chosen, h), 60 * minutes)
        for name, parts in (("filter alone", alone), ("network, nobody's own", still)):
            result |= against_ar(name, parts, at, chosen, told, (h,))
        result[f"{minutes} min, learning"] = learning(people, issued, still, h)
    if unseen is not None:
        result |= unseen_study(people, unseen, at, chosen, told)
    if count:
        result |= against_ar("mechanism alone", mechanism(people, count, PROFILES[study]), at, chosen, told)
    y = at_instants([part[:, 1] for part in told], chosen)
    auto = autoregression(people, at, chosen, y)
    result["alarms"] = alarms(people, lows, auto)
    return result


def fold_weights(prefix):
    found = {}
    for path in sorted(prefix.parent.glob(f"{prefix.name}.fold*.json")):
        for study, name in json.loads(path.read_text())["unseen"]:
            found[study, name] = load(path).glucose
    return found


def show(result):
    print(f"== {result['set']}")
    for name, part in result.items():
        if "against" in part and isinstance(part, dict):
            row = part["twin"]
            line = f"{name:26} n {row['n']:7d}  RMSE {row['rmse']:.2f} MAE {row['mae']:.2f} CRPS {row['crps']:.2f}"
            print(f"{line}  inside {100 * row['coverage_50']:.1f} / {100 * row['coverage_90']:.1f}")
            for other, gap in part["against"].items():
                low, high = gap["interval"] or (np.nan, np.nan)
                print(f"    to {other:12}{gap['rmse_percent']:+6.1f} % [{low:+.1f}, {high:+.1f}], CRPS "
                      f"{100 * gap['crps']:+.1f} %, {gap['people_better']} of {gap['people']} people better")  # fmt: skip
            if name.count(",") == 0:
                print(
                    "    inside 50/90 by stratum: "
                    + ", ".join(f"{k} {a}/{b}" for k, (a, b) in part["strata"].items())
                )
                for k, (a, b) in part["strata"].items():
                    if abs(a - 50.0) > 5.0 or abs(b - 90.0) > 5.0:
                        print(f"    outside 5 points: {k}, 95 % over people {part['strata_interval'][k]}")
        elif name.endswith("learning"):
            print(f"{name:26} " + "; ".join(f"{k} {v['percent']:+.2f} %, worst person {v['worst_person']:+.1f} %"
                                            for k, v in part.items()))  # fmt: skip
        elif name == "alarms":
            told = part.get(TO_BAR)
            if told:
                print("    false alarms against AR 30 min < 80 at its sensitivity {sensitivity:+.0f} %, at its share warned 15 min "
                      "ahead {warned_15_min:+.0f} %".format(**told))  # fmt: skip
            for rule, rates in part.items():
                if rates is not told and rates["sensitivity"] is not None:
                    print(f"    {rule:24} caught {rates['sensitivity']:.3f} of {rates['episodes']}, right {rates['ppv']:.2f}, "
                          f"false a day {rates['false_per_day']:.2f}, 15 min ahead {rates['warned_15_min']:.3f}, placebo "
                          f"{rates['placebo']:.3f}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=Path, help="leave out for --unseen-study alone")
    parser.add_argument("--unseen-study", type=Path)
    parser.add_argument("--mechanism", type=int, default=0)
    parser.add_argument("--sets", default=",".join(PROFILES))
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found, results = fold_weights(chosen.folds) if chosen.folds else {}, []
    for study in chosen.sets.split(","):
        people = people_of([chosen.folder / f"{study}.csv.gz"])
        other = (
            chosen.unseen_study and chosen.unseen_study.parent / f"{chosen.unseen_study.name}.{study}.json"
        )
        unseen = load(other).glucose if other and other.exists() else None
        if chosen.folds:
            mine = {person.name: found[study, person.name] for person in people}
            results.append(judge(study, people, mine, unseen, chosen.mechanism))
        elif unseen is not None:
            results.append({"set": study} | unseen_study(people, unseen, *scene(people)))
        else:
            parser.error(f"no weights for {study}: neither --folds nor {other}")
        show(results[-1])
        sys.stdout.flush()
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
