"""Block F in a filter: a simulated person's parameters are found, and an infection that nobody declared."""

import math

import numpy as np
import pytest
from numba.core import config

from twin.blocks import fast
from twin.checkpoints.fast_run import FastRun
from twin.conditions_fast import changed
from twin.filter.correct import correct
from twin.filter.points import draw, gather

if config.DISABLE_JIT:
    pytest.skip("days of a 30-state block take hours in plain Python", allow_module_level=True)

TRUTH = {
    "prior_resting_heart_rate": 55.0, "prior_met_gain": 1.15, "prior_sleep_fall": 7.0, "prior_log_variability": 4.1,
    "prior_resting_respiration_rate": 13.0, "prior_skin_site_offset": -1.5, "prior_pressure_set_point": 97.0,
    "prior_vascular_compliance": 1.7, "prior_maximal_oxygen_uptake": 48.0,
}  # fmt: skip
SOLID = (fast.RESTING, fast.MET_GAIN, fast.SLEEP_FALL, fast.VARIABILITY, fast.RESPIRATION, fast.SITE_OFFSET,
         fast.PRESSURE_SET, fast.COMPLIANCE)  # fmt: skip
DAYS, ILL_FROM = 4, 3


def inputs_at(minute):
    hour = minute / 60.0 % 24.0
    turn = math.pi / 12.0 * (hour - 17.0)
    quiet = fast.default_inputs()._replace(
        measured=1.0, clock=math.cos(turn), clock_quadrature=-math.sin(turn)
    )
    if hour < 7.0:
        return quiet._replace(
            met=0.95, asleep=1.0, posture=0.0, ambient_temperature=20.0, clothing=2.2, site_temperature=31.5
        )
    if 8.0 <= hour < 8.5 or 17.0 <= hour < 17.5:
        return quiet._replace(met=4.0, posture=0.8, air_speed=0.6)
    if 18.0 <= hour < 18.6:
        return quiet._replace(met=7.0, posture=0.8, air_speed=0.6, clothing=0.4)
    up = int(hour * 4.0) % 3 == 0
    return quiet._replace(met=1.7 if up else 1.3, posture=0.8 if up else 0.3)


def readings_at(minute, asleep):
    yield "heart_rate", 2.5
    if minute % 5 == 0:
        yield "skin_temperature", 0.5
        if asleep:
            yield "respiration_rate", 0.8
            yield "hrv_rmssd", 6.0
    if minute % 1440 in (480, 1320):
        yield "bp_systolic", 8.0
        yield "bp_diastolic", 5.5


@pytest.fixture(scope="module")
def course():
    """States estimated and true by the minute, and the normalised innovations of heart rate."""
    rng = np.random.default_rng(1)
    person = FastRun(
        changed(fast.default_body(), {k: ("set", v) for k, v in TRUTH.items()}), inputs_at(0)
    ).advance(300.0)
    k, mean, covariance = np.array(fast.default_body()), np.zeros(fast.N), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, k, np.array(inputs_at(0)))
    x, seen, factor = (
        np.zeros(fast.N * fast.STRIDE),
        np.zeros(fast.SEEN * fast.STRIDE),
        np.zeros((fast.N, fast.N)),
    )
    d, t, a, gain, report = x.copy(), x.copy(), x.copy(), np.zeros(fast.N), np.zeros(3)
    means, sds, truths, surprises, arousal = [], [], [], [], 0.0
    for minute in range(DAYS * 1440):
        inputs = inputs_at(minute)
        arousal += -arousal / 30.0 + rng.normal() * (0.4 if inputs.asleep else 1.0)
        person.points[fast.AROUSAL * fast.STRIDE : (fast.AROUSAL + 1) * fast.STRIDE] = arousal
        person.inputs = inputs._replace(infection=0.8 if minute >= ILL_FROM * 1440 else 0.0)
        truth, u = person.advance(1.0).seen(), np.array(inputs)
        draw(mean, covariance, factor, x, fast.STRIDE)
        fast.advance(x, 1.0, u, k, d, t, a)
        gather(x, mean, covariance, fast.STRIDE)
        fast.add_process_noise(mean, covariance, 1.0, u)
        for channel, sd in readings_at(minute, inputs.asleep):
            draw(mean, covariance, factor, x, fast.STRIDE)
            fast.observe(x, seen, u, k)
            row = fast.Seen._fields.index(channel) * fast.STRIDE
            value = getattr(truth, channel) + rng.normal() * sd
            correct(
                x,
                seen[row : row + fast.STRIDE].copy(),
                fast.STRIDE,
                value,
                sd**2,
                mean,
                covariance,
                gain,
                report,
            )
            if channel == "heart_rate":
                surprises.append(report[0])
        means.append(mean.copy())
        sds.append(np.sqrt(np.diag(covariance)))
        truths.append([person.state(i) for i in range(fast.N)])
    return np.array(means), np.array(sds), np.array(truths), np.array(surprises)


@pytest.mark.parametrize("position", SOLID, ids=lambda position: fast.State._fields[position])
def test_finds_the_persons_parameters_in_three_days(course, position):
    means, sds, truths, _ = course
    last = ILL_FROM * 1440 - 1

    assert abs(means[last, position] - truths[last, position]) < 2.5 * sds[last, position]
    assert sds[last, position] < 0.7 * fast.STATES[position].sd


def test_heart_rate_is_as_surprising_as_the_filter_says(course):
    surprises = course[3][1440 : ILL_FROM * 1440]

    assert 0.93 < np.mean(np.abs(surprises) < 1.96) < 0.99
    assert abs(surprises.mean()) < 0.1


def test_an_undeclared_infection_shows_within_a_day_and_health_does_not(course):
    inflammation = course[0][:, fast.INFLAMMATION]
    onset = ILL_FROM * 1440

    assert inflammation[1440:onset].max() < 0.25
    assert inflammation[onset + 16 * 60] > 0.4
    assert inflammation[-1] == pytest.approx(course[2][-1, fast.INFLAMMATION], abs=0.3)
