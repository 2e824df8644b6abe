"""Do innovations look as a right filter's would: variance one, no memory.

Bar-Shalom, Li, Kirubarajan 2001, Estimation with Applications to Tracking and Navigation, 5.4 (NIS); Ljung, Box 1978,
Biometrika 65:297.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaincinv

Floats = NDArray[np.float64]


def autocorrelation(z: Floats, lags: int) -> Floats:
    """r_1 .. r_lags of a series; the mean is taken off."""
    centred = z - z.mean()
    power = float(centred @ centred)
    if power <= 0.0:
        return np.zeros(lags)
    return np.array([float(centred[k:] @ centred[:-k]) / power for k in range(1, lags + 1)])


def ljung_box(z: Floats, lags: int = 20) -> tuple[float, float]:
    """Q = n (n + 2) sum_k r_k^2 / (n - k), and the chance of a larger one if z is white (chi-square of `lags`)."""
    n = len(z)
    r = autocorrelation(z, lags)
    statistic = n * (n + 2.0) * float(np.sum(r**2 / (n - np.arange(1, lags + 1))))
    return statistic, float(gammaincc(lags / 2.0, statistic / 2.0))


def nis(z: Floats) -> dict[str, float]:
    """Mean of z^2 with the interval in which it lies 95 times of 100 if z is white with variance one."""
    n = len(z)
    low, high = (2.0 * float(gammaincinv(n / 2.0, p)) / n for p in (0.025, 0.975))
    return {
        "n": n,
        "mean": float(np.mean(z)),
        "nis": float(np.mean(z**2)),
        "expected_low": low,
        "expected_high": high,
    }
