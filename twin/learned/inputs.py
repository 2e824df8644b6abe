"""What the network looks at: dimensionless numbers of level, lags, filter, innovations, person and clock.

g is the reading now, s and s' the linear filter's sd of the readings in 60 and 30 min. nan where something is not known
yet; the network takes nan as the training mean. Which groups matter: ../shared/hybrid.md section 3.
"""

import math

import numpy as np

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.learned import linear, person
from twin.shapes import Array, Matrix, Vector

NAMES = (
    "log_level", "level", "log_scale", "scale_ratio", "step",
    "lag_5", "lag_10", "lag_15", "lag_30", "lag_45", "lag_60",
    "change_15", "change_30", "change_60", "bend_15",
    "bend_15_scaled", "smooth_gap", "fast_trend_scaled", "slow_trend_scaled", "fast_trend", "slow_trend",
    "ahead_30_scaled", "ahead_60_scaled", "ahead_30", "ahead_60", "ahead_120_scaled", "mu_gap", "circadian",
    "circadian_30", "circadian_60", "circadian_120", "log_noise_level", "log_sd_g", "log_sd_v",
    "innovation_10", "innovation_30", "surprise_30", "surprise_180",
    "long_mean", "day_mean", "low_3h", "high_3h", "mean_3h", "mean_6h", "usual_30", "usual_60", "usual_120",
    "log_long_sd", "log_change", "log_rough", "low_share", "age", "since_low",
    "sin_24", "cos_24", "sin_12", "cos_12", "sin_24_ahead", "cos_24_ahead",
)  # fmt: skip
INPUTS = len(NAMES)
LAGS = np.array([5.0, 10.0, 15.0, 30.0, 45.0, 60.0])


@kernel
def describe(
    slot: Vector, singles: Array, mean: Vector, covariance: Matrix, now: float, minute: float, base: Matrix, seen: Vector,
    out: Vector,
) -> None:  # fmt: skip
    """Fill `out` (INPUTS,).

    Args:
        slot: the learned part of the record, the reading of `now` already in it.
        singles: its float32 part.
        mean, covariance: of the linear filter at `now`.
        now: event time [s].
        minute: local time of day [min].
        base: mean and sd of the filter's forecasts (HORIZONS, 2).
        seen: room for three numbers.

    """
    value = slot[s_.LAST]
    newest, count = int(slot[s_.NEWEST]), int(slot[s_.COUNT])
    s, half = base[2, 1], base[1, 1]
    out[0], out[1], out[2] = math.log(max(value, 20.0) / 120.0), value / 100.0, math.log(s)
    out[3], out[4] = math.log(half / s), math.log(slot[s_.STEP_MIN] / 5.0)
    for k in range(LAGS.shape[0]):
        out[5 + k] = (person.value_ago(singles, newest, count, LAGS[k]) - value) / half
    out[11], out[12], out[13] = -out[7] * half / 20.0, -out[8] * half / 20.0, -out[10] * half / 20.0
    out[15] = out[8] - 2.0 * out[7]
    out[14] = out[15] * half / 20.0
    out[16] = (mean[linear.G] - value) / half
    out[17], out[18] = 30.0 * mean[linear.V1] / half, 30.0 * mean[linear.V2] / half
    out[19], out[20] = mean[linear.V1], mean[linear.V2]
    out[21], out[22] = (base[1, 0] - value) / half, (base[2, 0] - value) / s
    out[23], out[24] = base[1, 0] - value, base[2, 0] - value
    out[25] = (base[3, 0] - value) / base[3, 1]
    out[26] = (mean[linear.MU] - value) / s
    rhythm = linear.circadian(mean, minute)
    out[27] = rhythm / s
    out[28] = (linear.circadian(mean, minute + 30.0) - rhythm) / s
    out[29] = (linear.circadian(mean, minute + 60.0) - rhythm) / s
    out[30] = (linear.circadian(mean, minute + 120.0) - rhythm) / s
    out[31] = math.log(slot[s_.SCALE])
    out[32] = math.log(math.sqrt(max(covariance[linear.G, linear.G], 1e-3)) / half)
    trend = covariance[linear.V1, linear.V1] + covariance[linear.V2, linear.V2]
    out[33] = math.log(30.0 * math.sqrt(max(trend + 2.0 * covariance[linear.V1, linear.V2], 1e-6)) / half)
    out[34], out[35] = slot[s_.Z_10], slot[s_.Z_30]
    out[36], out[37] = math.log(slot[s_.ZZ_30] + 0.05), math.log(slot[s_.ZZ_180] + 0.05)
    out[38], out[39] = (slot[s_.LONG_MEAN] - value) / s, (slot[s_.DAY_MEAN] - value) / s
    person.window(singles, newest, count, seen)
    for k in range(3):
        out[40 + k] = (seen[k] - value) / s
    out[43] = (slot[s_.SIX_HOURS] - value) / s
    out[44] = (person.usual_at(slot, singles, minute + 30.0) - value) / s
    out[45] = (person.usual_at(slot, singles, minute + 60.0) - value) / s
    out[46] = (person.usual_at(slot, singles, minute + 120.0) - value) / s
    out[47] = 0.5 * math.log(slot[s_.LONG_SQUARE] + 25.0)
    out[48], out[49] = (
        0.5 * math.log(slot[s_.CHANGE_SQUARE] + 1.0),
        0.5 * math.log(slot[s_.ROUGH_SQUARE] + 0.1),
    )
    out[50] = math.sqrt(max(slot[s_.LOW_SHARE], 0.0))
    out[51] = math.log(1.0 + max(now - slot[s_.FIRST_S], 0.0) / 3600.0)
    out[52] = math.log(1.0 + min(max(now - slot[s_.LOW_S], 0.0) / 60.0, person.NEVER_LOW_MIN))
    w = linear.OMEGA * minute
    out[53], out[54], out[55], out[56] = math.sin(w), math.cos(w), math.sin(2.0 * w), math.cos(2.0 * w)
    out[57], out[58] = out[53] * out[22], out[54] * out[22]
