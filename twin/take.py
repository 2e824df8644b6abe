"""What a tick brings besides measurements: inputs to hold, doses to take, new devices; and what the blocks tell one another."""

import math

from twin import channels as c_
from twin import record as r_
from twin.blocks import fast, metabolic
from twin.exchange import driven
from twin.exposure import advance_exposure, start_exposure, take_alcohol
from twin.inputs import uneaten, value_of
from twin.jit import kernel
from twin.learned.causes import eat_grams, inject_units, move_causes
from twin.observe import forget
from twin.physiology.fitness import training_impulse_rate
from twin.shapes import Record, Vector
from twin.summary import SEEN_COLUMNS, STATE_COLUMNS, covariance_of, mean_of

DOSE_UNCERTAINTY = 0.20  # of carbohydrate entered by hand
FAST_SHARE_SD = 0.05  # phi differs from meal to meal
BOLUS_UNCERTAINTY = 0.05
BOLUS_HINT = 0.5
EXPLAINED_S = 900.0  # a bolus this long after a logged meal belongs to it
USUAL_DAILY_DOSE = 0.55  # U/kg
PUMP_DAYS_S = 86400.0  # the usual rate of a pump is that of about a day
SHORTEST_COUNT_S, LONGEST_COUNT_S = 60.0, 7200.0  # over which steps were counted
SKIN_OFFSET_SD = 1.0
ACTIVE_SPEAKS_S = 900.0  # how long block F speaks for the activity that is learned about
(AT_CLOCK, AT_QUADRATURE, AT_TOLERANCE, AT_FED, AT_INTENSITY, AT_ENERGY, AT_SWEAT, AT_DEHYDRATION, AT_WEIGHT,
 AT_FAT) = (SEEN_COLUMNS[name] for name in (
    "circadian", "quadrature", "tolerance", "fed", "exercise_fraction", "energy_expenditure", "sweat",
    "dehydration", "weight", "fat_sensitivity"))  # fmt: skip
DEVICE_OVER_COUNTS = 1.03  # active energy of devices, on average
UNKNOWN = -1.0
AT_INFLAMMATION, AT_AROUSAL = STATE_COLUMNS["inflammation"], STATE_COLUMNS["arousal"]


@kernel
def hold_input(record: Record, channel: int, value: float, seconds: float) -> None:
    """Remember an input until its next value: steps as cadence, a sleep stage as sleep, active energy as its rate."""
    if channel == c_.ACTIVE_ENERGY:
        since = seconds - record[r_.LAST_S + channel]
        record[r_.ACTIVE_RATE] = value / DEVICE_OVER_COUNTS / (max(since, SHORTEST_COUNT_S) / 60.0)
        if since > LONGEST_COUNT_S:
            record[r_.ACTIVE_RATE] = (
                UNKNOWN  # a day's total, or the first count of all: nobody knows when it was burnt
            )
        else:
            record[r_.ACTIVE_S] = seconds
    if channel < c_.FIRST_HELD:
        return
    if channel == c_.SLEEP_STAGE:
        channel, value = c_.ASLEEP, 1.0 if value > 0.5 else 0.0
    slot = channel - c_.FIRST_HELD
    if channel == c_.STEPS:
        since = seconds - record[r_.HELD_S + slot]
        value /= max(since, SHORTEST_COUNT_S) / 60.0
        if since > LONGEST_COUNT_S:
            value = 0.0  # a day's total, or the first count of all: nobody knows when they were walked
    elif channel == c_.BASAL_RATE:
        before = record[r_.PUMP_RATE]
        since = seconds - record[r_.HELD_S + slot]
        weight = 1.0 - math.exp(-min(since, PUMP_DAYS_S) / PUMP_DAYS_S) if before > 0.0 else 1.0
        last = record[r_.HELD_VALUE + slot] if before > 0.0 else value
        record[r_.PUMP_RATE] = before + (last - before) * weight if before > 0.0 else value
    record[r_.HELD_VALUE + slot], record[r_.HELD_S + slot] = value, seconds


@kernel
def hinted_meal(record: Record, units: float) -> float:
    """Sd [mg] of the meal that a bolus hints at: half of what it covers by the 500 rule, 500 / daily dose grams a unit.

    Half of a pump user's daily dose is basal; without a pump's word it is 0.55 U/kg.
    """
    usual = record[r_.PUMP_RATE]
    daily = 48.0 * usual if usual > 0.0 else USUAL_DAILY_DOSE * record[r_.WEIGHT]
    return float(BOLUS_HINT * units * 500.0 / max(daily, 5.0) * 1000.0)


@kernel
def take_dose(record: Record, channel: int, value: float, seconds: float) -> None:
    """A meal, eaten over ten minutes, or a bolus, a jump of the depot; uncertain by what people misjudge. And drinks."""
    mean = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
    covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
    if channel == c_.CARBOHYDRATE:
        amount, fast_share = value * 1000.0, record[r_.METABOLIC_BODY + 9]
        rest = uneaten(record, seconds)  # of a meal that is still being eaten: now at once
        shares = ((metabolic.STOMACH, 1.0 - fast_share), (metabolic.GUT, fast_share))
        for place, share in shares:
            mean[place] += share * rest
            for other, part in shares:
                covariance[place, other] += share * part * (DOSE_UNCERTAINTY * amount) ** 2
                sign = 1.0 if place == other else -1.0
                covariance[place, other] += sign * (FAST_SHARE_SD * amount) ** 2
        eat_grams(record[r_.LEARNED_GLUCOSE : r_.LEARNED_GLUCOSE_END], value)
        record[r_.MEAL_MG] = amount
        record[r_.CARBOHYDRATE_S] = seconds
    elif channel == c_.BOLUS:
        amount = value * 6000.0 / record[r_.METABOLIC_BODY]
        mean[metabolic.DEPOT_1] += amount
        covariance[metabolic.DEPOT_1, metabolic.DEPOT_1] += (BOLUS_UNCERTAINTY * amount) ** 2
        if seconds - record[r_.CARBOHYDRATE_S] > EXPLAINED_S:
            covariance[metabolic.STOMACH, metabolic.STOMACH] += hinted_meal(record, value) ** 2
        inject_units(record[r_.LEARNED_GLUCOSE : r_.LEARNED_GLUCOSE_END], value)
        record[r_.BOLUS_S] = seconds
    elif channel == c_.FLUID:
        record[r_.DRUNK_L] += value
        record[r_.DRUNK_S] = seconds
    elif channel == c_.ALCOHOL:
        take_alcohol(record[r_.EXPOSURE : r_.FAST_BODY], value)


@kernel
def basal_rate(record: Record) -> float:
    """The pump's rate [U/h] that is held; 0 where none was told."""
    return float(value_of(record, c_.BASAL_RATE)) if record[r_.PUMP_RATE] > 0.0 else 0.0


@kernel
def expose(record: Record, now: float) -> None:
    """Bring alcohol, drugs, cortisol and the causes that are learned about to `now`."""
    state, k = record[r_.EXPOSURE : r_.FAST_BODY], record[r_.EXPOSURE_BODY : r_.FAST_MEAN]
    if record[r_.EXPOSURE_S] == r_.NEVER:
        start_exposure(state, record[r_.CLOCK], record[r_.QUADRATURE])
    else:
        minutes = min((now - record[r_.EXPOSURE_S]) / 60.0, 14400.0)
        advance_exposure(state, minutes, k, record[r_.CLOCK], record[r_.QUADRATURE])
    record[r_.EXPOSURE_S] = now
    active = now - record[r_.FAST_S] <= ACTIVE_SPEAKS_S
    intensity = min(max(record[r_.INTENSITY], 0.0), 1.0) if active else 0.0
    move_causes(record[r_.LEARNED_GLUCOSE : r_.LEARNED_GLUCOSE_END], now, basal_rate(record), intensity)


@kernel
def meet_device(record: Record, channel: int, source: float) -> None:
    """A device that was not there before starts with errors of its own: its bias states go back to their priors."""
    known = record[r_.SOURCE + channel]
    if source == 0.0 or source == known:
        return
    record[r_.SOURCE + channel] = source
    if known == 0.0:
        return
    if channel == c_.GLUCOSE:
        mean = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
        covariance = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
        metabolic.start_sensor(mean, covariance, record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY])
    elif channel == c_.SKIN_TEMPERATURE:
        mean = mean_of(record, r_.FAST_MEAN, fast.N)
        covariance = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
        forget(mean, covariance, fast.SITE_OFFSET, 0.0, SKIN_OFFSET_SD)


@kernel
def tell_blocks(record: Record, before_s: float, now: float, estimate: Vector) -> None:
    """Leave the posterior means that one block needs of another, and add up what block S needs of block F."""
    if record[r_.CIRCADIAN_S] > r_.NEVER:
        record[r_.CLOCK], record[r_.QUADRATURE] = estimate[AT_CLOCK], estimate[AT_QUADRATURE]
        record[r_.TOLERANCE] = estimate[AT_TOLERANCE]
    if record[r_.METABOLIC_S] > r_.NEVER:
        record[r_.FED] = min(max(estimate[AT_FED], 0.0), 1.0)
    if record[r_.FAST_S] > r_.NEVER:
        used = driven(max(record[r_.INTENSITY], 0.0))
        record[r_.INTENSITY], record[r_.AROUSAL] = estimate[AT_INTENSITY], estimate[AT_AROUSAL]
        record[r_.INTENSITY_SD] = min(estimate[AT_INTENSITY + 1], 0.3)
        record[r_.INFLAMMATION] = estimate[AT_INFLAMMATION]
        minutes = min((now - before_s) / 60.0, 60.0)
        drives = driven(max(estimate[AT_INTENSITY], 0.0))
        if (
            record[r_.METABOLIC_S] == now
        ):  # block G took the tick before for this one: the difference is still to come
            record[r_.INTENSITY_MIN] = min(minutes, 1.0) * (drives - used)
        else:
            record[r_.INTENSITY_MIN] += minutes * drives
        record[r_.SINCE_MIN] += minutes
        record[r_.ENERGY_KCAL] += minutes * max(estimate[AT_ENERGY], 0.0)
        record[r_.SWEAT_L] += minutes / 60.0 * max(estimate[AT_SWEAT], 0.0)
        record[r_.IMPULSE] += minutes * training_impulse_rate(estimate[AT_INTENSITY], record[r_.MALE])
    if record[r_.SLOW_S] > r_.NEVER:
        record[r_.DEHYDRATION] = estimate[AT_DEHYDRATION]
        record[r_.WEIGHT] = min(max(estimate[AT_WEIGHT], 25.0), 400.0)
        record[r_.FAT_FACTOR] = min(max(estimate[AT_FAT], 0.3), 3.0)
