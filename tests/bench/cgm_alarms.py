"""Low-glucose alarms of unseen people: the twin's rule and its curve beside "AR 30 min < 80", and what other rules could do.

    python tests/bench/cgm_alarms.py FOLDER --folds W [--sets cgm_hupa_ucm,cgm_physiocgm]

Folds as in cgm_forecasts.py, which prints the curve. Run by itself this searches a grid of rules on the very people that it
scores: gate (a forecast of the next 15, 30 min below a limit), nearness, chance of an onset. What it finds is more than any rule that
was chosen elsewhere reaches: a ceiling, not a result.
"""

import argparse
import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream import policy  # noqa: E402
from twin.jit import kernel  # noqa: E402
from twin.learned.glucose import TREND  # noqa: E402
from twin.scoring import episodes  # noqa: E402

DAY_S = 86400.0
# Chances of an onset at which the alert could open.
CURVE = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.13, 0.16, 0.20, 0.25, 0.30)
BAR = "AR 30 min < 80"
TO_BAR = f"to {BAR}"
REST_S = policy.LOW_SOON.refractory_s
GATES = {
    "trend": lambda issued, lows, auto: lows[:, TREND],
    "AR": lambda issued, lows, auto: auto,
    "mean in 30": lambda issued, lows, auto: issued[:, 1, 0],
    "quartile in 30": lambda issued, lows, auto: issued[:, 1, 2],
    "mean in 15": lambda issued, lows, auto: issued[:, 0, 0],
}
CHANCES = {
    "onset": lambda lows: 0.5 * (lows[:, 0] + lows[:, 1]),
    "onset in 15": lambda lows: lows[:, 0],
    "onset in 25": lambda lows: lows[:, 1],
    "low in 30": lambda lows: lows[:, 2],
}
LIMITS, NEAR = (
    (64.0, 68.0, 72.0, 74.0, 76.0, 78.0, 80.0, 82.0, 84.0, 86.0, 88.0, 92.0),
    (85.0, 90.0, 100.0, 120.0),
)
OPENS = np.geomspace(0.01, 0.4, 16)


def own_alarms(person, lows, chance=None):
    """Times at which the twin's rule opens an alert, by what the fold hands it; at another chance of an onset if told."""
    quick, slow = (
        near if chance is None else replace(near, chance=chance) for near in (policy.QUICK, policy.SLOW)
    )
    state, fired, onset = policy.new_state(), [], CHANCES["onset"](lows)
    for i, now in enumerate(person.times):
        signal = policy.Signal(
            now, lows[i, 2], person.values[i], np.nan, 60.0, False, onset[i], lows[i, TREND]
        )
        opened = [t.at_s for t in policy.step(state, signal, quick, slow) if t.state == "active"]
        fired += opened if person.values[i] >= 70.0 else []
    return np.array(fired)


def along(curve, name, wanted):
    """False alarms a day where a curve of the rule's points reaches `wanted` of `name`; nan where it never does."""
    points = sorted((rates[name], rates["false_per_day"]) for rates in curve)
    if not points or wanted > points[-1][0] or wanted < points[0][0]:
        return np.nan
    return float(np.interp(wanted, *zip(*points, strict=True)))


def alarms(people, lows, auto):
    """Rates of the twin's rule, of its calibrated chance at some thresholds, and of the autoregression's."""
    found = {}
    parts = {"twin, alert as issued": [], **{f"twin, alert at {c}": [] for c in CURVE}, **{f"twin, chance > {c}": [] for c in (0.2, 0.3, 0.4)},
             **{f"AR 30 min < {limit}": [] for limit in (75, 80, 85)}}  # fmt: skip
    for person, low, mean in zip(people, lows, auto, strict=True):
        later = person.times >= person.times[0] + DAY_S
        times, values = person.times[later], person.values[later]
        fired = {"twin, alert as issued": own_alarms(person, low)}
        fired |= {f"twin, alert at {c}": own_alarms(person, low, c) for c in CURVE}
        for name, tallies in parts.items():
            kind, _, limit = name.rpartition(" ")
            if name not in fired:
                asked = (
                    low[later, 2] > float(limit) if kind.startswith("twin") else mean[later] < float(limit)
                )
                fired[name] = episodes.alarms(times, values, asked, person.step_s)
            at = fired[name][fired[name] >= times[0]] if len(fired[name]) else fired[name]
            tallies.append(episodes.tally(times, values, at, person.step_s))
    for name, tallies in parts.items():
        found[name] = episodes.rates(tallies)
    bar, curve = found[BAR], [found[f"twin, alert at {c}"] for c in CURVE]
    if bar["sensitivity"] is not None:
        found[TO_BAR] = {
            name: 100.0 * (along(curve, name, bar[name]) / bar["false_per_day"] - 1.0)
            for name in ("sensitivity", "warned_15_min")
        }
    return found


@kernel
def opens(times, values, chance, gate, least, limit, near, fired):
    """The shipped rule with other numbers: fills `fired` with the times at which it opens at 70 mg/dL or more; returns how many."""
    count, active, since, quiet = 0, False, 0.0, -1e18
    for i in range(times.shape[0]):
        if active:
            over = chance[i] < policy.GONE * least or gate[i] >= limit + policy.TREND_HYSTERESIS
            over = over or times[i] - since >= policy.AGAIN_S
            active = not (over and values[i] >= policy.LOW)
        elif values[i] < near and gate[i] < limit and chance[i] >= least and times[i] >= quiet:
            active, since, quiet = True, times[i], times[i] + REST_S
            if values[i] >= policy.LOW:
                fired[count] = times[i]
                count += 1
    return count


def truths(people):
    """Of each person: onsets of episodes after the first day, days, the end of the first day [s]."""
    found = []
    for person in people:
        start = person.times[0] + DAY_S
        later = person.times >= start
        began = episodes.onsets(person.times[later], person.values[later], person.step_s)
        found.append((began, later.sum() * person.step_s / DAY_S, start))
    return found


def counted(truth, fired):
    """Share caught, false alarms a day, share warned 15 min ahead, as episodes.tally counts them."""
    caught = warned = false = 0
    for (began, _, start), times in zip(truth, fired, strict=True):
        at = np.append(times[times >= start], np.inf)
        lead = began - at[np.searchsorted(at, began - episodes.AHEAD_S)]
        following = np.append(began, np.inf)[np.searchsorted(began, at[:-1])]
        caught, warned = caught + (lead >= 0.0).sum(), warned + (lead >= 900.0).sum()
        false += (following - at[:-1] > episodes.AHEAD_S).sum()
    count, days = sum(len(t[0]) for t in truth), sum(t[1] for t in truth)
    return caught / count, false / days, warned / count


def search(people, runs, auto):
    """For each gate the rule with fewest false alarms that catches, or warns, as many as the bar: (gate, what) -> row."""
    room = np.empty(max(len(p.times) for p in people))
    truth = truths(people)
    fired = [
        episodes.alarms(p.times, p.values, a < 80.0, p.step_s) for p, a in zip(people, auto, strict=True)
    ]
    bar = counted(truth, fired)
    best = {}
    for (gate_name, gate), (chance_name, chance) in itertools.product(GATES.items(), CHANCES.items()):
        gates = [gate(*run, a) for run, a in zip(runs, auto, strict=True)]
        chances = [np.ascontiguousarray(chance(lows)) for _, lows in runs]
        for limit, near, least in itertools.product(LIMITS, NEAR, OPENS):
            fired = []
            for person, said, led in zip(people, chances, gates, strict=True):
                count = opens(person.times, person.values, said, led, least, limit, near, room)
                fired.append(room[:count].copy())
            rates = counted(truth, fired)
            for k, what in ((0, "caught"), (2, "warned 15 min ahead")):
                row = (rates[1] / bar[1] - 1.0, rates, chance_name, limit, near, float(least))
                if rates[k] >= bar[k] and row < best.get((gate_name, what), (np.inf,)):
                    best[gate_name, what] = row
    return bar, best


def main():
    from stream.training import run_online
    from stream.training_people import people_of
    from tests.bench import cgm_forecasts as forecasts

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--sets", default="cgm_hupa_ucm,cgm_physiocgm,cgm_azt1d")
    chosen = parser.parse_args()
    found = forecasts.fold_weights(chosen.folds)
    for study in chosen.sets.split(","):
        people = people_of([chosen.folder / f"{study}.csv.gz"])
        at, rows, told = forecasts.scene(people)
        auto = forecasts.autoregression(
            people, at, rows, forecasts.at_instants([t[:, 1] for t in told], rows)
        )
        bar, best = search(people, [run_online(p, found[study, p.name]) for p in people], auto)
        print(
            f"== {study}: {BAR} catches {bar[0]:.3f}, {bar[1]:.2f} false a day, warns {bar[2]:.3f} 15 min ahead"
        )
        for (gate, what), (change, rates, chance, limit, near, least) in sorted(
            best.items(), key=lambda b: (b[0][1], b[1][0])
        ):
            print(f"    as many {what:20} {100 * change:+.0f} % false ({rates[0]:.3f}, {rates[1]:.2f}, {rates[2]:.3f}): {gate} < {limit:.0f}, "
                  f"glucose < {near:.0f}, {chance} >= {least:.3f}")  # fmt: skip
        sys.stdout.flush()


if __name__ == "__main__":
    main()
