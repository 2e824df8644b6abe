"""Rows of an older changelog layout as rows of this one.

Layout 2 (records of version 3) held fat and lean mass as logarithms and the sensor's error before its scale, and knew
three sensors less. What a row says is carried over: means exactly, covariances to first order.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import exposure
from twin import record as r_
from twin.blocks import metabolic, slow
from twin.channels import HELD, SENSORS

OLDEST = 2
Row = NDArray[np.float64]
ADDED = ("active_energy", "bp_systolic_cuffless", "bp_diastolic_cuffless")
KNOWN_BEFORE = [i for i, name in enumerate(SENSORS) if name not in ADDED]
HEADER, PER_SENSOR = r_.HELD_VALUE + 2 * len(HELD), 5
LOW_ERROR = metabolic.PARAMETERS["low_error"].default


def from_layout_2(row: Row) -> Row:
    """A row of layout 2 (what storing._pack wrote, without the tick) as one of this layout."""
    sensors = row[HEADER : HEADER + PER_SENSOR * len(KNOWN_BEFORE)].reshape(PER_SENSOR, -1)
    wider = np.zeros((PER_SENSOR, len(SENSORS)))
    wider[0] = r_.NEVER  # when each last spoke
    wider[:, KNOWN_BEFORE] = sensors
    header = row[:HEADER].copy()
    header[r_.AT_VERSION] = r_.VERSION
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
    elif name == "metabolic":
        share = min(max((mean[metabolic.SITE] - 40.0) / 60.0, 0.0), 1.0)
        slope[[metabolic.SENSOR_ERROR, metabolic.SENSOR_DRIVER]] = LOW_ERROR + (1.0 - LOW_ERROR) * share
        mean *= slope
    return np.concatenate([mean, (half * np.outer(slope, slope))[np.tri(block.N, dtype=bool)]])
