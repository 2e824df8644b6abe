"""Error grids for glucose: how dangerous an error would be to somebody who acts on it.

Clarke et al. 1987, Diabetes Care 10:622 (the five zones by their inequalities). DTS: Klonoff et al. 2024, J Diabetes Sci
Technol 18:1346, doi 10.1177/19322968241275701: straight borders through the vertices of its Table A1, the same for meters
and CGM. The vertices agree within 1.2 mg/dL with the paper's risk function, 2.75 ln(m/r) above and 2.25 ln(r/m) below
the diagonal at risks .5, 1.5, 2.5, 3.5, with both values raised to 50 mg/dL: the tests check it. The paper counts zone A
alone as success, never A + B.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ZONES = ("A", "B", "C", "D", "E")
# Borders of A, B, C, D: monitor value at references up to 50, and the reference at which the border reaches 600.
DTS_UPPER = ((60.0, 500.0), (86.5, 347.0), (124.0, 241.0), (179.0, 167.0))
# Reference below which a border is vertical (monitor 0 to 50), and the monitor value at reference 600.
DTS_LOWER = ((62.5, 480.0), (97.5, 307.0), (153.0, 197.0), (238.0, 126.0))


def dts_zones(reference: Floats, monitor: Floats) -> NDArray[np.int64]:
    """Zone of each pair, 0 (A) to 4 (E); a point on a border belongs to the better zone [mg/dL]."""
    zone = np.zeros(len(reference), dtype=np.int64)
    for (flat, end), (start, bottom) in zip(DTS_UPPER, DTS_LOWER, strict=True):
        upper = flat + np.maximum(reference - 50.0, 0.0) * (600.0 - flat) / (end - 50.0)
        slanted = 50.0 + (reference - start) * (bottom - 50.0) / (600.0 - start)
        lower = np.where(reference <= start, 0.0, slanted)
        zone += (monitor > upper) | (monitor < lower)
    return zone


def clarke_zones(reference: Floats, monitor: Floats) -> NDArray[np.int64]:
    """Zone of each pair, 0 (A) to 4 (E) [mg/dL].

    A: within 20 % of the reference, or both below 70. E: low taken for high or the reverse (70, 180). D: reference below
    70 or above 240 seen as 70-180. C: would be treated the wrong way: monitor > reference + 110 from 70 to 290, or monitor <
    7/5 (reference - 130) from 130 to 180. B: the rest.
    """
    r, m = reference, monitor
    a = (np.abs(m - r) <= 0.2 * r) | ((r < 70.0) & (m < 70.0))
    e = ((r <= 70.0) & (m >= 180.0)) | ((r >= 180.0) & (m <= 70.0))
    c = ((r >= 70.0) & (r <= 290.0) & (m >= r + 110.0)) | (
        (r >= 130.0) & (r <= 180.0) & (m <= 1.4 * (r - 130.0))
    )
    # Left of 70 zone D lies between the edge of A and 180; right of 240 between 70 and 180.
    d = ((r < 70.0) & (m >= 70.0) & (m <= 180.0)) | ((r >= 240.0) & (m >= 70.0) & (m <= 180.0))
    return np.select([a, e, c, d], [0, 4, 2, 3], default=1).astype(np.int64)


def zone_shares(zones: NDArray[np.int64]) -> dict[str, float]:
    """Share of the pairs in each zone."""
    counts = np.bincount(zones, minlength=5)
    return {name: float(counts[i] / max(1, len(zones))) for i, name in enumerate(ZONES)}
