"""The full meal model gives the rows "full Dalla Man" of the specification's section 12.8, and rests at its basal."""

import numpy as np
import pytest

from tests.twin.references.dalla_man import NORMAL, TYPE_2, basal, rates, swallow

SUBJECTS = {"normal": NORMAL, "type 2": TYPE_2}
GLUCOSE = {  # mg/dL at minute, after 75 g of glucose drunk within 5 minutes
    "normal": {0: 92, 30: 151, 60: 162, 90: 147, 120: 122, 180: 91},
    "type 2": {0: 164, 30: 219, 60: 263, 90: 282, 120: 284, 180: 250},
}
PEAK = {"normal": (162, 54), "type 2": (285, 109)}
INSULIN = {
    "normal": {0: 26, 30: 229, 60: 229, 120: 203},
    "type 2": {0: 57, 30: 142, 60: 142, 120: 205},
}  # pmol/L
COURSES = {name: swallow(subject) for name, subject in SUBJECTS.items()}


@pytest.mark.parametrize(
    ("name", "minute", "expected"), [(n, m, g) for n in GLUCOSE for m, g in GLUCOSE[n].items()]
)
def test_glucose_after_75_g(name, minute, expected):
    assert COURSES[name].glucose[minute] == pytest.approx(expected, abs=3.0)


@pytest.mark.parametrize("name", PEAK)
def test_peak_of_glucose(name):
    height, minute = PEAK[name]
    glucose = COURSES[name].glucose

    assert glucose.max() == pytest.approx(height, abs=3.0)
    assert glucose.argmax() == pytest.approx(minute, abs=3)


@pytest.mark.parametrize(
    ("name", "minute", "expected"), [(n, m, i) for n in INSULIN for m, i in INSULIN[n].items()]
)
def test_insulin_after_75_g(name, minute, expected):
    assert COURSES[name].insulin[minute] == pytest.approx(expected, rel=0.10)


@pytest.mark.parametrize(("name", "velocity"), [("normal", 2.50), ("type 2", 4.65)])
def test_the_basal_velocity_is_the_papers(name, velocity):
    assert basal(SUBJECTS[name])[2] == pytest.approx(velocity, rel=0.01)


@pytest.mark.parametrize("name", SUBJECTS)
def test_rests_at_basal(name):
    state, secretion, vm0 = basal(SUBJECTS[name])

    np.testing.assert_allclose(rates(SUBJECTS[name], state, 0.0, 0.0, 0.0, secretion, vm0), 0.0, atol=1e-9)


@pytest.mark.parametrize("liquid", [0.0, 1.0])
def test_what_is_swallowed_appears(liquid):
    course = swallow(NORMAL, liquid=liquid, until_minutes=1440.0)

    appeared = np.trapezoid(course.appearance, course.minutes) * NORMAL.weight
    assert appeared == pytest.approx(0.90 * 75_000.0, rel=0.005)


def test_solids_come_later_than_a_drink():
    assert swallow(NORMAL, liquid=0.0).glucose[30] < COURSES["normal"].glucose[30] - 10.0
