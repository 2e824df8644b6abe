"""What a CGM and a meter read of the sigma points, and what a reading tells of the flux that nothing explains: section 13."""

import math

from twin import channels as c_
from twin import record as r_
from twin.blocks import metabolic
from twin.blocks.metabolic import BODY as METABOLIC_BODY  # by name: a count must be a constant of this module
from twin.filter.correct import correct
from twin.filter.points import draw
from twin.inputs import ACTIVITY_LASTS_MINUTES, metabolic_inputs
from twin.jit import kernel, values_of
from twin.observe import censored
from twin.shapes import Matrix, Record, Vector
from twin.workspace import Work

SHOWN, PLASMA_GLUCOSE = 2, 0  # rows of metabolic.Seen
SURPRISE_MINUTES = 14.0
AVERAGED_MINUTES = 5.0  # readings further apart count as if 5 min apart: one alone says little
SCALE_LIMIT = 2.0  # ln


@kernel
def glucose_noise(value: float) -> float:
    """Variance of the white part of a CGM reading [(mg/dL)^2]; the coloured part is a state."""
    return 0.5 * 0.5 + (0.004 * value) ** 2


@kernel
def meter_noise(value: float) -> float:
    """Variance of a fingerstick [(mg/dL)^2]: 5 %, at least 5 mg/dL."""
    sd = max(5.0, 0.05 * value)
    return sd * sd


@kernel
def expect_metabolic(channel: int, now: float, record: Record, w: Work) -> None:
    """What a CGM or a meter would read of every drawn point into `w.expected` [mg/dL]."""
    stride = metabolic.STRIDE
    metabolic_inputs(record, now, w.inputs)
    # One scale for all points, that of the believed glucose: error times each point's own bends what far points read.
    body = metabolic.Body(*values_of(record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY], METABOLIC_BODY))
    site = 0.0
    for j in range(2 * metabolic.N):
        site += w.points[metabolic.SITE * stride + j]
    w.inputs[metabolic.ERROR_SCALE] = metabolic.error_scale(site / (2 * metabolic.N), body.low_error)
    metabolic.observe(w.points, w.seen, w.inputs, record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY])
    row = (SHOWN if channel == c_.GLUCOSE else PLASMA_GLUCOSE) * stride
    for j in range(stride):
        w.expected[j] = w.seen[row + j]


@kernel
def correct_metabolic(
    channel: int, value: float, noise: float, flag: int, now: float, record: Record, mean: Vector, covariance: Matrix,
    w: Work,
) -> int:  # fmt: skip
    """Assimilate one CGM or fingerstick value. A censored one counts only if the twin stands on its wrong side."""
    record[r_.REPAIRED] += draw(mean, covariance, w.factor, w.points, metabolic.STRIDE)
    expect_metabolic(channel, now, record, w)
    if noise < 0.0:
        noise = (glucose_noise(value) if channel == c_.GLUCOSE else meter_noise(value)) * -noise
    told, value, noise = censored(flag, w.expected, 2 * metabolic.N, value, noise)
    if not told:
        w.report[0] = 0.0
        return 0
    outcome = correct(
        w.points, w.expected, metabolic.STRIDE, value, noise, mean, covariance, w.gain, w.report
    )
    metabolic.keep_within(mean)
    if channel == c_.GLUCOSE:
        learn_flux(record, mean, covariance, now, w)
        note_surprise(record, w.report[0], now)
    return outcome


@kernel
def learn_flux(record: Record, mean: Vector, covariance: Matrix, now: float, w: Work) -> None:
    """How large this person's unexplained flux is: ln of its variance over the set's, a running mean over half a day."""
    body = metabolic.Body(*values_of(record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY], METABOLIC_BODY))
    allowed = metabolic.flux_variance(mean, w.inputs, body)
    since = min(now - record[r_.LAST_S + c_.GLUCOSE], 86400.0) / 60.0
    # A flux outlasts the meal that allowed it: what is expected of it fades as it does itself.
    before = record[r_.FLUX_EXPECTED] if record[r_.FLUX_EXPECTED] > 0.0 else allowed
    expected = allowed + (before - allowed) * math.exp(-2.0 * since / body.flux_minutes)
    record[r_.FLUX_EXPECTED] = expected
    flux, variance = mean[metabolic.DISTURBANCE], covariance[metabolic.DISTURBANCE, metabolic.DISTURBANCE]
    days = min((now - record[r_.LAST_S + c_.GLUCOSE]) / 86400.0, 0.02)
    shown = body.flux_margin * (flux * flux + variance) / expected
    step = days / body.flux_learning_days * (min(shown, 3.0) - 1.0)
    if math.isfinite(step):
        record[r_.FLUX_SCALE] = min(max(record[r_.FLUX_SCALE] + step, -SCALE_LIMIT), SCALE_LIMIT)


@kernel
def note_surprise(record: Record, surprise: float, now: float) -> None:
    """Running mean of a CGM's normalised innovations over some three readings; must run before LAST_S is renewed."""
    since = (now - record[r_.LAST_S + c_.GLUCOSE]) / 60.0
    if math.isfinite(surprise):
        weight = 1.0 - math.exp(-min(since, AVERAGED_MINUTES) / SURPRISE_MINUTES)
        before = record[r_.FLUX_ACTIVITY] * math.exp(
            -max(since - AVERAGED_MINUTES, 0.0) / ACTIVITY_LASTS_MINUTES
        )
        record[r_.FLUX_ACTIVITY] = before + weight * (min(max(surprise, -3.0), 3.0) - before)
