"""What a sensor reads of the sigma points, and how noisily: section 13 of the specification, by channel."""

import numpy as np

from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import record as r_
from twin.filter.correct import correct
from twin.filter.points import draw
from twin.inputs import fast_inputs
from twin.jit import kernel
from twin.numerics import exp
from twin.shapes import Array, Constants, Matrix, Record, Vector

(HEART_RATE, GLUCOSE, GLUCOSE_BGM, MET, ASLEEP, POSTURE, CARBOHYDRATE, BOLUS, BASAL_RATE) = range(9)
CHANNELS = (
    "heart_rate", "glucose", "glucose_bgm", "met", "asleep", "posture", "carbohydrate_intake", "insulin_bolus",
    "insulin_basal_rate",
)  # fmt: skip
PLAIN, CENSORED_LOW, CENSORED_HIGH = 0, 1, 2


@kernel
def heart_rate_noise(drive: float) -> float:
    """Variance of one wrist reading [bpm^2]: sd 2.5 still, 8 at full drive."""
    sd = 2.5 + 5.5 * min(max(drive, 0.0), 1.0)
    return sd * sd


@kernel
def glucose_noise(value: float) -> float:
    """Variance of the white part of a CGM reading [(mg/dL)^2]; the coloured part is a state."""
    return 2.0 * 2.0 + (0.01 * value) ** 2


@kernel
def meter_noise(value: float) -> float:
    """Variance of a fingerstick [(mg/dL)^2]: 5 %, at least 5 mg/dL."""
    sd = max(5.0, 0.05 * value)
    return sd * sd


@kernel
def expect_heart_rate(points: Vector, seconds: float, record: Record, ahead: bool, w: Array) -> None:
    """Heart rate of every point into w[4], mean pressure into w[5]."""
    u = np.zeros(fast.INPUTS)
    fast_inputs(record, seconds, ahead, u)
    fast.rates(points, w[1], w[4], w[5], u, record[r_.CONSTANTS : r_.FAST_MEAN])


@kernel
def expect_glucose(points: Vector, expected: Vector) -> None:
    """What the CGM shows of every point: interstitial glucose plus its coloured error [mg/dL]."""
    stride = metabolic.STRIDE
    for j in range(stride):
        expected[j] = points[metabolic.SENSOR * stride + j] + points[metabolic.SENSOR_ERROR * stride + j]


@kernel
def expect_plasma_glucose(points: Vector, k: Constants, expected: Vector) -> None:
    """Plasma glucose of every point [mg/dL]."""
    stride = metabolic.STRIDE
    for j in range(stride):
        expected[j] = exp(min(max(points[metabolic.PLASMA * stride + j], 2.0), 8.0)) / k[k_.VG]


@kernel
def correct_fast(
    value: float, noise: float, seconds: float, record: Record, mean: Vector, covariance: Matrix, factor: Matrix,
    w: Array, report: Vector,
) -> int:  # fmt: skip
    """Assimilate one heart rate; `noise` below zero asks for the channel's own. Returns the outcome."""
    draw(mean, covariance, factor, w[0], fast.STRIDE)
    expect_heart_rate(w[0], seconds, record, False, w)
    if noise < 0.0:
        noise = heart_rate_noise(mean[fast.DRIVE]) * -noise
    return correct(w[0], w[4], fast.STRIDE, value, noise, mean, covariance, w[2], report)


@kernel
def correct_metabolic(
    channel: int, value: float, noise: float, flag: int, record: Record, mean: Vector, covariance: Matrix,
    factor: Matrix, w: Array, report: Vector,
) -> int:  # fmt: skip
    """Assimilate one CGM or fingerstick value. A censored one counts only if the twin stands on its wrong side."""
    draw(mean, covariance, factor, w[0], metabolic.STRIDE)
    if channel == GLUCOSE:
        expect_glucose(w[0], w[4])
        own = glucose_noise(value)
    else:
        expect_plasma_glucose(w[0], record[r_.CONSTANTS : r_.FAST_MEAN], w[4])
        own = meter_noise(value)
    if noise < 0.0:
        noise = own * -noise
    if flag != PLAIN:
        centre = 0.0
        for j in range(2 * metabolic.N):
            centre += w[4][j] / (2 * metabolic.N)
        if (flag == CENSORED_LOW and centre < value) or (flag == CENSORED_HIGH and centre > value):
            report[0], report[1], report[2] = 0.0, centre, noise
            return 0
    return correct(w[0], w[4], metabolic.STRIDE, value, noise, mean, covariance, w[2], report)
