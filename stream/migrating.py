"""Records of a twin that an earlier version of this program wrote, and of a later one, which are refused by name.

What a later version learns besides stands at the end of its record, so that an earlier record is the beginning of a
later one: what is missing begins as for a new twin. The constants are not stored; they are made anew from the profile.
"""

import numpy as np
from numpy.typing import NDArray

from twin import record as r_

# How many numbers of a record each version has stored, the policy's aside.
STORED = {3.0: 1055}


class NewerState(RuntimeError):  # noqa: N818 - reads as what was found
    """A changelog record of a later version of this program."""


def check_layout(found: int, known: int) -> None:
    """Raises NewerState for a layout of the changelog that is to come."""
    if found > known:
        raise NewerState(f"changelog layout {found} is newer than this worker's {known}: upgrade it")


def lay(
    row: NDArray[np.float64], record: NDArray[np.float64], told: NDArray[np.int64]
) -> NDArray[np.float64]:
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
    record[told[:count]] = row[:count]
    record[r_.AT_VERSION] = r_.VERSION
    return row[count:]
