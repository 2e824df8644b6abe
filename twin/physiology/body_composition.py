"""Body composition: fat, lean tissue, glycogen with its water, extracellular fluid, adaptive thermogenesis.

References:
    Hall KD et al. (2011). Quantification of the effect of energy imbalance on bodyweight. Lancet 378, 826-837; the
    constants are those of the NIDDK body weight planner.
    Forbes GB (1987). Human body composition (the partition of an imbalance between fat and lean tissue).
    Jackson AS et al. (2002). Int J Obes 26, 789-796 (fat from body-mass index).

Energies kcal, masses kg; rates here are per day, as in the paper.
"""

import math

from twin.jit import equation
from twin.numerics import exp, log

FAT_ENERGY, LEAN_ENERGY, GLYCOGEN_ENERGY = 9440.0, 1807.0, 4180.0  # rho_F, rho_L, rho_G [kcal/kg]
FAT_UPKEEP, LEAN_UPKEEP = 3.2, 22.0  # gam_F, gam_L [kcal/kg/d]
FAT_BUILDING, LEAN_BUILDING = 180.0, 230.0  # eta_F, eta_L [kcal/kg]
MEAL_HEAT = 0.10  # bTEF, of intake
ADAPTATION, ADAPTATION_DAYS = 0.14, 14.0  # bAT, tauAT
FORBES = 10.4 * LEAN_ENERGY / FAT_ENERGY  # C = 1.99 kg
GLYCOGEN = 0.5  # kg at rest
GLYCOGEN_WATER = 3.7  # kg of weight per kg of glycogen, with itself
SODIUM_PER_LITRE = 3220.0  # mg of sodium in a litre of extracellular fluid
SODIUM_RETENTION, SODIUM_CARBOHYDRATE = 3000.0, 4000.0  # mg/d per litre; mg/d per whole carbohydrate intake
FED_WEIGHT = 0.4  # kg of a meal still in the gut
SCALE_SD, DAY_TO_DAY_SD = 0.1, 0.5  # kg: the scale itself; bowel, bladder and clothes
SENSITIVITY_EXPONENT = -0.35  # ln sI against ln fat mass (calibrated)


@equation
def lean_share(fat: float) -> float:
    """p = C / (C + Fm): share of an energy imbalance that lean tissue takes (Forbes)."""
    return FORBES / (FORBES + fat)


@equation
def building_cost(share: float) -> float:
    """a = p eta_L / rho_L + (1 - p) eta_F / rho_F: energy to build tissue per energy stored [-]."""
    return share * LEAN_BUILDING / LEAN_ENERGY + (1.0 - share) * FAT_BUILDING / FAT_ENERGY


@equation
def glycogen_rate(glycogen: float, carbohydrate: float, basal_carbohydrate: float) -> float:
    """dGly/dt = (CI - kG Gly^2) / rho_G, kG = CI0 / 0.5^2, kg/d; CI carbohydrate eaten [kcal/d]."""
    burnt = basal_carbohydrate * glycogen * glycogen / (GLYCOGEN * GLYCOGEN)
    return (carbohydrate - burnt) / GLYCOGEN_ENERGY


@equation
def tissue_expenditure(
    fat: float,
    lean: float,
    weight: float,
    intake: float,
    adaptation: float,
    upkeep_rest: float,
    activity: float,
) -> float:
    """K + gam_F Fm + gam_L Lm + delta BW + bTEF EI + AT, kcal/d: expenditure before the cost of building.

    Args:
        fat: Fm [kg].
        lean: Lm [kg].
        weight: BW [kg].
        intake: EI [kcal/d].
        adaptation: AT [kcal/d].
        upkeep_rest: K, what the organs need beside [kcal/d].
        activity: delta [kcal/kg/d].

    """
    return (
        upkeep_rest
        + FAT_UPKEEP * fat
        + LEAN_UPKEEP * lean
        + activity * weight
        + MEAL_HEAT * intake
        + adaptation
    )


@equation
def activity_cost(activity_level: float, resting: float, weight: float) -> float:
    """delta = ((1 - bTEF) PAL - 1) RMR / BW0, kcal/kg/d."""
    return ((1.0 - MEAL_HEAT) * activity_level - 1.0) * resting / weight


@equation
def organ_upkeep(resting: float, fat: float, lean: float) -> float:
    """K = EI0 - gam_L L0 - gam_F F0 - delta BW0 - bTEF EI0 with EI0 = RMR PAL: RMR - gam_L L0 - gam_F F0, kcal/d."""
    return resting - LEAN_UPKEEP * lean - FAT_UPKEEP * fat


@equation
def tissue_balance(fat: float, available: float, before_building: float) -> tuple[float, float, float]:
    """What is burnt, and which tissue takes the difference.

    EE = [... + (EI - rho_G dGly) a] / (1 + a),  n = EI - rho_G dGly - EE
    dFm/dt = (1 - p) n / rho_F,  dLm/dt = p n / rho_L

    Args:
        fat: Fm [kg].
        available: EI - rho_G dGly [kcal/d].
        before_building: expenditure before the cost of building tissue [kcal/d].

    Returns:
        EE [kcal/d], dFm/dt [kg/d], dLm/dt [kg/d].

    """
    share = lean_share(fat)
    cost = building_cost(share)
    burnt = (before_building + available * cost) / (1.0 + cost)
    imbalance = available - burnt
    return burnt, (1.0 - share) * imbalance / FAT_ENERGY, share * imbalance / LEAN_ENERGY


@equation
def adaptation_rate(adaptation: float, intake: float, basal_intake: float) -> float:
    """dAT/dt = (bAT (EI - EI0) - AT) / tauAT, kcal/d per day."""
    return (ADAPTATION * (intake - basal_intake) - adaptation) / ADAPTATION_DAYS


@equation
def extracellular_rate(fluid: float, sodium_change: float, carbohydrate_ratio: float) -> float:
    """dECF/dt = (Na - Na0 - 3000 ECF - 4000 (1 - CI / CI0)) / 3220, L/d: deviation from the first day."""
    retained = SODIUM_RETENTION * fluid + SODIUM_CARBOHYDRATE * (1.0 - carbohydrate_ratio)
    return (sodium_change - retained) / SODIUM_PER_LITRE


@equation
def body_weight(fat: float, lean: float, glycogen: float, fluid: float) -> float:
    """BW = Fm + Lm + 3.7 (Gly - 0.5) + ECF, kg."""
    return fat + lean + GLYCOGEN_WATER * (glycogen - GLYCOGEN) + fluid


@equation
def scale_reading(weight: float, fed: float) -> float:
    """What a scale shows, kg: BW less the water deficit, + 0.4 fed (0-1); noise SCALE_SD and DAY_TO_DAY_SD."""
    return weight + FED_WEIGHT * fed


@equation
def fat_sensitivity(fat: float, first_fat: float) -> float:
    """Factor on insulin sensitivity: exp(-0.35 ln(Fm / Fm0))."""
    return exp(SENSITIVITY_EXPONENT * log(fat / first_fat))


def initial_fat_percent(weight_kg: float, height_m: float, age_years: float, male: float) -> float:
    """Fat, % of body weight, where nobody measured: men 0.14 age + 37.31 ln BMI - 103.94; women 39.96 and 102.01."""
    index = math.log(weight_kg / height_m**2)
    percent = 0.14 * age_years + (37.31 * index - 103.94 if male else 39.96 * index - 102.01)
    return min(max(percent, 4.0), 60.0)
