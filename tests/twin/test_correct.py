"""Several observations from one draw, against the Kalman filter's matrices."""

import numpy as np
import pytest

from twin.filter.correct import GATE, correct_together
from twin.filter.points import draw

N, M, STRIDE = 4, 3, 8


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    root, h = rng.standard_normal((N, N)), rng.standard_normal((M, N))
    return rng.standard_normal(N), root @ root.T + np.eye(N), h, np.array([0.5, 1.0, 2.0])


def together(mean, covariance, h, values, noises):
    """The update; returns how many were downweighted, and the innovations."""
    factor, points = np.zeros((N, N)), np.zeros(N * STRIDE)
    draw(mean, covariance, factor, points, STRIDE)
    seen, surprises = h @ points.reshape(N, STRIDE), np.zeros(M)
    count = correct_together(
        factor, seen, values, noises, mean, covariance, np.zeros((M, N)), np.zeros((M, M)), surprises
    )
    return count, surprises


def kalman(mean, p, h, values, noises):
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + np.diag(noises))
    return mean + gain @ (values - h @ mean), p - gain @ h @ p


def test_is_the_kalman_filters_update_by_all_at_once(case):
    mean, p, h, noises = case
    values = h @ mean + 0.1
    expected = kalman(mean, p, h, values, noises)
    count, _ = together(mean, p, h, values, noises)

    assert count == 0
    np.testing.assert_allclose(mean, expected[0], rtol=1e-7)
    np.testing.assert_allclose(p, expected[1], atol=1e-7)
    np.testing.assert_array_equal(p, p.T)


def test_one_that_is_far_off_counts_less_and_one_that_is_no_number_not_at_all(case):
    mean, p, h, noises = case
    values = h @ mean + np.array([1000.0, np.nan, 0.0])
    spread = np.sqrt(h[0] @ p @ h[0] + noises[0])
    inflated = noises[0] + (1000.0**2 / GATE**2 - spread**2)
    expected = kalman(mean, p, h[[0, 2]], values[[0, 2]], np.array([inflated, noises[2]]))
    count, surprises = together(mean, p, h, values, noises)

    assert count == 1
    assert surprises[0] == pytest.approx(1000.0 / spread, rel=1e-7)
    assert np.isnan(surprises[1])
    np.testing.assert_allclose(mean, expected[0], rtol=1e-6)
    np.testing.assert_allclose(p, expected[1], atol=1e-6)
