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
FILTER_MINUTES = 0.5
BASAL_SKIN_FLOW = 6.3  # L/m2/h
BLOOD_VOLUME_PER_DEHYDRATION = 0.015  # per % of body mass lost
HYPOXIC_VASODILATION = 0.0125  # per % of saturation missing


@equation
def blood_volume_deviation(dehydration: float) -> float:
    """bv = -0.015 deh, relative deviation of blood volume; deh in % of body mass."""
    return -BLOOD_VOLUME_PER_DEHYDRATION * dehydration


@equation
def stroke_volume(
    resting: float, contractility: float, exercise: float, volume_deviation: float, posture: float
) -> float:
    """SV = SV0 fCO (1 + 0.42 xp / (xp + 0.12)) (1 + bv) (1 - 0.18 post), mL; xp = sp(x, 0.01)."""
    filling = (1.0 + volume_deviation) * (1.0 - 0.18 * posture)
    return resting * contractility * (1.0 + 0.42 * exercise / (exercise + 0.12)) * filling


@equation
def mean_pressure(rate: float, volume: float, log_resistance: float) -> float:
    """MAP = CO e^r + 4, mmHg; CO = HR SV / 1000 [L/min], r = ln of resistance [mmHg min/L]."""
    return rate * volume / 1000.0 * exp(log_resistance) + VENOUS_PRESSURE


@equation
def reference_pressure(
    set_point: float,
    sleep_dip: float,
    asleep: float,
    posture: float,
    exercise: float,
    exercise_rise: float,
    inflammation: float,
    inflammation_fall: float,
) -> float:
    """Pref = MAPset (1 - 0.08 S) + 3 post + dPex xp - 2 y, mmHg; the sleep dip is 0-15 %."""
    raised = 3.0 * posture + exercise_rise * exercise
    return set_point * (1.0 - sleep_dip * asleep) + raised - inflammation_fall * inflammation


@equation
def resistance_target(
    set_point: float,
    resting_rate: float,
    resting_volume: float,
    contractility: float,
    exercise: float,
    vasodilation: float,
    skin_flow: float,
    pressure_error: float,
    reflex_gain: float,
    missing_oxygen: float,
    inflammation: float,
    inflammation_fall: float,
    posture: float,
    standing_rise: float,
) -> float:
    """Where ln resistance settles.

    r_ss = ln[(MAPset - 4) / (HR0 SV0 fCO / 1000)] - ln(1 + m_v xp) - 0.02 (bl - 6.3) / 6.3 - Gr (Pf - Pref) / 93
           - 0.0125 sp(96 - SaO2, 0.3) - 0.20 y + 0.10 post

    Args:
        set_point: MAPset [mmHg].
        resting_rate: HR0 [bpm].
        resting_volume: SV0 [mL].
        contractility: fCO, 1 healthy, 0.72 in heart failure [-].
        exercise: xp [-].
        vasodilation: m_v, of working muscle, 1.8 (1-3) [-].
        skin_flow: bl [L/m2/h].
        pressure_error: Pf - Pref [mmHg].
        reflex_gain: Gr, 1.5 (0.5-3) [-].
        missing_oxygen: sp(96 - SaO2, 0.3) [%].
        inflammation: y [-].
        inflammation_fall: 0.20 per unit y [-].
        posture: 0-1.
        standing_rise: 0.10; 0 in autonomic neuropathy [-].

    Returns:
        r_ss, ln of mmHg min/L.

    """
    basal = log((set_point - VENOUS_PRESSURE) / (resting_rate * resting_volume * contractility / 1000.0))
    skin = 0.02 * (skin_flow - BASAL_SKIN_FLOW) / BASAL_SKIN_FLOW
    return (
        basal
        - log(1.0 + vasodilation * exercise)
        - skin
        - reflex_gain * pressure_error / 93.0
        - HYPOXIC_VASODILATION * missing_oxygen
        - inflammation_fall * inflammation
        + standing_rise * posture
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


@equation
def systolic(pressure: float, pulse: float) -> float:
    """SBP = MAP + 0.6 PP, mmHg."""
    return pressure + 0.6 * pulse


@equation
def diastolic(pressure: float, pulse: float) -> float:
    """DBP = MAP - 0.4 PP, mmHg."""
    return pressure - 0.4 * pulse
