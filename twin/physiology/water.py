"""Water: the deficit that sweat, breath and kidneys leave and drinking fills.

References:
    Sawka MN et al. (2007). Exercise and fluid replacement. Med Sci Sports Exerc 39, 377-390.
    The hourly flows are textbook values: breath 0.012, metabolic water 0.010, urine 0.065 L/h (1.5 L/d).

Rates here are per hour.
"""

from twin.jit import equation
from twin.numerics import exp, softplus

BREATH, METABOLIC = 0.012, 0.010  # L/h
URINE, URINE_SLOPE = 0.065, 0.8  # L/h when euhydrated; per % of body mass
HABITUAL_DRINKING, THIRST, THIRST_THRESHOLD = 0.08, 0.35, 0.3  # L/h; L/h per %; %
BLOOD_PER_PERCENT = -0.015  # relative blood volume per % of body mass
LEAST, MOST = (
    -3.0,
    25.0,
)  # % of body mass: beyond, gut and kidneys refuse, so that a wild input cannot run away
REFUSAL = 2.0  # 1/h, back to those limits


@equation
def dehydration(deficit: float, weight: float) -> float:
    """deh = 100 Wd / BW, % of body mass."""
    return 100.0 * deficit / weight


@equation
def bearable_deficit(deficit: float, weight: float) -> float:
    """Wd within -3 to 25 % of body mass, L."""
    return min(max(deficit, 0.01 * LEAST * weight), 0.01 * MOST * weight)


@equation
def urine_flow(dehydrated: float) -> float:
    """urine = 0.065 exp(-0.8 deh), L/h."""
    return URINE * exp(-URINE_SLOPE * min(max(dehydrated, LEAST), MOST))


@equation
def expected_drinking(dehydrated: float, asleep: float) -> float:
    """Drinking nobody logged: 0.08 + 0.35 sp(deh - 0.3, 0.1) L/h awake, nothing asleep."""
    thirst = THIRST * softplus(min(max(dehydrated, LEAST), MOST) - THIRST_THRESHOLD, 0.1)
    return (1.0 - asleep) * (HABITUAL_DRINKING + thirst)


@equation
def deficit_rate(sweat: float, urine: float, drinking: float) -> float:
    """dWd/dt = sweat + 0.012 + urine - drink - 0.010, L/h."""
    return sweat + BREATH + urine - drinking - METABOLIC


@equation
def blood_volume_deviation(dehydrated: float) -> float:
    """bv = -0.015 deh, relative."""
    return BLOOD_PER_PERCENT * dehydrated
