"""What anybody could forecast without a twin, on the same instants and the same lags.

persistence; linear (least squares over the last 15 minutes); damped (that slope times phi, phi learned); hours (the
person's own mean at that hour so far), for values of days week (the mean of the last seven); AR (ridge on the lags, one
for each horizon); boosted trees (the same lags). What is learned is learned on other people: folds by person. Where
there is only one person it is learned on the first half of their time, and everything is compared on the second half.
Bands: quantiles of the errors of those other people, by thirds of the value now.
"""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.evaluate.evidence import Evidence, Floats, Series
from stream.evaluate.instants import DAILY_S, Forecast, Instants, clip
from twin.scoring.errors import LEVELS

Rows = NDArray[np.int64]
Fold = tuple[Rows, Rows]
FOLDS = 5
RIDGE = 1.0
TREES: dict[str, Any] = {"max_iter": 200, "max_leaf_nodes": 16, "learning_rate": 0.06, "min_samples_leaf": 40,
                         "early_stopping": False, "random_state": 0}  # fmt: skip
NAMES = ("persistence", "linear", "damped", "hours", "week", "ar", "trees")
OF_DAYS = (
    "persistence",
    "week",
    "ar",
    "trees",
)  # slopes of a quarter of an hour, and hours, mean nothing there


def names_for(groups: list[Instants]) -> tuple[str, ...]:
    """The baselines of a channel: those of days where all its sensors give values of days."""
    daily = all(at.step_s >= DAILY_S for at in groups)
    names = OF_DAYS if daily else tuple(name for name in NAMES if name != "week")
    return tuple(name for name in names if name != "trees" or trees_available())


def trees_available() -> bool:
    """Boosted trees need scikit-learn, an extra of the package."""
    try:
        import sklearn.ensemble  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def folds(at: Instants, horizon_s: int) -> list[Fold]:
    """Rows to learn from and rows to forecast; people are never split, unless there is only one."""
    present = np.unique(at.person)
    if len(present) >= 2:
        parts = [present[k :: min(FOLDS, len(present))] for k in range(min(FOLDS, len(present)))]
        return [
            (np.flatnonzero(~np.isin(at.person, part)), np.flatnonzero(np.isin(at.person, part)))
            for part in parts
        ]
    if not len(at.time):
        return []
    middle = 0.5 * (at.time[0] + at.time[-1])
    return [(np.flatnonzero(at.time + horizon_s < middle), np.flatnonzero(at.time >= middle))]


def slopes(at: Instants) -> Floats:
    """Least-squares slope over the last 15 minutes, at least three readings [per s]."""
    count = min(at.lags.shape[1], max(3, round(900.0 / at.step_s) + 1))
    ago = -np.arange(count) * at.step_s
    weights = (ago - ago.mean()) / np.sum((ago - ago.mean()) ** 2)
    return np.asarray(at.lags[:, :count] @ weights, dtype=np.float64)


def features(at: Instants) -> Floats:
    """Value now, and the lags as differences to it."""
    return np.column_stack([at.now, at.lags[:, 1:] - at.now[:, None]])


def own_hours(series: Series, time: Floats, horizon_s: int) -> Floats:
    """The person's own mean at the target's hour of day, of all readings up to now; of every hour where that one is new."""
    hours = ((series.times % 86400.0) // 3600.0).astype(np.int64)
    total = np.zeros((len(series.times) + 1, 24))
    count = np.zeros_like(total)
    total[np.arange(1, len(hours) + 1), hours] = series.values
    count[np.arange(1, len(hours) + 1), hours] = 1.0
    total, count = total.cumsum(axis=0), count.cumsum(axis=0)
    at = np.searchsorted(series.times, time, side="right")  # readings up to and including now
    wanted = (((time + horizon_s) % 86400.0) // 3600.0).astype(np.int64)
    known = count[at, wanted] > 0.0
    every = total[at].sum(axis=1) / np.maximum(count[at].sum(axis=1), 1.0)
    return np.where(known, total[at, wanted] / np.maximum(count[at, wanted], 1.0), every)


def fit_ridge(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Ridge with an unpenalised mean, on standardised columns: centre, scale, weights, mean of y."""
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    z = (x - centre) / scale
    weights = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return centre, scale, weights, float(y.mean())


def _learned(name: str, at: Instants, change: Floats, horizon_s: int, fold: Fold) -> Floats:
    """Forecast change of the fold's test rows, by what its training rows teach."""
    train, test = fold
    train = train[~np.isnan(change[train])]
    if len(train) < 50:
        return np.full(len(test), np.nan)
    y = change[train]
    if name == "damped":
        trend = slopes(at) * horizon_s
        power = float(trend[train] @ trend[train])
        phi = float(trend[train] @ y) / power if power > 0.0 else 0.0
        return np.asarray(phi * trend[test], dtype=np.float64)
    x = features(at)
    if name == "ar":
        centre, scale, weights, mean = fit_ridge(x[train], y)
        return np.asarray(mean + ((x[test] - centre) / scale) @ weights, dtype=np.float64)
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    model = HistGradientBoostingRegressor(**TREES)
    with threadpool_limits(1):  # the same sums in the same order, and no spinning where cores are shared
        return np.asarray(model.fit(x[train], y).predict(x[test]), dtype=np.float64)


def _bands(at: Instants, mean: Floats, target: Floats, parts: list[Fold]) -> Floats:
    """Mean plus quantiles of the training rows' errors, in thirds of the value now."""
    quantiles = np.full((len(mean), 5), np.nan)
    error = target - mean
    for train, test in parts:
        known = train[~np.isnan(error[train])]
        if len(known) < 50:
            continue
        edges = np.quantile(at.now[known], [1 / 3, 2 / 3])
        known_third, third = np.searchsorted(edges, at.now[known]), np.searchsorted(edges, at.now[test])
        for k in range(3):
            errors = error[known[known_third == k]]
            if len(errors):
                rows = test[third == k]
                quantiles[rows] = mean[rows, None] + np.quantile(errors, LEVELS)
    return clip(at.channel, quantiles)


def forecasts(
    evidence: Evidence, at: Instants, target: Floats, horizon_s: int, names: tuple[str, ...]
) -> dict[str, Forecast]:
    """Every named baseline at every instant; not a number where its fold has nothing to learn from.

    Means never saw the person that they forecast. The errors behind a band are those that other people had in their own
    folds, whose models may have learned from this person: bands are, if anything, a little too good for a baseline. With one
    person the errors are those of the half that was learned from, too small for trees.
    """
    parts = folds(at, horizon_s)
    change = target - at.now
    found = {}
    for name in names:
        shift = np.full(len(target), np.nan)
        if name == "persistence":
            shift[:] = 0.0
        elif name == "linear":
            shift = slopes(at) * horizon_s
        elif name == "week":
            shift = at.lags.mean(axis=1) - at.now
        elif name == "hours":
            for number, person in enumerate(at.people):
                rows = np.flatnonzero(at.person == number)
                own = own_hours(evidence.series[person, at.channel], at.time[rows], horizon_s)
                shift[rows] = own - at.now[rows]
        else:
            for train, test in parts:
                shift[test] = _learned(name, at, change, horizon_s, (train, test))
            if len(np.unique(at.person)) < 2:
                for train, _ in parts:
                    shift[train] = _learned(name, at, change, horizon_s, (train, train))
        mean = clip(at.channel, at.now + shift)
        found[name] = Forecast(mean, _bands(at, mean, target, parts))
    return found


def compared(at: Instants, horizon_s: int) -> NDArray[np.bool_]:
    """Instants at which baselines learned without having seen the answer."""
    seen = np.zeros(len(at.time), dtype=np.bool_)
    seen[
        np.array(
            list(itertools.chain.from_iterable(test for _, test in folds(at, horizon_s))), dtype=np.int64
        )
    ] = True
    return seen
