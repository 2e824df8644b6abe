"""How far below AR(30) heart rate can be forecast at all: an oracle that learns in the very study in which it is judged.

    python tests/bench/heart_ceiling.py FOLDER [--study day_cgmacros] [--minutes 1 15 60] [--json]

Folds by person inside the study, so that it may not ship where the study may only judge (day_cgmacros). It corrects the
shipped twin's forecast by ridge and boosted trees, and by the mean of both, on all that a device told up to now: 30 minutes
of heart rate, its means and roughness up to three days back, the target's clock time one, two, three and seven days before,
the twin's state space, own hour and sd, movement (MET) by the minute and in means up to a day, glucose, carbohydrate, clock.
The instants are those of heart_and_days.py.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from heart_and_days import by_kernels, compare, demands_of, line  # noqa: E402

from connectors.channels import CODE_OF  # noqa: E402
from connectors.table import read_table  # noqa: E402
from stream.evaluate import baselines  # noqa: E402
from stream.evaluate.evidence import Evidence, Series  # noqa: E402
from stream.evaluate.instants import instants, nearest, of_twin, targets  # noqa: E402
from stream.training_body import rates  # noqa: E402
from twin.jit import kernel  # noqa: E402
from twin.learned import heart as h_  # noqa: E402
from twin.learned import heart_slot as s_  # noqa: E402
from twin.learned.body_weights import load_body  # noqa: E402
from twin.learned.heart_space import DAY_S  # noqa: E402

DAY = 1440  # minutes
LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29)
SPANS = ((0, 5), (0, 15), (0, 30), (0, 60), (30, 60), (60, 120), (0, 120), (0, 240), (120, 480), (0, 720), (0, DAY),
         (0, 3 * DAY))  # fmt: skip
TREES = {"max_iter": 250, "max_leaf_nodes": 24, "learning_rate": 0.04, "min_samples_leaf": 200, "l2_regularization": 50.0,
         "max_features": 0.3, "early_stopping": False, "random_state": 0}  # fmt: skip
RIDGE, CLIPPED, FOLDS = 1000.0, 5.0, 5


class Minutes:
    """A channel of one person by the minute, gaps as gaps; means over spans that end before each wanted minute."""

    def __init__(self, times, values, begin, count):
        self.value = np.full(count, np.nan)
        place = np.round((times - begin) / 60.0).astype(int)
        inside = (place >= 0) & (place < count)
        self.value[place[inside]] = values[inside]
        self.sums, self.counts = self._sums(self.value)
        self.squares, _ = self._sums(self.value**2)
        self.steps, self.stepped = self._sums(np.abs(np.diff(self.value, prepend=np.nan)))

    @staticmethod
    def _sums(x):
        known = np.isfinite(x)
        return (
            np.concatenate([[0.0], np.cumsum(np.where(known, x, 0.0))]),
            np.concatenate([[0], np.cumsum(known)]),
        )

    def _mean(self, sums, counts, at, near, far):
        high, low = np.clip(at - near + 1, 0, len(self.value)), np.clip(at - far + 1, 0, len(self.value))
        known = counts[high] - counts[low]
        return np.where(known > 0, (sums[high] - sums[low]) / np.maximum(known, 1), np.nan)

    def mean(self, at, near, far):
        """Of the minutes from `near` ago (included) to `far` ago (not)."""
        return self._mean(self.sums, self.counts, at, near, far)

    def sd(self, at, far):
        """Standard deviation of the last minutes."""
        square = self._mean(self.squares, self.counts, at, 0, far)
        return np.sqrt(np.maximum(square - self.mean(at, 0, far) ** 2, 0.0))

    def roughness(self, at, far):
        """Mean step from minute to minute."""
        return self._mean(self.steps, self.stepped, at, 0, far)

    def ago(self, at, minutes):
        """The value so many minutes ago."""
        return np.where(at >= minutes, self.value[np.maximum(at - minutes, 0)], np.nan)


@kernel
def insides(times, values, demands, weights, found):
    """The state space, its level, the person's means and own hours at the horizons, the movement's onset, into `found` (n, 15)."""
    memory, rows = np.zeros(h_.SIZE), np.zeros((3, h_.N))
    for i in range(times.shape[0]):
        h_.take_heart_rate(memory, times[i], values[i], demands[i], 0.0, weights, rows)
        found[i, :8] = memory[s_.AT_MEAN : s_.AT_COVARIANCE]
        found[i, 8], found[i, 9], found[i, 10] = memory[s_.AT_LEVEL], memory[s_.AT_DAY], memory[s_.AT_LONG]
        for h in range(h_.HORIZONS):
            found[i, 11 + h] = h_.own_hour(memory, times[i] + h_.HORIZONS_S[h])
        found[i, 14] = demands[i] - memory[s_.AT_DEMAND]
        h_.push_lags(memory, values[i])


def told(table, number, times, values, horizon_s, inside):
    """Everything that was known of a person at each reading, for one horizon."""
    begin, clock = times[0], (times % DAY_S) / 3600.0
    at = np.round((times - begin) / 60.0).astype(int)
    count, ahead = at[-1] + 1, horizon_s // 60

    def channel(name):
        rows = np.flatnonzero((table.person == number) & (table.channel == CODE_OF[name]))
        return Minutes(table.time_ms[rows] / 1000.0, table.value[rows], begin, count)

    heart, met, sugar = Minutes(times, values, begin, count), channel("met"), channel("glucose")
    meals = channel("carbohydrate_intake")
    h = h_.HORIZONS_S.tolist().index(horizon_s)
    columns = [values, *(heart.ago(at, k) - values for k in LAGS)]
    columns += [heart.mean(at, *span) - values for span in SPANS]
    columns += [heart.roughness(at, far) for far in (5, 15, 30, 60, 180, DAY)]
    columns += [heart.sd(at, far) for far in (10, 30, 60, 180)]
    for days in (1, 2, 3, 7):
        columns += [heart.mean(at + ahead - days * DAY, -k, k + 1) - values for k in (10, 45)]
    columns += [*inside[:, :9].T, *(inside[:, [9, 10, 11 + h]] - values[:, None]).T, inside[:, 14]]
    columns += [met.ago(at, k) for k in (0, 1, 2, 3, 5, 8)]
    columns += [
        met.mean(at, *span) for span in ((0, 5), (0, 15), (0, 30), (30, 60), (60, 120), (0, 240), (0, DAY))
    ]
    columns += [met.mean(at + ahead - days * DAY, -15, 16) for days in (1, 2, 7)]
    columns += [sugar.mean(at, 0, 10), sugar.mean(at, 0, 10) - sugar.mean(at, 20, 40)]
    columns += [
        meals.sums[np.maximum(at + 1 - near, 0)] - meals.sums[np.maximum(at + 1 - far, 0)]
        for near, far in ((0, 30), (30, 90), (90, 240))
    ]
    turn = 2.0 * np.pi * (times + horizon_s) / DAY_S
    columns += [f(k * turn) for k in (1, 2) for f in (np.sin, np.cos)]
    columns += [clock, times // DAY_S % 7, (times - begin) / DAY_S]
    return np.column_stack(columns).astype(np.float32)


def oracle(x, error, person):
    """What ridge and trees, trained on other people of the study, say the twin's error will be."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    z = np.clip(
        np.nan_to_num((x - np.nanmean(x, axis=0)) / np.maximum(np.nanstd(x, axis=0), 1e-9)), -CLIPPED, CLIPPED
    )
    ridge, trees = np.zeros(len(x)), np.zeros(len(x))
    present = np.unique(person)
    for k in range(min(FOLDS, len(present))):
        test = np.isin(person, present[k::FOLDS])
        a = z[~test].astype(np.float64)
        ridge[test] = z[test] @ np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ error[~test])
        with threadpool_limits(1):
            train = np.flatnonzero(~test)[::2]  # neighbours overlap
            model = HistGradientBoostingRegressor(**TREES).fit(x[train], error[train])
            trees[test] = model.predict(x[test])
    return {"ridge": ridge, "trees": trees, "both": 0.5 * (ridge + trees)}


def judge(folder, study, minutes):
    """A row for the twin and each oracle at each horizon, against AR(30)."""
    table = read_table(folder / f"{study}.csv.gz")
    people, weights = rates(table), load_body().heart
    number_of = {name: number for number, name in enumerate(table.persons)}
    made = by_kernels(table, people, dict.fromkeys(people, weights))
    inside = {p: np.zeros((len(times), 15)) for p, (times, _) in people.items()}
    for p, (times, values) in people.items():
        insides(times, values, demands_of(table, number_of[p], times), weights, inside[p])
    series = {(p, "heart_rate"): Series(times, values, 60.0) for p, (times, values) in people.items()}
    evidence = Evidence(sorted(people), series, {}, {})
    (at,) = instants(evidence, "heart_rate")
    rows = []
    for horizon in [60 * m for m in minutes]:
        target = targets(evidence, at, horizon)
        ar = baselines.forecasts(evidence, at, target, horizon, ("ar",))["ar"].mean
        twin = of_twin(made, at, horizon)
        parts = []
        for number, name in enumerate(at.people):
            times, values = people[name]
            x = told(table, number_of[name], times, values, horizon, inside[name])
            mine = made[name, "heart_rate", horizon]
            x = np.column_stack([x, mine.mean - values, mine.sd]).astype(np.float32)
            parts.append(x[nearest(times, at.time[at.person == number], 30.0)])
        good = np.isfinite(target) & np.isfinite(twin.mean)
        x = np.column_stack([np.concatenate(parts), at.lags[:, 1:] - at.now[:, None]])[good]
        y, person, mean = target[good], at.person[good], twin.mean[good]
        for name, shift in {"as shipped": 0.0, **oracle(x, y - mean, person)}.items():
            squares = {"twin": (mean + shift - y) ** 2, "ar": (ar[good] - y) ** 2}
            rows.append(compare(squares, y, person, twin.quantiles[good], f"+{horizon // 60} min {name}"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--study", default="day_cgmacros")
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 15, 60])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = judge(chosen.folder, chosen.study, chosen.minutes)
    for row in rows:  # the bands are the twin's, not the oracle's
        if not row["task"].endswith("shipped"):
            row["c50"] = row["c90"] = float("nan")
    print(json.dumps(rows, indent=1) if chosen.json else "\n".join(line(row) for row in rows))


if __name__ == "__main__":
    main()
