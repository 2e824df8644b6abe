"""Drugs: one effect site between the doses and the effect.

Reference: Sheiner LB et al. (1979). Clin Pharmacol Ther 25, 358-371. Beta-blockers: time constant 6-12 h (half-life of
bisoprolol 10-12 h, of metoprolol 3-7 h).
"""

from twin.jit import equation
from twin.numerics import exp


@equation
def effect_site(amount: float, minutes: float, hours: float) -> float:
    """e after some minutes without a dose: de/dt = -e / tau_e, tau_e in hours. A dose adds itself to e."""
    return amount * exp(-minutes / (60.0 * hours))


@equation
def blockade(amount: float, half: float) -> float:
    """bb = e / (e + e50), 0-1."""
    return amount / (amount + half)
