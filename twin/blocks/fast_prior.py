"""Block F, the filter's start and noise: prior of a person whom nobody has measured yet, and how fast each state wanders."""

from twin.blocks.fast_parameters import (
    ALVEOLAR_CO2,
    ALVEOLAR_O2,
    AROUSAL,
    BODY,
    CIRCADIAN,
    CLOCK_SHIFT,
    CO2_OUTPUT,
    COMPLIANCE,
    CORE,
    DISTAL,
    DRIVE,
    DYNAMIC,
    FEVER,
    INFECTION_DRIVE,
    INFLAMMATION,
    INPUTS,
    MAXIMAL_UPTAKE,
    MET_GAIN,
    OXYGEN_DIFFERENCE,
    PRESSURE,
    PRESSURE_SET,
    RECOVERY,
    RESISTANCE,
    RESPIRATION,
    RESTING,
    SITE_OFFSET,
    SKIN,
    SLEEP_FALL,
    STATES,
    TEMPERATURE,
    UNMEASURED,
    UNMEASURED_MINUTES,
    UPTAKE,
    VARIABILITY,
    VENTILATION,
    Body,
    Inputs,
    N,
)
from twin.jit import kernel, values_of
from twin.numerics import log
from twin.physiology import inflammation, respiration, thermoregulation
from twin.shapes import Constants, Matrix, Vector
from twin.shapes import Inputs as InputVector

WALKS = tuple(state.walk for state in STATES)
SPREADS = tuple(state.sd for state in STATES)


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float, u: InputVector) -> None:
    """Diagonal process noise over `minutes`: section 14, sd per sqrt(min), per sqrt(day) for the parameters."""
    inputs = Inputs(*values_of(u, INPUTS))
    awake = 1.0 - inputs.asleep
    uptake_sd = 0.1 + 0.03 * max(mean[UPTAKE] - 3.0, 0.0)
    demand_sd = (0.15 if inputs.measured > 0.5 else 0.40) * awake + 0.10 * inputs.asleep
    covariance[UPTAKE, UPTAKE] += uptake_sd**2 * minutes
    covariance[DRIVE, DRIVE] += 0.01**2 * minutes
    covariance[AROUSAL, AROUSAL] += (awake + 0.4 * inputs.asleep) ** 2 * minutes
    covariance[PRESSURE, PRESSURE] += 0.5**2 * minutes
    covariance[RESISTANCE, RESISTANCE] += 0.01**2 * minutes
    covariance[CO2_OUTPUT, CO2_OUTPUT] += (0.02 * mean[CO2_OUTPUT]) ** 2 * minutes
    covariance[VENTILATION, VENTILATION] += (0.02 * mean[VENTILATION]) ** 2 * minutes
    covariance[ALVEOLAR_CO2, ALVEOLAR_CO2] += 0.2**2 * minutes
    covariance[ALVEOLAR_O2, ALVEOLAR_O2] += 0.5**2 * minutes
    covariance[CORE, CORE] += 0.005**2 * minutes
    covariance[SKIN, SKIN] += 0.03**2 * minutes
    covariance[DISTAL, DISTAL] += 0.1**2 * minutes
    covariance[INFLAMMATION, INFLAMMATION] += 0.01**2 * minutes / 60.0
    covariance[FEVER, FEVER] += 0.01**2 * minutes / 60.0
    covariance[UNMEASURED, UNMEASURED] += demand_sd**2 * 2.0 * minutes / UNMEASURED_MINUTES
    covariance[INFECTION_DRIVE, INFECTION_DRIVE] += (
        SPREADS[INFECTION_DRIVE] ** 2 * 2.0 * minutes / inflammation.DRIVE_MINUTES
    )
    add_parameter_noise(covariance, minutes / 1440.0)


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """The random walks of the person's parameters, sd per sqrt(day) of section 14."""
    for i in range(DYNAMIC, N):
        covariance[i, i] += WALKS[i] ** 2 * days


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants, u: InputVector) -> None:
    """The prior: parameters at their prior means, dynamic states near rest, seated or asleep as `u` says."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    asleep = inputs.asleep
    mean[UPTAKE] = body.basal_oxygen_uptake * (1.3 - 0.42 * asleep)
    mean[DRIVE] = 0.03 - 0.02 * asleep
    mean[AROUSAL] = 0.0
    mean[PRESSURE] = (
        body.prior_pressure_set_point * (1.0 - body.sleep_pressure_dip * asleep) + 4.0 - 4.0 * asleep
    )
    flow = body.prior_resting_heart_rate * body.resting_stroke_volume * body.contractility / 1000.0
    mean[RESISTANCE] = log((body.prior_pressure_set_point - 4.0) / flow)
    mean[CO2_OUTPUT] = 0.82 * mean[UPTAKE] * inputs.weight / 1000.0
    mean[VENTILATION] = (
        (body.resting_ventilation + 1.0) * (1.0 - 0.32 * asleep) * (1.0 + 0.35 * body.lung_disease)
    )
    mean[ALVEOLAR_CO2] = 39.8 + 2.3 * asleep + 0.85 * body.co2_shift
    inspired = respiration.inspired_oxygen_pressure(inputs.barometric_pressure, inputs.inspired_oxygen)
    mean[ALVEOLAR_O2] = max(inspired - mean[ALVEOLAR_CO2] / 0.82, 20.0)
    mean[CORE] = thermoregulation.own_temperature(
        body.prior_temperature_set_point,
        body.temperature_amplitude, inputs.clock, body.temperature_sleep_fall, asleep,
    ) + 0.03  # fmt: skip
    mean[SKIN] = 33.4 + asleep
    mean[DISTAL] = inputs.site_temperature + 0.65 * (mean[CORE] - 0.8 - inputs.site_temperature)
    mean[INFLAMMATION], mean[FEVER], mean[UNMEASURED] = 0.0, 0.0, 0.0
    mean[INFECTION_DRIVE] = inflammation.LOG_QUIET_INFECTION
    mean[RESTING], mean[MET_GAIN] = log(body.prior_resting_heart_rate), body.prior_met_gain
    mean[MAXIMAL_UPTAKE], mean[SLEEP_FALL] = log(body.prior_maximal_oxygen_uptake), body.prior_sleep_fall
    mean[CIRCADIAN], mean[RECOVERY] = body.prior_circadian_amplitude, log(body.prior_recovery_time)
    mean[VARIABILITY], mean[RESPIRATION] = (
        body.prior_log_variability,
        log(body.prior_resting_respiration_rate),
    )
    mean[OXYGEN_DIFFERENCE] = body.prior_alveolar_arterial_difference
    mean[TEMPERATURE], mean[PRESSURE_SET] = body.prior_temperature_set_point, body.prior_pressure_set_point
    mean[COMPLIANCE], mean[SITE_OFFSET] = log(body.prior_vascular_compliance), body.prior_skin_site_offset
    mean[CLOCK_SHIFT] = body.prior_clock_shift
    covariance[:, :] = 0.0
    for i in range(N):
        covariance[i, i] = SPREADS[i] ** 2
