"""What drives the blocks: measured where somebody measured it, else a day's schedule.

Sleep 23:12-07:00, sedentary 1.3 MET awake and 0.95 asleep, the clock's minimum at 04:24 local time.
"""

import math

from twin import constants as k_
from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import record as r_
from twin.jit import kernel
from twin.shapes import Inputs, Record

MOVEMENT_HOLDS_S = 300.0  # a MET reading speaks for five minutes
STATE_HOLDS_S = 3600.0  # posture and sleep for an hour
BASAL_HOLDS_S = 86400.0


@kernel
def clock_of(seconds: float, offset_h: float) -> tuple[float, float]:
    """Circadian drive c (-1 to 1, +1 at the body-temperature maximum) and the schedule's sleep S (0-1)."""
    hour = (seconds / 3600.0 + offset_h) % 24.0
    circadian = -math.cos(2.0 * math.pi * (hour - 4.4) / 24.0)
    since = (hour - 23.2) % 24.0  # hours since going to bed
    asleep = 1.0 / (1.0 + math.exp(-(3.9 - abs(since - 3.9)) / 0.25))
    return circadian, asleep


@kernel
def fast_inputs(record: Record, seconds: float, ahead: bool, u: Inputs) -> None:
    """Fill the inputs of block F for the time `seconds`; `ahead` means nobody can have measured yet."""
    circadian, asleep = clock_of(seconds, record[r_.OFFSET_H])
    if not ahead and seconds - record[r_.ASLEEP_S] <= STATE_HOLDS_S:
        asleep = record[r_.ASLEEP_VALUE]
    measured = not ahead and seconds - record[r_.MET_S] <= MOVEMENT_HOLDS_S
    u[fast.MET] = record[r_.MET_VALUE] if measured else 1.3 - 0.35 * asleep
    u[fast.MEASURED] = 1.0 if measured else 0.0
    u[fast.ASLEEP], u[fast.CLOCK] = asleep, circadian
    posture = 0.3 * (1.0 - asleep)
    if not ahead and seconds - record[r_.POSTURE_S] <= STATE_HOLDS_S:
        posture = record[r_.POSTURE_VALUE]
    u[fast.POSTURE] = posture
    u[fast.WARMTH], u[fast.SATURATION], u[fast.FED] = 0.03, 97.3, 0.0


@kernel
def metabolic_inputs(record: Record, seconds: float, u: Inputs) -> None:
    """Fill the inputs of block G: basal insulin as programmed, exercise from block F, the clock's insulin sensitivity."""
    hour = (seconds / 3600.0 + record[r_.OFFSET_H]) % 24.0
    weight = record[r_.CONSTANTS + k_.WEIGHT]
    infusion = record[r_.CONSTANTS + k_.BASAL_INFUSION]
    if seconds - record[r_.BASAL_S] <= BASAL_HOLDS_S:
        infusion = record[r_.BASAL_VALUE] * 6000.0 / 60.0 / weight
    u[metabolic.INTAKE], u[metabolic.INFUSION] = 0.0, infusion
    u[metabolic.TOLERANCE] = 1.0 + 0.15 * math.cos(2.0 * math.pi * (hour - 8.4) / 24.0)
    u[metabolic.INTENSITY] = 0.0
    if seconds - record[r_.FAST_S] <= MOVEMENT_HOLDS_S:
        drive = record[r_.FAST_MEAN + fast.DRIVE]
        u[metabolic.INTENSITY] = max(drive - 0.03, 0.0)
