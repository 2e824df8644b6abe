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
STORED: dict[float, int] = {4.0: 1070}
REWRITTEN = 3.0
ADDED = (
    "active_energy",
    "bp_systolic_cuffless",
    "bp_diastolic_cuffless",
)  # sensors that version 3 did not know
KNOWN_BEFORE = [i for i, name in enumerate(SENSORS) if name not in ADDED]
HEADER, PER_SENSOR = r_.HELD_VALUE + 2 * len(HELD), 5


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
    if version == REWRITTEN:
        row, version = _from_version_3(row), r_.VERSION
    count = len(told) if version == r_.VERSION else STORED.get(version)
    if count is None:
        raise ValueError(
            f"twin record version {version:g} is not known; known: {sorted({*STORED, REWRITTEN, r_.VERSION})}"
        )
    record[told[:count]] = row[:count]
    record[r_.AT_VERSION] = r_.VERSION
    return row[count:]


def _from_version_3(row: Row) -> Row:
    """Version 3 held fat and lean mass as logarithms, and knew three sensors less."""
    sensors = row[HEADER : HEADER + PER_SENSOR * len(KNOWN_BEFORE)].reshape(PER_SENSOR, -1)
    wider = np.zeros((PER_SENSOR, len(SENSORS)))
    wider[0] = r_.NEVER  # when each last spoke
    wider[:, KNOWN_BEFORE] = sensors
    header = row[:HEADER].copy()
    header[[r_.ACTIVE_KCAL, r_.FLUX_EXPECTED, r_.ACTIVE_RATE]], header[r_.ACTIVE_S] = 0.0, r_.NEVER
    found = np.concatenate([header, wider.ravel(), row[HEADER + sensors.size :]])
    at = HEADER + wider.size + exposure.N  # where the blocks begin, each a mean and half a covariance
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
