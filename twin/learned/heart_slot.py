"""Where the learned part of heart rate keeps what it knows of a person: a slice of the twin's record."""

import numpy as np

HORIZONS_S = np.array([60.0, 900.0, 3600.0])
HORIZONS, STATES, QUANTILES = 3, 8, 5
N = 10  # what the regression sees
PACKED = N * (N + 1) // 2
BINS = 48  # of a day, of half an hour
FIRST_SLOT = np.array([0, 1, 4])  # of the open forecasts of each horizon
SLOTS = np.array([1, 3, 3])
OPEN = 7

(
    AT_STARTED,
    AT_LAST,
    AT_COUNT,
    AT_STEP,
    AT_LEVEL,
    AT_BEFORE,
    AT_TWO_BEFORE,
    AT_DAY,
    AT_LONG,
    AT_DEMAND,
) = range(10)
AT_MEAN = 10
AT_COVARIANCE = AT_MEAN + STATES
AT_PROFILE = AT_COVARIANCE + STATES * (STATES + 1) // 2
AT_WEIGHTS = AT_PROFILE + BINS
AT_DOUBT = AT_WEIGHTS + HORIZONS * N
AT_SAVED = AT_DOUBT + HORIZONS * PACKED
AT_OFFSETS = AT_SAVED + HORIZONS
AT_KEPT = AT_OFFSETS + HORIZONS * QUANTILES  # when a forecast was last kept
AT_OPEN = AT_KEPT + HORIZONS
MADE_AT, CENTRE, SCALE, CORRECTION, INPUTS = range(5)  # of an open forecast; a scale of 0: the slot is free
OPEN_SIZE = INPUTS + N
SIZE = AT_OPEN + OPEN * OPEN_SIZE
