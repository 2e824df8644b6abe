"""A glucose reading into the linear filter and the person's statistics; then what the network will look at."""

import math
from typing import NamedTuple

import numpy as np

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.learned import inputs, linear, person
from twin.shapes import Array, Matrix, Vector

AHEAD_MIN = np.array([15.0, 30.0, 60.0, 120.0])
Z_SHORT_MIN, Z_LONG_MIN, ZZ_LONG_MIN = 10.0, 30.0, 180.0  # memories of the innovations
CLIPPED_Z = 4.0


class Room(NamedTuple):
    """Room to compute in: the filter's mean, covariance, one row, one gain, a trial; bases; inputs; three numbers."""

    covariance: Matrix
    trial: Matrix
    row: Vector
    gain: Vector
    base: Matrix
    inputs: Vector
    seen: Vector


@kernel
def learned_room() -> Room:
    """Room for one person at a time."""
    n = linear.N
    return Room(
        np.zeros((n, n)), np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros((s_.HORIZONS, 2)),
        np.zeros(inputs.INPUTS), np.zeros(3),
    )  # fmt: skip


@kernel
def take_reading(slot: Vector, now: float, offset_h: float, value: float, room: Room) -> None:
    """Filter and statistics after the reading of `now`; `room.covariance` is the filter's."""
    singles = slot[s_.SINGLES :].view(np.float32)
    mean = slot[s_.MEAN : s_.MEAN + linear.N]
    packed = slot[s_.COVARIANCE : s_.SINGLES]
    first = slot[s_.COUNT] == 0.0
    minutes = 0.0 if first else (now - slot[s_.LAST_S]) / 60.0
    minute = (now / 60.0 + 60.0 * offset_h) % 1440.0
    if first:
        slot[s_.FIRST_S], slot[s_.LAST_S], slot[s_.SCALE] = now, now, 1.0
        slot[s_.ZZ_30], slot[s_.ZZ_180] = 1.0, 1.0
        linear.start(mean, room.covariance, value)
    else:
        linear.unpack(packed, room.covariance)
        linear.move(mean, room.covariance, minute - minutes, minutes, slot[s_.SCALE], room.row, room.trial)
        share = min(minutes / linear.USUAL_MIN, 1.0)
        z = linear.correct(mean, room.covariance, value, linear.noise_of(value) / share, room.gain)
        slot[s_.SCALE] = linear.follow_scale(slot[s_.SCALE], z, slot[s_.COUNT], share)
        z = min(max(z, -CLIPPED_Z), CLIPPED_Z)
        counted = min(minutes, person.SLOWEST_MIN)
        short, long = 1.0 - math.exp(-counted / Z_SHORT_MIN), 1.0 - math.exp(-counted / Z_LONG_MIN)
        slot[s_.Z_10] += short * (z - slot[s_.Z_10])
        slot[s_.Z_30] += long * (z - slot[s_.Z_30])
        slot[s_.ZZ_30] += long * (z * z - slot[s_.ZZ_30])
        slot[s_.ZZ_180] += (1.0 - math.exp(-counted / ZZ_LONG_MIN)) * (z * z - slot[s_.ZZ_180])
    linear.pack(room.covariance, packed)
    person.learn_person(slot, singles, now, minute, value, minutes)
    slot[s_.LAST_S], slot[s_.LAST] = now, value


@kernel
def look(slot: Vector, now: float, offset_h: float, room: Room) -> None:
    """Bases and inputs of the forecasts made at the last reading into `room.base` and `room.inputs`."""
    singles = slot[s_.SINGLES :].view(np.float32)
    mean = slot[s_.MEAN : s_.MEAN + linear.N]
    minute = (now / 60.0 + 60.0 * offset_h) % 1440.0
    for h in range(s_.HORIZONS):
        linear.ahead(mean, room.covariance, minute, AHEAD_MIN[h], slot[s_.SCALE], room.row, room.base[h])
    inputs.describe(slot, singles, mean, room.covariance, now, minute, room.base, room.seen, room.inputs)


@kernel
def examples(
    slot: Vector, times: Vector, values: Vector, offset_h: float, room: Room, found: Array, bases: Array
) -> None:
    """Inputs (n, INPUTS) and bases (n, HORIZONS, 2) at every reading of one person, for training."""
    for i in range(times.shape[0]):
        take_reading(slot, times[i], offset_h, values[i], room)
        look(slot, times[i], offset_h, room)
        found[i] = room.inputs
        bases[i] = room.base
