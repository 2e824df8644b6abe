"""Compile every kernel into the cache, so that no reading waits for the compiler."""

import time

import numpy as np

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.cohort import Cohort


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
    return time.perf_counter() - began
