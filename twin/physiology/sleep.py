"""Sleep: a homeostat that fills awake and empties asleep, gated by the clock.

References:
    Phillips AJK, Robinson PA (2007). A quantitative model of sleep-wake dynamics. J Biol Rhythms 22, 167-179.
    Skeldon AC et al. (2023). PLoS Comput Biol 19:e1011743 (reduced to one homeostat with two thresholds).
    Eckel RH et al. (2015). Curr Biol 25, 3004-3010; sleep restriction lowers insulin sensitivity by 11-25 %.

The two thresholds switch; a filter gets the smooth hazard instead, as a prior of being asleep, and lets the wearable's
sleep state drive S.
"""

from twin.jit import equation
from twin.numerics import sigmoid

WAKE_TARGET = 17.78  # mu_H
HOURS = 45.0  # chi
THRESHOLD = 13.0  # middle of the two
HALF_GAP = 0.5
WAKE_GAIN = 1.72  # of the circadian wake drive
HAZARD_WIDTH = 0.25
SHORT_SLEEP_HOURS = 6.0
SHORT_SLEEP_FALL = 0.20  # of insulin sensitivity (0.10-0.25)


@equation
def homeostat_rate(homeostat: float, asleep: float) -> float:
    """dH/dt = ((1 - S) mu_H - H) / chi, 1/h; mu_H 17.78, chi 45 h, S 0 awake to 1 asleep."""
    return ((1.0 - asleep) * WAKE_TARGET - homeostat) / HOURS


@equation
def wake_drive(x: float, xc: float) -> float:
    """C = 0.7896 - 0.3912 xc + 0.7583 x - 0.4442 xc^2 + 0.0250 xc x - 0.9647 x^2: the clock's push to be awake."""
    return 0.7896 - 0.3912 * xc + 0.7583 * x - 0.4442 * xc * xc + 0.0250 * xc * x - 0.9647 * x * x


@equation
def asleep_hazard(homeostat: float, drive: float) -> float:
    """P(asleep) = sig((H - 13 - 1.72 C) / 0.25): a prior, where nobody measured."""
    return sigmoid((homeostat - THRESHOLD - WAKE_GAIN * drive) / HAZARD_WIDTH)


def next_sleep_state(homeostat: float, drive: float, asleep: bool) -> bool:
    """Switch of a free sleeper: falls asleep at H >= 13.5 + 1.72 C, wakes at H <= 12.5 + 1.72 C."""
    middle = THRESHOLD + WAKE_GAIN * drive
    return homeostat > middle - HALF_GAP if asleep else homeostat >= middle + HALF_GAP


@equation
def sleep_debt_factor(mean_hours: float) -> float:
    """Factor on insulin sensitivity: 0.8 when the mean of seven nights is below 6 h, smooth over half an hour."""
    return 1.0 - SHORT_SLEEP_FALL * sigmoid((SHORT_SLEEP_HOURS - mean_hours) / 0.15)
