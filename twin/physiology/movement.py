"""Movement to metabolic demand, and altitude to air pressure.

References:
    ACSM's Guidelines for Exercise Testing and Prescription, metabolic equations (walking, running, cycling, stepping).
    Tudor-Locke C et al. (2019). CADENCE-Adults, Int J Behav Nutr Phys Act 16:8 (100-130 steps/min: 3-6 METs).
    Deichmann J et al. (2023). PLoS Comput Biol 19:e1010289 (1000 and 5600 counts/min: activity, high intensity).
    International Standard Atmosphere (ISO 2533).

Oxygen uptake mL/kg/min; demand in METs of 3.5 mL/kg/min, gross.
"""

from twin.jit import equation
from twin.numerics import power, sigmoid, softplus

REST_UPTAKE = 3.5  # mL/kg/min
SITTING = 1.3  # MET, awake and sedentary
FASTEST_CADENCE = 140.0  # steps/min; beyond it speed tells, cadence does not
COUNTS_TO_MET = 3.2 / 3000.0  # 3000 counts/min stand for 4-5 METs
SEA_LEVEL = 760.0  # mmHg
GENERIC, CYCLING, WALKING = 0.15, 0.22, 0.05  # mechanical efficiency


@equation
def walking_uptake(speed: float, grade: float) -> float:
    """VO2 = 0.1 s + 1.8 s g + 3.5; s m/min, g fraction."""
    return 0.1 * speed + 1.8 * speed * grade + REST_UPTAKE


@equation
def running_uptake(speed: float, grade: float) -> float:
    """VO2 = 0.2 s + 0.9 s g + 3.5; s m/min, g fraction."""
    return 0.2 * speed + 0.9 * speed * grade + REST_UPTAKE


@equation
def moving_uptake(speed: float, grade: float) -> float:
    """Walking below, running above 125 m/min (7.5 km/h), blended by sig((s - 125) / 8)."""
    running = sigmoid((speed - 125.0) / 8.0)
    return (1.0 - running) * walking_uptake(speed, grade) + running * running_uptake(speed, grade)


@equation
def cycling_uptake(watts: float, weight: float) -> float:
    """VO2 = 10.8 W / BW + 7."""
    return 10.8 * watts / weight + 7.0


@equation
def stepping_uptake(steps: float, height: float) -> float:
    """VO2 = 0.2 f + 1.33 1.8 H f + 3.5; f steps/min, H height of a step in m."""
    return 0.2 * steps + 1.33 * 1.8 * height * steps + REST_UPTAKE


@equation
def demand_of_uptake(uptake: float) -> float:
    """MET = VO2 / 3.5."""
    return uptake / REST_UPTAKE


@equation
def demand_of_cadence(cadence: float) -> float:
    """MET = 1.3 + 0.017 c + 0.083 sp(c - 100, 5); c steps/min, at most 140."""
    steps = min(max(cadence, 0.0), FASTEST_CADENCE)
    return SITTING + 0.017 * steps + 0.083 * softplus(steps - 100.0, 5.0)


@equation
def demand_of_counts(counts: float, gain: float) -> float:
    """MET = 1.3 + kMET c1 AC; AC counts/min, kMET the device's bias on the person, c1 3.2 / 3000."""
    return SITTING + gain * COUNTS_TO_MET * max(counts, 0.0)


@equation
def air_pressure(altitude: float) -> float:
    """PB = 760 (1 - 2.25577e-5 h)^5.25588, mmHg; h m, within -500 and 11000."""
    height = min(max(altitude, -500.0), 11000.0)
    return SEA_LEVEL * power(1.0 - 2.25577e-5 * height, 5.25588)
