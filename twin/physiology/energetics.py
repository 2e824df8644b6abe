"""Energetics: oxygen uptake from metabolic demand.

Oxygen uptake follows demand with one time constant and saturates at VO2max (linear kinetics of moderate exercise).

References:
    Mifflin MD et al. (1990). A new predictive equation for resting energy expenditure. Am J Clin Nutr 51, 241-247.
    Keir DA et al. (2015). J Appl Physiol (tau of oxygen uptake against work rate).
    Chatterjee NA et al. (2013). Circ Heart Fail (mean response time in heart failure).

Defaults and ranges: VO2max 42 (14-75) mL/kg/min; tau_V 30 (18-60) s; kQ 0.11 (0.10-0.13) per degC.
"""

from twin.jit import equation
from twin.numerics import sigmoid, smooth_min, softplus

KCAL_PER_LITRE_O2 = 4.86
WARMTH_GAIN = 0.11  # kQ, resting uptake per degC (Q10, 10-13 % per degC)
SLEEP_FALL = 0.07  # of resting uptake, asleep (0.05-0.10)
THERMIC_EFFECT = 0.08  # of resting uptake, fed (0.05-0.10)
LOWEST_DEMAND = 0.5  # MET
WATT_PER_LITRE_O2 = 341.0  # heat of one L O2 a minute
CO2_LAG_MINUTES = 0.5  # tissue store of carbon dioxide
LOWEST_RESERVE = 1.0  # mL/kg/min, so that a wild VO2max divides nothing by zero


def resting_metabolic_rate(weight_kg: float, height_m: float, age_years: float, male: float) -> float:
    """Resting metabolic rate, kcal/d (Mifflin 1990): 9.99 BW + 625 Ht - 4.92 age + (5 | -161)."""
    return 9.99 * weight_kg + 625.0 * height_m - 4.92 * age_years + (5.0 if male else -161.0)


def basal_oxygen_uptake(weight_kg: float, height_m: float, age_years: float, male: float) -> float:
    """VO2r0, resting oxygen uptake, mL/kg/min: RMR / 1440 / 4.86 * 1000 / BW. Default person: 3.18."""
    rate = resting_metabolic_rate(weight_kg, height_m, age_years, male)
    return rate / 1440.0 / KCAL_PER_LITRE_O2 * 1000.0 / weight_kg


@equation
def resting_oxygen_uptake(basal: float, core: float, asleep: float, fed: float) -> float:
    """VO2r = VO2r0 [1 + kQ (Tc - 36.9)] (1 - 0.07 S) (1 + 0.08 fed).

    Args:
        basal: VO2r0 [mL/kg/min].
        core: Tc, core temperature [degC].
        asleep: S, 0 awake to 1 asleep.
        fed: 0 fasting to 1 in full absorption of a meal.

    Returns:
        VO2r [mL/kg/min].

    """
    return (
        basal
        * (1.0 + WARMTH_GAIN * (core - 36.9))
        * (1.0 - SLEEP_FALL * asleep)
        * (1.0 + THERMIC_EFFECT * fed)
    )


@equation
def gross_demand(movement_met: float, gain: float, unmeasured_met: float) -> float:
    """MET = 1 + kMET (movement - 1) + m, never below 0.5.

    Args:
        movement_met: what the device or the schedule says [MET].
        gain: kMET, the device's bias on this person [-], 1 +/- 0.2.
        unmeasured_met: m, demand that no sensor saw [MET].

    Returns:
        Gross metabolic demand [MET].

    """
    demand = 1.0 + gain * (movement_met - 1.0) + unmeasured_met
    return LOWEST_DEMAND + softplus(demand - LOWEST_DEMAND, 0.05)


@equation
def demanded_oxygen_uptake(resting: float, demand_met: float, maximal: float) -> float:
    """Vd = smin(VO2r MET, VO2max, 1), mL/kg/min."""
    return smooth_min(resting * demand_met, maximal, 1.0)


@equation
def oxygen_uptake_rate(uptake: float, demanded: float, seconds: float) -> float:
    """dV/dt = (Vd - V) / tau_V, mL/kg/min per minute; tau_V in seconds."""
    return (demanded - uptake) * 60.0 / seconds


@equation
def reserve_fraction(uptake: float, resting: float, maximal: float) -> float:
    """x = (V - VO2r) / (VO2max - VO2r), the fraction of oxygen-uptake reserve in use; reserve at least 1 mL/kg/min."""
    return (uptake - resting) / max(maximal - resting, LOWEST_RESERVE)


@equation
def respiratory_quotient(fraction: float) -> float:
    """RQ = 0.82 + 0.25 sig((x - 0.68) / 0.07)."""
    return 0.82 + 0.25 * sigmoid((fraction - 0.68) / 0.07)


@equation
def tissue_co2(quotient: float, uptake: float, weight: float) -> float:
    """VCO2t = RQ V BW / 1000, carbon dioxide that the tissues produce, L/min STPD."""
    return quotient * uptake * weight / 1000.0


@equation
def pulmonary_co2_rate(pulmonary: float, tissue: float) -> float:
    """dVc/dt = (VCO2t - Vc) / 0.5: what the lungs see lags by the tissue store, L/min per minute."""
    return (tissue - pulmonary) / CO2_LAG_MINUTES


@equation
def metabolic_heat(uptake: float, weight: float) -> float:
    """M = 341 V BW / 1000, W."""
    return WATT_PER_LITRE_O2 * uptake * weight / 1000.0


@equation
def external_work(heat: float, resting_heat: float, efficiency: float) -> float:
    """W = eff max(M - Mrest, 0), W; eff 0.15 generic, 0.22 cycling, 0.05 walking."""
    return efficiency * max(heat - resting_heat, 0.0)


@equation
def energy_expenditure(uptake: float, weight: float) -> float:
    """EE = 4.86 V BW / 1000, kcal/min."""
    return KCAL_PER_LITRE_O2 * uptake * weight / 1000.0


@equation
def demand_of_expenditure(active: float, basal: float, weight: float) -> float:
    """MET = 1 + EEa / (4.86 VO2r0 BW / 1000), the demand behind active energy EEa [kcal/min] above rest.

    Args:
        active: EEa [kcal/min].
        basal: VO2r0 [mL/kg/min].
        weight: BW [kg].

    """
    return 1.0 + active / (KCAL_PER_LITRE_O2 * basal * weight / 1000.0)
