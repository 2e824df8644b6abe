"""Block G: what its states and parameters are, and the parameter sets of people without and with diabetes.

Sources: Dalla Man C, Rizza RA, Cobelli C (2007). Meal simulation model of the glucose-insulin system. IEEE Trans Biomed
Eng 54, 1740-1749 (healthy, type 2); UVA/Padova type 1 simulator, adults, n = 10 (Dalla Man 2014, J Diabetes Sci Technol
8, 26-34); Vg, E_I and the linear gut are calibrated to them; Deichmann 2023 (PLoS Comput Biol 19, e1010289) for exercise.
"""

import math
from typing import NamedTuple

from twin.blocks.spec import LOG, PLAIN, Parameter
from twin.blocks.spec import State as Described

SENSOR_FLOOR = 39.0  # mg/dL: no CGM shows less


class State(NamedTuple):
    """One sigma point; units in metabolic_parameters.STATES."""

    stomach: float
    gut: float
    log_plasma: float
    log_tissue: float
    insulin: float
    static: float
    delayed: float
    liver: float
    interstitial: float
    glut4: float
    exercise_uptake: float
    exercise_production: float
    exercise_boost: float
    site: float
    depot_1: float
    depot_2: float
    disturbance: float
    sensor_error: float
    sensor_driver: float
    log_sensitivity: float
    basal: float
    log_emptying: float
    log_beta: float


class Inputs(NamedTuple):
    """What drives the block.

    Eaten glucose [mg/min], injected insulin [pmol/kg/min], exercise x [-], the factor that
    clock, inflammation, sleep debt and body fat put on insulin sensitivity [-], whether meals or doses are logged
    (0, 1), the insulin level that the pump's usual rate holds [pmol/L] (0: the population's), and the running mean of the
    sensor's normalised innovations [-]: where they keep one sign, something unlogged is going on; ln of the person's own
    variance of the flux; and the share of its error that a sensor has at the glucose that is believed (0: at each point's).
    """

    intake: float
    infusion: float
    intensity: float
    sensitivity_factor: float
    told: float
    pump_insulin: float
    activity: float
    flux_scale: float
    error_scale: float


class Body(NamedTuple):
    """Numbers fixed for the person; metabolic_parameters.PARAMETERS explains each, the last three follow from them."""

    weight: float
    glucose_volume: float
    k1: float
    k2: float
    insulin_volume: float
    m2: float
    m4: float
    m5: float
    m6: float
    fast_fraction: float
    absorption: float
    kp1: float
    kp2: float
    kp3: float
    portal: float
    liver_delay: float
    brain_uptake: float
    km: float
    uptake_capacity: float
    insulin_potency: float
    p2u: float
    dynamic_gain: float
    static_delay: float
    static_gain: float
    ke1: float
    ke2: float
    ka1: float
    ka2: float
    kd: float
    exercise_production_gain: float
    secretes: float
    counter_regulation: float
    basal_insulin: float
    diabetic_signalling: float
    basal_glucose: float
    liver_sensitivity: float
    prior_basal_glucose: float
    prior_basal_glucose_sd: float
    basal_glucose_walk: float
    prior_log_emptying: float
    prior_log_emptying_sd: float
    emptying_walk: float
    prior_log_sensitivity: float
    prior_log_sensitivity_sd: float
    flux_minutes: float
    flux_sd: float
    untold_flux_sd: float
    flux_per_appearance: float
    flux_widening: float
    flux_evidence: float
    flux_learning_days: float
    flux_margin: float
    sensor_error_sd: float
    sensor_lag_minutes: float
    sensor_error_minutes: float
    low_error: float
    basal_production: float
    basal_secretion: float
    basal_infusion: float


class Seen(NamedTuple):
    """In natural units.

    Plasma and interstitial glucose and what a CGM shows [mg/dL], insulin [pmol/L], appearance,
    production and uptake of glucose [mg/kg/min], how fed (0-1), and the intracellular level: activated fractions.
    """

    glucose: float
    interstitial_glucose: float
    sensor_glucose: float
    insulin: float
    appearance: float
    production: float
    uptake: float
    fed: float
    insulin_receptor: float
    irs1: float
    pkb: float
    glut4: float


N, DYNAMIC, STRIDE, INPUTS, BODY, SEEN = 23, 19, 48, 9, 59, 12
(STOMACH, GUT, PLASMA, TISSUE, INSULIN, STATIC, DELAYED, LIVER, INTERSTITIAL, GLUT4, EX_UPTAKE, EX_PRODUCTION,
 EX_BOOST, SITE, DEPOT_1, DEPOT_2, DISTURBANCE, SENSOR_ERROR, SENSOR_DRIVER, SENSITIVITY, BASAL, EMPTYING,
 BETA) = range(N)  # fmt: skip
INTAKE, INFUSION, INTENSITY, FACTOR, TOLD, PUMP, ACTIVITY, SCALE, ERROR_SCALE = range(INPUTS)

STATES = (
    Described("stomach_glucose", "mg", PLAIN, 3000.0, 20.0, 5.0, "q1, glucose in the stomach"),
    Described("gut_glucose", "mg", PLAIN, 2000.0, 20.0, 5.0, "q2, glucose in the gut"),
    Described("plasma_glucose_mass", "mg/kg", LOG, 0.35, 0.01, 5.0, "Gp, glucose in plasma and what mixes fast with it"),
    Described("tissue_glucose_mass", "mg/kg", LOG, 0.35, 0.01, 5.0, "Gt, glucose in slow tissue"),
    Described("plasma_insulin_mass", "pmol/kg", PLAIN, 0.4, 0.0, 5.0, "Ip, insulin in plasma (2 % of itself)"),
    Described("static_secretion", "pmol/kg/min", PLAIN, 0.5, 0.05, 5.0, "Y, secretion above basal that glucose asks for"),
    Described("delayed_insulin", "pmol/L", PLAIN, 8.0, 0.5, 5.0, "I1, first delay of insulin's action on the liver"),
    Described("liver_insulin", "pmol/L", PLAIN, 8.0, 0.2, 5.0, "Id, insulin as the liver acts on it"),
    Described("interstitial_insulin", "pmol/L", PLAIN, 8.0, 0.0, 5.0, "Xi, insulin at the cells (1 % of itself)"),
    Described("surface_glut4", "1", PLAIN, 0.02, 0.001, 5.0, "g4, share of GLUT4 at the surface"),
    Described("exercise_uptake", "/min", PLAIN, 1e-3, 1e-4, 5.0, "GU, uptake that exercise adds"),
    Described("exercise_production", "/min", PLAIN, 1e-3, 1e-4, 5.0, "GP, production that exercise adds"),
    Described("exercise_sensitivity", "1", PLAIN, 0.02, 1e-3, 5.0, "Z, sensitivity that outlasts exercise"),
    Described("interstitial_glucose", "mg/dL", PLAIN, 32.0, 0.5, 5.0, "IG, glucose at the sensor's site"),
    Described("insulin_depot_1", "pmol/kg", PLAIN, 5.0, 0.2, 5.0, "s1, injected insulin, first depot"),
    Described("insulin_depot_2", "pmol/kg", PLAIN, 5.0, 0.2, 5.0, "s2, injected insulin, second depot"),
    Described("glucose_disturbance", "mg/kg/min", PLAIN, 1.0, 0.0, 5.0,
              "d, flux that nothing logged explains (Ornstein-Uhlenbeck, Body.flux_minutes)"),
    Described("sensor_error", "mg/dL", PLAIN, 13.0, 0.0, 5.0,
              "e, coloured error of the sensor: follows e' (Body.sensor_lag_minutes)"),
    Described("sensor_driver", "mg/dL", PLAIN, 14.4, 0.0, 5.0,
              "e', what the sensor's error follows (Ornstein-Uhlenbeck, Body.sensor_error_minutes)"),
    Described("insulin_sensitivity", "1", LOG, 0.45, 0.06, 1440.0, "sI, insulin sensitivity of glucose uptake"),
    Described("basal_glucose", "mg/dL", PLAIN, 8.0, 0.0, 1440.0, "Gb, glucose at rest and fasting"),
    Described("gastric_emptying", "/min", LOG, 0.35, 0.0, 1440.0, "kst, emptying of the stomach"),
    Described("beta_cell_gain", "1", LOG, 0.40, 0.02, 1440.0, "common factor on the beta cell's gains be and K"),
)  # fmt: skip

_M07, _UVA, _BENCH = "Dalla Man 2007", "UVA/Padova T1D adults", "tests/bench: simglucose and real CGMs"


def _p(default: float, unit: str, low: float, high: float, meaning: str, source: str = _M07) -> Parameter:
    return Parameter(default, unit, low, high, meaning, source)


PARAMETERS = {
    "weight": _p(75.0, "kg", 20, 400, "BW, body weight", "profile"),
    "glucose_volume": _p(1.88, "dL/kg", 1.2, 2.4, "VG"),
    "k1": _p(0.065, "/min", 0.02, 0.12, "plasma to tissue"),
    "k2": _p(0.079, "/min", 0.02, 0.25, "tissue to plasma"),
    "insulin_volume": _p(0.05, "L/kg", 0.02, 0.12, "VI"),
    "m2": _p(0.484, "/min", 0.1, 1.0, "liver insulin to plasma"),
    "m4": _p(0.194, "/min", 0.05, 0.5, "peripheral degradation"),
    "m5": _p(0.0304, "min.kg/pmol", 0, 0.1, "fall of extraction with secretion"),
    "m6": _p(0.6471, "1", 0.3, 0.95, "extraction without secretion"),
    "fast_fraction": _p(0.15, "1", 0, 1, "phi, share that passes the stomach at once", "calibrated"),
    "absorption": _p(0.057, "/min", 0.005, 0.3, "kab, gut to plasma"),
    "kp1": _p(2.70, "mg/kg/min", 1.5, 8, "production at no glucose and no insulin"),
    "kp2": _p(0.0021, "/min", 0.0003, 0.01, "production's fall with glucose"),
    "kp3": _p(0.009, "mg/kg/min per pmol/L", 0.001, 0.03, "production's fall with liver insulin"),
    "portal": _p(0.0618 / 0.5, "1", 0, 0.4, "kp4 / gamma, production's fall with portal insulin"),
    "liver_delay": _p(0.0079, "/min", 0.002, 0.03, "ki"),
    "brain_uptake": _p(1.0, "mg/kg/min", 0.5, 1.5, "Fc, uptake without insulin"),
    "km": _p(225.59, "mg/kg", 100, 600, "Km of uptake"),
    "uptake_capacity": _p(44.0, "mg/kg/min", 5, 120, "Vg, uptake that all GLUT4 adds", "calibrated to Dalla Man 2007"),
    "insulin_potency": _p(600.0, "pmol/L", 200, 2000, "E_I, half effect of interstitial insulin on GLUT4",
                          "600 (EC50/0.055)^0.35, Brannmark 2013"),
    "p2u": _p(0.0331, "/min", 0.005, 0.1, "p2U, insulin into the interstitium"),
    "dynamic_gain": _p(2.0, "pmol/kg per mg/dL", 0, 6, "K, secretion on rising glucose"),
    "static_delay": _p(0.050, "/min", 0, 0.2, "alpha"),
    "static_gain": _p(0.11, "pmol/kg/min per mg/dL", 0, 0.4, "beta"),
    "ke1": _p(0.0005, "/min", 0, 0.002, "renal clearance"),
    "ke2": _p(339.0, "mg/kg", 200, 500, "renal threshold"),
    "ka1": _p(0.0018, "/min", 0, 0.02, "first depot to plasma", "UVA/Padova"),
    "ka2": _p(0.0182, "/min", 0.004, 0.05, "second depot to plasma", "UVA/Padova"),
    "kd": _p(0.0164, "/min", 0.004, 0.05, "first to second depot", "UVA/Padova"),
    "exercise_production_gain": _p(0.9, "1", 0, 1.2, "kGP, production over uptake in exercise", "Deichmann 2023"),
    "secretes": _p(1.0, "1", 0, 1, "1 with, 0 without a beta cell", "condition"),
    "counter_regulation": _p(1.0, "1", 0, 1, "response to glucose below 70 mg/dL", "calibrated"),
    "basal_insulin": _p(25.6, "pmol/L", 5, 400, "Ib"),
    "diabetic_signalling": _p(0.0, "1", 0, 1, "1: the chain's constants of type 2 diabetes", "Brannmark 2013"),
    "basal_glucose": _p(91.76, "mg/dL", 60, 300, "Gb of the set: where its production is the basal one"),
    "liver_sensitivity": _p(0.0, "1", 0, 1, "power of sI that acts on kp3: 0 leaves the liver alone", "simglucose people"),
    "prior_basal_glucose": _p(91.76, "mg/dL", 60, 300, "prior mean of Gb"),
    "prior_basal_glucose_sd": _p(8.0, "mg/dL", 1, 60, "prior sd of Gb", "population"),
    "basal_glucose_walk": _p(3.0, "mg/dL per sqrt(day)", 0, 30, "random walk of Gb", "population"),
    "prior_log_emptying": _p(math.log(0.0105), "ln(/min)", -6.5, -3, "prior mean of ln kst", "calibrated"),
    "prior_log_emptying_sd": _p(0.35, "ln", 0.01, 1, "prior sd of ln kst", "population"),
    "emptying_walk": _p(0.05, "ln per sqrt(day)", 0, 0.3, "random walk of ln kst", "population"),
    "prior_log_sensitivity": _p(0.2, "ln", -3, 2, "prior mean of ln sI", "population"),
    "prior_log_sensitivity_sd": _p(0.45, "ln", 0.05, 1, "prior sd of ln sI", "population"),
    "flux_minutes": _p(15.0, "min", 3, 120, "how long an unexplained flux lasts", _BENCH),
    "flux_sd": _p(0.5, "mg/kg/min", 0.1, 6, "unexplained flux where meals or doses are logged", _BENCH),
    "untold_flux_sd": _p(1.2, "mg/kg/min", 0.1, 6, "the same where nothing is logged", _BENCH),
    "flux_per_appearance": _p(0.3, "1", 0, 2, "the same, share of the appearance", _BENCH),
    "flux_widening": _p(8.0, "1", 0, 30, "more variance of it where innovations keep one sign", _BENCH),
    "flux_evidence": _p(0.1, "1", 0, 0.95, "square of their running mean that is passed over as chance", _BENCH),
    "flux_learning_days": _p(0.4, "d", 0.05, 1e9, "over which the person's own size of it is learned", _BENCH),
    "flux_margin": _p(1.06, "1", 0.5, 4, "how much more of it is believed than its own estimates show", _BENCH),
    "sensor_error_sd": _p(8.0, "mg/dL", 1, 40, "sd of the sensor's coloured error", _BENCH),
    "sensor_lag_minutes": _p(7.0, "min", 1, 30, "how fast the error follows its driver", _BENCH),
    "sensor_error_minutes": _p(32.0, "min", 5, 600, "how long the driver lasts", _BENCH),
    "low_error": _p(0.3, "1", 0.1, 1, "error at 40 mg/dL, share of that from 100 mg/dL on", _BENCH),
}  # fmt: skip

# Each set is laid over the healthy values above.
GLUCOSE_SETS: dict[str, dict[str, float]] = {
    "healthy": {},
    "prediabetes": {
        "basal_insulin": 45.0, "basal_glucose": 102.0, "prior_basal_glucose": 102.0, "prior_log_sensitivity": math.log(0.5),
        "static_gain": 0.11 * 0.55, "dynamic_gain": 1.2,
    },
    "t2d": {
        "glucose_volume": 1.49, "insulin_volume": 0.04, "m2": 0.673, "m4": 0.269, "m5": 0.0526, "m6": 0.8118,
        "fast_fraction": 0.25, "absorption": 0.023, "kp1": 3.09, "kp2": 0.0007, "kp3": 0.005, "portal": 0.0786 / 0.5,
        "liver_delay": 0.0066, "uptake_capacity": 27.0, "insulin_potency": 900.0, "dynamic_gain": 1.0,
        "static_delay": 0.013, "static_gain": 0.05, "ke1": 0.0007, "ke2": 269.0, "exercise_production_gain": 0.8,
        "basal_insulin": 57.2, "basal_glucose": 164.18, "prior_basal_glucose": 164.18, "prior_basal_glucose_sd": 20.0,
        "diabetic_signalling": 1.0, "prior_log_emptying": math.log(0.013), "prior_log_sensitivity": 0.0,
        "flux_sd": 1.0, "untold_flux_sd": 1.5, "flux_per_appearance": 0.6, "flux_minutes": 25.0,
        "flux_widening": 6.0, "sensor_error_sd": 12.0,
    },
    "t1d": {
        "glucose_volume": 1.85, "k1": 0.0625, "k2": 0.129, "insulin_volume": 0.0525, "m2": 0.277, "m4": 0.111,
        "m5": 0.0, "m6": 0.6, "kp1": 4.6, "kp2": 0.0042, "kp3": 0.0095, "portal": 0.0, "liver_delay": 0.0084,
        "km": 237.0, "uptake_capacity": 54.0, "p2u": 0.034, "dynamic_gain": 0.0, "static_delay": 0.0,
        "static_gain": 0.0, "ka1": 0.0034, "ka2": 0.0159, "kd": 0.0159, "exercise_production_gain": 0.604,
        "secretes": 0.0, "counter_regulation": 0.0, "basal_insulin": 108.0, "basal_glucose": 140.0,
        "liver_sensitivity": 0.5, "prior_basal_glucose": 130.0, "prior_basal_glucose_sd": 12.0, "basal_glucose_walk": 10.0,
        "prior_log_emptying": math.log(0.012), "prior_log_emptying_sd": 0.1, "emptying_walk": 0.0,
        "prior_log_sensitivity": math.log(0.6), "prior_log_sensitivity_sd": 0.6,
        "flux_sd": 1.0, "untold_flux_sd": 1.5, "flux_per_appearance": 0.6, "flux_minutes": 25.0,
        "flux_widening": 6.0, "sensor_error_sd": 12.0,
    },
}  # fmt: skip
