"""What falling asleep and waking tell of block C: the homeostat crosses a threshold that the clock moves.

H = 12.9 + 1.72 C on falling asleep, H = 12.35 + 1.72 C on waking, each with an sd of 1 for alarm clocks, work and
company, which last: the variance counts one independent word a week, told twice a day. Left to themselves people sleep
at 13.5 and wake at 12.5 (Skeldon 2023; section 9); 12.9 and 12.35 is where somebody who keeps the usual nights (23:12 to
7:00) stands then. With 13.5 the need of sleep was believed too great by two of its sd. The belief in sleep itself is
held in inputs.py.
"""

from twin import record as r_
from twin.blocks import circadian
from twin.filter.correct import correct
from twin.filter.points import draw
from twin.jit import kernel
from twin.physiology.sleep import wake_drive
from twin.shapes import Matrix, Record, Vector
from twin.workspace import Work

FALLS_ASLEEP, WAKES, CLOCK_WEIGHT = 12.9, 12.35, 1.72
THRESHOLD_VARIANCE = 14.0
SURE = 1.0  # ln odds on either side that count as a change


@kernel
def correct_circadian(threshold: float, mean: Vector, covariance: Matrix, w: Work) -> int:
    """Assimilate one crossing of a threshold of sleep."""
    stride = circadian.STRIDE
    draw(mean, covariance, w.factor, w.points, stride)
    for j in range(stride):
        x = w.points[circadian.PACEMAKER_X * stride + j]
        xc = w.points[circadian.PACEMAKER_XC * stride + j]
        homeostat = w.points[circadian.SLEEP_HOMEOSTAT * stride + j]
        w.expected[j] = homeostat - CLOCK_WEIGHT * wake_drive(x, xc)
    return correct(
        w.points, w.expected, stride, threshold, THRESHOLD_VARIANCE, mean, covariance, w.gain, w.report
    )


@kernel
def watch_sleep(record: Record, told: bool, mean: Vector, covariance: Matrix, w: Work) -> None:
    """Correct block C when the belief, of a person whose sleep somebody measures, has changed sides."""
    logit = record[r_.SLEEP_LOGIT]
    if not told:
        return
    if record[r_.WAS_ASLEEP] < 0.5 and logit > SURE:
        correct_circadian(FALLS_ASLEEP, mean, covariance, w)
        record[r_.WAS_ASLEEP] = 1.0
    elif record[r_.WAS_ASLEEP] > 0.5 and logit < -SURE:
        correct_circadian(WAKES, mean, covariance, w)
        record[r_.WAS_ASLEEP] = 0.0
