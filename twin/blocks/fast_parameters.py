"""Block F, what its numbers are called: states, inputs, the person's fixed numbers and what sensors would see.

Population values, ranges and sources are those of sections 3 to 8, 13 and 14 of the specification; [A] two independent
sources, [B] one, [C] from memory, [K] calibrated to a cited target.
"""

import math
from typing import NamedTuple

from twin.blocks.spec import LOG, PLAIN, Parameter
from twin.blocks.spec import State as Described


class State(NamedTuple):
    """All states as the filter holds them: 16 that the equations move, then 14 parameters of the person."""

    oxygen_uptake: float
    cardiac_drive: float
    arousal: float
    baroreflex_pressure: float
    log_resistance: float
    pulmonary_co2_output: float
    ventilation: float
    alveolar_co2: float
    alveolar_o2: float
    core_temperature: float
    skin_temperature_mean: float
    distal_temperature: float
    inflammation: float
    fever: float
    unmeasured_demand: float
    infection_drive: float
    resting_heart_rate_parameter: float
    met_gain: float
    maximal_oxygen_uptake: float
    sleep_fall: float
    circadian_amplitude: float
    recovery_time: float
    log_variability: float
    resting_respiration_rate: float
    alveolar_arterial_difference: float
    temperature_set_point: float
    pressure_set_point: float
    vascular_compliance: float
    skin_site_offset: float
    clock_shift: float


class Inputs(NamedTuple):
    """What drives the block during one step."""

    met: float  # movement as the device or the schedule says, MET
    measured: float  # 1 if movement was measured
    asleep: float  # S, 0-1
    posture: float  # 0 supine, 0.3 sitting, 1 standing
    clock: float  # c = x / 1.08 of the pacemaker, +1 at the body-temperature maximum
    clock_quadrature: float  # xc / 1.08
    ambient_temperature: float  # degC
    humidity: float  # 0-1
    air_speed: float  # m/s
    clothing: float  # clo
    site_temperature: float  # air at the skin sensor, degC
    barometric_pressure: float  # mmHg
    inspired_oxygen: float  # FiO2
    efficiency: float  # mechanical
    fed: float  # 0-1
    dehydration: float  # % of body mass
    blood_alcohol: float  # g/L
    beta_blockade: float  # 0-1, of logged doses
    infection: float  # inf that is known, open loop
    weight: float  # kg


class Body(NamedTuple):
    """Numbers that are fixed for the person; PARAMETERS says what each is."""

    basal_oxygen_uptake: float
    surface_area: float
    maximal_heart_rate: float
    uptake_time: float
    rise_time: float
    recovery_slowing: float
    reflex_gain: float
    resting_stroke_volume: float
    contractility: float
    exercise_pressure: float
    vasodilation: float
    resistance_reflex: float
    sleep_pressure_dip: float
    standing_rate: float
    standing_resistance: float
    heat_gain: float
    dehydration_gain: float
    oxygen_gain: float
    alcohol_gain: float
    daily_beta_blockade: float
    variability_slope: float
    inflammation_rate: float
    inflammation_resistance: float
    inflammation_pressure: float
    inflammation_variability: float
    ventilation_slope: float
    ventilation_offset: float
    resting_ventilation: float
    co2_gain: float
    hypoxic_gain: float
    ventilation_ceiling: float
    lung_disease: float
    co2_shift: float
    co2_store: float
    skin_dilation: float
    temperature_amplitude: float
    temperature_sleep_fall: float
    prior_resting_heart_rate: float
    prior_met_gain: float
    prior_maximal_oxygen_uptake: float
    prior_sleep_fall: float
    prior_circadian_amplitude: float
    prior_recovery_time: float
    prior_log_variability: float
    prior_resting_respiration_rate: float
    prior_alveolar_arterial_difference: float
    prior_temperature_set_point: float
    prior_pressure_set_point: float
    prior_vascular_compliance: float
    prior_skin_site_offset: float
    prior_clock_shift: float


class Seen(NamedTuple):
    """What perfect sensors would read, natural units, and what other blocks need."""

    heart_rate: float  # bpm
    mean_arterial_pressure: float  # mmHg
    bp_systolic: float  # mmHg
    bp_diastolic: float  # mmHg
    stroke_volume: float  # mL
    cardiac_output: float  # L/min
    hrv_rmssd: float  # ms
    ventilation: float  # L/min
    respiration_rate: float  # 1/min
    arterial_co2: float  # mmHg
    arterial_o2: float  # mmHg
    spo2: float  # %
    core_temperature: float  # degC
    skin_temperature: float  # degC, distal site with the sensor's offset
    mean_skin_temperature: float  # degC
    exercise_fraction: float  # x, of oxygen-uptake reserve
    energy_expenditure: float  # kcal/min
    oxygen_uptake: float  # mL/kg/min
    sweat: float  # L/h, with insensible loss
    co2_output: float  # L/min STPD
    inflammation: float  # y
    fever: float  # F, degC
    active_expenditure: float  # kcal/min, above rest


N, DYNAMIC, STRIDE = len(State._fields), 16, 64
INPUTS, BODY, SEEN = len(Inputs._fields), len(Body._fields), len(Seen._fields)

(UPTAKE, DRIVE, AROUSAL, PRESSURE, RESISTANCE, CO2_OUTPUT, VENTILATION, ALVEOLAR_CO2, ALVEOLAR_O2, CORE, SKIN, DISTAL,
 INFLAMMATION, FEVER, UNMEASURED, INFECTION_DRIVE, RESTING, MET_GAIN, MAXIMAL_UPTAKE, SLEEP_FALL, CIRCADIAN, RECOVERY,
 VARIABILITY, RESPIRATION, OXYGEN_DIFFERENCE, TEMPERATURE, PRESSURE_SET, COMPLIANCE, SITE_OFFSET,
 CLOCK_SHIFT) = range(30)  # fmt: skip

UNMEASURED_MINUTES = 12.0  # correlation time of m
DAY, HOUR = 1440.0, 60.0
STATES: tuple[Described, ...] = (
    Described("oxygen_uptake", "mL/kg/min", PLAIN, 0.4, 0.1, 1.0, "V; walk + 3 % of V - VO2r"),
    Described("cardiac_drive", "1", PLAIN, 0.02, 0.01, 1.0, "h, fraction of heart-rate reserve in use"),
    Described("arousal", "/min", PLAIN, 4.0, 1.0, 1.0, "a, unmeasured stress; walk 0.4 asleep"),
    Described("baroreflex_pressure", "mm[Hg]", PLAIN, 3.0, 0.5, 1.0, "Pf, what the baroreceptors hold"),
    Described("log_resistance", "ln(mm[Hg].min/L)", PLAIN, 0.05, 0.01, 1.0, "r, peripheral resistance"),
    Described("pulmonary_co2_output", "L/min", PLAIN, 0.02, 0.005, 1.0, "Vc"),
    Described("ventilation", "L/min", PLAIN, 0.8, 0.0, 1.0, "VE; walk 2 % of VE"),
    Described("alveolar_co2", "mm[Hg]", PLAIN, 2.0, 0.2, 1.0, "PACO2"),
    Described("alveolar_o2", "mm[Hg]", PLAIN, 4.0, 0.5, 1.0, "PAO2"),
    Described("core_temperature", "Cel", PLAIN, 0.15, 0.005, 1.0, "Tc"),
    Described("skin_temperature_mean", "Cel", PLAIN, 0.7, 0.03, 1.0, "Ts"),
    Described("distal_temperature", "Cel", PLAIN, 1.5, 0.1, 1.0, "Td, wrist or finger"),
    Described("inflammation", "1", PLAIN, 0.05, 0.01, HOUR, "y, lumped cytokine activity"),
    Described("fever", "Cel", PLAIN, 0.05, 0.01, HOUR, "F, elevation of the set-point"),
    Described("unmeasured_demand", "[MET]", PLAIN, 0.30, 0.0, 1.0, "m, demand that no sensor saw, 12 min"),
    Described(
        "infection_drive", "ln(1)", PLAIN, 1.3, 1.3 * math.sqrt(2.0 / 3.0), DAY, "q = ln(inf + 0.02), 3 d"
    ),
    Described(
        "resting_heart_rate_parameter", "/min", LOG, 8.0 / 62.0, 0.4 / 62.0, DAY, "HR0, seated and quiet"
    ),
    Described("met_gain", "1", PLAIN, 0.20, 0.01, DAY, "kMET, the device's bias on this person"),
    Described("maximal_oxygen_uptake", "mL/kg/min", LOG, 8.0 / 42.0, 0.15 / 42.0, DAY, "VO2max"),
    Described("sleep_fall", "/min", PLAIN, 3.0, 0.1, DAY, "dHRsl"),
    Described("circadian_amplitude", "/min", PLAIN, 1.5, 0.05, DAY, "A_HR"),
    Described("recovery_time", "s", LOG, 0.40, 0.5 / 50.0, DAY, "tau_off"),
    Described("log_variability", "ln(ms)", PLAIN, 0.5, 0.03, DAY, "lnR0"),
    Described("resting_respiration_rate", "/min", LOG, 2.0 / 14.5, 0.05 / 14.5, DAY, "RR0"),
    Described("alveolar_arterial_difference", "mm[Hg]", PLAIN, 4.0, 0.1, DAY, "Aa at PAO2 100"),
    Described("temperature_set_point", "Cel", PLAIN, 0.2, 0.01, DAY, "Tset"),
    Described("pressure_set_point", "mm[Hg]", PLAIN, 8.0, 0.3, DAY, "MAPset"),
    Described("vascular_compliance", "mL/mm[Hg]", LOG, 0.20, 0.01 / 2.0, DAY, "PPc"),
    Described("skin_site_offset", "Cel", PLAIN, 1.0, 0.1, DAY, "added to Td in what the skin sensor reads"),
    Described("clock_shift", "h", PLAIN, 1.0, 0.02, DAY, "by which the person's rhythm leads the pacemaker"),
)
assert tuple(state.name for state in STATES) == State._fields

PARAMETERS: dict[str, Parameter] = {
    "basal_oxygen_uptake": Parameter(3.181, "mL/kg/min", 2.0, 5.0, "VO2r0", "Mifflin 1990 [A]"),
    "surface_area": Parameter(1.928, "m2", 0.5, 4.0, "BSA", "DuBois 1916 [A]"),
    "maximal_heart_rate": Parameter(180.0, "/min", 90.0, 220.0, "HRmax, 208 - 0.7 age", "Tanaka 2001 [C]"),
    "uptake_time": Parameter(30.0, "s", 18.0, 60.0, "tau_V", "Chatterjee 2013, Keir 2015 [B]"),
    "rise_time": Parameter(40.0, "s", 20.0, 70.0, "tau_on", "Hunt 2015 [B]"),
    "recovery_slowing": Parameter(4.0, "1", 2.0, 8.0, "kap", "Wang 2006 [B]"),
    "reflex_gain": Parameter(0.6, "/min/mm[Hg]", 0.05, 1.5, "kB", "Heldt 2004, Ursino 1998 [B]"),
    "resting_stroke_volume": Parameter(85.0, "mL", 40.0, 140.0, "SV0", "[C]"),
    "contractility": Parameter(1.0, "1", 0.5, 1.2, "fCO", "[C]"),
    "exercise_pressure": Parameter(36.0, "mm[Hg]", 20.0, 60.0, "dPex", "SBP 155 at 6 METs [K]"),
    "vasodilation": Parameter(1.8, "1", 1.0, 3.0, "m_v", "[K]"),
    "resistance_reflex": Parameter(1.5, "1", 0.3, 3.0, "Gr", "open-loop gain 1.5-2.5 [C]"),
    "sleep_pressure_dip": Parameter(0.08, "1", 0.0, 0.15, "of MAPset, asleep", "Hinderliter 2013 [B]"),
    "standing_rate": Parameter(10.0, "/min", 5.0, 25.0, "stand against supine", "[C]"),
    "standing_resistance": Parameter(0.10, "1", 0.0, 0.2, "of ln resistance, standing", "[K]"),
    "heat_gain": Parameter(6.5, "/min/Cel", 4.0, 10.0, "kT", "Jensen 2019, Kirschen 2020 [B]"),
    "dehydration_gain": Parameter(3.0, "/min/%", 1.0, 4.0, "kDeh", "Adams 2014 [B]"),
    "oxygen_gain": Parameter(1.0, "/min/%", 0.5, 1.5, "kO2", "[K]"),
    "alcohol_gain": Parameter(12.0, "/min.L/g", 5.0, 15.0, "per g/L of blood", "Pietila 2018 [C]"),
    "daily_beta_blockade": Parameter(0.0, "1", 0.0, 1.0, "bb of a daily dose, added to logged doses", "[B]"),
    "variability_slope": Parameter(0.030, "min", 0.02, 0.045, "kR", "Monfredi 2014 [C]"),
    "inflammation_rate": Parameter(3.5, "/min", 0.0, 8.0, "of heart rate per y", "Jensen 2019 with kT [K]"),
    "inflammation_resistance": Parameter(0.20, "1", 0.0, 0.5, "fall of ln resistance per y", "[K]"),
    "inflammation_pressure": Parameter(2.0, "mm[Hg]", 0.0, 10.0, "fall of Pref per y", "[K]"),
    "inflammation_variability": Parameter(0.15, "1", 0.0, 0.5, "fall of ln RMSSD per y", "[K]"),
    "ventilation_slope": Parameter(24.5, "1", 18.0, 50.0, "mVE, VE/VCO2 slope - 3", "slope 28 (26-32) [B]"),
    "ventilation_offset": Parameter(1.3, "L/min", 0.0, 4.0, "cVE", "[K]"),
    "resting_ventilation": Parameter(7.0, "L/min", 5.0, 10.0, "VE0", "Magosso 2001 [B]"),
    "co2_gain": Parameter(2.0, "L/min/mm[Hg]", 0.8, 4.0, "GC", "[C]"),
    "hypoxic_gain": Parameter(1.0, "L/min/%", 0.2, 2.0, "GO", "[C]"),
    "ventilation_ceiling": Parameter(150.0, "L/min", 25.0, 220.0, "VEmax, about 37 FEV1", "[C]"),
    "lung_disease": Parameter(0.0, "1", 0.0, 1.0, "copd", "[K]"),
    "co2_shift": Parameter(0.0, "mm[Hg]", 0.0, 10.0, "dCO2", "[K]"),
    "co2_store": Parameter(17.0, "L", 10.0, 30.0, "V_CO2", "[K]"),
    "skin_dilation": Parameter(60.0, "L/m2/h/Cel", 50.0, 200.0, "cdil", "Gagge 1986 [K]"),
    "temperature_amplitude": Parameter(0.30, "Cel", 0.10, 0.45, "A_T", "cosinor 0.4-0.5 with masking [C]"),
    "temperature_sleep_fall": Parameter(0.15, "Cel", 0.05, 0.3, "dTsl", "[C]"),
    "prior_resting_heart_rate": Parameter(62.0, "/min", 40.0, 100.0, "HR0", "Speed 2023, Quer 2020 [B]"),
    "prior_met_gain": Parameter(1.0, "1", 0.5, 2.0, "kMET", "[C]"),
    "prior_maximal_oxygen_uptake": Parameter(42.0, "mL/kg/min", 8.0, 80.0, "VO2max", "age and sex norm [C]"),
    "prior_sleep_fall": Parameter(5.0, "/min", 1.0, 10.0, "dHRsl", "20 % dip [K]"),
    "prior_circadian_amplitude": Parameter(3.0, "/min", 1.0, 6.0, "A_HR", "Speed 2023 [B]"),
    "prior_recovery_time": Parameter(50.0, "s", 25.0, 200.0, "tau_off", "Wang 2006 [B]"),
    "prior_log_variability": Parameter(3.70, "ln(ms)", 1.5, 5.0, "lnR0", "healthy 2.97-3.76 [B]"),
    "prior_resting_respiration_rate": Parameter(14.5, "/min", 9.0, 24.0, "RR0", "Natarajan 2021 [B]"),
    "prior_alveolar_arterial_difference": Parameter(7.0, "mm[Hg]", 2.0, 30.0, "Aa", "[K]"),
    "prior_temperature_set_point": Parameter(36.85, "Cel", 36.0, 37.6, "Tset", "Gagge 1986 [A]"),
    "prior_pressure_set_point": Parameter(
        90.0, "mm[Hg]", 65.0, 130.0, "MAPset", "Ursino 1998, Heldt 2004 [A]"
    ),
    "prior_vascular_compliance": Parameter(2.0, "mL/mm[Hg]", 0.8, 4.0, "PPc", "[K]"),
    "prior_skin_site_offset": Parameter(
        0.0, "Cel", -4.0, 4.0, "of the skin sensor's site", "Longato 2017 [C]"
    ),
    "prior_clock_shift": Parameter(0.0, "h", -6.0, 6.0, "of the rhythm against the pacemaker", "[C]"),
}
assert tuple(PARAMETERS) == Body._fields


def default_body() -> Body:
    """The healthy default person: 75 kg, 1.78 m, 40 years, male."""
    return Body(*(parameter.default for parameter in PARAMETERS.values()))


def default_inputs() -> Inputs:
    """Seated and quiet at 24 degC at sea level, nothing measured."""
    return Inputs(
        met=1.3, measured=0.0, asleep=0.0, posture=0.3, clock=0.0, clock_quadrature=0.0,
        ambient_temperature=24.0, humidity=0.5, air_speed=0.1, clothing=0.7, site_temperature=24.0,
        barometric_pressure=760.0, inspired_oxygen=0.2093, efficiency=0.15, fed=0.0, dehydration=0.0,
        blood_alcohol=0.0, beta_blockade=0.0, infection=0.0, weight=75.0,
    )  # fmt: skip
