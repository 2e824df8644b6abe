"""Who is measured: each makes a function that does a known number of steps, and says how many."""

import ctypes
import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.bench import ring
from stream.bench.translate import source
from stream.cohort import Cohort
from stream.virtual import draw_person, simulate
from twin import record as r_
from twin.blocks import fast
from twin.filter.points import draw
from twin.fold import fold, outputs_for
from twin.jit import widest_features
from twin.profile import Profile
from twin.summary import ESTIMATE_SIZE, summarise
from twin.workspace import rooms

OPTIONS = (
    "-O3",
    "-march=native",
    "-ffast-math",
    "-fPIC",
    "-c",
    *(["-mprefer-vector-width=512"] if widest_features() else []),  # as our own kernels are compiled
)  # linked apart: with -ffast-math the linker adds
# start-up code that flushes subnormal numbers to zero in the whole process, twins included
Floats = NDArray[np.float64]
DECAY = 0.02 + 0.03 * np.arange(ring.N)
BEFORE, AFTER = np.roll(np.arange(ring.N), 1), np.roll(np.arange(ring.N), -1)
DAY_MS, FIRST_TICK, TICKS = 1_795_392_000_000, 960, 120  # from a midnight; 16 to 18 h, in which sport falls


@dataclass(frozen=True, slots=True)
class Contender:
    """A call, and the steps that it makes."""

    call: Callable[[], Any]
    steps: int


def build(folder: Path, name: str, text: str) -> ctypes.CDLL | None:
    """A library of C++ text by g++; None where there is no g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    written, built = folder / f"{name}.cpp", folder / f"{name}.so"
    written.write_text(text, encoding="utf-8")
    part = folder / f"{name}.o"
    subprocess.run([compiler, *OPTIONS, "-o", str(part), str(written)], check=True)  # noqa: S603
    subprocess.run([compiler, "-shared", "-o", str(built), str(part), "-lmvec", "-lm"], check=True)  # noqa: S603
    return ctypes.CDLL(str(built))


def address(array: Floats) -> ctypes.c_void_p:
    """Of an array, for C."""
    return array.ctypes.data_as(ctypes.c_void_p)


def ring_ours(steps: int, count: int) -> tuple[Contender, Floats]:
    """The step of 16 states by the product's kernels, and the mean that it moves."""
    mean, covariance, values, noises = ring.start()
    room = ring.room()
    return Contender(lambda: ring.run(mean, covariance, values, noises, steps, count, room), count), mean


def ring_cpp(library: ctypes.CDLL, steps: int, count: int) -> tuple[Contender, Floats]:
    """The same in C++."""
    mean, covariance, values, noises = ring.start()
    places = [address(array) for array in (mean, covariance, values, noises)]
    return Contender(lambda: library.ring_run(*places, steps, count), count), mean


def _rates(x: Floats) -> Floats:
    """The ring as one writes it with numpy."""
    before, after = x[BEFORE], x[AFTER]
    slopes: Floats = -DECAY * x + 0.05 * before / np.sqrt(1.0 + before**2) + 0.01 * np.exp(-(after**2)) + 0.01
    return slopes


def _moved(x: Floats, dt: float) -> Floats:
    """RK4 in numpy."""
    a = _rates(x)
    b = _rates(x + 0.5 * dt * a)
    c = _rates(x + 0.5 * dt * b)
    d = _rates(x + dt * c)
    return x + dt / 6.0 * (a + 2.0 * b + 2.0 * c + d)


def _read(x: Floats) -> Floats:
    seen: Floats = np.exp(0.1 * x[: ring.SEEN]) + x[7 : 7 + ring.SEEN]
    return seen


def ring_filterpy(compiled: bool, count: int) -> tuple[Contender, Floats]:
    """The same by filterpy, the model compiled by numba or written with numpy; one RK4 step."""
    ukf, values = ring.unscented(*((ring.moved, ring.read) if compiled else (_moved, _read)))
    mean = ukf.x

    def run() -> None:
        for _ in range(count):
            ukf.predict()
            # The product draws again with the process noise in it; so filterpy must, to do the same.
            ukf.sigmas_f = ukf.points_fn.sigma_points(ukf.x, ukf.P)
            ukf.update(values)
        mean[:] = ukf.x

    return Contender(run, count), mean


def block_f(folder: Path, count: int) -> tuple[Contender, Contender | None, float]:
    """Rates of block F at all points: ours, C++, and the greatest relative difference."""
    body, inputs = np.array(fast.default_body()), np.array(fast.default_inputs())
    mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, body, inputs)
    x = np.zeros(fast.N * fast.STRIDE)
    draw(mean, covariance, np.zeros_like(covariance), x, fast.STRIDE)
    mine, theirs = np.zeros_like(x), np.zeros_like(x)

    def ours() -> None:
        for _ in range(count):
            fast.rates(x, mine, inputs, body)

    library = build(folder, "block_f", source())
    if library is None:
        return Contender(ours, count), None, math.nan
    function, places = library.rates, [address(array) for array in (x, theirs, inputs, body)]

    def cpp() -> None:
        for _ in range(count):
            function(*places)

    ours()
    cpp()
    difference = float(np.abs(mine - theirs).max() / np.abs(mine).max())
    return Contender(ours, count), Contender(cpp, count), difference


class Day:
    """A virtual person with every channel, and four hours of their day to fold again and again."""

    def __init__(self) -> None:
        person = draw_person("bench", Profile(), 11)
        readings, _ = simulate(person, DAY_MS, 1.0)
        self.cohort = Cohort()
        self.done = self.cohort.apply(readings)
        self.before = r_.genesis(person.profile)[None]
        self.fold(self.before, 0, FIRST_TICK, False)

    def fold(self, records: Floats, first: int, last: int, forecasts: bool) -> Any:
        """Fold ticks into `records`; returns the call that does it, made ready once, after it has run once."""
        done = self.done
        starts = done.obs_start[first : last + 1]
        span = slice(int(starts[0]), int(starts[-1]))
        channel, value = done.obs_channel[span], done.obs_value[span]
        horizons = self.cohort.horizon_table if forecasts else np.full_like(self.cohort.horizon_table, np.nan)
        fixed = (
            np.array([0, last - first]), done.tick_s[first:last], starts - starts[0], channel, value,
            np.full(len(value), -1.0), np.zeros(len(value), dtype=np.int64), np.zeros(len(value)), horizons, self.cohort.weights,
            np.full(last - first, -1), np.zeros((0, r_.SIZE)),
            *outputs_for(last - first, len(value), horizons.shape[1]),
        )  # fmt: skip

        def again() -> None:
            fold(records, *fixed)

        again()
        return again

    def tick(self, forecasts: bool) -> Contender:
        """A tick of 60 s, all blocks, from the same record each time."""
        records = self.before.copy()
        call = self.fold(records, FIRST_TICK, FIRST_TICK + TICKS, forecasts)

        def run() -> None:
            records[:] = self.before
            call()

        return Contender(run, TICKS)

    def summary(self, count: int) -> Contender:
        """The posterior in natural units: a part of every tick."""
        record, room, row = self.before[0], rooms(), np.zeros(ESTIMATE_SIZE)
        now = float(record[r_.HEAD_S])

        def run() -> None:
            for _ in range(count):
                summarise(record, now, room, row)

        return Contender(run, count)

    def allocations(self, forecasts: bool) -> float:
        """Memory blocks that numba's runtime takes for a tick: of twice the ticks, those more than of once."""
        from numba.core.runtime import _nrt_python, rtsys  # noqa: PLC0415

        _nrt_python.memsys_enable_stats()
        taken = []
        for ticks in (TICKS, TICKS // 2):
            call = self.fold(self.before.copy(), FIRST_TICK, FIRST_TICK + ticks, forecasts)
            before = rtsys.get_allocation_stats().mi_alloc
            call()
            taken.append(rtsys.get_allocation_stats().mi_alloc - before)
        _nrt_python.memsys_disable_stats()
        return float(taken[0] - taken[1]) / (TICKS - TICKS // 2)
