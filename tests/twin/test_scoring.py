import numpy as np
import pytest
from scipy.stats import norm

from twin.scoring import bootstrap, episodes, errors, grids, whiteness

STEP = 300.0


def normal_quantiles(mean, sd):
    return np.asarray(mean)[:, None] + np.asarray(sd)[:, None] * np.array(errors.Z)


def test_scores_of_three_known_forecasts():
    y, m = np.array([100.0, 110.0, 90.0]), np.array([103.0, 106.0, 90.0])
    found = errors.scores(y, m, normal_quantiles(m, np.full(3, 4.0)), np.full(3, 4.0))

    assert found["rmse"] == pytest.approx(np.sqrt(25 / 3))
    assert found["mae"] == pytest.approx(7 / 3)
    assert found["bias"] == pytest.approx(-1 / 3)
    assert found["nis"] == pytest.approx((9 / 16 + 1.0) / 3)
    assert found["coverage_50"] == pytest.approx(1 / 3), "3 and 4 are outside .674 x 4"
    assert found["coverage_90"] == 1.0


def test_pinball_by_hand():
    quantiles = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])

    # y = 3.5: above q05, q25, q50 by 2.5, 1.5, .5; below q75, q95 by .5, 1.5.
    expected = (0.05 * 2.5 + 0.25 * 1.5 + 0.5 * 0.5 + 0.25 * 0.5 + 0.05 * 1.5) / 5
    assert errors.pinball(np.array([3.5]), quantiles)[0] == pytest.approx(expected)


def test_crps_of_a_normal_is_the_integral_of_the_squared_step():
    grid = np.linspace(60.0, 180.0, 200_001)
    step = (grid >= 131.0).astype(float)
    integral = np.trapezoid((norm.cdf(grid, 120.0, 8.0) - step) ** 2, grid)

    assert errors.crps_normal(np.array([131.0]), np.array([120.0]), np.array([8.0]))[0] == pytest.approx(
        integral, abs=1e-3
    )


def test_probability_below_is_exact_for_a_normal_and_the_histogram_flat():
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(120, 20, 50_000), rng.uniform(5, 30, 50_000)
    q = normal_quantiles(mean, sd)
    limit = rng.normal(mean, sd)

    np.testing.assert_allclose(errors.probability_below(limit, q), norm.cdf(limit, mean, sd), atol=1e-9)
    np.testing.assert_allclose(errors.pit_histogram(limit, q), 0.1, atol=0.006)
    narrow = errors.pit_histogram(limit, normal_quantiles(mean, sd / 2))
    assert narrow[0] > 0.18 and narrow[4] < 0.09, "bands of half the width put the readings in the outer bins"


# The risk function of Klonoff et al. 2024, from which the borders were drawn: an independent statement of the grid.
def dts_risk_zone(reference, monitor):
    r, m = np.maximum(reference, 50.0), np.maximum(monitor, 50.0)
    risk = np.where(m > r, 2.75, 2.25) * np.abs(np.log(m / r))
    return np.searchsorted([0.5, 1.5, 2.5, 3.5], risk, side="left")


def test_dts_zones_agree_with_the_risk_function_off_the_borders():
    r, m = (a.ravel() for a in np.meshgrid(np.arange(20.0, 500.0, 3.0), np.arange(20.0, 500.0, 3.0)))
    zones = grids.dts_zones(r, m)
    nearby = [dts_risk_zone(r + a, m + b) for a in (-2.5, 0, 2.5) for b in (-2.5, 0, 2.5)]
    steady = np.ptp(np.array(nearby), axis=0) == 0

    assert steady.mean() > 0.85
    np.testing.assert_array_equal(zones[steady], dts_risk_zone(r, m)[steady])


@pytest.mark.parametrize(("reference", "monitor", "zone"), [
    (62.5, 50, "A"), (600, 480, "A"), (600, 479, "B"), (50, 60, "A"), (50, 61, "B"), (347, 600, "B"), (341, 600, "C"),
    (240, 600, "D"), (160, 600, "E"), (600, 126, "D"), (600, 125, "E"), (100, 130, "B"), (30, 45, "A"), (200, 10, "D"),
])  # fmt: skip
def test_dts_vertices_of_table_a1(reference, monitor, zone):
    found = grids.dts_zones(np.array([float(reference)]), np.array([float(monitor)]))[0]

    assert grids.ZONES[found] == zone


@pytest.mark.parametrize(("reference", "monitor", "zone"), [
    (100, 119, "A"), (50, 65, "A"), (100, 130, "B"), (100, 215, "C"), (160, 30, "C"), (60, 100, "D"), (300, 150, "D"),
    (60, 200, "E"), (250, 60, "E"), (300, 230, "B"), (150, 200, "B"), (150, 261, "C"),
])  # fmt: skip
def test_clarke_zones(reference, monitor, zone):
    found = grids.clarke_zones(np.array([float(reference)]), np.array([float(monitor)]))[0]

    assert grids.ZONES[found] == zone


def test_intervals_draw_people_and_repeat():
    squares, counts = np.array([100.0, 400.0, 900.0]), np.array([10.0, 10.0, 10.0])
    low, high = bootstrap.rmse_interval(squares, counts)

    assert low == pytest.approx(np.sqrt(10.0)) and high == pytest.approx(np.sqrt(90.0)), (
        "one person drawn three times"
    )
    assert bootstrap.rmse_interval(squares, counts) == (low, high)
    assert bootstrap.rmse_interval(squares[:1], counts[:1]) is None, "one person tells nothing of others"
    same = bootstrap.change_interval(squares * 0.81, squares)
    assert same == pytest.approx((-10.0, -10.0)), "10 % better for everybody has no spread"


def test_many_people_give_the_interval_of_the_normal_law():
    values = np.random.default_rng(3).normal(10.0, 2.0, 400)
    low, high = bootstrap.ratio_interval(values, np.ones(400))

    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20.0, rel=0.1)


def test_ljung_box_by_hand_and_as_a_test():
    z = np.array([1.0, -1.0, 1.0, -1.0])
    statistic, _ = whiteness.ljung_box(z, 1)
    assert statistic == pytest.approx(4 * 6 * (0.75**2) / 3)

    rng = np.random.default_rng(0)
    chances = [whiteness.ljung_box(rng.normal(size=500))[1] for _ in range(400)]
    assert 0.02 < np.mean(np.array(chances) < 0.05) < 0.09, "white noise is rejected one time in twenty"
    walk = np.convolve(rng.normal(size=500), [1.0, 0.5])
    assert whiteness.ljung_box(walk)[1] < 1e-6


def test_nis_interval_is_that_of_the_chi_square():
    found = whiteness.nis(np.full(10, 2.0))

    assert found["nis"] == pytest.approx(4.0)
    assert (found["expected_low"], found["expected_high"]) == pytest.approx((0.3247, 2.0483), abs=1e-4)


def low_at(*spans, length=60):
    values = np.full(length, 120.0)
    for start, count in spans:
        values[start : start + count] = 60.0
    return np.arange(length) * STEP, values


def test_an_episode_needs_15_minutes_low_after_30_high():
    times, values = low_at((10, 3), (15, 4), (30, 2), (45, 5))

    # 15 has only two readings above before it, 30 lasts ten minutes.
    np.testing.assert_array_equal(episodes.onsets(times, values, STEP), [10 * STEP, 45 * STEP])


def test_a_gap_ends_a_run():
    times, values = low_at((10, 3))
    times = np.where(np.arange(60) >= 11, times + 1200.0, times)

    assert len(episodes.onsets(times, values, STEP)) == 0


def test_an_alarm_fires_on_the_edge_rests_and_is_silent_when_low():
    times, values = low_at((20, 4))
    condition = np.zeros(60, dtype=bool)
    condition[[2, 3, 5, 8, 9, 21]] = True

    fired = episodes.alarms(times, values, condition, STEP)
    np.testing.assert_array_equal(fired / STEP, [2, 8])


def test_tally_counts_hits_false_alarms_leads_and_placebo():
    times, values = low_at((30, 4), length=120)
    fired = np.array([5.0, 24.0, 90.0]) * STEP
    found = episodes.tally(times, values, fired, STEP)

    assert (found.episodes, found.caught, found.alarms, found.true_alarms, found.warned_15) == (1, 1, 3, 1, 1)
    assert found.leads_min == (30.0,)
    # Quiet windows of nine readings: 0-8, 9-17 (ends 13 before the onset); and from 43 on: 48 or so to 119.
    assert found.windows_hit == 2
    assert found.windows >= 9
    late = episodes.tally(times, values, np.array([31.0]) * STEP, STEP)
    assert late.caught == 0 and late.true_alarms == 0, "an alarm after the beginning warns of nothing"


def test_rates_divide_sums_and_say_when_there_is_nothing():
    one = episodes.Tally(4, 3, 1, 10, 3, 20, 5, 2.0, (5.0, 10.0, 30.0))
    found = episodes.rates([one, episodes.Tally(0, 0, 0, 0, 0, 0, 0, 2.0, ())])

    assert found["sensitivity"] == 0.75 and found["ppv"] == pytest.approx(0.3)
    assert (
        found["false_per_day"] == pytest.approx(7 / 4)
        and found["placebo"] == 0.25
        and found["lead_min"] == 10.0
    )
    assert episodes.rates([episodes.Tally(0, 0, 0, 0, 0, 0, 0, 1.0, ())])["sensitivity"] is None
