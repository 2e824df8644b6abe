"""A backlog's ticks on two processors: people are independent, and the fold holds no lock of Python's.

Each person is folded by one call as before, so that the bits are the same. The broker needs little of the second processor
while batches of 50 are read; the fold is what takes the time then.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.fold import fold

FEWEST = 64  # ticks, 7 ms: what a second thread costs is a tenth of a millisecond
Floats = NDArray[np.float64]


@cache
def _other() -> ThreadPoolExecutor | None:
    """A second thread, where there is a processor for it."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(1, "fold") if there > 1 else None


def fold_by_halves(
    records: Floats, ticks: NDArray[np.int64], tick_s: Floats, obs_start: NDArray[np.int64], *rest: Any,
    daily: Floats, of_day: NDArray[np.int64],
) -> None:  # fmt: skip
    """`twin.fold.fold`, the people in two parts with as many ticks each.

    Args:
        records: of p people.
        ticks: of each.
        tick_s: of all of them.
        obs_start: the same.
        rest: its other arguments but the last.
        daily: the last.
        of_day: observations that its rows are of.

    """
    middle = int(np.searchsorted(ticks, (ticks[-1] + ticks[0]) // 2))
    other = _other() if len(tick_s) >= FEWEST and 0 < middle < len(records) else None
    call: Callable[..., None] = fold
    if other is None:
        call(records, ticks, tick_s, obs_start, *rest, daily)
        return
    row = int(np.searchsorted(of_day, obs_start[ticks[middle]]))
    second = other.submit(call, records[middle:], ticks[middle:], tick_s, obs_start, *rest, daily[row:])
    try:
        call(records[:middle], ticks[: middle + 1], tick_s, obs_start, *rest, daily)
    finally:
        second.result()
