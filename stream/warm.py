"""Compile every kernel into the cache, so that no reading waits for the compiler.

The fold is one compiled call, so that any tick compiles all of it, forecasts and nights included; the smoother and the body in
open loop are calls of their own.
"""

import time

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.cohort import Cohort
from stream.smoothing import smooth
from twin.channels import CARBOHYDRATE, MET
from twin.open_loop import OpenLoop
from twin.profile import Profile


def readings_of(channel: str, count: int, step_s: int, value: float, person: str = "warm") -> Decoded:
    """A short regular series of one person."""
    times = 1_700_000_000_000 + 1000 * step_s * np.arange(count)
    zeros = np.zeros(count, dtype=np.int64)
    return Decoded(
        [person], zeros.astype(np.int32), zeros.astype(np.int32), np.full(count, CODE_OF[channel], dtype=np.int16),
        times, np.full(count, value), np.full(count, np.nan), zeros, times, zeros, zeros,
        np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int8),
    )  # fmt: skip


def warm() -> float:
    """Compile or load all kernels; returns the seconds that it took."""
    began = time.perf_counter()
    cohort = Cohort()
    cohort.apply(readings_of("heart_rate", 3, 60, 70.0))
    cohort.apply(readings_of("glucose", 3, 300, 100.0))
    cohort.apply(readings_of("resting_heart_rate", 1, 60, 60.0))
    cohort.apply(readings_of("weight", 1, 60, 75.0))
    smooth(readings_of("heart_rate", 3, 60, 70.0), None, 60_000)
    body = OpenLoop(Profile(), 0.0, rng=np.random.default_rng(0))
    for _ in range(2 * 60 + 1):  # until every block has moved
        body.minute({CARBOHYDRATE: 1.0, MET: 1.3})
    body.states()
    return time.perf_counter() - began
