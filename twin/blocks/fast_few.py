"""Block F for eight points instead of sixty-four: what a forecast needs, at an eighth of the price.

The same equations; only the number of points that stand side by side is another.
"""

from twin.blocks.fast import equations
from twin.blocks.fast_parameters import BODY, DYNAMIC, INPUTS, Body, Inputs, N, State
from twin.jit import column, kernel, put, values_of
from twin.shapes import Constants, Points, Vector
from twin.shapes import Inputs as InputVector

FEW = 8
STEP_MINUTES, STEPS = 0.3, 20  # the fastest rate is 4.6 /min


@kernel
def rates(x: Points, d: Points, u: InputVector, k: Constants) -> None:
    """Rates of the eight points into `d`."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(FEW):
        slopes, _ = equations(State(*column(x, s, FEW, N)), inputs, body)
        put(d, s, FEW, slopes)


@kernel
def heart_rates(x: Points, out: Vector, u: InputVector, k: Constants) -> None:
    """Heart rate of each point [bpm] into `out` (8,)."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(FEW):
        _, seen = equations(State(*column(x, s, FEW, N)), inputs, body)
        out[s] = seen.heart_rate


@kernel
def relax(x: Points, u: InputVector, k: Constants, d: Points) -> None:
    """Let the points come to rest under constant inputs: Euler steps far inside their stability, six minutes in all.

    Where a point ends does not depend on how it came there, so that the exact path is not worth four evaluations a step.
    """
    for _ in range(STEPS):
        rates(x, d, u, k)
        for i in range(DYNAMIC * FEW):
            x[i] += STEP_MINUTES * d[i]
