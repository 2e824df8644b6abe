import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import exposure
from twin.exposure import BLOOD_ALCOHOL, CORTISOL, DRUG_EFFECT, STOMACH_ALCOHOL
from twin.physiology.cortisol import cortisol_sensitivity

K = np.array(exposure.default_body())


def new():
    state = np.zeros(exposure.N)
    exposure.start_exposure(state, 0.0, 0.0)
    return state


def test_every_number_of_the_body_has_an_entry():
    assert tuple(exposure.PARAMETERS) == exposure.Body._fields


def test_two_drinks_rise_to_a_third_of_a_gram_and_are_gone_by_morning():
    state = new()
    exposure.take_alcohol(state, 24.0)
    levels = []
    for _ in range(96):
        exposure.advance_exposure(state, 5.0, K, 0.0, 0.0)
        levels.append(state[BLOOD_ALCOHOL])

    assert 0.30 < max(levels) < 0.45
    assert levels[-1] < 0.001


def test_alcohol_falls_by_0_15_g_per_litre_and_hour():
    state = new()
    state[BLOOD_ALCOHOL] = 2.0
    exposure.advance_exposure(state, 60.0, K, 0.0, 0.0)

    assert 2.0 - state[BLOOD_ALCOHOL] == pytest.approx(0.15, abs=0.005)


def test_alcohol_agrees_with_the_equations_in_small_steps():
    state = new()
    exposure.take_alcohol(state, 40.0)
    exposure.advance_exposure(state, 240.0, K, 0.0, 0.0)
    stomach, blood, h = 40.0, 0.0, 0.01
    for _ in range(24000):
        blood += h * (0.05 * stomach / 51.0 - 0.0025 * blood / (blood + 0.05))
        stomach -= h * 0.05 * stomach

    assert state[BLOOD_ALCOHOL] == pytest.approx(blood, abs=0.005)


@given(st.floats(0.0, 500.0), st.floats(0.0, 3000.0))
def test_no_amount_and_no_gap_leaves_a_bad_level(grams, minutes):
    state = new()
    exposure.take_alcohol(state, grams)
    exposure.advance_exposure(state, minutes, K, 1.0, 1.0)

    assert np.isfinite(state).all()
    assert (state >= 0.0).all()
    assert state[STOMACH_ALCOHOL] / 51.0 + state[BLOOD_ALCOHOL] <= grams / 51.0 + 1e-9


def test_a_drug_falls_to_a_third_in_one_time_constant():
    state = new()
    exposure.take_drug(state, 1.0)
    exposure.advance_exposure(state, 540.0, K, 0.0, 0.0)

    assert state[DRUG_EFFECT] == pytest.approx(math.exp(-1.0), rel=1e-6)
    assert exposure.beta_blockade(state, K) == pytest.approx(
        math.exp(-1.0) / (math.exp(-1.0) + 0.4), rel=1e-6
    )


def test_a_dose_a_day_blocks_about_half():
    state = new()
    blocked = []
    for hour in range(24 * 10):
        if hour % 24 == 0:
            exposure.take_drug(state, 1.0)
        exposure.advance_exposure(state, 60.0, K, 0.0, 0.0)
        blocked.append(exposure.beta_blockade(state, K))

    assert np.mean(blocked[-24:]) == pytest.approx(0.45, abs=0.1)


def test_cortisol_peaks_after_waking():
    from twin.blocks import circadian as block

    k, u = np.array(block.default_body()), np.array(block.default_inputs())
    mean, covariance, out = (
        np.zeros(block.N),
        np.zeros((block.N, block.N)),
        np.zeros(block.SEEN * block.STRIDE),
    )
    state, day = new(), []
    for tenth in range(480):
        block.start(mean, covariance, k, u, (tenth % 240) / 10)
        block.observe(np.repeat(mean, block.STRIDE), out, u, k)
        exposure.advance_exposure(state, 6.0, K, out[0], out[block.STRIDE])
        day.append(state[CORTISOL])
    day = day[240:]

    assert (int(np.argmax(day)) + 1) / 10 == pytest.approx(7.5, abs=0.4)
    assert max(day) == pytest.approx(15.0, abs=1.0)
    assert 2.0 < min(day) < 3.0
    assert np.mean(day) == pytest.approx(8.0, abs=0.5)


def test_high_cortisol_makes_insulin_weaker():
    assert cortisol_sensitivity(8.0) == 1.0
    assert cortisol_sensitivity(16.0) == pytest.approx(0.85)
