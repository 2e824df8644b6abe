"""Run by test_plain_python.py without the compiler: a few ticks of all blocks, forecasts, smoothing."""

import numpy as np
from numba.core import config

from stream.cohort import Cohort
from stream.smoothing import smooth
from stream.virtual import readings_of_rows
from twin import record as r_
from twin.filter.points import cholesky

ROWS = [
    (1_795_392_000_000 + 60_000 * minute, channel, value)
    for minute in range(2)
    for channel, value in (("heart_rate", 70.0), ("glucose", 100.0), ("weight", 75.0), ("met", 1.3))
]


def test_is_not_compiled():
    assert config.DISABLE_JIT
    assert not hasattr(cholesky, "py_func")


def test_ticks_of_every_block_and_their_smoothing():
    readings = readings_of_rows("ada", ROWS)
    cohort = Cohort(horizons={"heart_rate": (60,), "glucose": (300,)})
    done = cohort.apply(readings)
    record = cohort.twins["ada"].head.record
    _, estimates = smooth(readings, None, 60_000)

    assert all(record[at] > r_.NEVER for _, _, _, at in r_.BLOCKS.values())
    assert np.isfinite(done.estimates[-1]).all()
    assert np.isfinite(done.forecasts[-1, :, 0]).all()
    assert np.isfinite(estimates).all()
