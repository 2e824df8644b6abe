"""Block S: body composition, water and training, with the person's bias of intake and of activity.

Follows section 11 of the specification; the organs are physiology/body_composition.py, water.py and fitness.py. What a
person eats is hardly ever measured: the scale tells it, through the random walk of `intake_bias`.
"""

import math
from typing import NamedTuple

import numpy as np

from twin.blocks import spec
from twin.filter.runge_kutta import begin, carry, finish
from twin.jit import column, equation, kernel, put, values_of
from twin.numerics import clip, exp
from twin.physiology import body_composition as composition
from twin.physiology import fitness as training
from twin.physiology import water
from twin.shapes import Constants, Matrix, Points, Vector

DAY, HOUR = 1440.0, 60.0  # minutes; the papers' rates are per day, water's per hour
STEP_MINUTES = 60.0  # RK4; the fastest rate is thirst's, 0.5 /h


class State(NamedTuple):
    """As the filter holds them: eight that move (glycogen as its logarithm), then the person's parameters."""

    fat_mass: float
    lean_mass: float
    glycogen: float
    extracellular_fluid: float
    adaptive_thermogenesis: float
    water_deficit: float
    fitness: float
    fatigue: float
    intake_bias: float
    activity_bias: float


class Inputs(NamedTuple):
    """What drives the block during one step. Flags say 1 where a value was measured; else it is not read."""

    energy_intake: float  # EI, kcal/d; unlogged: `maintenance`
    carbohydrate_share: float  # of energy intake, 0-1
    sodium: float  # mg/d; unlogged: the Body's
    expenditure: float  # kcal/min, from block F
    measured: float  # 1: expenditure holds; 0: activity_level holds
    sweat: float  # L/h, with the skin's insensible loss
    drinking: float  # L/h
    drinking_known: float  # 1: drinking holds; 0: thirst and habit
    asleep: float  # S, 0-1
    training_impulse: float  # TRIMP per minute


class Body(NamedTuple):
    """Numbers fixed for the person."""

    weight: float
    fat: float
    resting_expenditure: float
    activity_level: float
    carbohydrate_share: float
    sodium: float
    habitual_impulse: float
    fitness_gain: float
    fatigue_loss: float
    tired_rise: float
    tired_fall: float
    prior_weight_sd: float
    prior_log_fat_sd: float
    prior_intake_bias: float
    prior_intake_bias_sd: float
    prior_activity_bias: float
    prior_activity_bias_sd: float


class Seen(NamedTuple):
    """Natural units: what perfect sensors would read, and what other blocks need."""

    weight: float  # kg, of the undressed and fasting person, with the water deficit taken off
    body_fat: float  # %
    dehydration: float  # deh, % of body mass
    blood_volume_deviation: float  # bv, relative
    daily_expenditure: float  # kcal/d
    maximal_uptake_drift: float  # on VO2max, mL/kg/min
    resting_rate_drift: float  # on HR0, bpm
    variability_drift: float  # on ln RMSSD
    fat_sensitivity: float  # factor on insulin sensitivity
    fat_mass: float  # kg


N, DYNAMIC, STRIDE = len(State._fields), 8, 24
INPUTS, BODY, SEEN = len(Inputs._fields), len(Body._fields), len(Seen._fields)
(FAT_MASS, LEAN_MASS, GLYCOGEN_MASS, EXTRACELLULAR_FLUID, ADAPTIVE_THERMOGENESIS, WATER_DEFICIT, FITNESS, FATIGUE,
 INTAKE_BIAS, ACTIVITY_BIAS) = range(N)  # fmt: skip
# kg: where the equations read a mass. Masses are held in kg: points at sqrt(10) sd of ln Fm made 0.8 kg of a scale's spread.
LEAST_FAT, MOST_FAT, LEAST_LEAN, MOST_LEAN = 0.5, 300.0, 10.0, 250.0
STATES = (
    spec.State("fat_mass", "kg", spec.PLAIN, 2.5, 0.02, 1440.0, "Fm; prior 15 % (Body.prior_log_fat_sd)"),
    spec.State("lean_mass", "kg", spec.PLAIN, 2.7, 0.02, 1440.0, "Lm; prior: with Fm the profile's weight"),
    spec.State("glycogen", "kg", spec.LOG, 0.1, 0.05, 1440.0, "Gly, liver and muscle"),
    spec.State("extracellular_fluid", "L", spec.PLAIN, 0.3, 0.05, 1440.0, "ECF above the first day's"),
    spec.State("adaptive_thermogenesis", "kcal/d", spec.PLAIN, 30.0, 5.0, 1440.0, "AT"),
    spec.State("water_deficit", "L", spec.PLAIN, 0.3, 0.05, 60.0, "Wd; one drinks otherwise than by thirst"),
    spec.State("fitness", "1", spec.PLAIN, 200.0, 5.0, 1440.0, "f, TRIMP over 42 days"),
    spec.State("fatigue", "1", spec.PLAIN, 70.0, 5.0, 1440.0, "g, TRIMP over 7 days"),
    spec.State("intake_bias", "kcal/d", spec.PLAIN, 250.0, 30.0, 1440.0, "eaten above what is known"),
    spec.State("activity_bias", "1", spec.PLAIN, 0.1, 0.005, 1440.0, "of physical activity level"),
)
PRIOR_SDS = np.array([state.sd for state in STATES])
WALKS = np.array([state.walk**2 / state.per for state in STATES])  # variance per minute
_HALL, _BANISTER = "Hall 2011, NIDDK planner", "calibrated, physiology/fitness.py"
PARAMETERS = {
    "weight": spec.Parameter(75.0, "kg", 35.0, 250.0, "BW on the first day", "profile"),
    "fat": spec.Parameter(16.5, "kg", 3.0, 150.0, "Fm on the first day", "profile, or Jackson 2002 from BMI"),
    "resting_expenditure": spec.Parameter(
        1670.0, "kcal/d", 800.0, 3500.0, "RMR", "Mifflin 1990 from the profile"
    ),
    "activity_level": spec.Parameter(1.6, "1", 1.2, 2.5, "PAL where expenditure is not measured", _HALL),
    "carbohydrate_share": spec.Parameter(0.5, "1", 0.05, 0.8, "CI0 / EI0, habitual", _HALL),
    "sodium": spec.Parameter(4000.0, "mg/d", 1000.0, 8000.0, "Na0, habitual", _HALL),
    "habitual_impulse": spec.Parameter(30.0, "/d", 0.0, 300.0, "TRIMP, habitual", "half an hour at x 0.6"),
    "fitness_gain": spec.Parameter(0.0024, "mL/kg/min", 0.0, 0.006, "k1 per TRIMP", _BANISTER),
    "fatigue_loss": spec.Parameter(0.0048, "mL/kg/min", 0.0, 0.012, "k2 per TRIMP", _BANISTER),
    "tired_rise": spec.Parameter(
        3.0, "/min", 0.0, 8.0, "of HR0 at high fatigue", "specification, section 11.6"
    ),
    "tired_fall": spec.Parameter(0.15, "1", 0.0, 0.4, "of ln RMSSD at high fatigue", "specification, 11.6"),
    "prior_weight_sd": spec.Parameter(1.0, "kg", 0.3, 5.0, "of the profile's weight", "profile"),
    "prior_log_fat_sd": spec.Parameter(
        0.15, "1", 0.05, 0.4, "of ln Fm", "impedance 3.5 %, BMI equation 4-5 %"
    ),
    "prior_intake_bias": spec.Parameter(0.0, "kcal/d", -500.0, 500.0, "EI bias", "specification, 14"),
    "prior_intake_bias_sd": spec.Parameter(250.0, "kcal/d", 50.0, 600.0, "its spread", "specification, 14"),
    "prior_activity_bias": spec.Parameter(0.0, "1", -0.3, 0.3, "PAL bias", "specification, section 14"),
    "prior_activity_bias_sd": spec.Parameter(0.1, "1", 0.02, 0.3, "its spread", "specification, section 14"),
}


@equation
def equations(
    state: State, inputs: Inputs, body: Body
) -> tuple[tuple[float, float, float, float, float, float, float, float], Seen]:
    """Rates per minute of the eight moving states, and what is seen."""
    fat, lean = clip(state.fat_mass, LEAST_FAT, MOST_FAT), clip(state.lean_mass, LEAST_LEAN, MOST_LEAN)
    log_glycogen = clip(state.glycogen, -4.0, 0.7)
    glycogen = exp(log_glycogen)
    weight = composition.body_weight(fat, lean, glycogen, clip(state.extracellular_fluid, -8.0, 20.0))

    # Energy: what is eaten, what is burnt, and which tissue takes the difference.
    basal = body.resting_expenditure * body.activity_level
    bias = clip(state.intake_bias, -4000.0, 4000.0)
    intake = max(inputs.energy_intake + bias, 0.0)
    first = body.carbohydrate_share * basal
    carbohydrate = inputs.carbohydrate_share * intake
    glycogen_change = composition.glycogen_rate(glycogen, carbohydrate, first)
    available = intake - composition.GLYCOGEN_ENERGY * glycogen_change
    extra = clip(state.activity_bias, -0.8, 0.8)
    upkeep = composition.organ_upkeep(body.resting_expenditure, body.fat, body.weight - body.fat)
    activity = composition.activity_cost(body.activity_level + extra, body.resting_expenditure, body.weight)
    adaptation = state.adaptive_thermogenesis
    modelled = composition.tissue_expenditure(fat, lean, weight, intake, adaptation, upkeep, activity)
    sensed = inputs.expenditure * DAY + extra * body.resting_expenditure + adaptation
    before = inputs.measured * sensed + (1.0 - inputs.measured) * modelled
    burnt, fat_rate, lean_rate = composition.tissue_balance(fat, available, before)
    salt = inputs.sodium + body.sodium * (bias / basal) - body.sodium

    deficit = water.bearable_deficit(state.water_deficit, weight)
    dehydrated = water.dehydration(deficit, weight)
    known, expected = inputs.drinking_known, water.expected_drinking(dehydrated, inputs.asleep)
    drinking = known * inputs.drinking + (1.0 - known) * expected
    water_rate = water.deficit_rate(inputs.sweat, water.urine_flow(dehydrated), drinking)
    impulse = inputs.training_impulse * DAY
    rates = (
        (fat_rate + fat - state.fat_mass) / DAY,
        (lean_rate + lean - state.lean_mass) / DAY,
        (glycogen_change / glycogen + log_glycogen - state.glycogen) / DAY,
        composition.extracellular_rate(state.extracellular_fluid, salt, carbohydrate / first) / DAY,
        composition.adaptation_rate(adaptation, intake, basal) / DAY,
        (water_rate + water.REFUSAL * (deficit - state.water_deficit)) / HOUR,
        training.fitness_rate(state.fitness, impulse) / DAY,
        training.fatigue_rate(state.fatigue, impulse) / DAY,
    )
    habit = body.habitual_impulse
    fitter, tireder = (
        state.fitness - training.FITNESS_DAYS * habit,
        state.fatigue - training.FATIGUE_DAYS * habit,
    )
    seen = Seen(
        weight - deficit,
        100.0 * fat / weight,
        dehydrated,
        water.blood_volume_deviation(dehydrated),
        burnt,
        training.maximal_uptake_drift(fitter, tireder, body.fitness_gain, body.fatigue_loss),
        training.tired_rate_drift(tireder, body.tired_rise),
        training.tired_variability_drift(tireder, body.tired_fall),
        composition.fat_sensitivity(fat, body.fat),
        fat,
    )
    return rates, seen


@kernel
def rates(x: Points, d: Points, u: Vector, k: Constants) -> None:
    """Rates of all points into `d` (DYNAMIC * STRIDE used), per minute."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        slopes, _ = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(d, s, STRIDE, slopes)


@kernel
def observe(x: Points, o: Points, u: Vector, k: Constants) -> None:
    """What is seen of all points into `o` (SEEN * STRIDE)."""
    inputs, body = Inputs(*values_of(u, INPUTS)), Body(*values_of(k, BODY))
    for s in range(STRIDE):
        _, seen = equations(State(*column(x, s, STRIDE, N)), inputs, body)
        put(o, s, STRIDE, seen)


@kernel
def advance(x: Points, minutes: float, u: Vector, k: Constants, d: Points, t: Points, a: Points) -> None:
    """Move every point by RK4; d, t, a are work space as large as x."""
    steps = max(1, math.ceil(minutes / STEP_MINUTES - 1e-9))
    h = minutes / steps
    size = DYNAMIC * STRIDE
    t[:] = x
    for _ in range(steps):
        rates(x, d, u, k)
        begin(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, 0.5 * h)
        rates(t, d, u, k)
        carry(x, d, a, t, size, h)
        rates(t, d, u, k)
        finish(x, d, a, size, h)


@kernel
def add_process_noise(mean: Vector, covariance: Matrix, minutes: float, u: Vector) -> None:  # noqa: ARG001
    """Random walks of the moving states, section 14."""
    for i in range(DYNAMIC):
        covariance[i, i] += WALKS[i] * minutes


@kernel
def add_parameter_noise(covariance: Matrix, days: float) -> None:
    """Random walks of the person's parameters."""
    for i in range(DYNAMIC, N):
        covariance[i, i] += WALKS[i] * days * DAY


@kernel
def start(mean: Vector, covariance: Matrix, k: Constants, u: Vector) -> None:  # noqa: ARG001
    """Prior: the profile's weight, with fat and lean mass that add up to it, at rest with the habitual training."""
    body = Body(*values_of(k, BODY))
    lean = body.weight - body.fat
    mean[:], covariance[:] = 0.0, 0.0
    mean[FAT_MASS], mean[LEAN_MASS], mean[GLYCOGEN_MASS] = body.fat, lean, math.log(composition.GLYCOGEN)
    habit = body.habitual_impulse
    mean[FITNESS], mean[FATIGUE] = training.FITNESS_DAYS * habit, training.FATIGUE_DAYS * habit
    mean[INTAKE_BIAS], mean[ACTIVITY_BIAS] = body.prior_intake_bias, body.prior_activity_bias
    exchange = (body.prior_log_fat_sd * body.fat) ** 2  # a kilogram more of fat is one less of lean tissue
    covariance[FAT_MASS, FAT_MASS] = exchange
    covariance[LEAN_MASS, LEAN_MASS] = exchange + body.prior_weight_sd**2
    covariance[FAT_MASS, LEAN_MASS], covariance[LEAN_MASS, FAT_MASS] = -exchange, -exchange
    for i in range(GLYCOGEN_MASS, DYNAMIC):
        covariance[i, i] = PRIOR_SDS[i] ** 2
    covariance[INTAKE_BIAS, INTAKE_BIAS] = body.prior_intake_bias_sd**2
    covariance[ACTIVITY_BIAS, ACTIVITY_BIAS] = body.prior_activity_bias_sd**2


def default_body() -> Body:
    """The default person."""
    return Body(**{name: parameter.default for name, parameter in PARAMETERS.items()})


def maintenance(body: Body) -> float:
    """EI0 = RMR PAL, kcal/d: what stands for intake where nobody logged any."""
    return body.resting_expenditure * body.activity_level


def default_inputs() -> Inputs:
    """The default person eats and drinks by habit, awake, with the skin's insensible loss only."""
    body = default_body()
    return Inputs(
        energy_intake=maintenance(body), carbohydrate_share=body.carbohydrate_share, sodium=body.sodium,
        expenditure=0.0, measured=0.0, sweat=0.028, drinking=0.0, drinking_known=0.0, asleep=0.0,
        training_impulse=body.habitual_impulse / DAY,
    )  # fmt: skip
