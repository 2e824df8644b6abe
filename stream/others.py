"""Forecasts of channels beside glucose and heart rate, for research runs: the mechanism carried ahead from each reading.

They take milliseconds of a tick where the fold takes a tenth of one, so that they are made where they are asked for and not
in the worker. The twin runs over the readings once more, in the order of time; nothing here changes one.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from stream.journal import ENTRY, bin_ticks, entries_of, merge
from stream.weights import NONE, weights_named
from twin.channels import CHANNELS
from twin.fold import fold, outputs_for
from twin.forecast_others import OTHERS, forecast_others, of_its_moment
from twin.profile import profile_of
from twin.record import FAST_S, NEVER, SIZE, genesis
from twin.workspace import rooms

SEGMENT = 500  # ticks whose records are held at a time: 16 kB each
NO_HORIZONS = np.full((2, 1), np.nan)
REFUSED = 2  # an outcome: the reading was not assimilated
Floats = NDArray[np.float64]


def forecasts(
    readings: Decoded, profile: Mapping[str, object] | None, tick_ms: int, channels: Sequence[str], horizons: Sequence[int]
) -> Iterator[tuple[float, str, Floats]]:  # fmt: skip
    """Time [s], channel and forecasts (h, 7: mean, sd, five quantiles) of each reading of the one person in `readings`."""
    wanted = np.zeros(len(CHANNELS), dtype=bool)
    wanted[[CHANNELS.index(name) for name in channels if name in OTHERS]] = True
    journal, _ = merge(np.empty(0, dtype=ENTRY), entries_of(readings, np.arange(len(readings))))
    tick_s, start, channel, value, noise, flag, device, _ = bin_ticks(journal, tick_ms)
    if not len(horizons) or not wanted[channel].any():
        return
    ahead, room = np.array(sorted(horizons), dtype=np.float64), rooms().fast
    record = genesis(profile_of(profile or {}))
    for first, last in pairwise([*range(0, len(tick_s), SEGMENT), len(tick_s)]):
        span = slice(int(start[first]), int(start[last]))
        at = start[first : last + 1] - start[first]
        of_tick = np.repeat(np.arange(last - first), np.diff(at))
        ticks = np.unique(of_tick[wanted[channel[span]]])
        keep = np.full(last - first, -1, dtype=np.int64)
        keep[ticks] = np.arange(len(ticks))
        kept, outputs = np.zeros((len(ticks), SIZE)), outputs_for(last - first, span.stop - span.start, 1)
        fold(
            record[None], np.array([0, last - first]), tick_s[first:last], at, channel[span], value[span], noise[span],
            flag[span], device[span], NO_HORIZONS, weights_named(NONE), keep, kept, *outputs,
        )  # fmt: skip
        for tick, then in zip(ticks.tolist(), kept, strict=True):
            codes = channel[span][at[tick] : at[tick + 1]]
            taken = codes[wanted[codes] & (outputs[2][at[tick] : at[tick + 1]] != REFUSED)]
            told = np.array(
                [code for code in np.unique(taken) if of_its_moment(then, int(code))], dtype=np.int64
            )
            if len(told) and then[FAST_S] > NEVER:
                now = float(tick_s[first + tick])
                for code, made in zip(told, forecast_others(then, now, told, ahead, room), strict=True):
                    yield now, CHANNELS[code], made
