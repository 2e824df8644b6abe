"""Circulation: stroke volume, arterial pressure and the baroreflex's two slow elements.

A mean-value (not beat-resolved) circulation: cardiac output times resistance gives mean pressure, a filtered pressure
feeds back on heart rate (heart.py) and on resistance.

References:
    Ursino M (1998). Interaction between carotid baroregulation and the pulsating heart. Am J Physiol 275, H1733-H1747.
    Heldt T (2004). Computational models of cardiovascular response to orthostatic stress. PhD thesis, MIT.
    Hinderliter AL et al. (2013). J Am Soc Hypertens (sleep/awake ratio of pressure 0.82-0.87).

Defaults and ranges: SV0 85 (55-120) mL; MAPset 90 (75-125) mmHg; dPex 36 (20-60) mmHg; m_v 1.8 (1-3);
PPc 2.0 (1.2-2.8) mL/mmHg; Gr 1.5 (0.5-3).
"""

from twin.jit import equation
from twin.numerics import exp, log

VENOUS_PRESSURE = 4.0  # mmHg
EXERCISE_RISE = 36.0  # dPex, set-point at full oxygen-uptake reserve [mmHg]
VASODILATION = 1.8  # m_v, muscle vasodilation
RESISTANCE_GAIN = 1.5  # Gr, baroreflex gain on resistance
SLEEP_DIP = 0.08
FILTER_MINUTES = 0.5
BASAL_SKIN_FLOW = 6.3  # L/m2/h


@equation
def stroke_volume(resting: float, contractility: float, exercise: float, posture: float) -> float:
    """SV = SV0 fCO (1 + 0.42 xp / (xp + 0.12)) (1 - 0.18 post), mL; xp = sp(x, 0.01)."""
    return resting * contractility * (1.0 + 0.42 * exercise / (exercise + 0.12)) * (1.0 - 0.18 * posture)


@equation
def mean_pressure(rate: float, volume: float, log_resistance: float) -> float:
    """MAP = CO e^r + 4, mmHg; CO = HR SV / 1000 [L/min], r = ln of resistance [mmHg min/L]."""
    return rate * volume / 1000.0 * exp(log_resistance) + VENOUS_PRESSURE


@equation
def reference_pressure(set_point: float, asleep: float, posture: float, exercise: float) -> float:
    """Pref = MAPset (1 - 0.08 S) + 3 post + dPex xp, mmHg."""
    return set_point * (1.0 - SLEEP_DIP * asleep) + 3.0 * posture + EXERCISE_RISE * exercise


@equation
def resistance_target(
    set_point: float,
    resting_rate: float,
    resting_volume: float,
    contractility: float,
    exercise: float,
    pressure_error: float,
    posture: float,
    skin_flow: float,
) -> float:
    """Where ln resistance settles.

    r_ss = ln[(MAPset - 4) / (HR0 SV0 fCO / 1000)] - ln(1 + m_v xp) - 0.02 (bl - 6.3) / 6.3 - Gr (Pf - Pref) / 93 + 0.10 post

    Args:
        set_point: MAPset [mmHg].
        resting_rate: HR0 [bpm].
        resting_volume: SV0 [mL].
        contractility: fCO, 1 healthy, 0.72 in heart failure [-].
        exercise: xp [-].
        pressure_error: Pf - Pref [mmHg].
        posture: 0-1.
        skin_flow: bl [L/m2/h].

    Returns:
        r_ss, ln of mmHg min/L.

    """
    basal = log((set_point - VENOUS_PRESSURE) / (resting_rate * resting_volume * contractility / 1000.0))
    skin = 0.02 * (skin_flow - BASAL_SKIN_FLOW) / BASAL_SKIN_FLOW
    return (
        basal
        - log(1.0 + VASODILATION * exercise)
        - skin
        - RESISTANCE_GAIN * pressure_error / 93.0
        + 0.10 * posture
    )


@equation
def first_order_rate(value: float, target: float) -> float:
    """(target - value) / 0.5: the 30-second lag of baroreceptors and of resistance, per minute."""
    return (target - value) / FILTER_MINUTES


@equation
def pulse_pressure(volume: float, pressure: float, compliance: float, exercise: float) -> float:
    """PP = SV / Ca, mmHg; Ca = PPc exp(-0.012 (MAP - 93)) / (1 + 0.35 xp), MAP clipped to 40-180. SBP = MAP + 0.6 PP."""
    clipped = min(max(pressure, 40.0), 180.0)
    return volume * (1.0 + 0.35 * exercise) / (compliance * exp(-0.012 * (clipped - 93.0)))
