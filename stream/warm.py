"""Compile every kernel into the cache, so that no reading waits for the compiler.

The fold is one compiled call, so that any tick compiles all of it, forecasts and nights included; the smoother and the body in
open loop are calls of their own.
"""

import time

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.cohort import Cohort
from stream.outlook_run import outlook
from stream.smoothing import smooth
from stream.weights import weights_named
from twin.blocks import fast, metabolic
from twin.channels import CARBOHYDRATE, GLUCOSE, HEART_RATE, MET, PLAIN
from twin.fold import move_circadian, move_fast, move_metabolic, move_slow
from twin.forecast import CHANCES, FORECAST, forecast_heart_rate, forecast_tick
from twin.learned.daily import ROOM
from twin.learned.glucose import bench_for
from twin.observe import correct_fast
from twin.observe_glucose import correct_metabolic
from twin.open_loop import OpenLoop
from twin.profile import Profile
from twin.record import FAST_COVARIANCE, FAST_MEAN, METABOLIC_COVARIANCE, METABOLIC_MEAN, genesis
from twin.workspace import rooms


def readings_of(channel: str, count: int, step_s: int, value: float, person: str = "warm") -> Decoded:
    """A short regular series of one person."""
    times = 1_700_000_000_000 + 1000 * step_s * np.arange(count)
    zeros = np.zeros(count, dtype=np.int64)
    return Decoded(
        [person], zeros.astype(np.int32), zeros.astype(np.int32), np.full(count, CODE_OF[channel], dtype=np.int16),
        times, np.full(count, value), np.full(count, np.nan), zeros, times, zeros, zeros,
        np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int8),
    )  # fmt: skip


def warm_fast() -> None:
    """Compile what block F alone needs: one half of the work for two processes."""
    record, room, now = genesis(), rooms(), 1.7e9
    move_fast(record, now, True, room)
    move_fast(record, now + 60.0, True, room)
    mean = record[FAST_MEAN : FAST_MEAN + fast.N]
    covariance = record[FAST_COVARIANCE : FAST_COVARIANCE + fast.N**2].reshape(fast.N, fast.N)
    later = now + 60.0
    correct_fast(HEART_RATE, 60.0, -1.0, PLAIN, later, record, mean, covariance, room.fast)
    forecast_heart_rate(
        record, later, mean, covariance, np.array([900.0]), room.fast, np.zeros((1, FORECAST))
    )


def warm_others() -> None:
    """Compile what the other blocks need: the other half."""
    record, room, now = genesis(), rooms(), 1.7e9
    for at in (now, now + 4000.0):
        move_circadian(record, now, at, room)
        move_metabolic(record, at, True, room)
        move_slow(record, at, True, room)
    mean = record[METABOLIC_MEAN : METABOLIC_MEAN + metabolic.N]
    at = METABOLIC_COVARIANCE
    covariance = record[at : at + metabolic.N**2].reshape(metabolic.N, metabolic.N)
    later = now + 4000.0
    correct_metabolic(GLUCOSE, 100.0, -1.0, PLAIN, later, record, mean, covariance, room.metabolic)
    weights = weights_named()
    forecast_tick(
        record, later, GLUCOSE, 100.0, np.array([[900.0], [1800.0]]), room, weights, bench_for(weights.glucose),
        np.zeros((4, ROOM)), np.zeros((2, 1, FORECAST)), np.zeros(CHANCES),
    )  # fmt: skip


def warm_fold() -> None:
    """Compile or load all that a worker needs."""
    cohort = Cohort()
    cohort.apply(readings_of("heart_rate", 3, 60, 70.0))
    cohort.apply(readings_of("glucose", 3, 300, 100.0))
    cohort.apply(readings_of("resting_heart_rate", 1, 60, 60.0))
    cohort.apply(readings_of("weight", 1, 60, 75.0))


def warm() -> float:
    """Compile or load all kernels; returns the seconds that it took."""
    began = time.perf_counter()
    warm_fold()
    smooth(readings_of("heart_rate", 3, 60, 70.0), None, 60_000)
    warm_open()
    warm_outlook()
    return time.perf_counter() - began


def warm_open() -> None:
    """Compile or load the body in open loop, of which virtual people are made."""
    body = OpenLoop(Profile(), 0.0, rng=np.random.default_rng(0))
    for _ in range(2 * 60 + 1):  # until every block has moved
        body.minute({CARBOHYDRATE: 1.0, MET: 1.3})
    body.states()


def warm_outlook() -> None:
    """Compile or load what looks ahead."""
    cohort = Cohort()
    for channel, value in (("heart_rate", 70.0), ("glucose", 100.0)):
        cohort.apply(readings_of(channel, 3, 300, value))
    outlook("warm", cohort.twins["warm"].head.record, {"exercise": ["10min@6met"]}, 0.5)
    outlook("warm", cohort.twins["warm"].head.record, {"altitude": ["2000"], "ambient": ["30"]}, 0.5)
