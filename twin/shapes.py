"""Array shapes, named once. Letters: n states, s sigma points (padded), k constants, u inputs, p people."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]  # (n,)
Matrix = NDArray[np.float64]  # (n, n)
Points = NDArray[
    np.float64
]  # (n * s,): state i of point j at i * s + j, so that a loop over points is contiguous
Constants = NDArray[np.float64]  # (k,)
Inputs = NDArray[np.float64]  # (u,)
Record = NDArray[np.float64]  # (RECORD_SIZE,): all of one twin
Records = NDArray[np.float64]  # (p, RECORD_SIZE)
Integers = NDArray[np.int64]
Array = NDArray[Any]
