"""Fitness and fatigue: what training leaves behind (Banister's impulse response).

References:
    Banister EW, Calvert TW, Savage MV, Bach T (1975). A systems model of training. Aust J Sports Med 7, 57-61.
    Banister EW (1991). Modeling elite athletic performance, in: Physiological testing of elite athletes (the impulse:
    minutes x reserve x exp, separate for men and women).

Both leaky sums are taken against the person's habitual training, so that a steady habit changes nothing. Gains are
calibrated: 60 TRIMP/d more than the habit for months, +4 mL/kg/min of VO2max; 100 TRIMP/d more for a week or two,
+3 bpm of resting rate and -0.15 of ln RMSSD (high fatigue).
"""

from twin.jit import equation
from twin.numerics import exp, sigmoid

FITNESS_DAYS, FATIGUE_DAYS = 42.0, 7.0
HIGH_FATIGUE = 700.0  # TRIMP above habit: 100 /d more, for good


@equation
def training_impulse_rate(reserve: float, male: float) -> float:
    """TRIMP per minute: x 0.64 exp(1.92 x) for men, x 0.86 exp(1.67 x) for women; everyday x < 0.15 does not count."""
    x = min(max(reserve, 0.0), 1.2)
    men, women = 0.64 * exp(1.92 * x), 0.86 * exp(1.67 * x)
    return x * (male * men + (1.0 - male) * women) * sigmoid((x - 0.15) / 0.03)


@equation
def fitness_rate(fitness: float, impulse: float) -> float:
    """df/dt = TRIMP - f / 42, TRIMP per day; `impulse` in TRIMP per day."""
    return impulse - fitness / FITNESS_DAYS


@equation
def fatigue_rate(fatigue: float, impulse: float) -> float:
    """dg/dt = TRIMP - g / 7, TRIMP per day."""
    return impulse - fatigue / FATIGUE_DAYS


@equation
def maximal_uptake_drift(fitness: float, fatigue: float, gain: float, loss: float) -> float:
    """k1 f - k2 g, mL/kg/min, of fitness and fatigue above habit."""
    return gain * fitness - loss * fatigue


@equation
def tired_rate_drift(fatigue: float, rise: float) -> float:
    """Rise of resting heart rate, bpm: 3 bpm at high fatigue (700 TRIMP above habit), linear, within twice that."""
    return rise * min(max(fatigue / HIGH_FATIGUE, -2.0), 2.0)


@equation
def tired_variability_drift(fatigue: float, fall: float) -> float:
    """Change of ln RMSSD: -0.15 at high fatigue, linear, within twice that."""
    return -fall * min(max(fatigue / HIGH_FATIGUE, -2.0), 2.0)
