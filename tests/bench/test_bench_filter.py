"""`twin bench filter`: the contenders compute the same, and a tick takes no memory."""

import shutil

import numpy as np
import pytest

from stream.bench.filter import CPP, run
from twin.jit import kernel


@pytest.fixture(scope="module")
def found():
    return run(8, lambda *_: None)


def figure(found, beginning, reference=""):
    return next(
        f for f in found["figures"] if f["what"].startswith(beginning) and f["reference"] == reference
    )


def test_all_compute_the_same(found):
    agreement = dict(found["agreement"])

    assert agreement.pop("filterpy, compiled") < 1e-7, "our jitter of 1e-9 before factoring is not filterpy's"
    assert agreement.pop("filterpy, numpy") < 1e-7
    assert all(difference < 1e-12 for difference in agreement.values())
    assert bool(agreement) == bool(shutil.which("g++"))


def test_every_figure_names_its_reference_and_its_target(found):
    """Ratios are for `twin bench filter` to tell: a shared machine cannot fail a build by being busy."""
    named = {f["reference"] for f in found["figures"] if f["reference"]}

    assert len([name for name in named if name.startswith("filterpy")]) == 2
    assert (CPP in named) == bool(shutil.which("g++"))
    assert all(f["ours"] > 0.0 and f["target"] > 0.0 for f in found["figures"] if f["reference"])


def test_a_tick_takes_no_memory(found):
    assert figure(found, "memory blocks taken a tick, without")["ours"] == 0.0
    assert figure(found, "memory blocks taken a tick, with forecasts")["ours"] == 0.0


@kernel
def takes_memory(n: int) -> float:
    total = 0.0
    for i in range(n):
        room = np.full(i + 2, 0.5)
        total += room.sum()
    return total


def test_the_counter_would_see_it():
    from numba.core.runtime import _nrt_python, rtsys

    takes_memory(1)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats().mi_alloc
    takes_memory(50)
    taken = rtsys.get_allocation_stats().mi_alloc - before
    _nrt_python.memsys_disable_stats()

    assert taken >= 50
