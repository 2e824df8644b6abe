"""The population's network: standardised inputs, one hidden SiLU layer, outputs; plain loops over float32 arrays."""

import math
from typing import NamedTuple

import numpy as np

from twin.jit import kernel
from twin.shapes import Array, Vector

CLIPPED = 4.0


class Network(NamedTuple):
    """centre, inverse (1/sd) of the inputs; inner (inputs, hidden), bias; outer (hidden, outputs), offset. float32."""

    centre: Array
    inverse: Array
    inner: Array
    bias: Array
    outer: Array
    offset: Array


class GlucoseWeights(NamedTuple):
    """All that the learned part of glucose does not learn from the person.

    identity: a number of these weights, 0 where the mechanism alone forecasts: what a person learned beside other
        weights is not theirs.
    corrections: of base and scale: outputs (HORIZONS * 6): mean, then five quantiles.
    lows: outputs: logits of "an episode begins within 15, 25 min" and "a reading below 70 mg/dL within 30 min".
    middle: usual hidden units (hidden,); projection: to the directions in which people differ (hidden, PROJECTED).
    gains: what a unit of each cause is expected to add, in units of s_h (HORIZONS, CAUSES).
    """

    identity: float
    corrections: Network
    lows: Network
    middle: Array
    projection: Array
    gains: Array


@kernel
def run(network: Network, x: Vector, hidden: Array, outputs: Array) -> None:
    """Fill `hidden` and `outputs` (float32); nan in `x` is the training mean."""
    hidden[:] = network.bias
    for i in range(x.shape[0]):
        z = (x[i] - network.centre[i]) * network.inverse[i]
        if not math.isnan(z):
            step = np.float32(min(max(z, -CLIPPED), CLIPPED))
            row = network.inner[i]
            for j in range(hidden.shape[0]):
                hidden[j] += step * row[j]
    outputs[:] = network.offset
    for j in range(hidden.shape[0]):
        unit = hidden[j] / (np.float32(1.0) + np.float32(math.exp(-hidden[j])))
        hidden[j] = unit
        row = network.outer[j]
        for k in range(outputs.shape[0]):
            outputs[k] += unit * row[k]
