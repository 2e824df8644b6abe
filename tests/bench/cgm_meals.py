"""What meals and insulin bring to the learned glucose forecast: the same people with them told and with them withheld.

    python tests/bench/cgm_meals.py FOLDER [--weights W.json]

FOLDER holds day_cgmacros.csv.gz and day_uc_ht_t1dm.csv.gz, which only evaluate: nothing was trained on them and they never
come into the project. The kernels are those of the fold (twin/learned): compartments are moved to each reading, meals and boluses
enter them, a person learns what they are worth. Activity is not told. The first 24 h are not scored; intervals: 95 %, people drawn again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from connectors.channels import CODE_OF  # noqa: E402
from connectors.table import read_table  # noqa: E402
from stream.training_people import people_of, targets  # noqa: E402
from twin.learned import glucose_slot as s_  # noqa: E402
from twin.learned.causes import causes_now, eat_grams, inject_units, move_causes  # noqa: E402
from twin.learned.glucose import SAID, bench_for, learn_and_issue  # noqa: E402
from twin.learned.observe import AHEAD_MIN  # noqa: E402
from twin.learned.weights import load  # noqa: E402
from twin.scoring.bootstrap import change_interval  # noqa: E402

SETS = ("day_cgmacros", "day_uc_ht_t1dm")
CARBOHYDRATE, BOLUS, BASAL_RATE = TOLD = tuple(
    CODE_OF[name] for name in ("carbohydrate_intake", "insulin_bolus", "insulin_basal_rate")
)
DAY_S, AFTER_MEAL_S = 86400.0, 7200.0
SCORED = (1, 2)


def doses_of(path):
    """Times [s], names and amounts of what was eaten and injected, of each person, in order."""
    table = read_table(path, None)
    found = {}
    for number, name in enumerate(table.persons):
        rows = np.flatnonzero((table.person == number) & np.isin(table.channel, TOLD))
        rows = rows[np.argsort(table.time_ms[rows], kind="stable")]
        found[name] = list(
            zip(table.time_ms[rows] / 1000.0, table.channel[rows], table.value[rows], strict=True)
        )
    return found


def causes_at(slot, times, doses):
    """The causes at each reading, compartments moved and fed on the way: yields (CAUSES,), overwritten at the next."""
    found, basal, at = np.zeros(s_.CAUSES), 0.0, 0
    for now in times:
        while at < len(doses) and doses[at][0] <= now:
            seconds, what, amount = doses[at]
            move_causes(slot, seconds, basal, 0.0)
            if what == CARBOHYDRATE:
                eat_grams(slot, amount)
            elif what == BOLUS:
                inject_units(slot, amount)
            else:
                basal = amount
            at += 1
        move_causes(slot, now, basal, 0.0)
        causes_now(slot, basal, found)
        yield found


def run(person, doses, weights):
    """Forecasts (n, HORIZONS, 6) of one person."""
    slot, bench, lows = np.zeros(s_.SIZE), bench_for(weights), np.zeros(SAID)
    issued = np.zeros((len(person.times), s_.HORIZONS, 6))
    told = causes_at(slot, person.times, doses)
    for i, (now, value, causes) in enumerate(zip(person.times, person.values, told, strict=True)):
        learn_and_issue(slot, weights, now, 0.0, value, causes, bench, lows)
        issued[i] = bench.issued
    return issued


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path)
    chosen = parser.parse_args()
    weights = load(chosen.weights).glucose
    for study in SETS:
        path = chosen.folder / f"{study}.csv.gz"
        people, doses = people_of([path]), doses_of(path)
        runs = [(run(p, doses.get(p.name, []), weights), run(p, [], weights)) for p in people]
        for h in SCORED:
            for where in ("everywhere", "two hours after a meal"):
                squares = [[], []]
                for person, pair in zip(people, runs, strict=True):
                    y = targets(person.times, person.values, person.step_s)[:, h]
                    good = np.isfinite(y) & (person.times >= person.times[0] + DAY_S)
                    if where != "everywhere":
                        eaten = np.array(
                            [t for t, what, _ in doses.get(person.name, []) if what == CARBOHYDRATE]
                        )
                        last = np.append(-np.inf, eaten)[np.searchsorted(eaten, person.times, side="right")]
                        good &= person.times - last <= AFTER_MEAL_S
                    for k in range(2):
                        squares[k].append(((np.clip(pair[k][good, h, 0], 40.0, 400.0) - y[good]) ** 2).sum())
                told, withheld = (np.array(s) for s in squares)
                change = 100.0 * (np.sqrt(told.sum() / withheld.sum()) - 1.0)
                low, high = change_interval(told, withheld)
                print(f"{study:15} {int(AHEAD_MIN[h])} min, {where:22} {change:+.2f} % [{low:+.2f}, {high:+.2f}], "
                      f"{int((told < withheld).sum())} of {len(people)} people better")  # fmt: skip


if __name__ == "__main__":
    main()
