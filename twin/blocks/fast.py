"""Block F: the organs of the fast time-scale wired into 16 states of seconds to days and 14 parameters of the person.

Oxygen uptake, cardiac drive and arousal, pressure and resistance, gas exchange, three temperatures, inflammation and
fever, with two inputs that no sensor saw: demand m (Ornstein-Uhlenbeck, 12 min) and infection q = ln(inf + 0.02) (3 d).
"""

import math

from twin.blocks.fast_parameters import (  # isort: skip
    ALVEOLAR_CO2, ALVEOLAR_O2, AROUSAL, BODY, CIRCADIAN, CLOCK_SHIFT, CO2_OUTPUT, COMPLIANCE, CORE, DISTAL,
    DRIVE, DYNAMIC, FEVER, INFECTION_DRIVE, INFLAMMATION, INPUTS, MAXIMAL_UPTAKE, MET_GAIN,
    OXYGEN_DIFFERENCE, PARAMETERS, PRESSURE, PRESSURE_SET, RECOVERY, RESISTANCE, RESPIRATION, RESTING,
    SEEN, SITE_OFFSET, SKIN, SLEEP_FALL, STATES, STRIDE, TEMPERATURE, UNMEASURED, UNMEASURED_MINUTES,
    UPTAKE, VARIABILITY, VENTILATION, Body, Inputs, N, Seen, State, default_body, default_inputs,
)  # fmt: skip
from twin.blocks.fast_prior import add_parameter_noise, add_process_noise, start
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put, values_of
from twin.numerics import clip, cosine, exp, sine, softplus
from twin.physiology import circulation, energetics, heart, inflammation, respiration, thermoregulation
from twin.shapes import Constants, Points
from twin.shapes import Inputs as InputVector

__all__ = (
    "ALVEOLAR_CO2", "ALVEOLAR_O2", "AROUSAL", "BODY", "CIRCADIAN", "CLOCK_SHIFT", "CO2_OUTPUT",
    "COMPLIANCE", "CORE", "DISTAL", "DRIVE", "DYNAMIC", "FEVER", "INFECTION_DRIVE", "INFLAMMATION",
    "INPUTS", "MAXIMAL_UPTAKE", "MET_GAIN", "OXYGEN_DIFFERENCE", "PARAMETERS", "PRESSURE", "PRESSURE_SET",
    "RECOVERY", "RESISTANCE", "RESPIRATION", "RESTING", "SEEN", "SITE_OFFSET", "SKIN", "SLEEP_FALL",
    "STATES", "STRIDE", "TEMPERATURE", "UNMEASURED", "UPTAKE", "VARIABILITY", "VENTILATION", "Body",
    "Inputs", "N", "Seen", "State", "add_parameter_noise", "add_process_noise", "advance", "default_body",
    "default_inputs", "equations", "observe", "rates", "start",
)  # fmt: skip

DRIVE_CEILING = 1.05
PRESSURE_ERROR_LIMIT = 60.0  # mmHg; the reflex saturates (DECISIONS.md 2)
LONG_STEP, SHORT_STEP = 0.5, 0.25  # minutes
HARD_DRIVE = 0.30  # mean drive above which the step is short
LOW_ALVEOLAR_O2 = 95.0  # mmHg, below: the hypoxic loop is steep
MOVING_UPTAKE, MOVING_PRESSURE = 1.0, 4.0  # mL/kg/min and mmHg, per minute
CLOCK_RADIANS = 2.0 * math.pi / 24.0  # per hour


@equation
def equations(state: State, inputs: Inputs, body: Body) -> tuple[tuple[float, ...], Seen]:
    """Rates per minute of the 16 dynamic states, and what sensors would see."""
    # the person's parameters, and states within what a body can be
    asleep, posture = inputs.asleep, inputs.posture
    resting = exp(clip(state.resting_heart_rate_parameter, 3.2, 5.0))
    maximal = exp(clip(state.maximal_oxygen_uptake, 1.6, 4.6))
    recovery = exp(clip(state.recovery_time, 2.708, 6.2))
    resting_breaths = exp(clip(state.resting_respiration_rate, 1.6, 3.8))
    set_pressure = clip(state.pressure_set_point, 45.0, 160.0)
    difference = clip(state.alveolar_arterial_difference, 0.0, 60.0)
    uptake = clip(state.oxygen_uptake, 0.5, 120.0)
    drive = clip(state.cardiac_drive, 0.0, DRIVE_CEILING)
    ventilation = clip(state.ventilation, 1.0, 250.0)
    pulmonary = clip(state.pulmonary_co2_output, 0.02, 10.0)
    carbon_dioxide = clip(state.alveolar_co2, 8.0, 120.0)
    alveolar_oxygen = clip(state.alveolar_o2, 5.0, 700.0)
    core = clip(state.core_temperature, 28.0, 43.5)
    skin = clip(state.skin_temperature_mean, 5.0, 45.0)
    ill = clip(state.inflammation, -0.5, 3.0)
    fever = clip(state.fever, -1.0, 5.0)
    blockade = min(body.daily_beta_blockade + inputs.beta_blockade, 1.0)
    weight, surface, lung = inputs.weight, body.surface_area, body.lung_disease

    # the clock of this person
    turn = CLOCK_RADIANS * state.clock_shift
    circadian = inputs.clock * cosine(turn) + inputs.clock_quadrature * sine(turn)

    # energetics
    rest = energetics.resting_oxygen_uptake(body.basal_oxygen_uptake, core, asleep, inputs.fed)
    met = energetics.gross_demand(inputs.met, state.met_gain, state.unmeasured_demand)
    demanded = energetics.demanded_oxygen_uptake(rest, met, maximal)
    fraction = clip(energetics.reserve_fraction(uptake, rest, maximal), -0.5, 1.5)
    exercise = softplus(fraction, 0.01)
    wanted = softplus(energetics.reserve_fraction(demanded, rest, maximal), 0.01)
    quotient = energetics.respiratory_quotient(fraction)
    tissue_co2 = energetics.tissue_co2(quotient, uptake, weight)
    heat = energetics.metabolic_heat(uptake, weight)
    work = energetics.external_work(heat, energetics.metabolic_heat(rest, weight), inputs.efficiency)

    # temperature
    own = thermoregulation.own_temperature(
        clip(state.temperature_set_point, 34.0, 39.0),
        body.temperature_amplitude, circadian, body.temperature_sleep_fall, asleep,
    )  # fmt: skip
    own += thermoregulation.dehydration_shift(inputs.dehydration, fraction)
    set_point = own + fever
    excess = heart.warmth(core, own)
    flow = thermoregulation.skin_blood_flow(core, skin, set_point, body.skin_dilation)
    share = thermoregulation.skin_share(flow)
    sweat = thermoregulation.sweating(core, skin, set_point, share)
    convecting = thermoregulation.convection(inputs.air_speed, met)
    air_vapour = inputs.humidity * thermoregulation.vapour_pressure(inputs.ambient_temperature)
    evaporated = thermoregulation.evaporation(skin, sweat, air_vapour, convecting, inputs.clothing)
    dry = thermoregulation.dry_loss(skin, inputs.ambient_temperature, convecting, inputs.clothing)
    inner = thermoregulation.core_to_skin(core, skin, flow)
    core_heat = heat / surface + thermoregulation.shivering(core, skin, set_point) - work / surface - inner
    core_heat -= thermoregulation.respiratory_loss(heat / surface, inputs.ambient_temperature, air_vapour)

    # gas exchange
    breaths = respiration.respiration_rate(
        ventilation, resting_breaths, body.resting_ventilation, excess, lung
    )
    alveolar = respiration.alveolar_ventilation(ventilation, breaths, lung)
    inspired = respiration.inspired_oxygen_pressure(inputs.barometric_pressure, inputs.inspired_oxygen)
    oxygen = respiration.arterial_oxygen(alveolar_oxygen, difference, lung, exercise)
    saturation = respiration.saturation(oxygen, carbon_dioxide, core)
    missing = heart.desaturation(saturation)
    chemical = respiration.chemical_drive(
        carbon_dioxide, 39.5 + 2.0 * asleep + body.co2_shift, body.co2_gain, asleep
    )
    hypoxic = respiration.hypoxic_drive(saturation, carbon_dioxide, body.hypoxic_gain)

    # heart and circulation
    reference = circulation.reference_pressure(
        set_pressure, body.sleep_pressure_dip, asleep, posture, exercise, body.exercise_pressure, ill,
        body.inflammation_pressure,
    )  # fmt: skip
    error = clip(state.baroreflex_pressure - reference, -PRESSURE_ERROR_LIMIT, PRESSURE_ERROR_LIMIT)
    tone = heart.additive_tone(
        circadian, state.circadian_amplitude, asleep, state.sleep_fall, posture, body.standing_rate,
        excess, body.heat_gain, missing, body.oxygen_gain, inputs.dehydration, body.dehydration_gain,
        inputs.fed, state.arousal, inputs.blood_alcohol, body.alcohol_gain, ill, body.inflammation_rate,
    )  # fmt: skip
    rate = heart.heart_rate(drive, tone, error, resting, body.maximal_heart_rate, body.reflex_gain, blockade)
    rate = clip(rate, 15.0, 260.0)
    volume = circulation.stroke_volume(
        body.resting_stroke_volume, body.contractility, exercise,
        circulation.blood_volume_deviation(inputs.dehydration), posture,
    )  # fmt: skip
    pressure = circulation.mean_pressure(rate, volume, clip(state.log_resistance, 1.0, 4.5))
    resistance = circulation.resistance_target(
        set_pressure, resting, body.resting_stroke_volume, body.contractility, exercise, body.vasodilation, flow,
        error, body.resistance_reflex, missing, ill, body.inflammation_resistance, posture, body.standing_resistance,
    )  # fmt: skip
    compliance = exp(clip(state.vascular_compliance, -1.2, 2.1))
    pulse = circulation.pulse_pressure(volume, pressure, compliance, exercise)

    slopes = (
        energetics.oxygen_uptake_rate(state.oxygen_uptake, demanded, body.uptake_time),
        heart.cardiac_drive_rate(state.cardiac_drive, wanted, body.rise_time, recovery, body.recovery_slowing),
        heart.arousal_rate(state.arousal),
        circulation.first_order_rate(state.baroreflex_pressure, pressure),
        circulation.first_order_rate(state.log_resistance, resistance),
        energetics.pulmonary_co2_rate(state.pulmonary_co2_output, tissue_co2),
        respiration.ventilation_rate(
            state.ventilation, tissue_co2, fraction, chemical, hypoxic, excess, asleep,
            body.ventilation_slope, body.ventilation_offset, body.ventilation_ceiling,
        ),
        respiration.alveolar_co2_rate(state.alveolar_co2, pulmonary, alveolar, body.co2_store),
        respiration.alveolar_o2_rate(state.alveolar_o2, inspired, pulmonary, quotient, alveolar),
        thermoregulation.temperature_rate(core_heat, 1.0 - share, surface, weight),
        thermoregulation.temperature_rate(inner - dry - evaporated, share, surface, weight),
        thermoregulation.distal_rate(state.distal_temperature, core, inputs.site_temperature, flow, asleep),
        inflammation.inflammation_rate(
            state.inflammation, inflammation.infection(state.infection_drive, inputs.infection)
        ),
        inflammation.fever_rate(state.fever, ill),
        -state.unmeasured_demand / UNMEASURED_MINUTES,
        inflammation.infection_drive_rate(state.infection_drive),
    )  # fmt: skip
    seen = Seen(
        rate, pressure, circulation.systolic(pressure, pulse), circulation.diastolic(pressure, pulse), volume,
        rate * volume / 1000.0,
        heart.rmssd(
            rate, resting, state.log_variability, blockade, body.variability_slope, ill, body.inflammation_variability
        ),
        ventilation, breaths, carbon_dioxide, oxygen, saturation, state.core_temperature,
        state.distal_temperature + state.skin_site_offset, state.skin_temperature_mean, fraction,
        energetics.energy_expenditure(uptake, weight), uptake,
        thermoregulation.water_loss(evaporated, surface), pulmonary, state.inflammation, state.fever,
        energetics.energy_expenditure(max(uptake - rest, 0.0), weight),
    )  # fmt: skip
    return slopes, seen


@kernel
def rates(x: Points, d: Points, u: InputVector, k: Constants) -> None:
    """Rates of all points into `d`."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        slopes, _ = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(d, s, STRIDE, slopes)


@kernel
def observe(x: Points, o: Points, u: InputVector, k: Constants) -> None:
    """What sensors would read of each point, into `o` (SEEN * STRIDE,)."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        _, seen = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(o, s, STRIDE, seen)


@equation
def mean_of(x: Points, position: int) -> float:
    """Mean over the points of one row of `x`."""
    total = 0.0
    for s in range(STRIDE):
        total += x[position * STRIDE + s]
    return total / STRIDE


@kernel
def longest_step(x: Points, d: Points) -> float:
    """Minutes of the next RK4 step: 15 s where the loops are fast or on their way somewhere, else 30 s (DECISIONS.md)."""
    hard = mean_of(x, DRIVE) > HARD_DRIVE or mean_of(x, ALVEOLAR_O2) < LOW_ALVEOLAR_O2
    moving = abs(mean_of(d, UPTAKE)) > MOVING_UPTAKE or abs(mean_of(d, PRESSURE)) > MOVING_PRESSURE
    return SHORT_STEP if hard or moving else LONG_STEP


@kernel
def advance(x: Points, minutes: float, u: InputVector, k: Constants, d: Points, t: Points, a: Points) -> None:
    """Move every point forward by RK4; d, t, a are work space as large as x."""
    size = DYNAMIC * STRIDE
    t[:] = x
    left = minutes
    while left > 1e-9:
        rates(x, d, u, k)
        h = left / math.ceil(left / longest_step(x, d) - 1e-9)
        begin(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, h)
        rates(t, d, u, k)
        finish(x, d, a, size, h)
        left -= h
