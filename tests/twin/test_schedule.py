import pytest

from twin import schedule


@pytest.mark.parametrize(
    ("hour", "expected"), [(23.2, 0.5), (7.0, 0.5), (3.0, 1.0), (15.0, 0.0), (0.5, 0.96), (9.0, 0.0)]
)
def test_sleeps_from_2312_to_7(hour, expected):
    assert schedule.asleep_probability(hour) == pytest.approx(expected, abs=0.02)


def test_the_clock_has_no_seam_at_midnight():
    assert schedule.asleep_probability(23.999) == pytest.approx(schedule.asleep_probability(0.0), abs=1e-3)


@pytest.mark.parametrize(("hour", "asleep", "lux"), [(12.0, 0.0, 300.0), (20.0, 0.0, 50.0), (3.0, 1.0, 0.0)])
def test_light_follows_the_day(hour, asleep, lux):
    assert schedule.light_at_eye(hour, asleep) == lux


def test_bed_is_cooler_and_covered():
    assert (schedule.ambient_temperature(0.0), schedule.ambient_temperature(1.0)) == (24.0, 20.0)
    assert (schedule.clothing(0.0), schedule.clothing(1.0)) == (0.7, 2.2)
    assert [
        schedule.site_temperature(room, asleep)
        for room, asleep in ((24.0, 0.0), (24.0, 1.0), (18.0, 0.0), (18.0, 1.0))
    ] == [24.0, 31.5, 18.0, 31.5]
    assert (schedule.resting_demand(0.0), schedule.resting_demand(1.0)) == (1.3, 0.95)
    assert (schedule.usual_posture(0.0), schedule.usual_posture(1.0)) == (0.3, 0.0)
