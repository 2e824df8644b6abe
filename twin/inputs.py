"""What drives the blocks: what was measured, else a day's schedule, and what the other blocks say of themselves.

`ahead` means a time that nobody can have measured yet: forecasts fall back on the schedule, known doses go on acting.
"""

import math

from twin import channels as c_
from twin import record as r_
from twin import schedule
from twin.blocks import circadian, fast, metabolic, slow
from twin.blocks.metabolic import BODY as METABOLIC_BODY  # by name: a count must be a constant of this module
from twin.blocks.slow import BODY as SLOW_BODY
from twin.exchange import driven
from twin.exposure import BLOOD_ALCOHOL, beta_blockade
from twin.jit import kernel, put, values_of
from twin.physiology import movement
from twin.physiology.energetics import demand_of_expenditure
from twin.shapes import Inputs, Record

MOVEMENT_HOLDS_S = 300.0  # a movement reading speaks for five minutes
STATE_HOLDS_S = 3600.0  # posture, sleep, light and weather for an hour
DAY_S = 86400.0  # the pump's rate, what is eaten in a day
GENERIC_EFFICIENCY, WALKING_EFFICIENCY, CYCLING_EFFICIENCY = 0.15, 0.05, 0.22
SLEEP_EVIDENCE, WAKE_EVIDENCE = math.log(0.95 / 0.50), math.log(0.05 / 0.50)
EVIDENCE_MINUTES, FORGETTING_MINUTES = 5.0, 60.0
# In which people fall asleep or wake, by the schedule; lying down.
MIXING_MINUTES, LATENCY_MINUTES = 30.0, 15.0
SUREST = 5.0  # ln odds
UPRIGHT, UPRIGHT_EVIDENCE = 0.25, 5.0 * math.log(0.1)  # nearly nobody sleeps upright; a minute of it tells
# Who lies is asleep for nine tenths of the time (Ohayon 2004, Sleep 27, 1255: 85-95 %).
LYING_EVIDENCE = math.log(10.0)
MEAL_S = 600.0
TOLD_S = 43200.0  # meals or doses are logged if one was in the last 12 h
ACTIVITY_LASTS_MINUTES = 60.0  # how long innovations of one sign speak for what comes
HARMLESS_DEFICIT = 1.0  # % of body mass: a night without drinking costs 0.8 % and means nothing to the heart
INSENSIBLE_LOSS = 0.028  # L/h, of skin at rest
BASAL_UPTAKE = fast.Body._fields.index("basal_oxygen_uptake")


@kernel
def held(record: Record, channel: int, seconds: float, for_s: float, ahead: bool) -> bool:
    """Whether an input was told within `for_s`."""
    return not ahead and seconds - record[r_.HELD_S + channel - c_.FIRST_HELD] <= for_s


@kernel
def value_of(record: Record, channel: int) -> float:
    """The last value of an input that is held."""
    return float(record[r_.HELD_VALUE + channel - c_.FIRST_HELD])


@kernel
def local_hour(record: Record, seconds: float) -> float:
    """Local clock, 0-24 h."""
    return float((seconds / 3600.0 + record[r_.OFFSET_H]) % 24.0)


@kernel
def schedule_logit(record: Record, seconds: float) -> float:
    """ln odds of sleep by the clock alone, within +/-4."""
    usual = schedule.asleep_probability(local_hour(record, seconds))
    usual = min(max(usual, 0.018), 0.982)
    return math.log(usual / (1.0 - usual))


@kernel
def asleep_at(record: Record, seconds: float, ahead: bool) -> float:
    """S: what the device's word has made of the schedule's; far ahead, and in silence, the schedule's alone."""
    usual = schedule.asleep_probability(local_hour(record, seconds))
    if not held(record, c_.ASLEEP, seconds, STATE_HOLDS_S, False):
        return float(usual)
    believed = record[r_.SLEEP_BELIEF]
    if not ahead:
        return float(believed)
    weight = math.exp(-(seconds - record[r_.HEAD_S]) / 60.0 / FORGETTING_MINUTES)
    return float(usual + (believed - usual) * weight)


@kernel
def weigh_sleep(record: Record, before_s: float, now: float) -> None:
    """Two-state filter of sleep: the probability mixes towards the schedule's, the device's word multiplies the odds.

    P(device says sleep | sleep) = 0.95, P(device says wake | wake) = 0.50 (Chinoy 2021, Sleep 44, zsaa291), one piece
    of evidence each five minutes, since a device's errors last. Mixing acts on the probability, not on its logarithm:
    at bedtime one who was surely awake is soon as likely asleep as anybody. The schedule knows the hour alone: it is
    ten times as sure of one who lies, and a minute upright tells that one is awake.
    """
    logit = schedule_logit(record, now)
    posture_told = held(record, c_.POSTURE, now, MOVEMENT_HOLDS_S, False)
    upright = posture_told and value_of(record, c_.POSTURE) > UPRIGHT
    mixing = MIXING_MINUTES
    if posture_told and not upright:
        logit = min(logit + LYING_EVIDENCE, SUREST)
        mixing = LATENCY_MINUTES
    usual = 1.0 / (1.0 + math.exp(-logit))
    if record[r_.HEAD_S] == r_.NEVER:
        record[r_.SLEEP_LOGIT] = logit
    if not held(record, c_.ASLEEP, now, STATE_HOLDS_S, False):
        record[r_.SLEEP_LOGIT], record[r_.SLEEP_BELIEF] = logit, usual
        return
    minutes = min(max((now - before_s) / 60.0, 1.0), 60.0)
    said = value_of(record, c_.ASLEEP)
    evidence = said * SLEEP_EVIDENCE + (1.0 - said) * WAKE_EVIDENCE
    if upright:
        evidence += UPRIGHT_EVIDENCE
    asleep = 1.0 / (1.0 + math.exp(-record[r_.SLEEP_LOGIT]))
    while minutes > 0.0:
        step = min(minutes, EVIDENCE_MINUTES)
        asleep = usual + (asleep - usual) * math.exp(-step / mixing)
        logit = math.log(asleep / (1.0 - asleep)) + evidence * step / EVIDENCE_MINUTES
        logit = min(max(logit, -SUREST), SUREST)
        asleep = 1.0 / (1.0 + math.exp(-logit))
        minutes -= step
    record[r_.SLEEP_LOGIT], record[r_.SLEEP_BELIEF] = logit, asleep


@kernel
def movement_at(record: Record, seconds: float, asleep: float, ahead: bool) -> tuple[float, float, float]:
    """Demand [MET], whether it was measured (0, 1), mechanical efficiency: the most direct source that spoke lately."""
    if held(record, c_.MET, seconds, MOVEMENT_HOLDS_S, ahead):
        return value_of(record, c_.MET), 1.0, GENERIC_EFFICIENCY
    if held(record, c_.POWER, seconds, MOVEMENT_HOLDS_S, ahead):
        watts = value_of(record, c_.POWER)
        uptake = movement.cycling_uptake(watts, record[r_.WEIGHT])
        demand = movement.demand_of_uptake(uptake) if watts > 0.0 else 1.3
        return demand, 1.0, CYCLING_EFFICIENCY
    if held(record, c_.SPEED, seconds, MOVEMENT_HOLDS_S, ahead):
        speed = value_of(record, c_.SPEED) * 60.0
        demand = max(movement.demand_of_uptake(movement.moving_uptake(speed, 0.0)), 1.3)
        return demand, 1.0, WALKING_EFFICIENCY
    if held(record, c_.STEPS, seconds, MOVEMENT_HOLDS_S, ahead):
        cadence = value_of(record, c_.STEPS)
        demand = (
            movement.demand_of_cadence(min(cadence, 160.0))
            if cadence > 0.0
            else schedule.resting_demand(asleep)
        )
        return demand, 1.0, WALKING_EFFICIENCY
    if not ahead and seconds - record[r_.ACTIVE_S] <= MOVEMENT_HOLDS_S:
        basal = record[r_.FAST_BODY + BASAL_UPTAKE]
        demand = demand_of_expenditure(record[r_.ACTIVE_RATE], basal, record[r_.WEIGHT])
        return max(demand, schedule.resting_demand(asleep)), 1.0, GENERIC_EFFICIENCY
    return schedule.resting_demand(asleep), 0.0, GENERIC_EFFICIENCY


@kernel
def or_usual(record: Record, channel: int, seconds: float, usual: float) -> float:
    """A held input, weather outlasting the moment also ahead; else the usual value."""
    return value_of(record, channel) if held(record, channel, seconds, STATE_HOLDS_S, False) else usual


@kernel
def fast_inputs(record: Record, seconds: float, ahead: bool, u: Inputs) -> None:
    """Fill the inputs of block F for the time `seconds`."""
    asleep = asleep_at(record, seconds, ahead)
    met, measured, efficiency = movement_at(record, seconds, asleep, ahead)
    posture = schedule.usual_posture(asleep)
    if held(record, c_.POSTURE, seconds, STATE_HOLDS_S, ahead):
        posture = value_of(record, c_.POSTURE)
    turn = 2.0 * math.pi * (seconds - record[r_.HEAD_S]) / DAY_S if ahead else 0.0
    clock, quadrature = record[r_.CLOCK], record[r_.QUADRATURE]
    exposed = record[r_.EXPOSURE : r_.FAST_BODY]
    blockade = beta_blockade(exposed, record[r_.EXPOSURE_BODY : r_.FAST_MEAN])
    if held(record, c_.BLOCKADE, seconds, DAY_S, False):
        blockade = max(blockade, value_of(record, c_.BLOCKADE))
    inputs = fast.Inputs(
        met=met,
        measured=measured,
        asleep=asleep,
        posture=posture,
        clock=clock * math.cos(turn) + quadrature * math.sin(turn),
        clock_quadrature=quadrature * math.cos(turn) - clock * math.sin(turn),
        ambient_temperature=or_usual(record, c_.AMBIENT, seconds, schedule.ambient_temperature(asleep)),
        humidity=or_usual(record, c_.HUMIDITY, seconds, schedule.HUMIDITY),
        air_speed=or_usual(record, c_.AIR_SPEED, seconds, schedule.AIR_SPEED),
        clothing=or_usual(record, c_.CLOTHING, seconds, schedule.clothing(asleep)),
        site_temperature=schedule.site_temperature(
            or_usual(record, c_.AMBIENT, seconds, schedule.ROOM), asleep
        ),
        barometric_pressure=or_usual(record, c_.AIR_PRESSURE, seconds, 760.0),
        inspired_oxygen=or_usual(record, c_.INSPIRED_OXYGEN, seconds, 0.2093),
        efficiency=efficiency,
        fed=record[r_.FED],
        dehydration=max(record[r_.DEHYDRATION] - HARMLESS_DEFICIT, 0.0),
        blood_alcohol=exposed[BLOOD_ALCOHOL],
        beta_blockade=blockade,
        infection=0.0,
        weight=record[r_.WEIGHT],
    )
    put(u, 0, 1, inputs)


@kernel
def pump_insulin(record: Record) -> float:
    """The plasma insulin that the pump's usual rate holds, pmol/L; 0 where no rate was ever told (Ib is the population's)."""
    if record[r_.PUMP_RATE] <= 0.0:
        return 0.0
    body = metabolic.Body(*values_of(record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY], METABOLIC_BODY))
    cleared = body.m4 + body.m6 * body.m2
    return float(record[r_.PUMP_RATE] * 100.0 / record[r_.WEIGHT] / cleared / body.insulin_volume)


@kernel
def mean_intensity(record: Record, seconds: float) -> float:
    """Exercise x of block F that drives as its average since block G last moved; 0 when block F has been silent."""
    if seconds - record[r_.FAST_S] > MOVEMENT_HOLDS_S:
        return 0.0
    last = max(record[r_.INTENSITY], 0.0)
    minutes, fresh = (seconds - record[r_.METABOLIC_S]) / 60.0, (seconds - record[r_.HEAD_S]) / 60.0
    if record[r_.METABOLIC_S] == r_.NEVER or minutes <= 0.0 or minutes > MOVEMENT_HOLDS_S / 60.0:
        return float(last)
    mean = (record[r_.INTENSITY_MIN] + driven(last) * min(max(fresh, 0.0), minutes)) / minutes
    low, high = 0.0, 1.5
    for _ in range(30):  # x e(x) rises steadily: halve the interval
        middle = 0.5 * (low + high)
        low, high = (middle, high) if driven(middle) < mean else (low, middle)
    return float(low)


@kernel
def uneaten(record: Record, seconds: float) -> float:
    """What is left of the last logged meal [mg]: it is eaten evenly over ten minutes."""
    share = 1.0 - (seconds - record[r_.CARBOHYDRATE_S]) / MEAL_S
    return float(record[r_.MEAL_MG] * min(max(share, 0.0), 1.0))


@kernel
def eat(record: Record, from_s: float, to_s: float, u: Inputs) -> None:
    """Eaten glucose between two times into the inputs of block G [mg/min]: all of a meal arrives, however time is cut."""
    eaten = uneaten(record, from_s) - uneaten(record, to_s)
    u[metabolic.INTAKE] = eaten / max((to_s - from_s) / 60.0, 1e-9)


@kernel
def insulin_effect(inflammation: float, arousal: float) -> float:
    """Factor on insulin sensitivity of illness y and stress a [bpm]."""
    ill = max(1.0 - 0.35 * max(inflammation, 0.0), 0.3)
    return float(ill * math.exp(-0.01 * min(max(arousal, -20.0), 40.0)))


@kernel
def metabolic_inputs(record: Record, seconds: float, u: Inputs) -> None:
    """Fill the inputs of block G: the pump, exercise from block F, what acts on insulin's effect."""
    body_at = r_.METABOLIC_BODY
    u[metabolic.INTAKE] = 0.0
    u[metabolic.INFUSION] = record[body_at + metabolic.BODY - 1]
    if held(record, c_.BASAL_RATE, seconds, DAY_S, False):
        u[metabolic.INFUSION] = value_of(record, c_.BASAL_RATE) * 100.0 / record[r_.WEIGHT]
    elif record[r_.PUMP_RATE] > 0.0:  # a silent pump goes on at its usual rate
        u[metabolic.INFUSION] = record[r_.PUMP_RATE] * 100.0 / record[r_.WEIGHT]
    u[metabolic.INTENSITY] = mean_intensity(record, seconds)
    effect = insulin_effect(record[r_.INFLAMMATION], record[r_.AROUSAL])
    u[metabolic.FACTOR] = record[r_.TOLERANCE] * record[r_.FAT_FACTOR] * effect
    told_s = max(record[r_.CARBOHYDRATE_S], record[r_.BOLUS_S])
    u[metabolic.TOLD] = 1.0 if seconds - told_s <= TOLD_S else 0.0
    u[metabolic.PUMP] = pump_insulin(record)
    since = max(seconds - record[r_.LAST_S + c_.GLUCOSE], 0.0) / 60.0
    u[metabolic.SCALE], u[metabolic.ERROR_SCALE] = record[r_.FLUX_SCALE], 0.0
    u[metabolic.ACTIVITY] = record[r_.FLUX_ACTIVITY] * math.exp(-since / ACTIVITY_LASTS_MINUTES)


@kernel
def circadian_inputs(record: Record, seconds: float, u: Inputs) -> None:
    """Fill the inputs of block C."""
    asleep = asleep_at(record, seconds, False)
    usual = schedule.light_at_eye(local_hour(record, seconds), asleep)
    u[circadian.LIGHT] = or_usual(record, c_.LIGHT, seconds, usual)
    u[circadian.ASLEEP] = asleep


@kernel
def slow_inputs(record: Record, seconds: float, u: Inputs) -> None:
    """Fill the inputs of block S from what block F has done since block S last moved."""
    body = slow.Body(*values_of(record[r_.SLOW_BODY : r_.EXPOSURE_BODY], SLOW_BODY))
    minutes = record[r_.SINCE_MIN]
    observed = minutes > 0.0
    # A day's expenditure is known only if movement was: else habit is the better guess.
    moving = seconds - record[r_.ACTIVE_S] <= STATE_HOLDS_S
    for channel in (c_.MET, c_.STEPS):
        moving = moving or held(record, channel, seconds, STATE_HOLDS_S, False)
    eating = held(record, c_.ENERGY, seconds, DAY_S, False)
    salting = held(record, c_.SODIUM, seconds, DAY_S, False)
    inputs = slow.Inputs(
        energy_intake=value_of(record, c_.ENERGY)
        if eating
        else body.resting_expenditure * body.activity_level,
        carbohydrate_share=body.carbohydrate_share,
        sodium=value_of(record, c_.SODIUM) if salting else body.sodium,
        expenditure=record[r_.ENERGY_KCAL] / minutes if observed else 0.0,
        measured=1.0 if observed and moving else 0.0,
        sweat=record[r_.SWEAT_L] / minutes * 60.0 if observed else INSENSIBLE_LOSS,
        drinking=record[r_.DRUNK_L] / (max(seconds - record[r_.SLOW_S], 60.0) / 3600.0),
        drinking_known=1.0 if seconds - record[r_.DRUNK_S] <= DAY_S else 0.0,
        asleep=asleep_at(record, seconds, False),
        training_impulse=record[r_.IMPULSE] / minutes if observed else body.habitual_impulse / 1440.0,
    )
    put(u, 0, 1, inputs)
