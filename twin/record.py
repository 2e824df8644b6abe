"""One twin as one array of float64: header, held inputs, constants, then mean and covariance of each block.

The positions are the format of the changelog: a change of any of them raises VERSION.
"""

import numpy as np

from twin import constants, fast_block, metabolic_block
from twin.constants import Profile, constants_of
from twin.shapes import Record

VERSION = 1.0
(AT_VERSION, HEAD_S, READINGS, FAST_S, METABOLIC_S, DOWNWEIGHTED, REPAIRED, REFUSED,
 MET_VALUE, MET_S, ASLEEP_VALUE, ASLEEP_S, POSTURE_VALUE, POSTURE_S, BASAL_VALUE, BASAL_S,
 HEART_RATE_VALUE, HEART_RATE_S, GLUCOSE_VALUE, GLUCOSE_S, CARBOHYDRATE_S, OFFSET_H) = range(22)  # fmt: skip
CONSTANTS = 32
FAST_MEAN = CONSTANTS + constants.SIZE
FAST_COVARIANCE = FAST_MEAN + fast_block.N
METABOLIC_MEAN = FAST_COVARIANCE + fast_block.N**2
METABOLIC_COVARIANCE = METABOLIC_MEAN + metabolic_block.N
SIZE = METABOLIC_COVARIANCE + metabolic_block.N**2
NEVER = -1e18  # a time that no reading has


def genesis(profile: Profile | None = None, offset_h: float = 0.0) -> Record:
    """The twin before its first reading: constants of the profile, no block started.

    Args:
        profile: what is known of the person; a default adult when nothing is.
        offset_h: local time minus UTC [h], for the clock of the body.

    """
    record = np.zeros(SIZE)
    record[AT_VERSION] = VERSION
    record[[HEAD_S, FAST_S, METABOLIC_S, MET_S, ASLEEP_S, POSTURE_S, BASAL_S, HEART_RATE_S, GLUCOSE_S]] = (
        NEVER
    )
    record[CARBOHYDRATE_S], record[OFFSET_H] = NEVER, offset_h
    record[CONSTANTS : CONSTANTS + constants.SIZE] = constants_of(profile or Profile())
    return record
