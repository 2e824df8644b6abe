"""Block F for eight points instead of sixty-four: what a forecast needs, at an eighth of the price.

The same equations; only the number of points that stand side by side is another.
"""

from twin.blocks.fast import equations
from twin.blocks.fast_parameters import BODY, DYNAMIC, INPUTS, Body, Inputs, N, State
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, kernel, put, values_of
from twin.shapes import Constants, Points, Vector
from twin.shapes import Inputs as InputVector

FEW = 8
STEP_MINUTES = 0.25


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
def advance(x: Points, minutes: float, u: InputVector, k: Constants, d: Points, t: Points, a: Points) -> None:
    """Move the points forward by RK4 in steps of 15 s; d, t, a are work space as large as x."""
    steps = max(1, round(minutes / STEP_MINUTES))
    h = minutes / steps
    size = DYNAMIC * FEW
    t[:] = x
    for _ in range(steps):
        rates(x, d, u, k)
        begin(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, h)
        rates(t, d, u, k)
        finish(x, d, a, size, h)
