"""Cortisol: secretion by the clock, first-order clearance.

References:
    Weitzman ED et al. (1971). Twenty-four hour pattern of the episodic secretion of cortisol. J Clin Endocrinol Metab 33, 14-22.
    Dorin RI et al. (2012). J Clin Endocrinol Metab (clearance and secretion rates).

The skewed daily course (peak 15 half an hour after waking, nadir 2-3, mean 8 ug/dL, from memory) is calibrated: an
exponential of the clock's shifted rhythm, highest 2.1 h after CBTmin, gives 15.4, 2.7 and 7.7 at 7.5 h under 1000 lux.
"""

import math

from twin.jit import equation
from twin.numerics import exp

CLEARANCE = 0.0105  # 1/min, half-life 66 min
MEAN = 8.0  # ug/dL
SECRETION_LEVEL, SECRETION_SWING = 6.7, 0.90  # ug/dL, -
SECRETION_LAG = 0.55  # rad after CBTmin
LAG_COS, LAG_SIN = math.cos(SECRETION_LAG), math.sin(SECRETION_LAG)


@equation
def cortisol_secretion(circadian: float, quadrature: float) -> float:
    """P = 0.0105 6.7 exp(0.90 s), ug/dL/min; s = -c cos q + c' sin q, the clock's rhythm q after CBTmin."""
    rhythm = -circadian * LAG_COS + quadrature * LAG_SIN
    return CLEARANCE * SECRETION_LEVEL * exp(SECRETION_SWING * rhythm)


@equation
def cortisol_after(cortisol: float, secretion: float, minutes: float) -> float:
    """Solution of dC/dt = P - 0.0105 C for constant P, ug/dL."""
    level = secretion / CLEARANCE
    return level + (cortisol - level) * exp(-CLEARANCE * minutes)


@equation
def cortisol_sensitivity(cortisol: float) -> float:
    """Factor on insulin sensitivity: 1 - 0.15 (C - 8) / 8, at least 0.5."""
    return max(1.0 - 0.15 * (cortisol - MEAN) / MEAN, 0.5)
