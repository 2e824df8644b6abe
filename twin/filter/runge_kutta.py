"""The arithmetic of the classical fourth-order Runge-Kutta step, apart from the rates.

A kernel cannot be handed to another one without compiling it again in every process, so each block calls its own
rates and these three in turn: begin, carry (twice), finish. `t` holds the trial points, `a` collects the slopes.
"""

from twin.jit import kernel
from twin.shapes import Points


@kernel
def begin(x: Points, d: Points, a: Points, t: Points, size: int, h: float) -> None:
    """After the first slope d: a = d, t = x + h d."""
    for i in range(size):
        a[i] = d[i]
        t[i] = x[i] + h * d[i]


@kernel
def carry(x: Points, d: Points, a: Points, t: Points, size: int, h: float) -> None:
    """After the second and third slope: a += 2 d, t = x + h d."""
    for i in range(size):
        a[i] += 2.0 * d[i]
        t[i] = x[i] + h * d[i]


@kernel
def finish(x: Points, d: Points, a: Points, size: int, h: float) -> None:
    """After the fourth slope: x += h / 6 (a + d)."""
    for i in range(size):
        x[i] += h / 6.0 * (a[i] + d[i])
