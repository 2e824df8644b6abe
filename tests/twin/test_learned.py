import math

import numpy as np
import pytest
from scipy.linalg import expm

from twin.learned import adapt, causes, glucose, linear, person
from twin.learned import glucose_slot as s_
from twin.learned.inputs import INPUTS, NAMES
from twin.learned.network import layers_for, run
from twin.learned.observe import AHEAD_MIN
from twin.learned.weights import load, nothing

START_S = 1.7e9
WEIGHTS = load().glucose


def forecasts(times, values, weights=WEIGHTS):
    n = len(times)
    slot, issued, lows = np.zeros(s_.SIZE), np.zeros((n, s_.HORIZONS, 6)), np.zeros((n, glucose.SAID))
    glucose.series(
        slot, weights, times, values, 0.0, np.zeros((n, s_.CAUSES)), glucose.bench_for(weights), issued, lows
    )
    return slot, issued, lows


def wave(n, step_s=300.0, seed=0):
    rng = np.random.default_rng(seed)
    times = START_S + step_s * np.arange(n)
    slow = np.cumsum(rng.normal(0.0, 1.0, n)) * 0.02
    return times, 130.0 + 45.0 * np.sin(times / 7000.0 + slow) + rng.normal(0.0, 2.0, n)


def test_what_is_known_of_a_person_fits_4_kb():
    assert 8 * s_.SIZE <= 4096


def continuous(minute, level):
    """Drift and noise of the linear filter per minute; the rhythm frozen at a time of day."""
    w = linear.OMEGA * minute
    drift = np.zeros((linear.N, linear.N))
    drift[0, :3] = -1.0 / linear.TAU_G, 1.0, 1.0
    drift[0, 3:] = np.array([1.0, math.cos(w), math.sin(w), math.cos(2 * w), math.sin(2 * w)]) / linear.TAU_G
    drift[1, 1], drift[2, 2] = -1.0 / linear.TAU_1, -1.0 / linear.TAU_2
    noise = np.diag([linear.Q_G**2, linear.Q_1**2, linear.Q_2**2, 0.0, 0.0, 0.0, 0.0, 0.0]) * level
    return drift, noise


def test_the_linear_filter_moves_as_its_equations_do():
    mean = np.array([140.0, 1.0, 0.5, 140.0, 5.0, -3.0, 2.0, 1.0])
    rng = np.random.default_rng(1)
    root = rng.normal(size=(8, 8))
    covariance = root @ root.T
    expected, spread = mean.copy(), covariance.copy()
    steps = 2000
    for k in range(steps):  # 20 min in small exact pieces, van Loan for the noise of each
        drift, noise = continuous(300.0 + 20.0 * (k + 0.5) / steps, 1.0)
        dt = 20.0 / steps
        whole = expm(np.block([[-drift, noise], [np.zeros((8, 8)), drift.T]]) * dt)
        f = whole[8:, 8:].T
        expected, spread = f @ expected, f @ spread @ f.T + f @ whole[:8, 8:]
    days = 20.0 / 1440.0
    spread[3, 3] += linear.Q_MU**2 * days
    spread[range(4, 8), range(4, 8)] += (linear.CIRCADIAN_DRIFT * linear.CIRCADIAN_SD) ** 2 * days
    linear.move(mean, covariance, 300.0, 20.0, 1.0, np.zeros(8), np.zeros((8, 8)))

    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_allclose(covariance, spread, rtol=1e-5, atol=1e-6)


def test_a_forecast_of_the_filter_is_its_move_and_the_noise_of_a_reading():
    mean, covariance = np.zeros(8), np.zeros((8, 8))
    linear.start(mean, covariance, 140.0)
    mean[1], out = 1.5, np.zeros(2)
    linear.ahead(mean, covariance, 60.0, 30.0, 1.3, np.zeros(8), out)
    linear.move(mean, covariance, 60.0, 30.0, 1.3, np.zeros(8), np.zeros((8, 8)))
    drift = linear.Q_MU**2 * 30.0 / 1440.0  # the slow drift of mu does not reach g within the hour

    assert out[0] == pytest.approx(mean[0])
    assert out[1] ** 2 == pytest.approx(covariance[0, 0] + linear.noise_of(mean[0]), abs=drift)


def test_a_value_ago_lies_between_two_near_readings_and_is_unknown_in_a_gap():
    slot, _, _ = forecasts(
        START_S + 60.0 * np.array([0, 5, 10, 60, 65.0]), np.array([100, 110, 120, 150, 160.0])
    )
    singles = slot[s_.SINGLES :].view(np.float32)
    at = lambda minutes: person.value_ago(singles, int(slot[s_.NEWEST]), 5, minutes)  # noqa: E731

    assert (at(5.0), at(2.5), at(60.0)) == (150.0, 155.0, 110.0)
    assert math.isnan(at(30.0))


def test_the_step_of_a_sensor_is_found_through_lost_readings_and_jitter():
    rng = np.random.default_rng(3)
    times, values = wave(600)
    kept = rng.random(600) > 0.3
    slow = START_S + 60.0 * np.cumsum(rng.choice([14.0, 15.0, 16.0], 400))

    assert forecasts(times[kept], values[kept])[0][s_.STEP_MIN] == pytest.approx(5.0, abs=0.5)
    assert forecasts(slow, np.full(400, 120.0))[0][s_.STEP_MIN] == pytest.approx(15.0, abs=0.6)


def test_gains_are_those_of_bayesian_least_squares():
    """A known answer: prior N(0, P0), errors of variance R, no forgetting."""
    rng = np.random.default_rng(5)
    singles, slot = np.zeros(s_.FLOATS, dtype=np.float32), np.zeros(s_.SIZE)
    adapt.start(slot, singles, np.zeros((s_.HORIZONS, s_.CAUSES), dtype=np.float32))
    phi = rng.normal(size=(300, s_.TERMS)).clip(-2, 2).astype(np.float32)
    error = phi @ rng.normal(0.0, 0.05, s_.TERMS) + rng.normal(0.0, 0.4, 300)
    h, horizon = 2, 60.0
    for row, e in zip(phi, error, strict=True):
        entry = np.zeros(s_.ENTRY, dtype=np.float32)
        entry[s_.OPEN_TERMS : s_.OPEN_TERMS + s_.TERMS] = row
        at = s_.OPEN_ISSUED + h * s_.ISSUED
        entry[at + s_.POPULATION], entry[at + s_.SPREAD] = 100.0, 10.0
        adapt.learn_one(singles, entry, h, 100.0 + 10.0 * e, 5.0, np.zeros(s_.TERMS))
    prior = np.r_[np.full(1 + s_.PROJECTED, adapt.PRIOR_HIDDEN), np.full(s_.CAUSES, adapt.PRIOR_CAUSES)]
    overlap = horizon / s_.OPEN_EVERY_MIN
    exact = np.linalg.solve(phi.T @ phi / overlap + np.diag(1.0 / prior), phi.T @ error / overlap)
    found = singles[s_.GAINS + h * s_.TERMS : s_.GAINS + (h + 1) * s_.TERMS]

    np.testing.assert_allclose(found, exact, atol=2e-4)


def test_a_person_who_differs_is_learned_and_one_who_does_not_loses_nothing():
    """The population's network set to zero: a person with a trend of their own leaves errors that can be learned."""
    offset = WEIGHTS.corrections.offset.copy()
    offset[::6] -= 0.5
    biased = WEIGHTS._replace(corrections=WEIGHTS.corrections._replace(offset=offset), identity=9.0)
    times, values = wave(4000)

    def error(weights):
        late = slice(2000, 4000 - 12)
        return np.sqrt(np.mean((forecasts(times, values, weights)[1][late, 2, 0] - values[2012:]) ** 2))

    def untaught(weights):
        still = np.zeros_like(weights.projection)
        return error(
            weights._replace(projection=still, middle=weights.middle * 0, identity=weights.identity + 1)
        )

    assert error(biased) < 1.05 * error(WEIGHTS)
    assert error(WEIGHTS) < 1.01 * untaught(WEIGHTS)


def test_a_correction_that_loses_is_switched_off():
    singles = np.zeros(s_.FLOATS, dtype=np.float32)
    entry = np.zeros(s_.ENTRY, dtype=np.float32)
    at = s_.OPEN_ISSUED
    for k in range(200):
        entry[at + s_.POPULATION], entry[at + s_.SPREAD], entry[at + s_.CORRECTION] = 100.0, 10.0, 1.0
        adapt.learn_one(singles, entry, 0, 100.0 + (-1) ** k, 5.0, np.zeros(s_.TERMS))

    assert adapt.trusted(singles, 0, adapt.TOLD_PROOF) < 0.01
    assert adapt.trusted(singles, 0, adapt.OWN_PROOF) < adapt.trusted(singles, 0, adapt.TOLD_PROOF)


def test_quantiles_find_their_level_for_each_person():
    rng = np.random.default_rng(2)
    singles = np.zeros(s_.FLOATS, dtype=np.float32)
    at, below = s_.OPEN_ISSUED, []
    for _ in range(6000):
        entry = np.zeros(s_.ENTRY, dtype=np.float32)
        entry[at + s_.POPULATION], entry[at + s_.SPREAD] = 100.0, 10.0
        shifts = singles[s_.SHIFTS : s_.SHIFTS + 5]
        entry[at + s_.QUANTILES : at + s_.QUANTILES + 5] = 100.0 + 10.0 * (
            np.array([-1.0, -0.3, 0.0, 0.3, 1.0]) + shifts
        )
        y = 100.0 + 10.0 * rng.normal(0.4, 1.0)
        below.append(y < entry[at + s_.QUANTILES : at + s_.QUANTILES + 5])
        adapt.learn_one(singles, entry, 0, y, 5.0, np.zeros(s_.TERMS))

    np.testing.assert_allclose(np.mean(below[2000:], axis=0), adapt.LEVELS, atol=0.02)


def test_bands_in_a_low_find_their_width_for_each_person():
    """A band too narrow by half: tracked towards a half inside, by the lows alone."""
    rng = np.random.default_rng(3)
    slot, inside = np.zeros(s_.SIZE), []
    at = s_.OPEN_ISSUED + s_.QUANTILES
    for k in range(4000):
        entry = np.zeros(s_.ENTRY, dtype=np.float32)
        wide = 3.4 * math.exp(slot[s_.LOW_WIDTH])
        entry[at : at + 5] = 65.0 + wide * np.array([-2.4, -1.0, 0.0, 1.0, 2.4])
        y = 65.0 + rng.normal(0.0, 10.0)
        then = 65.0 if k % 2 else 120.0
        before = slot[s_.LOW_WIDTH]
        adapt.follow_width(slot, entry, 0, y, then)
        if then > 70.0:
            assert slot[s_.LOW_WIDTH] == before
        inside.append(entry[at + 1] <= y <= entry[at + 3])

    assert np.mean(inside[:100]) < 0.4
    assert np.mean(inside[1000:]) == pytest.approx(0.5, abs=0.03)


def test_in_a_low_the_band_issued_is_the_tracked_one_and_elsewhere_it_is_not():
    times, values = wave(600)
    plain, wide = np.zeros(s_.SIZE), np.zeros(s_.SIZE)
    bench = glucose.bench_for(WEIGHTS)

    def band(slot, value):
        glucose.learn_and_issue(
            slot, WEIGHTS, times[-1] + 300.0, 0.0, value, np.zeros(s_.CAUSES), bench, np.zeros(glucose.SAID)
        )
        return bench.issued[1].copy()

    for slot in (plain, wide):
        for t, v in zip(times, values, strict=True):
            glucose.learn_and_issue(
                slot, WEIGHTS, t, 0.0, v, np.zeros(s_.CAUSES), bench, np.zeros(glucose.SAID)
            )
        slot[s_.LOW_WIDTH] = 0.0
    wide[s_.LOW_WIDTH] = 0.4
    narrow_low, wide_low = band(plain.copy(), 60.0), band(wide.copy(), 60.0)
    grew = (wide_low[4] - wide_low[2]) / (narrow_low[4] - narrow_low[2])

    assert grew == pytest.approx(math.exp(0.4), rel=0.05)
    np.testing.assert_array_equal(band(plain.copy(), 150.0), band(wide.copy(), 150.0))


def test_two_sensors_at_once_do_not_let_the_own_part_run_away():
    """Readings that jump between two sensors make s_h huge; what is the person's own counts less then."""
    phi, own = np.zeros(s_.TERMS, dtype=np.float32), np.ones(len(WEIGHTS.middle), dtype=np.float32)
    calm = phi.copy()
    adapt.terms(WEIGHTS, own, np.ones(s_.CAUSES), 1.0, 1.0, calm)
    adapt.terms(WEIGHTS, own, np.ones(s_.CAUSES), 1.0, 0.2, phi)

    np.testing.assert_allclose(phi[: 1 + s_.PROJECTED], 0.2 * calm[: 1 + s_.PROJECTED], rtol=1e-6)
    np.testing.assert_array_equal(phi[1 + s_.PROJECTED :], calm[1 + s_.PROJECTED :])


def test_targets_are_consumed_once_and_what_has_passed_is_closed():
    times, values = wave(200)
    slot, _, _ = forecasts(times, values)
    singles = slot[s_.SINGLES :].view(np.float32)
    entries = singles[s_.OPEN : s_.OPEN + s_.ENTRIES * s_.ENTRY].reshape(s_.ENTRIES, s_.ENTRY)
    spread = entries[:, s_.OPEN_ISSUED + s_.SPREAD :: s_.ISSUED][:, : s_.HORIZONS]
    age = (times[-1] - slot[s_.FIRST_S]) / 60.0 - entries[:, s_.OPENED_MIN]

    np.testing.assert_array_equal(spread > 0.0, age[:, None] < AHEAD_MIN)


def test_any_horizon_has_a_distribution_that_joins_the_learned_ones():
    times, values = wave(900)
    bench, slot = glucose.bench_for(WEIGHTS), np.zeros(s_.SIZE)
    lows = np.zeros(glucose.SAID)
    for t, v in zip(times, values, strict=True):
        glucose.learn_and_issue(slot, WEIGHTS, t, 0.0, v, np.zeros(s_.CAUSES), bench, lows)
    out = np.zeros((4, glucose.OUT))
    for row, minutes in zip(out, (5.0, 30.0, 30.0001, 45.0), strict=True):
        glucose.forecast_at(slot, times[-1], 0.0, minutes, bench, bench.row, row)

    np.testing.assert_array_equal(out[1, [0, 2, 3, 4, 5, 6]], bench.issued[1])
    np.testing.assert_allclose(out[1], out[2], atol=0.01)
    assert (np.diff(out[:, 2:], axis=1) >= 0.0).all()
    assert out[0, 1] < out[1, 1] < out[3, 1]


def test_what_is_not_known_is_the_training_mean():
    x = WEIGHTS.corrections.centre.astype(np.float64)
    known, unknown = layers_for(WEIGHTS.corrections), layers_for(WEIGHTS.corrections)
    run(WEIGHTS.corrections, x, known)
    run(WEIGHTS.corrections, np.full(INPUTS, np.nan), unknown)

    np.testing.assert_allclose(known.outputs, unknown.outputs, atol=1e-5)
    assert len(NAMES) == len(set(NAMES))


def test_a_meal_is_absorbed_whole_and_a_basal_rate_is_at_rest():
    slot = np.zeros(s_.SIZE)
    causes.move_causes(slot, START_S, 1.2, 0.0)
    causes.eat_grams(slot, 50.0)
    assert causes.absorbed_within(slot[s_.STOMACH], slot[s_.GUT], 1e4) == pytest.approx(50.0)
    told = np.zeros(s_.CAUSES)
    causes.causes_now(slot, 1.2, told)
    soon = told[0]
    causes.move_causes(slot, START_S + 8 * 3600.0, 1.2, 0.0)
    causes.causes_now(slot, 1.2, told)

    assert soon > 0.5 > abs(told[0])
    np.testing.assert_allclose(told[2:], 0.0, atol=1e-6)


def test_the_trend_of_a_slow_sensor_is_its_autoregression_where_its_hour_is_whole():
    times, values = wave(60, 900.0)
    _, _, lows = forecasts(times, values)
    trend = WEIGHTS.slow_trend.astype(np.float64)
    hour = np.stack([values[3 - k : 60 - k] for k in range(4)], axis=1)

    np.testing.assert_allclose(lows[3:, glucose.TREND], hour @ trend[:4] + trend[4], atol=1e-3)
    assert 0.9 < trend[:4].sum() + trend[4] / 130.0 < 1.1, "a level stays near itself"
    holed = np.delete(np.arange(60), 40)
    _, _, lows = forecasts(times[holed], values[holed])
    gapless = hour[40 - 3 + 1 : 40 - 3 + 4]  # the three readings after the hole: their hours are not whole
    assert (np.abs(lows[40:43, glucose.TREND] - (gapless @ trend[:4] + trend[4])) > 0.01).all()


def test_the_trend_of_a_quick_sensor_is_the_filters():
    times, values = wave(60)
    slot, bench, said = np.zeros(s_.SIZE), glucose.bench_for(WEIGHTS), np.zeros(glucose.SAID)
    for now, value in zip(times, values, strict=True):
        glucose.learn_and_issue(slot, WEIGHTS, now, 0.0, value, np.zeros(s_.CAUSES), bench, said)
        assert said[glucose.TREND] == bench.room.base[s_.HALF_HOUR, 0]


def test_causes_count_half_in_one_who_injects():
    times, values = wave(30)
    told, phi = np.array([0.3, 0.2, 0.0, 0.0, 0.1]), []
    for usual in (0.0, 1e-9):
        slot, bench, said = np.zeros(s_.SIZE), glucose.bench_for(WEIGHTS), np.zeros(glucose.SAID)
        slot[s_.ACTION_USUAL] = usual
        for now, value in zip(times, values, strict=True):
            glucose.learn_and_issue(slot, WEIGHTS, now, 0.0, value, told, bench, said)
        phi.append(bench.phi.copy())

    first = 1 + s_.PROJECTED
    np.testing.assert_allclose(phi[1][first:], glucose.DOSED * phi[0][first:], rtol=1e-6)
    np.testing.assert_array_equal(phi[1][:first], phi[0][:first])
    assert (WEIGHTS.gains[:, 2:] == 0.0).all(), "a bolus tells of a meal as much as it lowers"


def test_the_slot_holds_no_bits_that_two_float32_must_not_have():
    times, values = wave(500)
    values[100:110] = 39.0
    slot, issued, lows = forecasts(np.delete(times, slice(200, 260)), np.delete(values, slice(200, 260)))

    assert np.isfinite(slot).all()
    assert np.isfinite(issued).all()
    chances = lows[:, : glucose.LOWS]
    assert ((chances >= 0.0) & (chances <= 1.0)).all()
    assert np.isfinite(lows[:, glucose.TREND]).all()
    assert nothing().glucose.identity == 0.0
