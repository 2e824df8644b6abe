"""Records of a twin that an earlier version of this program wrote, and of a later one, which are refused by name.

What a later version learns besides stands at the end of its record, so that an earlier record is the beginning of a
later one: what is missing begins as for a new twin. Where a version changed what stands in the middle, its records are
rewritten (`_from_version_3`): means exactly, covariances to first order. The constants are not stored; they are made
anew from the profile.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import exposure
from twin import record as r_
from twin.blocks import slow
from twin.channels import HELD, SENSORS

Row = NDArray[np.float64]
# How many numbers of a record each version has stored, the policy's aside.
STORED: dict[float, int] = {3.0: 1055}
REWRITTEN = 3.0  # its numbers are not the first of a later version's
ADDED = (
    "active_energy",
    "bp_systolic_cuffless",
    "bp_diastolic_cuffless",
)  # sensors that version 3 did not know
KNOWN_BEFORE = [i for i, name in enumerate(SENSORS) if name not in ADDED]
HELD_BEFORE = HELD.index("sleep_duration")  # what was held before it; it is the last
PER_SENSOR = 5


class NewerState(RuntimeError):  # noqa: N818 - reads as what was found
    """A changelog record of a later version of this program."""


def check_layout(found: int, known: int) -> None:
    """Raises NewerState for a layout of the changelog that is to come."""
    if found > known:
        raise NewerState(f"changelog layout {found} is newer than this worker's {known}: upgrade it")


def lay(row: Row, record: Row, told: NDArray[np.int64]) -> Row:
    """Lay the stored numbers over a new twin's record; returns what stands behind them, the policy.

    Args:
        row: as stored: the version, the other numbers of the record, the policy.
        record: of a new twin with the same profile, changed in place.
        told: positions in it of what is stored, in order.

    Raises:
        NewerState: the record is of a later version.
        ValueError: its version is not known.

    """
    version = float(row[0])
    if version > r_.VERSION:
        raise NewerState(
            f"twin record version {version:g} is newer than this worker's {r_.VERSION:g}: upgrade it"
        )
    count = len(told) if version == r_.VERSION else STORED.get(version)
    if count is None:
        raise ValueError(
            f"twin record version {version:g} is not known; known: {sorted({*STORED, r_.VERSION})}"
        )
    numbers, policy = row[:count], row[count:]
    if version == REWRITTEN:
        numbers = _from_version_3(numbers)
    record[told[: len(numbers)]] = numbers
    record[r_.AT_VERSION] = r_.VERSION
    return policy


def _from_version_3(row: Row) -> Row:
    """Version 3 held fat and lean mass as logarithms, and knew three sensors and one held input less."""
    header = row[: r_.HELD_VALUE].copy()
    header[[r_.SPARE, r_.FLUX_EXPECTED, r_.ACTIVE_RATE]], header[r_.ACTIVE_S] = 0.0, r_.NEVER
    values, times = row[r_.HELD_VALUE :][: 2 * HELD_BEFORE].reshape(2, -1)
    rest = row[r_.HELD_VALUE + 2 * HELD_BEFORE :]
    sensors = rest[: PER_SENSOR * len(KNOWN_BEFORE)].reshape(PER_SENSOR, -1)
    wider = np.zeros((PER_SENSOR, len(SENSORS)))
    wider[0] = r_.NEVER  # when each last spoke
    wider[:, KNOWN_BEFORE] = sensors
    found = np.concatenate([header, values, [0.0], times, [r_.NEVER], wider.ravel(), rest[sensors.size :]])
    at = r_.EXPOSURE + exposure.N  # where the blocks begin, each a mean and half a covariance
    for name, (block, *_) in r_.BLOCKS.items():
        size = block.N + block.N * (block.N + 1) // 2
        found[at : at + size] = _converted(name, block, found[at : at + size])
        at += size
    return found


def _converted(name: str, block: Any, part: Row) -> Row:
    mean, half = part[: block.N].copy(), np.zeros((block.N, block.N))
    half[np.tri(block.N, dtype=bool)] = part[block.N :]
    slope = np.ones(block.N)
    if name == "slow" and mean[slow.LEAN_MASS] > 0.0:
        for i in (slow.FAT_MASS, slow.LEAN_MASS):
            mean[i] = slope[i] = math.exp(mean[i])
    return np.concatenate([mean, (half * np.outer(slope, slope))[np.tri(block.N, dtype=bool)]])
