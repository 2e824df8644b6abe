"""Where a person's regression of heart rate begins: the mean of what it came to in the training people.

With three people that is all that holds for others; a network of two or three people overfits (hybrid.md, section 8).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.jit import kernel
from twin.learned import heart as h_
from twin.learned.heart_slot import AT_DOUBT, AT_WEIGHTS
from twin.shapes import Array, Vector

Floats = NDArray[np.float64]


@kernel
def series(
    times: Vector,
    values: Vector,
    demands: Vector,
    offset_h: float,
    weights: Vector,
    memory: Vector,
    found: Array,
) -> None:
    """Forecasts of the three horizons (n, 3, 7) at each of a person's readings, as the fold makes them."""
    rows = np.zeros((3, h_.N))
    for i in range(times.shape[0]):
        h_.take_heart_rate(memory, times[i], values[i], demands[i], offset_h, weights, rows)
        for h in range(h_.HORIZONS):
            h_.outlook_heart_rate(
                memory, times[i], values[i], demands[i], h_.HORIZONS_S[h], rows, found[i, h]
            )
        h_.push_lags(memory, values[i])


def follow(
    times: Floats, values: Floats, demands: Floats, weights: Floats, offset_h: float = 0.0
) -> tuple[Floats, Floats]:
    """Forecasts (n, 3, 7) at each reading, and the memory after the last (heart.SIZE,)."""
    memory, found = np.zeros(h_.SIZE), np.zeros((len(times), h_.HORIZONS, 7))
    series(times, values, demands, offset_h, weights, memory, found)
    return found, memory


def train_heart(people: Mapping[str, tuple[Floats, Floats]]) -> Floats:
    """Start weights (30,) from heart rates by the minute: times [s] and values [bpm] of each person."""
    none = np.zeros(h_.HORIZONS * h_.N)
    ends = [
        follow(times, values, np.ones(len(times)), none)[1][AT_WEIGHTS:AT_DOUBT]
        for times, values in people.values()
    ]
    return np.mean(ends, axis=0) if ends else none
