"""One twin as one array of float64: header, held inputs, counts, constants, then mean and covariance of each block.

The positions are the format of the changelog: a change of any of them raises VERSION.
"""

import numpy as np

from twin import exposure
from twin.blocks import circadian, fast, metabolic, slow
from twin.channels import HELD, SENSORS
from twin.learned import daily, glucose_slot, heart_slot
from twin.profile import Profile, bodies_of
from twin.shapes import Record

VERSION = 4.0  # 3: without what is learned
(AT_VERSION, HEAD_S, OFFSET_H, READINGS, DOWNWEIGHTED, REPAIRED, REFUSED, MALE,
 FAST_S, METABOLIC_S, CIRCADIAN_S, SLOW_S, EXPOSURE_S,
 SLEEP_LOGIT, SLEEP_BELIEF, WAS_ASLEEP, PUMP_RATE, CARBOHYDRATE_S, BOLUS_S,
 # What block F has burnt, sweated and trained, and what was drunk, since block S last moved (SPARE is nothing's).
 ENERGY_KCAL, SWEAT_L, IMPULSE, SPARE, SINCE_MIN, DRUNK_L, DRUNK_S,
 # What the blocks tell one another: posterior means after the last tick.
 CLOCK, QUADRATURE, TOLERANCE, FED, INTENSITY, INFLAMMATION, AROUSAL, DEHYDRATION, WEIGHT, FAT_FACTOR, FLUX_EXPECTED,
 ACTIVE_RATE, FLUX_ACTIVITY, FLUX_SCALE, MEAL_MG, INTENSITY_SD, INTENSITY_MIN, ACTIVE_S) = range(44)  # fmt: skip
HELD_VALUE = 44
HELD_S = HELD_VALUE + len(HELD)
LAST_S = HELD_S + len(HELD)  # when each sensor last spoke
SOURCE = LAST_S + len(SENSORS)  # which device it was
READ = SOURCE + len(SENSORS)  # how often each sensor spoke
OUTLIERS = READ + len(SENSORS)  # and how often it was not believed
PAUSE_S = OUTLIERS + len(SENSORS)  # how long it had been silent before it last spoke
EXPOSURE = PAUSE_S + len(SENSORS)
FAST_BODY = EXPOSURE + exposure.N
METABOLIC_BODY = FAST_BODY + fast.BODY
CIRCADIAN_BODY = METABOLIC_BODY + metabolic.BODY
SLOW_BODY = CIRCADIAN_BODY + circadian.BODY
EXPOSURE_BODY = SLOW_BODY + slow.BODY
FAST_MEAN = EXPOSURE_BODY + exposure.BODY
FAST_COVARIANCE = FAST_MEAN + fast.N
METABOLIC_MEAN = FAST_COVARIANCE + fast.N**2
METABOLIC_COVARIANCE = METABOLIC_MEAN + metabolic.N
CIRCADIAN_MEAN = METABOLIC_COVARIANCE + metabolic.N**2
CIRCADIAN_COVARIANCE = CIRCADIAN_MEAN + circadian.N
SLOW_MEAN = CIRCADIAN_COVARIANCE + circadian.N**2
SLOW_COVARIANCE = SLOW_MEAN + slow.N
LEARNED_GLUCOSE = SLOW_COVARIANCE + slow.N**2  # learned/glucose_slot.py
LEARNED_GLUCOSE_END = LEARNED_GLUCOSE + glucose_slot.SIZE
LEARNED_HEART = LEARNED_GLUCOSE_END  # learned/heart.py
LEARNED_DAILY = LEARNED_HEART + heart_slot.SIZE  # learned/daily.py
LEARNED_DAILY_END = LEARNED_DAILY + daily.SIZE
SIZE = LEARNED_DAILY_END
NEVER = -1e18  # a time that no reading has
BLOCKS = {
    "fast": (fast, FAST_MEAN, FAST_COVARIANCE, FAST_S),
    "metabolic": (metabolic, METABOLIC_MEAN, METABOLIC_COVARIANCE, METABOLIC_S),
    "circadian": (circadian, CIRCADIAN_MEAN, CIRCADIAN_COVARIANCE, CIRCADIAN_S),
    "slow": (slow, SLOW_MEAN, SLOW_COVARIANCE, SLOW_S),
}


def genesis(profile: Profile | None = None) -> Record:
    """The twin before its first reading: constants of the profile (a default adult when nothing is known), no block started."""
    person = profile or Profile()
    record = np.zeros(SIZE)
    record[[AT_VERSION, OFFSET_H, MALE]] = VERSION, person.utc_offset_h, float(person.sex == "male")
    record[
        [
            HEAD_S,
            FAST_S,
            METABOLIC_S,
            CIRCADIAN_S,
            SLOW_S,
            EXPOSURE_S,
            CARBOHYDRATE_S,
            BOLUS_S,
            DRUNK_S,
            ACTIVE_S,
        ]
    ] = NEVER
    record[HELD_S : HELD_S + len(HELD)] = NEVER
    record[LAST_S : LAST_S + len(SENSORS)] = NEVER
    bodies = bodies_of(person)
    for at, body in zip(
        (FAST_BODY, METABOLIC_BODY, CIRCADIAN_BODY, SLOW_BODY, EXPOSURE_BODY), bodies, strict=True
    ):
        record[at : at + len(body)] = body
    record[[TOLERANCE, WEIGHT, FAT_FACTOR]] = 1.0, person.weight_kg, 1.0
    return record
