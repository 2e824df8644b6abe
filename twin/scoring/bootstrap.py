"""Intervals by drawing whole people again: readings of one person are not independent, people are."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float] | None
DRAWS, SEED = 2000, 20240501


def _weights(people: int) -> Floats:
    """How often each person is drawn, one row a draw; the seed is fixed, so that a report repeats itself."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(people, np.full(people, 1.0 / people), size=DRAWS).astype(np.float64)


def _interval(values: Floats) -> Interval:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def ratio_interval(sums: Floats, counts: Floats) -> Interval:
    """95 % interval of a pooled mean, sum(sums) / sum(counts), over people; None for fewer than two of them."""
    if len(sums) < 2:
        return None
    weights = _weights(len(sums))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval((weights @ sums) / (weights @ counts))


def rmse_interval(squares: Floats, counts: Floats) -> Interval:
    """95 % interval of the pooled RMSE; squares are each person's sums of squared errors."""
    found = ratio_interval(squares, counts)
    return None if found is None else (float(np.sqrt(found[0])), float(np.sqrt(found[1])))


def change_interval(squares: Floats, other: Floats) -> Interval:
    """95 % interval of 100 (RMSE / RMSE of the other - 1) on the same instants [%]; below 0 where the first is better."""
    if len(squares) < 2:
        return None
    weights = _weights(len(squares))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval(100.0 * (np.sqrt((weights @ squares) / (weights @ other)) - 1.0))
