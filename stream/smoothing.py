"""Smoothed estimates of one person for research runs: `twin replay --smooth`.

The filter runs forward keeping a record each hour of ticks; then hour by hour, backwards, it runs again keeping all and is
smoothed. So memory is that of an hour, whatever the length, and time about three times the filter's.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from stream.journal import ENTRY, bin_ticks, entries_of, merge
from stream.weights import NONE, weights_named
from twin.fold import fold, outputs_for
from twin.profile import profile_of
from twin.record import SIZE, genesis
from twin.smoothing import adopt, smooth_ticks, smoothed_room

SEGMENT = 60  # ticks between the records that are kept on the way forward
NO_HORIZONS = np.full((2, 1), np.nan)
Floats = NDArray[np.float64]


def smooth(readings: Decoded, profile: Mapping[str, object] | None, tick_ms: int) -> tuple[Floats, Floats]:
    """Times [s] and smoothed estimates (summary.ESTIMATE_SIZE) of every tick of the one person in `readings`."""
    journal, _ = merge(np.empty(0, dtype=ENTRY), entries_of(readings, np.arange(len(readings))))
    tick_s, start, channel, value, noise, flag, device, _ = bin_ticks(journal, tick_ms)
    estimates = outputs_for(len(tick_s), 0, 1)[0]
    if not len(tick_s):
        return tick_s, estimates

    def run(record: Floats, first: int, last: int) -> Floats:
        """Move the record through ticks; returns it after each of them."""
        span = slice(int(start[first]), int(start[last]))
        kept = np.zeros((last - first, SIZE))
        fold(
            record[None], np.array([0, last - first]), tick_s[first:last], start[first : last + 1] - start[first],
            channel[span], value[span], noise[span], flag[span], device[span], NO_HORIZONS, weights_named(NONE),
            np.arange(last - first), kept, *outputs_for(last - first, span.stop - span.start, 1),
        )  # fmt: skip
        return kept

    bounds = [*range(0, len(tick_s), SEGMENT), len(tick_s)]
    records = [genesis(profile_of(profile or {}))]
    for first, last in pairwise(bounds):
        records.append(run(records[-1].copy(), first, last)[-1].copy())
    smoothed = smoothed_room()
    adopt(records[-1], smoothed)
    for i in range(len(bounds) - 2, -1, -1):
        first, last = bounds[i], bounds[i + 1]
        kept = run(records[i].copy(), first, last)
        smooth_ticks(
            records[i], kept, first, last, tick_s, start, channel, value, device, smoothed, estimates
        )
    return tick_s, estimates
