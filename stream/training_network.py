"""Fit a small network by Adam in numpy: two hidden SiLU layers, outputs in units of the filter's sd.

Of each horizon six outputs: mean, then quantiles .05 .25 .50 .75 .95, each as (y - m_h) / s_h. Loss of a row with weight
w: s_h^2 (T - mean)^2 / 2 + s_h pinball(T), T = (y - m_h) / s_h clipped, so that errors count in mg/dL. Every horizon is
divided by its usual s_h^2, so that the far ones do not drown the near ones. Fixed seed, fixed order: the same bits again
on one machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.learned.network import Network

Floats = NDArray[np.float32]
LEVELS = np.array([0.05, 0.25, 0.50, 0.75, 0.95], dtype=np.float32)
PER_HORIZON = 1 + len(LEVELS)
CLIPPED_TARGET, CLIPPED_INPUT = np.float32(6.0), np.float32(4.0)
SMOOTHED = np.float32(0.1)  # of the pinball's corner


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit: units of the two layers; flat optima of ../shared/hybrid.md section 3 and of twin/DECISIONS.md."""

    hidden: int = 48
    deep: int = 32
    epochs: int = 8
    batch: int = 1024
    rate: float = 4e-3
    decay: float = 1e-3
    averaged_from: float = 0.7  # of all steps: the mean of the later weights is kept


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows to learn from.

    x: inputs, nan where unknown (n, inputs); weight, mean about 1 (n,).
    target: (y - m_h) / s_h, clipped, nan where unknown; spread: s_h over its usual value (n, horizons).
    label: 0, 1, or nan where not asked (n, labels).
    """

    x: Floats
    weight: Floats
    target: Floats
    spread: Floats
    label: Floats


def standard(x: Floats, centre: Floats, inverse: Floats) -> Floats:
    """Standardised and clipped; what is not known is the training mean."""
    z = np.asarray((x - centre) * inverse, dtype=np.float32)
    np.clip(z, -CLIPPED_INPUT, CLIPPED_INPUT, out=z)
    np.nan_to_num(z, copy=False, nan=0.0)
    return z


def sigmoid(a: Floats) -> Floats:
    """1 / (1 + exp(-a))."""
    return np.asarray(1.0 / (1.0 + np.exp(-a)), dtype=np.float32)


def hidden_units(network: Network, x: Floats) -> Floats:
    """Units of the second layer for inputs (n, members * second)."""
    a = standard(x, network.centre, network.inverse) @ network.inner + network.bias
    members, width, _ = network.deep.shape
    first = (a * sigmoid(a)).reshape(len(x), members, width)
    parts = [first[:, m] @ network.deep[m] for m in range(members)]
    a = np.concatenate(parts, axis=1) + network.deep_bias
    return np.asarray(a * sigmoid(a), dtype=np.float32)


def moments(x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and 1 / sd of every column, over what is known."""
    known = np.isfinite(x)
    weight = np.where(known, w[:, None], 0.0).astype(np.float64)
    total = weight.sum(axis=0)
    filled = np.where(known, x, 0.0)
    centre = (weight * filled).sum(axis=0) / total
    spread = (weight * np.where(known, filled - centre, 0.0) ** 2).sum(axis=0) / total
    return centre.astype(np.float32), (1.0 / np.sqrt(np.maximum(spread, 1e-12))).astype(np.float32)


def forecast_loss(y: Floats, rows: NDArray[np.int64], examples: Examples) -> Floats:
    """Gradient of a batch's loss with respect to its outputs (n, horizons * 6); see above."""
    target, s = examples.target[rows], examples.spread[rows]
    n, horizons = target.shape
    out = y.reshape(n, horizons, PER_HORIZON)
    known = np.isfinite(target)
    t = np.where(known, target, 0.0)[:, :, None]
    weight = np.where(known, examples.weight[rows][:, None], 0.0)[:, :, None]
    found = np.empty_like(out)
    found[:, :, :1] = weight * (s * s)[:, :, None] * (out[:, :, :1] - t)
    slope = np.clip((t - out[:, :, 1:]) / SMOOTHED, -1.0, 1.0)  # instead of a step from -1 to 1
    found[:, :, 1:] = -weight * s[:, :, None] * (LEVELS - 0.5 + 0.5 * slope)
    return np.asarray(found.reshape(n, horizons * PER_HORIZON), dtype=np.float32)


def chance_loss(y: Floats, rows: NDArray[np.int64], examples: Examples) -> Floats:
    """Gradient of the cross entropy of logits."""
    error = sigmoid(y) - examples.label[rows]
    return np.asarray(error * examples.weight[rows][:, None], dtype=np.float32)


def log_odds(label: Floats) -> Floats:
    """Of the share of ones in each column: where logits start."""
    share = np.clip(label.mean(axis=0, dtype=np.float64), 1e-4, 1.0 - 1e-4)
    return np.asarray(np.log(share / (1.0 - share)), dtype=np.float32)


def fit(
    examples: Examples,
    outputs: int,
    loss: Callable[[Floats, NDArray[np.int64], Examples], Floats],
    plan: Plan,
    seed: int,
    offset: Floats | None = None,
) -> Network:
    """Fit one network; `seed` is of the start and of the order, `offset` where the outputs start (0)."""
    rng = np.random.default_rng(seed)
    centre, inverse = moments(examples.x, examples.weight)
    z = standard(examples.x, centre, inverse)
    inputs = z.shape[1]
    first = rng.standard_normal((inputs, plan.hidden)) / np.sqrt(inputs)
    second = rng.standard_normal((plan.hidden, plan.deep)) / np.sqrt(plan.hidden)
    values = [
        first.astype(np.float32), np.zeros(plan.hidden, dtype=np.float32),
        second.astype(np.float32), np.zeros(plan.deep, dtype=np.float32),
        np.zeros((plan.deep, outputs), dtype=np.float32),
        np.zeros(outputs, dtype=np.float32) if offset is None else offset.copy(),
    ]  # fmt: skip
    means, squares = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    late = [np.zeros(v.shape) for v in values]
    per_epoch = max(len(z) // plan.batch, 1)
    steps, from_step, kept = plan.epochs * per_epoch, int(plan.averaged_from * plan.epochs * per_epoch), 0
    order = np.arange(len(z))
    for step in range(steps):
        if step % per_epoch == 0:
            order = rng.permutation(len(z))
        rows = order[(step % per_epoch) * plan.batch : (step % per_epoch + 1) * plan.batch]
        part = z[rows]
        a = part @ values[0] + values[1]
        gate = sigmoid(a)
        unit = a * gate
        b = unit @ values[2] + values[3]
        deep_gate = sigmoid(b)
        hidden = b * deep_gate
        d = loss(hidden @ values[4] + values[5], rows, examples) / np.float32(len(rows))
        db = (d @ values[4].T) * (deep_gate * (1.0 + b * (1.0 - deep_gate)))
        da = (db @ values[2].T) * (gate * (1.0 + a * (1.0 - gate)))
        gradients = (part.T @ da, da.sum(axis=0), unit.T @ db, db.sum(axis=0), hidden.T @ d, d.sum(axis=0))
        rate = plan.rate * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        for i, gradient in enumerate(gradients):
            means[i] += np.float32(0.1) * (gradient - means[i])
            squares[i] += np.float32(0.001) * (gradient * gradient - squares[i])
            m, v = means[i] / (1.0 - 0.9 ** (step + 1)), squares[i] / (1.0 - 0.999 ** (step + 1))
            change = m / (np.sqrt(v) + 1e-8)
            if i % 2 == 0:
                change = change + plan.decay * values[i]
            values[i] = (values[i] - rate * change).astype(np.float32)
        if step >= from_step:
            kept += 1
            for i, value in enumerate(values):
                late[i] += (value - late[i]) / kept
    inner, bias, deep, deep_bias, outer, last = (v.astype(np.float32) for v in late)
    return Network(centre, inverse, inner, bias, deep[None], deep_bias, outer, last)


def together(networks: list[Network]) -> Network:
    """The mean of several networks of the same inputs as one, their units side by side."""
    share = np.float32(1.0 / len(networks))
    return Network(
        networks[0].centre, networks[0].inverse, np.concatenate([n.inner for n in networks], axis=1),
        np.concatenate([n.bias for n in networks]), np.concatenate([n.deep for n in networks]),
        np.concatenate([n.deep_bias for n in networks]), np.concatenate([n.outer * share for n in networks]),
        np.stack([n.offset * share for n in networks]).sum(axis=0),
    )  # fmt: skip
