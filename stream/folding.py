"""A batch between its journal and its results: the ticks to run, the arrays that the fold fills.

The fold holds no lock of Python's and touches nothing but these arrays. A worker lets a large one run on threads of its own
while its event loop decodes the batch after it and writes the estimates of the one before (stream.worker).
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stream.applied import Applied, Made, checkpoints_to_keep, forget_days_made, mark_made
from stream.journal import Entries, bin_people
from stream.person import Checkpoint, PersonTwin
from twin import record as r_
from twin.fold import fold, outputs_for
from twin.learned.daily import DAILY
from twin.learned.weights import Weights

FEWEST = 64  # ticks, 7 ms: what other threads cost is a tenth of a millisecond
MOST_THREADS = 2  # decoding and writing take the event loop as long as the fold takes two
Floats = NDArray[np.float64]
# A person's twin, where its run begins, its entries from there on, and what it has forecast of them before.
Work = tuple[PersonTwin, Checkpoint, Entries, Made]


@cache
def threads() -> int:
    """That fold a large batch; 1 where there is one processor."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, MOST_THREADS)


@cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads(), "fold")


class Folding:
    """Runs of some people.

    Args:
        work: of each person.
        tick_ms: all readings of a channel within a tick are one observation.
        horizons: of the forecasts of heart rate and glucose [s], nan where unused (2, h).
        weights: of the learned part.

    Attributes:
        ticks: person i owns ticks ticks[i] to ticks[i + 1].
        number: of each tick, counted from 1970.
        records: the twins, before and after (p, record.SIZE).
        keep, kept: where the record after a tick is kept, -1 for nowhere, and those that are (c, record.SIZE).

    """

    def __init__(self, work: list[Work], tick_ms: int, horizons: Floats, weights: Weights) -> None:
        self.work, self.horizons, self.weights = work, horizons, weights
        bounds = np.cumsum([0, *(len(entries) for _, _, entries, _ in work)])
        together = np.concatenate([entries for _, _, entries, _ in work])
        (self.ticks, self.tick_s, self.obs_start, self.channel, self.value, self.noise, self.flag, self.device,
         self.readings) = bin_people(together, bounds, tick_ms)  # fmt: skip
        self.number = (self.tick_s * 1000).astype(np.int64) // tick_ms
        self.records = np.stack([base.record for _, base, _, _ in work])
        self.keep, slots = checkpoints_to_keep(self.tick_s, self.ticks)
        self.kept = np.zeros((slots, r_.SIZE))
        self.of_day = np.flatnonzero(np.isin(self.channel, DAILY))
        self.outputs = outputs_for(len(self.tick_s), len(self.channel), horizons.shape[1], len(self.of_day))
        self.known = [made for _, _, _, made in work]
        mark_made(self.outputs[3], self.tick_s, self.ticks, self.known)

    def run(self) -> None:
        """Fold, here and now."""
        self._part(0, len(self.records))

    async def run_aside(self) -> None:
        """Fold while the event loop goes on; here and now where it is little, or there is one processor."""
        if threads() == 1 or len(self.tick_s) < FEWEST:
            self.run()
            return
        # As many ticks for each. People are independent, so that the bits do not depend on where is cut.
        cuts = np.searchsorted(self.ticks, np.linspace(0, len(self.tick_s), threads() + 1)).tolist()
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(
                loop.run_in_executor(_aside(), self._part, *part)
                for part in pairwise(cuts)
                if part[0] < part[1]
            )
        )

    def _part(self, first: int, last: int) -> None:
        """Fold people `first` to `last`."""
        call: Callable[..., None] = fold
        day = int(
            np.searchsorted(self.of_day, self.obs_start[self.ticks[first]])
        )  # the fold counts its rows from there
        call(self.records[first:last], self.ticks[first : last + 1], self.tick_s, self.obs_start, self.channel,
             self.value, self.noise, self.flag, self.device, self.horizons, self.weights, self.keep, self.kept,
             *self.outputs[:-1], self.outputs[-1][day:])  # fmt: skip

    def tell(self, applied: Applied) -> None:
        """What the ticks said."""
        applied.tick_s, applied.obs_start, applied.obs_channel = self.tick_s, self.obs_start, self.channel
        applied.obs_value, applied.readings = self.value, self.readings
        applied.estimates, applied.surprises, applied.outcomes = self.outputs[:3]
        applied.forecasts, applied.low_probability, applied.daily = self.outputs[3:]
        applied.daily_at = self.of_day
        forget_days_made(applied, self.ticks, self.known)
