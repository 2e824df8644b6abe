"""Alcohol: stomach to blood, and the enzyme that burns it at an almost constant rate.

References:
    Widmark EMP (1932); distribution 0.68 (men) and 0.55 (women) L/kg of body weight.
    Jones AW (2010). Forensic Sci Int 200, 1-20 (elimination 0.10-0.25 g/L/h).
"""

from twin.jit import equation

ABSORPTION = 0.05  # 1/min
HALF_RATE = 0.05  # g/L: the enzyme is half saturated


@equation
def stomach_alcohol_rate(stomach: float) -> float:
    """dA/dt = -0.05 A, g/min."""
    return -ABSORPTION * stomach


@equation
def blood_alcohol_rate(blood: float, stomach: float, volume: float, elimination: float) -> float:
    """dB/dt = 0.05 A / V - v B / (B + 0.05), g/L/min.

    Args:
        blood: B [g/L].
        stomach: A [g].
        volume: V = 0.68 BW in men [L].
        elimination: v, 0.0025 (0.15 g/L/h; 0.10-0.25 g/L/h) [g/L/min].

    """
    return ABSORPTION * stomach / volume - elimination * blood / (blood + HALF_RATE)
