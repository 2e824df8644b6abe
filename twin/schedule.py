"""What stands for an input that nobody measured: habits by the local clock, section 2 of the specification.

Scalar functions of the local clock hour (0-24) and of S, the probability of being asleep; between awake and asleep they
mix in proportion.
"""

from twin.jit import equation
from twin.numerics import sigmoid

BEDTIME, WAKING = 23.2, 7.0  # h: 23:12 and 7:00
SPREAD = 0.4  # h, how sharply P(asleep) turns
DAYLIGHT_BEGINS, DAYLIGHT_ENDS = 7.0, 18.0  # h
DAYLIGHT_LUX, EVENING_LUX = 300.0, 50.0
HUMIDITY, AIR_SPEED = 0.5, 0.1  # -, m/s
ROOM = 24.0  # degC


@equation
def asleep_probability(hour: float) -> float:
    """P(asleep) by the clock alone: one half at 23:12 and at 7:00, turning over about an hour."""
    since_noon = hour + 12.0 - 24.0 * (1.0 if hour >= 12.0 else 0.0)
    bed, up = BEDTIME - 12.0, WAKING + 12.0
    return sigmoid((since_noon - bed) / SPREAD) * sigmoid((up - since_noon) / SPREAD)


@equation
def mixed(awake: float, in_bed: float, asleep: float) -> float:
    """The value between awake and in bed, in proportion to S."""
    return awake + (in_bed - awake) * asleep


@equation
def light_at_eye(hour: float, asleep: float) -> float:
    """Lux: 0 asleep; awake 300 from 7 to 18 h, 50 at other hours."""
    day = 1.0 if DAYLIGHT_BEGINS <= hour < DAYLIGHT_ENDS else 0.0
    return mixed(EVENING_LUX + (DAYLIGHT_LUX - EVENING_LUX) * day, 0.0, asleep)


@equation
def ambient_temperature(asleep: float) -> float:
    """Air, degC: 24 awake, 20 in the bedroom."""
    return mixed(ROOM, 20.0, asleep)


@equation
def clothing(asleep: float) -> float:
    """Insulation, clo: 0.7 awake, 2.2 in bed."""
    return mixed(0.7, 2.2, asleep)


@equation
def site_temperature(room: float, asleep: float) -> float:
    """Air at the sensor's site, degC: the room's awake, 31.5 under the cover."""
    return mixed(room, 31.5, asleep)


@equation
def resting_demand(asleep: float) -> float:
    """MET of one who does not move: 1.3 awake, 0.95 asleep."""
    return mixed(1.3, 0.95, asleep)


@equation
def usual_posture(asleep: float) -> float:
    """0 supine, 0.3 sitting, 1 standing: sits awake, lies asleep."""
    return mixed(0.3, 0.0, asleep)
