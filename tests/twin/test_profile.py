"""A profile: what it changes, how conditions combine, and how an impossible one is refused."""

import pytest

from twin.blocks import fast, metabolic
from twin.profile import Profile, ProfileError, bodies_of, profile_of

WRONG = [
    ({"height_m": 178}, "height_m", "1 to 2.5"), ({"weight_kg": -70}, "weight_kg", "20 to 400"),
    ({"age_years": "forty"}, "age_years", "number"), ({"sex": "x"}, "sex", "male, female"),
    ({"conditions": ["gout"]}, "gout", "hypertension_1"), ({"conditions": "t2d"}, "conditions", "list"),
    ({"drugs": ["aspirin"]}, "aspirin", "beta_blocker"), ({"shoe": 43}, "shoe", "weight_kg"),
    ({"parameters": {"basal_insulin": 9000}}, "basal_insulin", "5 to 400"),
    ({"parameters": {"basal_insulins": 9}}, "basal_insulins", "twin model list"), ({"schema": "profile/9"}, "profile/9", "profile/1"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "place", "allowed"), WRONG, ids=[row[1] for row in WRONG])
def test_an_impossible_profile_is_refused_with_field_and_range(fields, place, allowed):
    with pytest.raises(ProfileError) as refused:
        profile_of(fields)

    assert place in str(refused.value)
    assert allowed in str(refused.value)


def test_conditions_and_drugs_combine_in_one_person():
    bodies = bodies_of(Profile(weight_kg=100, conditions=("t2d", "hypertension_1"), drugs=("beta_blocker",)))
    heart, glucose = fast.Body(*bodies.fast), metabolic.Body(*bodies.metabolic)

    assert (heart.daily_beta_blockade, heart.prior_pressure_set_point) == (1.0, 104.0)
    assert (glucose.insulin_potency, glucose.weight) == (900.0, 100.0)
    assert heart.prior_maximal_oxygen_uptake < 30.0


def test_a_drug_named_twice_counts_once():
    twice = bodies_of(Profile(conditions=("beta_blocker",), drugs=("beta_blocker",)))

    assert (twice.fast == bodies_of(Profile(drugs=("beta_blocker",))).fast).all()


def test_a_known_parameter_replaces_the_populations():
    bodies = bodies_of(Profile(parameters={"basal_insulin": 60.0, "maximal_heart_rate": 171.0}))

    assert metabolic.Body(*bodies.metabolic).basal_insulin == 60.0
    assert fast.Body(*bodies.fast).maximal_heart_rate == 171.0
