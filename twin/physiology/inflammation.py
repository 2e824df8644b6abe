"""Inflammation and fever: two states behind one unknown input.

Cytokines follow the infection's drive with 6 h, the temperature set-point follows them with 100 min. A reduction of a
16-state model with a delay to what heart rate, breathing, skin temperature and HRV can tell apart.

References:
    Dobreva A et al. (2021). A physiological model of the inflammatory-thermal-pain-cardiovascular interactions during
        an endotoxin challenge. J Physiol 599, 1459-1485 (temperature lag 1.69 h, ceiling 39.5 degC).

Ranges: y 0 none, 0.3 subclinical, 1 febrile, 1.5 severe; its time constant 6 (3-12) h.
"""

from twin.jit import equation
from twin.numerics import exp

CYTOKINE_MINUTES = 360.0
FEVER_MINUTES = 100.0
QUIET_INFECTION = 0.02  # offset of the logarithm
LOG_QUIET_INFECTION = -3.912023005428146
DRIVE_MINUTES = 3.0 * 1440.0  # an unseen infection drive returns to none with 3 d


@equation
def infection(log_drive: float, declared: float) -> float:
    """inf = declared + e^q - 0.02; q = ln(inf + 0.02) is the filter's unknown input, held within -6 to 0.42 (inf <= 1.5)."""
    return declared + exp(min(max(log_drive, -6.0), 0.42)) - QUIET_INFECTION


@equation
def infection_drive_rate(log_drive: float) -> float:
    """dq/dt = (ln 0.02 - q) / 3 d: an Ornstein-Uhlenbeck process around no infection, 1/min."""
    return (LOG_QUIET_INFECTION - log_drive) / DRIVE_MINUTES


@equation
def inflammation_rate(inflammation: float, infecting: float) -> float:
    """dy/dt = (inf - y) / 360, 1/min."""
    return (infecting - inflammation) / CYTOKINE_MINUTES


@equation
def fever_rate(fever: float, inflammation: float) -> float:
    """dF/dt = (2.2 y / (1 + 0.35 y) - F) / 100, degC/min: F raises the temperature set-point."""
    return (2.2 * inflammation / (1.0 + 0.35 * inflammation) - fever) / FEVER_MINUTES
