"""The population's network: standardised inputs, two hidden SiLU layers, outputs; plain loops over float32 arrays."""

import math
from typing import NamedTuple

import numpy as np

from twin.jit import kernel
from twin.shapes import Array, Vector

CLIPPED = 4.0


class Network(NamedTuple):
    """Several members side by side, each with two layers of its own; their outputs are added. float32.

    centre, inverse (1/sd) of the inputs; inner (inputs, members * first), bias; deep (members, first, second), deep_bias
    (members * second); outer (members * second, outputs), offset.
    """

    centre: Array
    inverse: Array
    inner: Array
    bias: Array
    deep: Array
    deep_bias: Array
    outer: Array
    offset: Array


class GlucoseWeights(NamedTuple):
    """All that the learned part of glucose does not learn from the person.

    identity: a number of these weights, 0 where the mechanism alone forecasts: what a person learned beside other
        weights is not theirs.
    corrections: of base and scale: outputs (HORIZONS * 6): mean, then five quantiles.
    onsets: outputs: logits of "an episode begins within 15, 25 min"; right between 70 and 130 mg/dL.
    lows: output: logit of "a reading below 70 mg/dL within 30 min".
    middle: usual units of the second layer (hidden,); projection: to the directions in which people differ (hidden, PROJECTED).
    gains: what a unit of each cause is expected to add, in units of s_h (HORIZONS, CAUSES).
    slow_trend: autoregression to 30 min of a sensor that reads each quarter of an hour: its last four readings, newest
        first, and a constant (5,) [-, mg/dL].
    """

    identity: float
    corrections: Network
    onsets: Network
    lows: Network
    middle: Array
    projection: Array
    gains: Array
    slow_trend: Array


class Layers(NamedTuple):
    """Room of one network: units of both layers and outputs, float32."""

    first: Array
    hidden: Array
    outputs: Array


@kernel
def layers_for(network: Network) -> Layers:
    """Room for it."""
    return Layers(
        np.zeros(network.bias.shape[0], dtype=np.float32),
        np.zeros(network.deep_bias.shape[0], dtype=np.float32),
        np.zeros(network.offset.shape[0], dtype=np.float32),
    )


@kernel
def activate(units: Array) -> None:
    """SiLU in place."""
    for j in range(units.shape[0]):
        units[j] = units[j] / (np.float32(1.0) + np.float32(math.exp(-units[j])))


@kernel
def run(network: Network, x: Vector, layers: Layers) -> None:
    """Fill the units of both layers and the outputs; nan in `x` is the training mean."""
    first, hidden, outputs = layers.first, layers.hidden, layers.outputs
    first[:] = network.bias
    for i in range(x.shape[0]):
        z = (x[i] - network.centre[i]) * network.inverse[i]
        if not math.isnan(z):
            step = np.float32(min(max(z, -CLIPPED), CLIPPED))
            row = network.inner[i]
            for j in range(first.shape[0]):
                first[j] += step * row[j]
    activate(first)
    hidden[:] = network.deep_bias
    members, width, second = network.deep.shape
    for m in range(members):
        part = hidden[m * second : (m + 1) * second]
        for i in range(width):
            unit, row = first[m * width + i], network.deep[m, i]
            for j in range(second):
                part[j] += unit * row[j]
    activate(hidden)
    outputs[:] = network.offset
    for j in range(hidden.shape[0]):
        unit, row = hidden[j], network.outer[j]
        for k in range(outputs.shape[0]):
            outputs[k] += unit * row[k]
