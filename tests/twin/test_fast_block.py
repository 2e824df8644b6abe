"""Block F: every check-point of the specification, finite for whatever comes, accurate at its own step."""

import math

import numpy as np
import pytest
from numba.core import config

from twin.blocks import fast
from twin.checkpoints import fast as checkpoints
from twin.checkpoints.fast_run import FastRun, person, seated
from twin.conditions_fast import CONDITIONS, ageing, body_of, changed
from twin.filter.correct import NOT_FINITE, correct
from twin.filter.points import draw, gather
from twin.filter.runge_kutta import begin, carry, finish

if config.DISABLE_JIT:
    pytest.skip("days of a 30-state block take hours in plain Python", allow_module_level=True)

ROWS = checkpoints.rows()
PEOPLE = {"default": fast.default_body()} | {
    name: person(name) for name in ("athlete", "heart_failure", "copd_severe")
}


@pytest.mark.parametrize("row", ROWS, ids=[row["what"] for row in ROWS])
def test_checkpoint(row):
    assert row["ok"], row


WILD = {
    "met": (0.5, 1.0, 1.3, 3.0, 6.0, 12.0, 20.0), "asleep": (0.0, 0.0, 1.0), "posture": (0.0, 0.3, 1.0),
    "clock": (-1.1, 0.0, 1.1), "clock_quadrature": (-1.1, 0.0, 1.1), "ambient_temperature": (-40.0, 5.0, 24.0, 55.0),
    "humidity": (0.0, 0.5, 1.0), "air_speed": (0.0, 0.1, 20.0), "clothing": (0.0, 0.7, 4.0),
    "site_temperature": (-20.0, 24.0, 50.0), "barometric_pressure": (250.0, 500.0, 760.0, 800.0),
    "inspired_oxygen": (0.12, 0.2093, 0.6), "efficiency": (0.0, 0.15, 0.25), "fed": (0.0, 1.0),
    "dehydration": (-2.0, 0.0, 8.0), "blood_alcohol": (0.0, 0.0, 4.0), "beta_blockade": (0.0, 0.0, 1.0),
    "infection": (0.0, 0.0, 2.0), "weight": (30.0, 75.0, 250.0),
}  # fmt: skip
READINGS = {
    "heart_rate": (2.0, (20.0, 300.0, 160.0)), "spo2": (2.0, (60.0, 100.0)), "skin_temperature": (0.5, (5.0, 45.0)),
    "bp_systolic": (8.0, (50.0, 280.0)), "hrv_rmssd": (5.0, (0.0, 400.0)), "respiration_rate": (0.8, (3.0, 70.0)),
    "core_temperature": (0.25, (30.0, 43.0)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "name"), [(0, "default"), (1, "athlete"), (2, "heart_failure"), (3, "copd_severe")]
)
def test_every_number_stays_finite_for_a_day_of_wild_inputs_and_readings(seed, name):
    rng = np.random.default_rng(seed)
    k, inputs = np.array(PEOPLE[name]), fast.default_inputs()
    mean, covariance, factor = np.zeros(fast.N), np.zeros((fast.N, fast.N)), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, k, np.array(inputs))
    x, seen = np.zeros(fast.N * fast.STRIDE), np.zeros(fast.SEEN * fast.STRIDE)
    d, t, a, gain, report = x.copy(), x.copy(), x.copy(), np.zeros(fast.N), np.zeros(3)
    for minute in range(1440):
        if minute % 10 == 0 or rng.random() < 0.3:
            inputs = inputs._replace(**{field: float(rng.choice(values)) for field, values in WILD.items()})
        u = np.array(inputs)
        draw(mean, covariance, factor, x, fast.STRIDE)
        fast.advance(x, 1.0, u, k, d, t, a)
        gather(x, mean, covariance, fast.STRIDE)
        fast.add_process_noise(mean, covariance, 1.0, u)
        for channel, (sd, values) in READINGS.items():
            if channel == "heart_rate" or rng.random() < 0.2:
                draw(mean, covariance, factor, x, fast.STRIDE)
                fast.observe(x, seen, u, k)
                row = fast.Seen._fields.index(channel) * fast.STRIDE
                value = float(rng.choice(values))
                expected = seen[row : row + fast.STRIDE].copy()
                outcome = correct(x, expected, fast.STRIDE, value, sd**2, mean, covariance, gain, report)
                assert outcome != NOT_FINITE, (minute, channel)

    assert np.isfinite(mean).all()
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    assert np.abs(mean).max() < 1000.0


def advance_finely(run, minutes, h):
    u, size = np.array(run.inputs), fast.DYNAMIC * fast.STRIDE
    x, d, a, t = run.points, np.zeros_like(run.points), np.zeros_like(run.points), run.points.copy()
    for _ in range(round(minutes / h)):
        fast.rates(x, d, u, run.body)
        begin(x, d, a, t, size, 0.5 * h)
        fast.rates(t, d, u, run.body)
        carry(x, d, a, t, size, 0.5 * h)
        fast.rates(t, d, u, run.body)
        carry(x, d, a, t, size, h)
        fast.rates(t, d, u, run.body)
        finish(x, d, a, size, h)


@pytest.mark.parametrize("name", PEOPLE)
def test_its_own_step_agrees_with_steps_of_5_seconds(name):
    coarse, fine, worst = seated(PEOPLE[name]), seated(PEOPLE[name]), 0.0
    for met, minutes in (
        (1.3, 3),
        (3.0, 6),
        (1.3, 10),
        (6.0, 10),
        (1.3, 10),
        (14.0, 8),
        (1.3, 20),
        (0.95, 20),
    ):
        for _ in range(minutes):
            coarse.set(met=met).advance(1.0)
            advance_finely(fine.set(met=met), 1.0, 1.0 / 12.0)
            worst = max(worst, abs(coarse.seen().heart_rate - fine.seen().heart_rate))

    assert worst < 0.15


def test_starts_near_its_steady_state():
    for inputs in (
        fast.default_inputs(), fast.default_inputs()._replace(asleep=1.0, met=0.95, posture=0.0, site_temperature=31.0),
    ):  # fmt: skip
        run = FastRun(fast.default_body(), inputs)
        first = run.seen()
        settled = run.advance(600.0).seen()

        assert abs(first.heart_rate - settled.heart_rate) < 4.0
        assert abs(first.ventilation - settled.ventilation) < 1.0
        assert abs(first.spo2 - settled.spo2) < 1.0
        assert abs(first.core_temperature - settled.core_temperature) < 0.3


def test_a_shifted_clock_is_the_same_rhythm_earlier():
    angle, shift = 1.0, 3.0
    ahead = angle + 2.0 * math.pi * shift / 24.0
    shifted = changed(fast.default_body(), {"prior_clock_shift": ("set", shift)})
    own = seated(shifted, clock=math.cos(angle), clock_quadrature=-math.sin(angle)).seen()
    plain = seated(clock=math.cos(ahead), clock_quadrature=-math.sin(ahead)).seen()

    assert own.core_temperature == pytest.approx(plain.core_temperature, abs=1e-6)
    assert own.heart_rate == pytest.approx(plain.heart_rate, abs=1e-4)


def test_every_set_of_a_condition_stays_within_the_ranges_of_people():
    for name in CONDITIONS:
        for age in (25.0, 40.0, 75.0):
            for male in (0.0, 1.0):
                body = body_of(75.0, 1.72, age, male, (name,))
                for field, parameter in fast.PARAMETERS.items():
                    assert parameter.low <= getattr(body, field) <= parameter.high, (name, age, male, field)


def test_the_default_person_is_the_default():
    body = body_of(75.0, 1.78, 40.0, 1.0)

    np.testing.assert_allclose(body, fast.default_body(), rtol=1e-3)
    assert ageing(40.0)["maximal_heart_rate"] == ("add", 0.0)


def test_an_unknown_field_of_a_condition_is_refused():
    with pytest.raises(KeyError):
        changed(fast.default_body(), {"no_such_field": ("set", 1.0)})
