"""Many possible bodies at once, each under inputs of its own: the blocks' equations over groups of samples.

The filter's kernels move all points of a block under one set of inputs. Here every sample has its own, since what one
block tells another (exercise, the clock, water) differs from sample to sample: so uncertainty travels between the blocks.

Layout: `x` (groups, n * GROUP), state i of sample s of a group at i * GROUP + s; inputs and what is seen likewise.
"""

import math

from twin.blocks import circadian, fast, metabolic, slow
from twin.blocks.circadian import BODY as CIRCADIAN_BODY  # by name: counts must be constants of this module
from twin.blocks.circadian import INPUTS as CIRCADIAN_INPUTS
from twin.blocks.circadian import N as CIRCADIAN_N
from twin.blocks.fast import BODY as FAST_BODY
from twin.blocks.fast import INPUTS as FAST_INPUTS
from twin.blocks.fast import N as FAST_N
from twin.blocks.metabolic import BODY as METABOLIC_BODY
from twin.blocks.metabolic import INPUTS as METABOLIC_INPUTS
from twin.blocks.metabolic import N as METABOLIC_N
from twin.blocks.slow import BODY as SLOW_BODY
from twin.blocks.slow import INPUTS as SLOW_INPUTS
from twin.blocks.slow import N as SLOW_N
from twin.filter.runge_kutta import begin, carry, finish
from twin.inputs import insulin_effect
from twin.jit import column, kernel, put, values_of
from twin.physiology.fitness import training_impulse_rate
from twin.shapes import Array, Constants, Points, Vector

GROUP = 64  # samples side by side: whole SIMD vectors, and a group's states stay in the cache
FAST_STEP = (
    0.25  # minutes of RK4: one step for all samples and scenarios, so that pairs differ by the scenario alone
)


@kernel
def fast_rates(x: Points, d: Points, u: Points, k: Constants) -> None:
    """Rates of a group of block F into `d`."""
    body = fast.Body(*values_of(k, FAST_BODY))
    for s in range(GROUP):
        state = fast.State(*column(x, s, GROUP, FAST_N))
        slopes, _ = fast.equations(state, fast.Inputs(*column(u, s, GROUP, FAST_INPUTS)), body)
        put(d, s, GROUP, slopes)


@kernel
def fast_seen(x: Points, o: Points, u: Points, k: Constants) -> None:
    """What is seen of a group of block F into `o`."""
    body = fast.Body(*values_of(k, FAST_BODY))
    for s in range(GROUP):
        state = fast.State(*column(x, s, GROUP, FAST_N))
        _, seen = fast.equations(state, fast.Inputs(*column(u, s, GROUP, FAST_INPUTS)), body)
        put(o, s, GROUP, seen)


@kernel
def advance_fast(x: Array, u: Array, k: Constants, minutes: float, seen: Array, work: Array) -> None:
    """Move all groups of block F by RK4, and see them; `work` (3, n * GROUP)."""
    steps = max(1, math.ceil(minutes / FAST_STEP - 1e-9))
    h, size = minutes / steps, fast.DYNAMIC * GROUP
    d, t, a = work[0], work[1], work[2]
    for g in range(x.shape[0]):
        t[:] = x[g]
        for _ in range(steps):
            fast_rates(x[g], d, u[g], k)
            begin(x[g], d, a, t, size, 0.5 * h)
            fast_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, 0.5 * h)
            fast_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, h)
            fast_rates(t, d, u[g], k)
            finish(x[g], d, a, size, h)
        fast_seen(x[g], seen[g], u[g], k)


@kernel
def metabolic_rates(x: Points, d: Points, u: Points, k: Constants) -> None:
    """Rates of a group of block G into `d`."""
    body = metabolic.Body(*values_of(k, METABOLIC_BODY))
    for s in range(GROUP):
        state = metabolic.State(*column(x, s, GROUP, METABOLIC_N))
        slopes, _ = metabolic.equations(state, metabolic.Inputs(*column(u, s, GROUP, METABOLIC_INPUTS)), body)
        put(d, s, GROUP, slopes)


@kernel
def metabolic_seen(x: Points, o: Points, u: Points, k: Constants) -> None:
    """What is seen of a group of block G into `o`."""
    body = metabolic.Body(*values_of(k, METABOLIC_BODY))
    for s in range(GROUP):
        state = metabolic.State(*column(x, s, GROUP, METABOLIC_N))
        _, seen = metabolic.equations(state, metabolic.Inputs(*column(u, s, GROUP, METABOLIC_INPUTS)), body)
        put(o, s, GROUP, seen)


@kernel
def advance_metabolic(x: Array, u: Array, k: Constants, minutes: float, seen: Array, work: Array) -> None:
    """Move all groups of block G by RK4, and see them; `work` (3, n * GROUP)."""
    steps = max(1, math.ceil(minutes / metabolic.STEP_MINUTES - 1e-9))
    h, size = minutes / steps, metabolic.DYNAMIC * GROUP
    d, t, a = work[0], work[1], work[2]
    for g in range(x.shape[0]):
        t[:] = x[g]
        for _ in range(steps):
            metabolic_rates(x[g], d, u[g], k)
            begin(x[g], d, a, t, size, 0.5 * h)
            metabolic_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, 0.5 * h)
            metabolic_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, h)
            metabolic_rates(t, d, u[g], k)
            finish(x[g], d, a, size, h)
        metabolic_seen(x[g], seen[g], u[g], k)


@kernel
def circadian_rates(x: Points, d: Points, u: Vector, k: Constants) -> None:
    """Rates of a group of block C into `d`; light and sleep are the same for all."""
    inputs = circadian.Inputs(*values_of(u, CIRCADIAN_INPUTS))
    body = circadian.Body(*values_of(k, CIRCADIAN_BODY))
    for s in range(GROUP):
        slopes, _ = circadian.equations(circadian.State(*column(x, s, GROUP, CIRCADIAN_N)), inputs, body)
        put(d, s, GROUP, slopes)


@kernel
def circadian_seen(x: Points, o: Points, u: Vector, k: Constants) -> None:
    """What is seen of a group of block C into `o`."""
    inputs = circadian.Inputs(*values_of(u, CIRCADIAN_INPUTS))
    body = circadian.Body(*values_of(k, CIRCADIAN_BODY))
    for s in range(GROUP):
        _, seen = circadian.equations(circadian.State(*column(x, s, GROUP, CIRCADIAN_N)), inputs, body)
        put(o, s, GROUP, seen)


@kernel
def advance_circadian(x: Array, u: Vector, k: Constants, minutes: float, seen: Array, work: Array) -> None:
    """Move all groups of block C by RK4, and see them; `work` (3, n * GROUP)."""
    longest = (
        circadian.BRIGHT_STEP_MINUTES if u[circadian.LIGHT] > circadian.BRIGHT_LUX else circadian.STEP_MINUTES
    )
    steps = max(1, math.ceil(minutes / longest - 1e-9))
    h, size = minutes / steps, circadian.DYNAMIC * GROUP
    d, t, a = work[0], work[1], work[2]
    for g in range(x.shape[0]):
        t[:] = x[g]
        for _ in range(steps):
            circadian_rates(x[g], d, u, k)
            begin(x[g], d, a, t, size, 0.5 * h)
            circadian_rates(t, d, u, k)
            carry(x[g], d, a, t, size, 0.5 * h)
            circadian_rates(t, d, u, k)
            carry(x[g], d, a, t, size, h)
            circadian_rates(t, d, u, k)
            finish(x[g], d, a, size, h)
        circadian_seen(x[g], seen[g], u, k)


@kernel
def slow_rates(x: Points, d: Points, u: Points, k: Constants) -> None:
    """Rates of a group of block S into `d`."""
    body = slow.Body(*values_of(k, SLOW_BODY))
    for s in range(GROUP):
        state = slow.State(*column(x, s, GROUP, SLOW_N))
        slopes, _ = slow.equations(state, slow.Inputs(*column(u, s, GROUP, SLOW_INPUTS)), body)
        put(d, s, GROUP, slopes)


@kernel
def slow_seen(x: Points, o: Points, u: Points, k: Constants) -> None:
    """What is seen of a group of block S into `o`."""
    body = slow.Body(*values_of(k, SLOW_BODY))
    for s in range(GROUP):
        state = slow.State(*column(x, s, GROUP, SLOW_N))
        _, seen = slow.equations(state, slow.Inputs(*column(u, s, GROUP, SLOW_INPUTS)), body)
        put(o, s, GROUP, seen)


@kernel
def advance_slow(x: Array, u: Array, k: Constants, minutes: float, seen: Array, work: Array) -> None:
    """Move all groups of block S by RK4, and see them; `work` (3, n * GROUP)."""
    steps = max(1, math.ceil(minutes / slow.STEP_MINUTES - 1e-9))
    h, size = minutes / steps, slow.DYNAMIC * GROUP
    d, t, a = work[0], work[1], work[2]
    for g in range(x.shape[0]):
        t[:] = x[g]
        for _ in range(steps):
            slow_rates(x[g], d, u[g], k)
            begin(x[g], d, a, t, size, 0.5 * h)
            slow_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, 0.5 * h)
            slow_rates(t, d, u[g], k)
            carry(x[g], d, a, t, size, h)
            slow_rates(t, d, u[g], k)
            finish(x[g], d, a, size, h)
        slow_seen(x[g], seen[g], u[g], k)


@kernel
def add_training(intensity: Array, impulse: Array, minutes: float, male: float) -> None:
    """TRIMP of one piece of time onto `impulse`, for each sample's exercise x; both (groups, GROUP)."""
    for g in range(intensity.shape[0]):
        for s in range(GROUP):
            impulse[g, s] += minutes * training_impulse_rate(intensity[g, s], male)


@kernel
def fill_insulin_factor(
    tolerance: Array, fat: Array, inflammation: Array, arousal: Array, factor: Array
) -> None:
    """What acts on insulin's effect, for each sample; all (groups, GROUP)."""
    for g in range(factor.shape[0]):
        for s in range(GROUP):
            body = max(tolerance[g, s], 0.0) * min(max(fat[g, s], 0.3), 3.0)
            factor[g, s] = body * insulin_effect(inflammation[g, s], arousal[g, s])
