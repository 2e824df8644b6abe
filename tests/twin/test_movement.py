import pytest

from twin.physiology import movement
from twin.physiology.blood_pressure_ageing import projected_pressure
from twin.physiology.body_composition import initial_fat_percent
from twin.physiology.fitness import training_impulse_rate
from twin.physiology.sleep import next_sleep_state, sleep_debt_factor


def test_walking_and_running_are_the_acsm_equations():
    assert movement.walking_uptake(80.0, 0.05) == pytest.approx(8.0 + 7.2 + 3.5)
    assert movement.running_uptake(200.0, 0.0) == pytest.approx(43.5)
    assert movement.moving_uptake(70.0, 0.0) == pytest.approx(10.5, abs=0.1)
    assert movement.moving_uptake(200.0, 0.0) == pytest.approx(43.5, abs=0.1)


def test_cycling_and_stepping_are_the_acsm_equations():
    assert movement.cycling_uptake(150.0, 75.0) == pytest.approx(28.6)
    assert movement.stepping_uptake(30.0, 0.2) == pytest.approx(6.0 + 1.33 * 1.8 * 0.2 * 30 + 3.5)


def test_cadence_says_nothing_above_140():
    assert movement.demand_of_cadence(180.0) == movement.demand_of_cadence(140.0)


def test_counts_meet_their_anchors():
    assert 2.0 < movement.demand_of_counts(1000.0, 1.0) < 3.0
    assert 4.0 < movement.demand_of_counts(3000.0, 1.0) < 5.0
    assert movement.demand_of_counts(5600.0, 1.0) > 6.0


def test_an_hour_of_hard_training_is_about_a_hundred_trimp():
    assert 60.0 * training_impulse_rate(0.75, 1.0) == pytest.approx(60 * 0.75 * 0.64 * 4.2207, rel=1e-3)
    assert 60.0 * training_impulse_rate(0.75, 0.0) == pytest.approx(60 * 0.75 * 0.86 * 3.4991, rel=1e-3)


def test_sitting_is_no_training():
    assert 960.0 * training_impulse_rate(0.03, 1.0) < 0.5


def test_fat_of_the_default_man_is_a_quarter_to_a_fifth():
    assert initial_fat_percent(75.0, 1.78, 40.0, 1.0) == pytest.approx(
        0.14 * 40 + 37.31 * 3.1643 - 103.94, abs=0.05
    )
    assert initial_fat_percent(75.0, 1.78, 40.0, 0.0) > initial_fat_percent(75.0, 1.78, 40.0, 1.0)


def test_pressure_of_the_mean_person_rises_by_the_slopes():
    assert projected_pressure(117.86, 75.85, 30.0, 10.0) == pytest.approx(
        (121.94, 75.85 + 9.26 - 0.00915 * 700)
    )
    assert projected_pressure(117.86, 75.85, 30.0, 0.0, 2.0) == pytest.approx((97.86, 70.85))


def test_sleep_switches_only_beyond_its_threshold():
    assert next_sleep_state(13.6, 0.0, asleep=False)
    assert not next_sleep_state(13.4, 0.0, asleep=False)
    assert next_sleep_state(12.6, 0.0, asleep=True)
    assert not next_sleep_state(12.4, 0.0, asleep=True)


def test_short_nights_cost_a_fifth_of_insulin_sensitivity():
    assert sleep_debt_factor(5.0) == pytest.approx(0.8, abs=0.01)
    assert sleep_debt_factor(7.5) == pytest.approx(1.0, abs=0.01)
