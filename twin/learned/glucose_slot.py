"""Where the learned part of glucose keeps what it knows of a person: a slice of the twin's record.

Some numbers are float64, the many small ones float32, as a view of the rest of the slice (`singles`). No value of the
float32 part may be an infinity or nan: two of them are one float64 of the record, which tests compare bit for bit.
"""

HORIZONS, HALF_HOUR = 4, 1  # 15, 30, 60, 120 min; which of them is 30
STATES = 8  # of the linear filter
(COUNT, FIRST_S, LAST_S, LAST, STEP_MIN, NEWEST, SCALE, Z_10, Z_30, ZZ_30, ZZ_180, LONG_MEAN, LONG_SQUARE, DAY_MEAN,
 SIX_HOURS, CHANGE_SQUARE, ROUGH_SQUARE, LOW_SHARE, LOW_S, OPEN_NEXT, LOW_WIDTH,
 CAUSES_S, STOMACH, GUT, ABSORBED, DEPOT_1, DEPOT_2, PLASMA, ACTION, ACTION_USUAL, ACTIVE, WEIGHTS) = range(32)  # fmt: skip
MEAN = 32
COVARIANCE = MEAN + STATES
SINGLES = COVARIANCE + STATES * (STATES + 1) // 2

# Positions in the float32 part.
RING = 36  # readings: 3 h at 5 min
RING_MIN, RING_VALUE = 0, RING  # minutes since FIRST_S; mg/dL
HOUR_MEAN, HOUR_WEIGHT = 2 * RING, 2 * RING + 24  # own profile by hour of day; hours of data in it
PROJECTED, CAUSES = (
    12,
    5,
)  # what the person's correction is regressed on: of the network's hidden units, of causes
TERMS = 1 + PROJECTED + CAUSES
GAINS = HOUR_WEIGHT + 24  # of the correction (HORIZONS, TERMS)
GAINS_COVARIANCE = GAINS + HORIZONS * TERMS  # upper half, row by row, one for all horizons
TRUST = GAINS_COVARIANCE + TERMS * (TERMS + 1) // 2  # whether the correction has won, by horizon
SHIFTS = TRUST + HORIZONS  # of the five quantiles, by horizon
OPEN = SHIFTS + 5 * HORIZONS  # forecasts whose target has not come
OPENED_MIN, OPEN_TERMS, OPEN_ISSUED = 0, 1, 1 + TERMS  # of one of them; then of each horizon:
(POPULATION, SPREAD, CORRECTION, QUANTILES), ISSUED = range(4), 8  # a spread of 0: nothing is open
ENTRY = OPEN_ISSUED + HORIZONS * ISSUED
OPEN_EVERY_MIN = 15.0
ENTRIES = 9  # 120 min and now
FLOATS = OPEN + ENTRIES * ENTRY
SIZE = SINGLES + (FLOATS + 1) // 2
