"""Respiration and gas exchange: ventilation, alveolar gases, arterial saturation.

Metabolic feed-forward, a dog-leg response to carbon dioxide and a hyperbolic one to hypoxia set ventilation; two
alveolar balances and an oxygen dissociation curve give what an oximeter reads. Mean values over breaths: periodic
breathing and apnoea are not represented.

References:
    Magosso E, Ursino M (2001). A mathematical model of CO2 effect on cardiovascular regulation. Am J Physiol 281.
    Severinghaus JW (1979). Simple, accurate equations for human blood O2 dissociation. J Appl Physiol 46, 599-602.
    Kelman GR (1966). Digital computer subroutine for the conversion of oxygen tension. J Appl Physiol 21, 1375-1376.
    Natarajan A et al. (2021). npj Digit Med 4:136 (nocturnal rate 15.4, 90 % of people 11.8-19.2 per minute).
    Jensen MM et al. (2019). Acute Med (1.4 per minute and degC; model 1.7).

Defaults and ranges: RR0 14.5 (10-20) /min; VE0 7.0 (5-10) L/min; mVE 24.5 (22-45); GC 2.0 (0.8-4) L/min/mmHg;
GO 1.0 (0.2-2) L/min/%; V_CO2 17 (10-30) L; Aa 7 (4-25) mmHg at PAO2 100.
"""

from twin.jit import equation
from twin.numerics import exp, log, power, softplus

LN2 = 0.6931471805599453
LN10 = 2.302585092994046
WATER_VAPOUR = 47.0  # mmHg at 37 degC
ALVEOLAR_MINUTES = 0.5  # oxygen store of the lungs
DRIVE_MINUTES = 0.5
LOWEST_ALVEOLAR = 0.5  # L/min
FASTEST_WASHOUT = 8.0  # 1/min: keeps RK4 stable at 15 s for small stores in hard exercise


@equation
def respiration_rate(
    ventilation: float, resting: float, resting_ventilation: float, heat: float, copd: float
) -> float:
    """RR = RR0 (VE / VE0)^0.40 + 1.2 Tx (VE / VE0)^-0.5 + 3.2 copd, breaths/min."""
    relative = ventilation / resting_ventilation
    return resting * power(relative, 0.40) + 1.2 * heat * power(relative, -0.5) + 3.2 * copd


@equation
def alveolar_ventilation(ventilation: float, rate: float, copd: float) -> float:
    """VA = max(VE - RR VD, 0.5), VD = (0.12 + 0.08 VT) (1 + 0.8 copd), VT = VE / RR; L/min."""
    dead_space = (0.12 * rate + 0.08 * ventilation) * (1.0 + 0.8 * copd)
    return max(ventilation - dead_space, LOWEST_ALVEOLAR)


@equation
def inspired_oxygen_pressure(barometric: float, fraction: float) -> float:
    """PIO2 = (PB - 47) FiO2, mmHg."""
    return (barometric - WATER_VAPOUR) * fraction


@equation
def alveolar_co2_rate(pressure: float, output: float, alveolar: float, store: float) -> float:
    """dPACO2/dt = (863 Vc / VA - PACO2) VA / V_CO2, mmHg/min: 4 min at rest, 10 s at maximal exercise."""
    return (863.0 * output / alveolar - pressure) * min(alveolar / store, FASTEST_WASHOUT)


@equation
def alveolar_o2_rate(
    pressure: float, inspired: float, output: float, quotient: float, alveolar: float
) -> float:
    """dPAO2/dt = (PIO2 - 863 (Vc / RQ) / VA - PAO2) / 0.5, mmHg/min; the target is held at 5 mmHg or more."""
    target = max(inspired - 863.0 * output / quotient / alveolar, 5.0)
    return (target - pressure) / ALVEOLAR_MINUTES


@equation
def arterial_oxygen(alveolar: float, difference: float, copd: float, exercise: float) -> float:
    """PaO2 = PAO2 - Aa (PAO2 / 100) (1 + copd (2.2 + 3 xp)), then 10 + sp(PaO2 - 10, 2), mmHg.

    3 xp widens the difference with exertion in lung disease; the floor keeps sigma points legal.
    """
    arterial = alveolar - difference * alveolar / 100.0 * (1.0 + copd * (2.2 + 3.0 * exercise))
    return 10.0 + softplus(arterial - 10.0, 2.0)


@equation
def saturation(oxygen: float, carbon_dioxide: float, core: float) -> float:
    """Arterial saturation, %.

    Pc = PaO2 10^(0.40 * 0.008 (40 - PaCO2) + 0.024 (37 - Tc) + 0.06 (log10 40 - log10 PaCO2))    (Kelman)
    SaO2 = 100 / (1 + 23400 / (Pc^3 + 150 Pc))                                                    (Severinghaus)
    """
    shift = 0.40 * 0.008 * (40.0 - carbon_dioxide) + 0.024 * (37.0 - core)
    shift = shift * LN10 + 0.06 * (3.6888794541139363 - log(carbon_dioxide))
    standard = oxygen * exp(shift)
    content = standard * (standard * standard + 150.0)
    return 100.0 * content / (content + 23400.0)


@equation
def chemical_drive(carbon_dioxide: float, set_point: float, gain: float, asleep: float) -> float:
    """chem = GC (1 - 0.25 S) [sp(PaCO2 - B, 1) - 0.25 sp(B - PaCO2, 1) - 0.75 ln 2], L/min: a dog-leg.

    sp(-z, 1) = sp(z, 1) - z, so that one soft-plus serves both arms.
    """
    excess = carbon_dioxide - set_point
    above = softplus(excess, 1.0)
    below = above - excess
    return gain * (1.0 - 0.25 * asleep) * (above - 0.25 * below - 0.75 * LN2)


@equation
def hypoxic_drive(saturation_percent: float, carbon_dioxide: float, gain: float) -> float:
    """hyp = GO sp(95.5 - SaO2, 0.5) exp((PaCO2 - 40) / 14), L/min."""
    return gain * softplus(95.5 - saturation_percent, 0.5) * exp((carbon_dioxide - 40.0) / 14.0)


@equation
def ventilation_rate(
    ventilation: float,
    tissue_co2: float,
    fraction: float,
    chemical: float,
    hypoxic: float,
    heat: float,
    asleep: float,
    slope: float,
    offset: float,
    ceiling: float,
) -> float:
    """Rate of change of ventilation.

    ff = mVE (1 + 0.9 sp(x - 0.7, 0.05)) VCO2t + cVE (1 - 0.5 S)
    VEt = 2.5 + sp(ff + chem + hyp + 0.6 Tx - 2.5, 0.5), then VEmax - sp(VEmax - VEt, 2)
    dVE/dt = (VEt - VE) / 0.5

    Args:
        ventilation: VE [L/min].
        tissue_co2: VCO2t [L/min].
        fraction: x, of oxygen-uptake reserve [-].
        chemical, hypoxic: chem, hyp [L/min].
        heat: Tx [degC].
        asleep: S [0-1].
        slope: mVE, 24.5 (22-45) [-]: the VE/VCO2 slope less 3.
        offset: cVE, 1.3 [L/min].
        ceiling: VEmax, about 37 FEV1: 150 healthy, 70 and 35 in moderate and severe COPD [L/min].

    Returns:
        dVE/dt [L/min per minute].

    """
    feed_forward = slope * (1.0 + 0.9 * softplus(fraction - 0.7, 0.05)) * tissue_co2 + offset * (
        1.0 - 0.5 * asleep
    )
    target = 2.5 + softplus(feed_forward + chemical + hypoxic + 0.6 * heat - 2.5, 0.5)
    target = ceiling - softplus(ceiling - target, 2.0)
    return (target - ventilation) / DRIVE_MINUTES
