"""Virtual people with a known truth: the twin's own equations in open loop, plus the sensors' noise.

A twin experiment shows whether the filter finds a truth that its model can express; it says nothing about people.
"""

import math
from dataclasses import dataclass

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin.constants import Profile, constants_of
from twin.inputs import clock_of
from twin.numerics import exp

MEALS = ((7.5, 45.0), (12.5, 65.0), (18.5, 75.0))  # local hour, g of carbohydrate
ACTIVITY = ((8.2, 0.4, 3.3), (13.0, 0.3, 3.0), (17.0, 0.6, 6.0))  # local hour, hours, MET
HEART_RATE_SD, SENSOR_ERROR_SD, SENSOR_ERROR_MINUTES, WHITE_SD = 2.5, 5.0, 30.0, 2.0


@dataclass(frozen=True, slots=True)
class VirtualPerson:
    """Who is simulated: the parameters that the twin has to find."""

    name: str
    resting: float
    sensitivity: float
    basal: float
    seed: int


DEMO = (
    VirtualPerson("virtual-1", 55.0, 1.6, 88.0, 1),
    VirtualPerson("virtual-2", 71.0, 0.8, 101.0, 2),
)


def simulate(
    person: VirtualPerson, start_ms: int, days: float
) -> tuple[Decoded, dict[int, dict[str, float]]]:
    """Readings (heart rate each minute, CGM each five, MET each minute, meals) and the truth by minute [ms]."""
    rng = np.random.default_rng(person.seed)
    k = constants_of(Profile())
    fast_mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
    u, v = fast.new_inputs(), metabolic.new_inputs()
    fast.start(fast_mean, covariance, k)
    fast_mean[fast.RESTING] = math.log(person.resting)
    x = np.repeat(fast_mean, fast.STRIDE)
    metabolic_mean = np.zeros(metabolic.N)
    metabolic.rest(metabolic_mean, person.basal, math.log(person.sensitivity), k[k_.PRIOR_LOG_EMPTYING], k)
    y = np.repeat(metabolic_mean, metabolic.STRIDE)
    wx, wy = np.zeros((5, x.size)), np.zeros((3, y.size))
    rows: list[tuple[int, str, float]] = []
    truth: dict[int, dict[str, float]] = {}
    arousal, error = 0.0, 0.0
    for minute in range(round(days * 1440)):
        at_ms = start_ms + minute * 60_000
        hour = at_ms / 3_600_000 % 24
        u[fast.CLOCK], u[fast.ASLEEP] = clock_of(at_ms / 1000, 0.0)
        met = 1.3 - 0.35 * u[fast.ASLEEP]
        for begin, length, level in ACTIVITY:
            met = level if begin <= hour < begin + length else met
        u[fast.MET], u[fast.POSTURE] = met, 0.3 * (1 - u[fast.ASLEEP])
        arousal += -arousal / 30.0 + (1.0 - 0.6 * u[fast.ASLEEP]) * rng.normal()
        x[fast.AROUSAL * fast.STRIDE : (fast.AROUSAL + 1) * fast.STRIDE] = arousal
        fast.advance(x, 1.0, u, k, wx[0], wx[1], wx[2], wx[3], wx[4])
        fast.rates(x, wx[0], wx[3], wx[4], u, k)
        v[metabolic.INTAKE] = 0.0
        v[metabolic.TOLERANCE] = 1.0 + 0.15 * math.cos(2 * math.pi * (hour - 8.4) / 24)
        for when, grams in MEALS:
            if 0 <= hour - when < 1 / 60 - 1e-9:
                rows.append((at_ms, "carbohydrate_intake", grams))
                v[metabolic.INTAKE] = grams * 1000.0
        metabolic.advance(y, 1.0, v, k, wy[0], wy[1], wy[2], 1.0)
        error += (
            -error / SENSOR_ERROR_MINUTES
            + SENSOR_ERROR_SD * math.sqrt(2 / SENSOR_ERROR_MINUTES) * rng.normal()
        )
        rate = float(wx[3][0])
        glucose = float(exp(float(y[metabolic.PLASMA * metabolic.STRIDE])) / k[k_.VG])
        sensor = float(y[metabolic.SENSOR * metabolic.STRIDE])
        truth[at_ms] = {"heart_rate": rate, "glucose": glucose}
        rows.append((at_ms, "met", met))
        rows.append((at_ms, "heart_rate", rate + HEART_RATE_SD * rng.normal()))
        if minute % 5 == 0:
            rows.append((at_ms, "glucose", min(max(sensor + error + WHITE_SD * rng.normal(), 40.0), 400.0)))
    count = len(rows)
    times = np.array([row[0] for row in rows], dtype=np.int64)
    zeros = np.zeros(count, dtype=np.int64)
    readings = Decoded(
        [person.name], zeros.astype(np.int32), zeros.astype(np.int32),
        np.array([CODE_OF[row[1]] for row in rows], dtype=np.int16), times, np.array([row[2] for row in rows]),
        np.full(count, np.nan), zeros, times, zeros, zeros, np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.int8),
    )  # fmt: skip
    return readings, truth
