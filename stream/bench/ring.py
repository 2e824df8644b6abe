"""A model to measure the filter with: a ring of 16 states, 6 observations, stepped by RK4 with the product's own kernels.

dx_i/dt = -(0.02 + 0.03 i) x_i + 0.05 x_(i-1) / sqrt(1 + x_(i-1)^2) + 0.01 exp(-x_(i+1)^2) + 0.01,
z_i = exp(0.1 x_i) + x_(i+7), i < 6. It stands for a block of the body: as many states, one transcendental function each.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter
from numpy.typing import NDArray

from twin.filter.correct import correct_together
from twin.filter.points import draw, gather
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put
from twin.numerics import exp
from twin.shapes import Matrix, Points, Vector

N, SEEN, STRIDE = 16, 6, 32
PROCESS_NOISE, SENSOR_NOISE, START_VARIANCE = 1e-3, 0.1, 0.1


class State(NamedTuple):
    """The ring."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float
    g: float
    h: float
    i: float
    j: float
    k: float
    l: float  # noqa: E741
    m: float
    n: float
    o: float
    p: float


class Room(NamedTuple):
    """Work space: factor, points, RK4's three, what is seen, gains, shared covariance, innovations."""

    factor: Matrix
    points: Points
    slopes: Points
    trial: Points
    total: Points
    seen: Matrix
    gains: Matrix
    shared: Matrix
    surprises: Vector


@equation
def link(own: float, before: float, after: float, place: float) -> float:
    """dx_i/dt."""
    return (
        -(0.02 + 0.03 * place) * own
        + 0.05 * (before / math.sqrt(1.0 + before * before))
        + 0.01 * exp(-after * after)
        + 0.01
    )


@equation
def equations(x: State) -> tuple[float, ...]:
    """Rates of the sixteen states."""
    return (
        link(x.a, x.p, x.b, 0.0), link(x.b, x.a, x.c, 1.0), link(x.c, x.b, x.d, 2.0), link(x.d, x.c, x.e, 3.0),
        link(x.e, x.d, x.f, 4.0), link(x.f, x.e, x.g, 5.0), link(x.g, x.f, x.h, 6.0), link(x.h, x.g, x.i, 7.0),
        link(x.i, x.h, x.j, 8.0), link(x.j, x.i, x.k, 9.0), link(x.k, x.j, x.l, 10.0), link(x.l, x.k, x.m, 11.0),
        link(x.m, x.l, x.n, 12.0), link(x.n, x.m, x.o, 13.0), link(x.o, x.n, x.p, 14.0), link(x.p, x.o, x.a, 15.0),
    )  # fmt: skip


@equation
def readings(x: State) -> tuple[float, ...]:
    """What the six sensors read."""
    return (
        exp(0.1 * x.a) + x.h, exp(0.1 * x.b) + x.i, exp(0.1 * x.c) + x.j, exp(0.1 * x.d) + x.k, exp(0.1 * x.e) + x.l,
        exp(0.1 * x.f) + x.m,
    )  # fmt: skip


@kernel
def rates(x: Points, d: Points) -> None:
    """Rates of all points."""
    for s in range(STRIDE):
        put(d, s, STRIDE, equations(State(*column(x, s, STRIDE, N))))


@kernel
def observe(x: Points, seen: Points) -> None:
    """What the sensors read of all points."""
    for s in range(STRIDE):
        put(seen, s, STRIDE, readings(State(*column(x, s, STRIDE, N))))


@kernel
def advance(x: Points, d: Points, t: Points, a: Points, minutes: float, steps: int) -> None:
    """RK4 of all points."""
    size, h = N * STRIDE, minutes / steps
    for _ in range(steps):
        rates(x, d)
        begin(x, d, a, t, size, 0.5 * h)
        rates(t, d)
        carry(x, d, a, t, size, 0.5 * h)
        rates(t, d)
        carry(x, d, a, t, size, h)
        rates(t, d)
        finish(x, d, a, size, h)


@kernel
def run(
    mean: Vector, covariance: Matrix, values: Vector, noises: Vector, steps: int, count: int, w: Room
) -> None:
    """`count` steps of the filter: predict a minute in `steps` RK4 steps, correct by six observations."""
    for _ in range(count):
        draw(mean, covariance, w.factor, w.points, STRIDE)
        advance(w.points, w.slopes, w.trial, w.total, 1.0, steps)
        gather(w.points, mean, covariance, STRIDE)
        for i in range(N):
            covariance[i, i] += PROCESS_NOISE
        draw(mean, covariance, w.factor, w.points, STRIDE)
        observe(w.points, w.seen.reshape(SEEN * STRIDE))
        correct_together(w.factor, w.seen, values, noises, mean, covariance, w.gains, w.shared, w.surprises)


def room() -> Room:
    """Work space, allocated once."""
    size = N * STRIDE
    return Room(
        np.zeros((N, N)), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size), np.zeros((SEEN, STRIDE)),
        np.zeros((SEEN, N)), np.zeros((SEEN, SEEN)), np.zeros(SEEN),
    )  # fmt: skip


def start() -> tuple[Vector, Matrix, Vector, Vector]:
    """Mean, covariance, values, noises at the beginning."""
    mean: NDArray[np.float64] = 0.1 * np.random.default_rng(0).standard_normal(N)
    return mean, START_VARIANCE * np.eye(N), np.ones(SEEN), np.full(SEEN, SENSOR_NOISE)


def unscented(fx: Callable[..., Any], hx: Callable[..., Any]) -> tuple[Any, Vector]:
    """filterpy's filter of the ring at the beginning, with this model, and the values that it is given."""
    points = MerweScaledSigmaPoints(N, alpha=1.0, beta=0.0, kappa=0.0)
    ukf = UnscentedKalmanFilter(N, SEEN, 1.0, hx=hx, fx=fx, points=points)
    ukf.x, ukf.P, values, noises = start()
    ukf.Q, ukf.R = PROCESS_NOISE * np.eye(N), np.diag(noises)
    return ukf, values


@kernel
def moved(x: Vector, dt: float) -> Vector:
    """One vector a RK4 step on: the compiled model that filterpy is given."""
    out, d = x.copy(), np.zeros(N)
    put(d, 0, 1, equations(State(*column(x, 0, 1, N))))
    total, trial = d.copy(), x + 0.5 * dt * d
    put(d, 0, 1, equations(State(*column(trial, 0, 1, N))))
    total += 2.0 * d
    trial = x + 0.5 * dt * d
    put(d, 0, 1, equations(State(*column(trial, 0, 1, N))))
    total += 2.0 * d
    trial = x + dt * d
    put(d, 0, 1, equations(State(*column(trial, 0, 1, N))))
    out += dt / 6.0 * (total + d)
    return out


@kernel
def read(x: Vector) -> Vector:
    """What the sensors read of one vector."""
    seen = np.zeros(SEEN)
    put(seen, 0, 1, readings(State(*column(x, 0, 1, N))))
    return seen
