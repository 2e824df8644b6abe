"""Thermoregulation: core, mean skin and one distal site.

The two-node model with soft functions in place of its kinks, a set-point that the clock, sleep and fever move, and
the wrist or finger as a site between core and its own air.

References:
    Gagge AP, Fobelets AP, Berglund LG (1986). A standard predictive index of human response to the thermal
        environment. ASHRAE Trans 92, 709-731.
    DuBois D, DuBois EF (1916). Arch Intern Med 17, 863-871 (surface area).
    Tartarini F, Schiavon S (2020). pythermalcomfort. SoftwareX 12, 100578 (the constants; its c_dil is 120, ASHRAE's 50).

Defaults and ranges: Tset 36.85 (36.5-37.2) degC; A_T 0.30 (0.15-0.45) degC; dTsl 0.15 (0.1-0.3) degC;
cdil 60 (50-200) L/m2/h/degC; skin neutral 33.7 degC.
"""

from twin.jit import equation
from twin.numerics import exp, power, sigmoid, smooth_min, softplus

BASAL_SKIN_FLOW = 6.3  # L/m2/h
SKIN_NEUTRAL = 33.7  # TskN, degC
RADIATION = 4.7  # W/m2/degC
HEAT_CAPACITY = 3492.0  # J/kg/degC, 0.97 Wh/kg/degC
SKIN_LAG_MINUTES = 8.0  # of the distal site


def body_surface_area(weight_kg: float, height_m: float) -> float:
    """BSA = 0.007184 BW^0.425 (100 Ht)^0.725, m2 (DuBois)."""
    return float(0.007184 * weight_kg**0.425 * (100.0 * height_m) ** 0.725)


@equation
def own_temperature(
    set_point: float, amplitude: float, circadian: float, sleep_fall: float, asleep: float
) -> float:
    """Tref = Tset + A_T c - dTsl S, the circadian set-point without fever, degC."""
    return set_point + amplitude * circadian - sleep_fall * asleep


@equation
def dehydration_shift(dehydration: float, fraction: float) -> float:
    """0.15 deh sig((x - 0.2) / 0.02), degC: in exercise a dry body is regulated warmer (deh in % of body mass)."""
    return 0.15 * dehydration * sigmoid((fraction - 0.2) / 0.02)


@equation
def skin_blood_flow(core: float, skin: float, set_point: float, dilation: float) -> float:
    """Skin blood flow.

    bl = (6.3 + cdil sp(Tc - Tsp, 0.03)) / (1 + 0.5 sp(TskN - Ts, 0.05)) / (1 + 2 sp(Tsp - Tc - 0.10, 0.05))
    held smoothly within 0.5 to 90; the last factor is the chill's vasoconstriction.

    Args:
        core, skin: Tc, Ts [degC].
        set_point: Tsp [degC].
        dilation: cdil [L/m2/h/degC].

    Returns:
        bl [L/m2/h].

    """
    warm = softplus(core - set_point, 0.03)
    cold_skin = softplus(SKIN_NEUTRAL - skin, 0.05)
    chill = softplus(set_point - core - 0.10, 0.05)
    flow = (BASAL_SKIN_FLOW + dilation * warm) / ((1.0 + 0.5 * cold_skin) * (1.0 + 2.0 * chill))
    return 0.5 + softplus(smooth_min(flow, 90.0, 1.0) - 0.5, 0.1)


@equation
def skin_share(flow: float) -> float:
    """al = 0.0418 + 0.745 / (bl + 0.585), share of the skin in body mass."""
    return 0.0418 + 0.745 / (flow + 0.585)


@equation
def sweating(core: float, skin: float, set_point: float, share: float) -> float:
    """Regulatory sweat, g/m2/h.

    msw = smin(170 sp(Tb - TbN, 0.03) exp(sp(Ts - TskN, 0.05) / 10.7), 500, 5)
    Tb = al Ts + (1 - al) Tc,  TbN = 0.1 TskN + 0.9 Tsp
    """
    body = share * skin + (1.0 - share) * core
    neutral = 0.1 * SKIN_NEUTRAL + 0.9 * set_point
    local = exp(softplus(skin - SKIN_NEUTRAL, 0.05) / 10.7)
    return smooth_min(170.0 * softplus(body - neutral, 0.03) * local, 500.0, 5.0)


@equation
def shivering(core: float, skin: float, set_point: float) -> float:
    """shiv = 19.4 sp(TskN - Ts, 0.05) sp(Tsp - Tc, 0.03) + 60 sp(Tsp - Tc - 0.25, 0.05), W/m2.

    The second term is the heat production at the onset of fever.
    """
    cold_skin = softplus(SKIN_NEUTRAL - skin, 0.05)
    cold_core = softplus(set_point - core, 0.03)
    return 19.4 * cold_skin * cold_core + 60.0 * softplus(set_point - core - 0.25, 0.05)


@equation
def convection(air_speed: float, demand_met: float) -> float:
    """hc = max(3, 8.6 v'^0.53), v' = max(v, 0.1) + 0.25 sp(MET - 1.3, 0.1), W/m2/degC."""
    speed = max(air_speed, 0.1) + 0.25 * softplus(demand_met - 1.3, 0.1)
    return max(3.0, 8.6 * power(speed, 0.53))


@equation
def vapour_pressure(temperature: float) -> float:
    """pv(T) = exp(18.6686 - 4030.183 / (T + 235)), mmHg (Antoine)."""
    return exp(18.6686 - 4030.183 / (temperature + 235.0))


@equation
def dry_loss(skin: float, air: float, convecting: float, clothing: float) -> float:
    """dry = (Ts - Ta) / (Ra + Rcl), Ra = 1 / (fcl (hc + 4.7)), Rcl = 0.155 clo, fcl = 1 + 0.15 clo; W/m2."""
    area = 1.0 + 0.15 * clothing
    return (skin - air) / (1.0 / (area * (convecting + RADIATION)) + 0.155 * clothing)


@equation
def evaporation(skin: float, sweat: float, air_vapour: float, convecting: float, clothing: float) -> float:
    """Heat lost by evaporation from the skin, W/m2.

    Emax = (pv(Ts) - pa) / (1 / (2.2 fcl hc) + Rcl / (2.2 * 0.45)), at least 1
    w = smin(0.06 + 0.94 * 0.68 msw / Emax, 0.85, 0.02);  Esk = w Emax

    Args:
        skin: Ts [degC].
        sweat: msw [g/m2/h].
        air_vapour: pa [mmHg].
        convecting: hc [W/m2/degC].
        clothing: clo.

    """
    area = 1.0 + 0.15 * clothing
    resistance = 1.0 / (2.2 * area * convecting) + 0.155 * clothing / (2.2 * 0.45)
    most = max((vapour_pressure(skin) - air_vapour) / resistance, 1.0)
    return most * smooth_min(0.06 + 0.94 * 0.68 * sweat / most, 0.85, 0.02)


@equation
def respiratory_loss(metabolic: float, air: float, air_vapour: float) -> float:
    """Eres = 0.0023 m (44 - pa) + 0.0014 m (34 - Ta), W/m2; m = M / BSA."""
    return metabolic * (0.0023 * (44.0 - air_vapour) + 0.0014 * (34.0 - air))


@equation
def core_to_skin(core: float, skin: float, flow: float) -> float:
    """Hcs = (Tc - Ts) (5.28 + 1.163 bl), W/m2."""
    return (core - skin) * (5.28 + 1.163 * flow)


@equation
def temperature_rate(heat: float, share: float, surface: float, weight: float) -> float:
    """dT/dt = heat BSA 60 / (3492 share BW), degC/min; heat in W/m2, share 1 - al of the core or al of the skin."""
    return heat * surface * 60.0 / (HEAT_CAPACITY * share * weight)


@equation
def distal_rate(distal: float, core: float, air: float, flow: float, asleep: float) -> float:
    """dTd/dt = (Td_ss - Td) / 8, degC/min.

    q = bl / 6.3;  g = q (1.6 + 0.5 S);  Td_ss = Tloc + (Tc - 0.8 - Tloc) g / (1 + g)
    """
    warming = flow / BASAL_SKIN_FLOW * (1.6 + 0.5 * asleep)
    settled = air + (core - 0.8 - air) * warming / (1.0 + warming)
    return (settled - distal) / SKIN_LAG_MINUTES


@equation
def water_loss(evaporated: float, surface: float) -> float:
    """Sweat and insensible loss = Esk / 0.68 BSA / 1000, L/h."""
    return evaporated / 0.68 * surface / 1000.0
