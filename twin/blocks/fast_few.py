"""Block F for two times eight points instead of sixty-four: what the forecasts for two horizons need.

The same equations; only the number of points that stand side by side is another, and each has inputs of its own. Sixteen,
because LLVM leaves a loop of fewer turns scalar: eight points took 75 us to come to rest, sixteen take 25.
"""

from twin.blocks.fast import equations
from twin.blocks.fast_parameters import BODY, DYNAMIC, INPUTS, Body, Inputs, N, State
from twin.jit import column, kernel, put, values_of
from twin.shapes import Constants, Points, Vector

FEW, PAIR = 8, 16
STEP_MINUTES, STEPS = 0.3, 20  # the fastest rate is 4.6 /min


@kernel
def rates(x: Points, d: Points, u: Points, k: Constants) -> None:
    """Rates of the sixteen points into `d`; input i of point s stands at u[i * 16 + s]."""
    body = Body(*values_of(k, BODY))
    for s in range(PAIR):
        slopes, _ = equations(State(*column(x, s, PAIR, N)), Inputs(*column(u, s, PAIR, INPUTS)), body)
        put(d, s, PAIR, slopes)


@kernel
def heart_rates(x: Points, out: Vector, u: Points, k: Constants) -> None:
    """Heart rate of each point [bpm] into `out` (16,)."""
    body = Body(*values_of(k, BODY))
    for s in range(PAIR):
        _, seen = equations(State(*column(x, s, PAIR, N)), Inputs(*column(u, s, PAIR, INPUTS)), body)
        out[s] = seen.heart_rate


@kernel
def relax(x: Points, u: Points, k: Constants, d: Points) -> None:
    """Let the points come to rest under constant inputs: Euler steps far inside their stability, six minutes in all.

    Where a point ends does not depend on how it came there, so that the exact path is not worth four evaluations a step.
    """
    for _ in range(STEPS):
        rates(x, d, u, k)
        for i in range(DYNAMIC * PAIR):
            x[i] += STEP_MINUTES * d[i]
