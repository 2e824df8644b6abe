"""Error and calibration of forecasts against what was measured."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
Z = (-1.6448536269514722, -0.6744897501960817, 0.0, 0.6744897501960817, 1.6448536269514722)  # of LEVELS
BINS = 10


def pinball(measured: Floats, quantiles: Floats) -> Floats:
    """Mean pinball loss over the five levels, of each forecast.

    Args:
        measured: y, (n).
        quantiles: q, (n, 5), at LEVELS.

    """
    gap = measured[:, None] - quantiles
    levels = np.array(LEVELS)
    return np.asarray(np.maximum(levels * gap, (levels - 1.0) * gap).mean(axis=1), dtype=np.float64)


def crps_normal(measured: Floats, mean: Floats, sd: Floats) -> Floats:
    """CRPS of a normal distribution (Gneiting, Raftery 2007, J Am Stat Assoc 102:359, eq. 21).

    s [z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)],  z = (y - m) / s
    """
    z = (measured - mean) / sd
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    value = sd * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.asarray(value, dtype=np.float64)


def probability_below(limit: Floats, quantiles: Floats) -> Floats:
    """P(Y <= limit) by the five quantiles: straight lines between them on the normal scale, and beyond the outer ones.

    Args:
        limit: (n).
        quantiles: (n, 5), sorted.

    """
    ordered = np.sort(quantiles, axis=1)
    widths = np.maximum(np.diff(ordered, axis=1), 1e-9)
    segment = np.clip((limit[:, None] >= ordered[:, 1:4]).sum(axis=1), 0, 3)
    row = np.arange(len(limit))
    z = np.array(Z)
    slope = (z[segment + 1] - z[segment]) / widths[row, segment]
    return np.asarray(ndtr(z[segment] + slope * (limit - ordered[row, segment])), dtype=np.float64)


def scores(measured: Floats, mean: Floats, quantiles: Floats, sd: Floats | None = None) -> dict[str, float]:
    """All figures of one set of forecasts.

    rmse, mae, bias (forecast - measured), crps (2 x mean pinball of five quantiles, comparable between methods),
    coverage_50 and coverage_90 of the bands q25-q75 and q05-q95; with sd also crps_normal and nis, the mean of
    ((y - m) / s)^2, which is 1 where the forecasts know their own error.
    """
    if not len(measured):
        return {"n": 0}
    error = mean - measured
    found = {
        "n": len(measured),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "bias": float(np.mean(error)),
        "crps": float(2.0 * pinball(measured, quantiles).mean()),
        "coverage_50": share_inside(measured, quantiles[:, 1], quantiles[:, 3]),
        "coverage_90": share_inside(measured, quantiles[:, 0], quantiles[:, 4]),
    }
    if sd is not None:
        positive = np.maximum(sd, 1e-9)
        found["crps_normal"] = float(crps_normal(measured, mean, positive).mean())
        found["nis"] = float(np.mean((error / positive) ** 2))
    return found


def share_inside(measured: Floats, low: Floats, high: Floats) -> float:
    """Share of the readings inside their band, its borders included."""
    return float(np.mean((measured >= low) & (measured <= high)))


def pit_histogram(measured: Floats, quantiles: Floats) -> list[float]:
    """Share of P(Y <= y) in ten equal bins; all 0.1 where the forecasts are calibrated."""
    pit = probability_below(measured, quantiles)
    counts = np.bincount(np.minimum((pit * BINS).astype(np.int64), BINS - 1), minlength=BINS)
    return [float(c) for c in counts / max(1, len(pit))]
