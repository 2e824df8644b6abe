"""What the uncertainty of one block costs the block that receives only its mean.

Blocks hand one another posterior means (section 1). Where the receiver answers steeply, the sender's variance times the
squared sensitivity is added to the receiver's process noise, as white noise of the same power as the sender's error.
"""

import math

from twin import record as r_
from twin.blocks import circadian, fast, metabolic
from twin.jit import kernel
from twin.numerics import sigmoid
from twin.physiology.sleep import homeostat_rate
from twin.shapes import Matrix, Record, Vector

INTENSITY_ERROR_MINUTES = 30.0  # over which an error of x lasts: a bout
EXERCISE = (metabolic.EX_UPTAKE, metabolic.EX_PRODUCTION, metabolic.EX_BOOST)
UPTAKE_GAIN, PRODUCTION_GAIN, BOOST_GAIN = 0.00388, 0.00443, 0.011  # of x e, physiology/glucose.py
PRODUCTION_SCALE_AT = r_.METABOLIC_BODY + metabolic.Body._fields.index("exercise_production_gain")
SLEEP_ERROR_MINUTES = 20.0  # over which an error of S lasts: falling asleep
GAS_MINUTES, SITE_MINUTES = 4.0, 8.0  # of alveolar CO2 and of the skin site, which follow S
GAS_SHIFT, SITE_SHIFT = 2.0, 2.6  # mmHg, and degC under the cover, between S = 0 and 1


@kernel
def driven(intensity: float) -> float:
    """x e(x), what exercise puts into glucose uptake and production; e = sig((x - 0.15) / 0.03)."""
    return float(intensity * sigmoid((intensity - 0.15) / 0.03))


@kernel
def add_intensity_noise(covariance: Matrix, minutes: float, record: Record) -> None:
    """Block G: exercise x comes from block F with an error; its three effects err alike, and each a little otherwise."""
    sd = record[r_.INTENSITY_SD]
    x = max(record[r_.INTENSITY], 0.0)
    error = 0.5 * (driven(x + sd) - driven(max(x - sd, 0.0)))
    power = error * math.sqrt(2.0 * INTENSITY_ERROR_MINUTES * minutes)
    gains = (UPTAKE_GAIN * power, PRODUCTION_GAIN * record[PRODUCTION_SCALE_AT] * power, BOOST_GAIN * power)
    for i in range(3):
        covariance[EXERCISE[i], EXERCISE[i]] += gains[i] * gains[i]


@kernel
def add_sleep_noise(mean: Vector, covariance: Matrix, minutes: float, asleep: float) -> None:
    """Block F: S is a probability, what it drives is a person asleep or awake; variance S (1 - S)."""
    variance = asleep * (1.0 - asleep)
    rate = variance * 2.0 * minutes
    covariance[fast.AROUSAL, fast.AROUSAL] += mean[fast.SLEEP_FALL] ** 2 * rate / SLEEP_ERROR_MINUTES
    covariance[fast.ALVEOLAR_CO2, fast.ALVEOLAR_CO2] += GAS_SHIFT**2 * rate / GAS_MINUTES
    covariance[fast.DISTAL, fast.DISTAL] += SITE_SHIFT**2 * rate / SITE_MINUTES


@kernel
def add_homeostat_noise(mean: Vector, covariance: Matrix, minutes: float, asleep: float) -> None:
    """Block C: the need of sleep rises awake and falls asleep; the same variance of S, by how far these rates differ."""
    need = mean[circadian.SLEEP_HOMEOSTAT]
    swing = (homeostat_rate(need, 0.0) - homeostat_rate(need, 1.0)) / 60.0
    rate = asleep * (1.0 - asleep) * 2.0 * SLEEP_ERROR_MINUTES * minutes
    covariance[circadian.SLEEP_HOMEOSTAT, circadian.SLEEP_HOMEOSTAT] += swing * swing * rate
