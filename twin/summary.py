"""The posterior in natural units, for people: mean and sd of every state, and of what a perfect sensor would read."""

import math

from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import observe as o_
from twin import record as r_
from twin.filter.points import draw
from twin.forecast import spread_of
from twin.jit import kernel
from twin.shapes import Array, Matrix, Record, Vector

FAST_AT, RATE_AT, METABOLIC_AT = 0, 2 * fast.N, 2 * fast.N + 4
GLUCOSE_AT = METABOLIC_AT + 2 * metabolic.N
ESTIMATE_SIZE = GLUCOSE_AT + 2
OBSERVABLES = {"heart_rate": RATE_AT, "mean_arterial_pressure": RATE_AT + 2, "glucose": GLUCOSE_AT}
# Estimates carry every state as two columns, mean then sd.
FAST_TRANSFORMS, METABOLIC_TRANSFORMS = fast.TRANSFORMS, metabolic.TRANSFORMS


@kernel
def natural(value: float, variance: float, transform: int, ceiling: float, out: Vector) -> None:
    """Mean and sd in natural units: exact for a log-normal, to first order for a logit."""
    sd = math.sqrt(max(variance, 0.0))
    if transform == 1:
        grown = min(variance, 50.0)
        out[0] = math.exp(value + 0.5 * grown)
        out[1] = out[0] * math.sqrt(max(math.exp(grown) - 1.0, 0.0))
    elif transform == 2:
        share = 1.0 / (1.0 + math.exp(-value))
        out[0], out[1] = ceiling * share, ceiling * share * (1.0 - share) * sd
    else:
        out[0], out[1] = value, sd


@kernel
def summarise(
    record: Record, now: float, f_mean: Vector, f_cov: Matrix, m_mean: Vector, m_cov: Matrix, f_factor: Matrix,
    f_work: Array, out: Vector,
) -> None:  # fmt: skip
    """Fill `out` (ESTIMATE_SIZE,): pairs of mean and sd; nan for a block that has not started."""
    out[:] = math.nan
    if record[r_.FAST_S] > r_.NEVER:
        for i in range(fast.N):
            at = FAST_AT + 2 * i
            natural(f_mean[i], f_cov[i, i], FAST_TRANSFORMS[i], fast.DRIVE_CEILING, out[at : at + 2])
        draw(f_mean, f_cov, f_factor, f_work[0], fast.STRIDE)
        o_.expect_heart_rate(f_work[0], now, record, False, f_work)
        spread_of(f_work[4], 2 * fast.N, 0.0, out[RATE_AT : RATE_AT + 2])
        spread_of(f_work[5], 2 * fast.N, 0.0, out[RATE_AT + 2 : RATE_AT + 4])
    if record[r_.METABOLIC_S] > r_.NEVER:
        for i in range(metabolic.N):
            at = METABOLIC_AT + 2 * i
            natural(
                m_mean[i], m_cov[i, i], METABOLIC_TRANSFORMS[i], metabolic.GLUT4_CEILING, out[at : at + 2]
            )
        vg = record[r_.CONSTANTS + k_.VG]
        natural(
            m_mean[metabolic.PLASMA] - math.log(vg), m_cov[metabolic.PLASMA, metabolic.PLASMA], 1, 1.0,
            out[GLUCOSE_AT : GLUCOSE_AT + 2],
        )  # fmt: skip
