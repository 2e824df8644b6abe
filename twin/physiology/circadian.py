"""The circadian clock: process L (light to drive) and the Forger-Jewett-Kronauer pacemaker.

Light activates a photic process L whose output B drives a limit-cycle oscillator (x, xc) that runs free at tau_c.

References:
    Forger DB, Jewett ME, Kronauer RE (1999). A simpler model of the human circadian pacemaker. J Biol Rhythms 14, 532-537.
    Serkh K, Forger DB (2014). PLoS Comput Biol 10:e1003523 (parameter set P1).
    Skeldon AC et al. (2023). PLoS Comput Biol 19:e1011743 (class of parameter set P2).
    Czeisler CA et al. (1999). Science 284, 2177-2181 (intrinsic period 24.15 +/- 0.2 h).
    Morris CJ et al. (2015). PNAS 112, E2225-E2234 (glucose tolerance is best in the biological morning).

Rates here are per hour, as in the papers; blocks/circadian.py turns them into rates per minute.
"""

import math
from typing import NamedTuple

from twin.jit import equation
from twin.numerics import power

PACE = math.pi / 12.0  # rad/h
UNIT = 1.08  # x at the body-temperature maximum of the first papers: c = x / 1.08
DARK_LUX = 0.05  # light below counts ever less, so that the slope of lux^p at 0 is finite
MELATONIN_LEAD_HOURS = 7.0  # DLMO = CBTmin - 7 h
TOLERANCE_SWING = 0.15  # of insulin sensitivity over the day (direction measured, size from memory)
TOLERANCE_LAG = 4.0 * PACE  # its best time is 4 h after CBTmin


class PhoticParameters(NamedTuple):
    """Process L and its grip on the pacemaker; the two published families."""

    activation: float  # a0 [1/min]
    decay: float  # beta [1/min]
    exponent: float  # p [-]
    half_lux: float  # I0 [lux]
    gain: float  # G [-]
    period_pull: float  # k [-]
    stiffness: float  # mu [-]
    period: float  # tau_c [h]


P1 = PhoticParameters(0.05, 0.0075, 0.5, 9500.0, 33.75, 0.55, 0.23, 24.2)  # Serkh and Forger 2014
P2 = PhoticParameters(0.16, 0.013, 0.6, 9500.0, 19.9, 0.55, 0.23, 24.2)  # Forger 1999, Skeldon 2023


@equation
def photic_activation(lux: float, activation: float, half_lux: float, exponent: float) -> float:
    """How fast light engages process L, 1/min.

    alpha = a0 ((I + e) / I0)^p I / (I + e),  e = 0.05 lux

    The papers' a0 (I / I0)^p within 0.1 % from 25 lux on, exactly 0 in darkness and never of infinite slope.

    Args:
        lux: I, at the eye [lux].
        activation: a0, 0.05 (P1), 0.16 (P2) [1/min].
        half_lux: I0, 9500 [lux].
        exponent: p, 0.5 (P1), 0.6 (P2) [-].

    """
    seen = lux + DARK_LUX
    return activation * power(seen / half_lux, exponent) * lux / seen


@equation
def light_process_rate(used: float, alpha: float, decay: float) -> float:
    """dn/dt = 60 (alpha (1 - n) - beta n), 1/h: n, the fraction of process L's elements in use [0-1]."""
    return 60.0 * (alpha * (1.0 - used) - decay * used)


@equation
def photic_drive(x: float, xc: float, used: float, alpha: float, gain: float) -> float:
    """B = G alpha (1 - n) (1 - 0.4 x) (1 - 0.4 xc): the clock is less sensitive to light at its own day."""
    return gain * alpha * (1.0 - used) * (1.0 - 0.4 * x) * (1.0 - 0.4 * xc)


@equation
def pacemaker_rates(
    x: float, xc: float, drive: float, period: float, stiffness: float, period_pull: float
) -> tuple[float, float]:
    """Rates of the limit cycle, per hour.

    dx/dt  = pi/12 (xc + B)
    dxc/dt = pi/12 [mu (xc - 4/3 xc^3) - x ((24 / (0.99669 tau_c))^2 + k B)]

    Args:
        x: pacemaker; its minimum is the minimum of core body temperature [-].
        xc: its complement, a quarter of a day behind [-].
        drive: B [-].
        period: tau_c, intrinsic period, 24.15 +/- 0.2 (23.5-24.7) [h].
        stiffness: mu, pull towards the limit cycle, 0.23 [-].
        period_pull: k, how light bends the period, 0.55 [-].

    """
    pace = 24.0 / (0.99669 * period)
    cycle = stiffness * (xc - 4.0 / 3.0 * xc * xc * xc)
    return PACE * (xc + drive), PACE * (cycle - x * (pace * pace + period_pull * drive))


TOLERANCE_COS, TOLERANCE_SIN = math.cos(TOLERANCE_LAG), math.sin(TOLERANCE_LAG)


@equation
def glucose_tolerance(circadian: float, quadrature: float) -> float:
    """Factor on sI: 1 + 0.15 cos(2 pi (t - t_CBTmin - 4 h) / 24), with the clock's own phase.

    With x = -cos p and xc = sin p at phase p after CBTmin: cos(p - q) = -x cos q + xc sin q.
    """
    return 1.0 + TOLERANCE_SWING * (-circadian * TOLERANCE_COS + quadrature * TOLERANCE_SIN)


def phase_markers(hours: list[float], x: list[float]) -> tuple[float, float]:
    """CBTmin and DLMO, local hours of the day, from one day of the pacemaker x, sampled in even steps.

    CBTmin is the minimum of x (a parabola through its three lowest samples); DLMO = CBTmin - 7 h.
    """
    i = min(range(1, len(x) - 1), key=lambda j: x[j])
    bend = x[i - 1] - 2.0 * x[i] + x[i + 1]
    shift = 0.5 * (x[i - 1] - x[i + 1]) / bend if bend > 0.0 else 0.0
    minimum = (hours[i] + shift * (hours[i + 1] - hours[i])) % 24.0
    return minimum, (minimum - MELATONIN_LEAD_HOURS) % 24.0
