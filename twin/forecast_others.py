"""Forecasts of the other channels of block F: breath, saturation, temperatures, variability, pressure, by the mechanism.

The whole filter is carried ahead once for all channels and horizons of a tick, nothing measured, and the points are seen
as each sensor would see them. Readings that stand for a whole night have no forecast of this kind: what comes next is the
next night's, and a model of days tells it.
"""

import math

import numpy as np

from twin import channels as c_
from twin import observe as o_
from twin import record as r_
from twin.blocks import fast
from twin.filter.points import draw
from twin.jit import kernel
from twin.predict import predict_fast
from twin.shapes import Array, Integers, Record, Vector
from twin.summary import covariance_of, mean_of, spread_of
from twin.workspace import Work

OTHERS = (
    "respiration_rate", "spo2", "skin_temperature", "core_temperature", "body_temperature", "hrv_rmssd", "bp_systolic",
    "bp_diastolic",
)  # fmt: skip
MEAN, SD, QUANTILES = 0, 1, 2
SIZE = 7  # of one forecast: mean, sd, five quantiles
Z = np.array([-1.6448536269514722, -0.6744897501960817, 0.0, 0.6744897501960817, 1.6448536269514722])
FULL = 100.0  # %: no sensor shows more


@kernel
def reading_variance(channel: int, expected: float, asleep: float) -> float:
    """Variance of one reading's error about what is expected; of a logarithm for RMSSD (section 13)."""
    sd = o_.SD[channel]
    if channel == c_.RESPIRATION:
        sd += (o_.AWAKE_RESPIRATION_SD - sd) * (1.0 - asleep)
    elif channel == c_.SPO2 and expected < 90.0:
        sd = o_.LOW_SPO2_SD
    return float(sd * sd)


@kernel
def log_normal(mean: float, sd: float, out: Vector) -> None:
    """Mean, sd and quantiles of exp(x), x ~ N(mean, sd^2)."""
    out[MEAN] = math.exp(mean + 0.5 * sd * sd)
    out[SD] = out[MEAN] * math.sqrt(math.exp(sd * sd) - 1.0)
    for i in range(Z.shape[0]):
        out[QUANTILES + i] = math.exp(mean + Z[i] * sd)


@kernel
def censored_above(mean: float, sd: float, limit: float, out: Vector) -> None:
    """Mean, sd and quantiles of min(x, limit), x ~ N(mean, sd^2).

    With a = (limit - mean) / sd, d = x - limit: E min(d, 0) = -sd (a P + p), E min(d, 0)^2 = sd^2 ((1 + a^2) P + a p),
    P = Phi(a), p = phi(a).
    """
    a = (limit - mean) / sd
    share = 0.5 * math.erfc(-a / math.sqrt(2.0))
    density = math.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
    first = -sd * (a * share + density)
    second = sd * sd * ((1.0 + a * a) * share + a * density)
    out[MEAN], out[SD] = limit + first, math.sqrt(max(second - first * first, 0.0))
    for i in range(Z.shape[0]):
        out[QUANTILES + i] = min(mean + Z[i] * sd, limit)


@kernel
def seen(channel: int, mean: float, sd: float, out: Vector) -> None:
    """One forecast (SIZE,) by the law of its channel."""
    if channel == c_.RMSSD:
        log_normal(mean, sd, out)
    elif channel == c_.SPO2:
        censored_above(mean, sd, FULL, out)
    else:
        out[MEAN], out[SD] = mean, sd
        for i in range(Z.shape[0]):
            out[QUANTILES + i] = mean + Z[i] * sd


def forecast_others(record: Record, now: float, channels: Integers, horizons: Vector, w: Work) -> Array:
    """Predictive distribution of a reading of each channel at each horizon [s, ascending]: (c, h, SIZE).

    Called from Python, kernel by kernel: a millisecond's work each, so that no kernel need be compiled around them.
    """
    out = np.full((len(channels), len(horizons), SIZE), math.nan)
    mean, covariance, point = w.ahead_mean, w.ahead_covariance, w.ahead
    mean[:] = mean_of(record, r_.FAST_MEAN, fast.N)
    covariance[:, :] = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
    at = now
    for h in range(len(horizons)):
        until = now + float(horizons[h])
        predict_fast(mean, covariance, at, until, record, True, w)
        at = until
        draw(mean, covariance, w.factor, w.points, fast.STRIDE)
        for i, channel in enumerate(channels.tolist()):
            o_.expect_fast(channel, False, at, record, True, w)
            spread_of(w.expected, 2 * fast.N, 0.0, point)
            sd = math.sqrt(point[1] ** 2 + reading_variance(channel, float(point[0]), float(w.inputs[2])))
            seen(channel, float(point[0]), sd, out[i, h])
    return out


def of_its_moment(record: Record, channel: int) -> bool:
    """Whether a reading that this record has just taken is of its moment: not the first one after a long silence.

    What comes after six hours may stand for the night (`observe.is_nightly`); of the very first nobody can tell yet.
    """
    again = record[r_.READ + channel] > 1.0
    return not (again and record[r_.PAUSE_S + channel] > o_.NIGHTLY_AFTER_S)
