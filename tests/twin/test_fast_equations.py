"""The organs of block F against their papers' numbers and against what must be true of any body."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.blocks import fast
from twin.physiology import circulation, energetics, heart, inflammation, respiration, thermoregulation


@pytest.mark.parametrize(
    ("pressure", "percent"), [(26.86, 50.0), (40.0, 74.95), (60.0, 90.58), (80.0, 95.73), (100.0, 97.75)]
)
def test_severinghaus(pressure, percent):
    assert respiration.saturation(pressure, 40.0, 37.0) == pytest.approx(percent, abs=0.05)


def test_a_warm_or_acid_blood_holds_less_oxygen():
    assert respiration.saturation(60.0, 40.0, 39.0) < respiration.saturation(60.0, 40.0, 37.0)
    assert respiration.saturation(60.0, 55.0, 37.0) < respiration.saturation(60.0, 40.0, 37.0)


def test_the_drive_of_carbon_dioxide_is_a_dog_leg():
    def drive(pressure):
        return respiration.chemical_drive(pressure, 39.5, 2.0, 0.0)

    assert drive(49.5) - drive(48.5) == pytest.approx(2.0, abs=1e-3)
    assert drive(30.5) - drive(29.5) == pytest.approx(0.5, abs=1e-3)
    assert drive(39.5) == pytest.approx(0.0, abs=1e-12)


def test_ventilation_stops_at_its_ceiling():
    target = 0.5 * respiration.ventilation_rate(0.0, 5.0, 0.9, 50.0, 0.0, 0.0, 0.0, 24.5, 1.3, 35.0)

    assert 34.0 < target <= 35.0


def test_surface_of_dubois_and_vapour_pressure_of_water():
    assert thermoregulation.body_surface_area(75.0, 1.78) == pytest.approx(1.928, abs=0.002)
    assert thermoregulation.vapour_pressure(20.0) == pytest.approx(17.54, abs=0.1)  # steam tables
    assert thermoregulation.vapour_pressure(37.0) == pytest.approx(47.1, abs=0.2)


@given(core=st.floats(35.0, 41.0), skin=st.floats(20.0, 39.0))
def test_skin_flow_and_share_stay_those_of_a_body(core, skin):
    flow = thermoregulation.skin_blood_flow(core, skin, 36.9, 60.0)

    assert 0.5 <= flow <= 90.5
    assert 0.04 < thermoregulation.skin_share(flow) < 0.75


@given(core=st.floats(35.0, 41.0), skin=st.floats(20.0, 39.0), more=st.floats(0.0, 2.0))
def test_a_warmer_core_never_sweats_or_shivers_the_wrong_way(core, skin, more):
    shivers = [thermoregulation.shivering(warm, skin, 36.9) for warm in (core, core + more)]
    before, after = (thermoregulation.sweating(warm, skin, 36.9, 0.1) for warm in (core, core + more))

    assert after >= before - 1e-9
    assert shivers[1] <= shivers[0] + 1e-9


@given(skin=st.floats(20.0, 40.0), sweat=st.floats(0.0, 500.0), air=st.floats(0.0, 55.0))
def test_evaporation_never_takes_more_than_the_air_can(skin, sweat, air):
    lost = thermoregulation.evaporation(skin, sweat, air, 5.0, 0.5)
    most = max(
        (thermoregulation.vapour_pressure(skin) - air) / (1 / (2.2 * 1.075 * 5.0) + 0.0775 / 0.99), 1.0
    )

    assert -1e-9 <= lost <= 0.86 * most


def test_fever_rests_where_the_specification_says():
    assert inflammation.fever_rate(2.2 / 1.35, 1.0) == pytest.approx(0.0, abs=1e-12)
    assert inflammation.infection(inflammation.LOG_QUIET_INFECTION, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert inflammation.infection_drive_rate(math.log(0.02)) == pytest.approx(0.0, abs=1e-12)


def test_energy_of_a_litre_of_oxygen():
    assert energetics.energy_expenditure(1000.0 / 75.0, 75.0) == pytest.approx(4.86)
    assert energetics.metabolic_heat(1000.0 / 75.0, 75.0) == pytest.approx(341.0)
    assert energetics.external_work(80.0, 100.0, 0.2) == 0.0


def test_blood_lost_to_thirst_lowers_the_stroke():
    full, dry = (
        circulation.stroke_volume(85.0, 1.0, 0.3, circulation.blood_volume_deviation(percent), 0.0)
        for percent in (0.0, 3.0)
    )

    assert dry / full == pytest.approx(0.955)


def test_variability_stays_readable_for_wild_heart_rates():
    for rate in (15.0, 260.0):
        assert 3.0 < heart.rmssd(rate, 62.0, 3.7, 0.0, 0.03, 0.0, 0.15) < 407.0


def test_one_point_of_the_block_in_plain_numbers():
    body, inputs = fast.default_body(), fast.default_inputs()
    mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, np.array(body), np.array(inputs))
    slopes, seen = fast.equations(fast.State(*mean.tolist()), inputs, body)

    assert len(slopes) == fast.DYNAMIC
    assert 60.0 < seen.heart_rate < 72.0
    assert max(abs(slope) for slope in slopes) < 10.0
    assert np.all(np.diag(covariance) > 0)


def test_every_state_and_parameter_is_described():
    assert len(fast.STATES) == fast.N
    assert tuple(state.name for state in fast.STATES) == fast.State._fields
    assert tuple(fast.PARAMETERS) == fast.Body._fields
    assert fast.STRIDE >= 2 * fast.N
    for name, parameter in fast.PARAMETERS.items():
        assert parameter.low <= parameter.default <= parameter.high, name
