import math
from dataclasses import replace

import numpy as np

from stream import policy
from stream.cohort import Cohort
from stream.policy import Signal, alert_id, new_state, step
from stream.warm import readings_of


def low(now, chance):
    return Signal(now, chance, 80.0, math.nan, 60.0, False)


def test_one_reading_is_pending_two_are_active_and_it_clears_with_hysteresis():
    state, seen = new_state(), []
    for now, chance in ((0, 0.6), (300, 0.6), (600, 0.4), (900, 0.3), (1200, 0.1)):
        seen += [(t.state, t.onset_s) for t in step(state, low(float(now), chance))]

    assert seen == [("pending", 0.0), ("active", 0.0), ("resolved", 0.0)]


def opened(step_s, glucose, trend, chance):
    """States that the learned rule enters with the second of two such readings."""
    state = new_state()
    signals = [
        Signal(now, 0.3, glucose, math.nan, 60.0, False, on, trend)
        for now, on in ((1e4, 0.0), (1e4 + step_s, chance))
    ]
    list(step(state, signals[0]))
    return [t.state for t in step(state, signals[1])]


def test_a_slow_sensor_has_limits_of_its_own():
    assert opened(900.0, 95.0, 79.0, 0.07) == ["active"]
    assert opened(300.0, 95.0, 79.0, 0.07) == []
    assert opened(300.0, 85.0, 77.0, 0.11) == ["active"]
    assert opened(900.0, 95.0, 81.0, 0.07) == [], "the trend does not lead there"
    assert opened(900.0, 101.0, 79.0, 0.07) == [], "still far"
    assert opened(900.0, 95.0, 79.0, 0.05) == [], "not likely"


def test_the_chance_that_closes_follows_the_one_that_opens():
    state, seen = new_state(), []
    near = replace(policy.QUICK, chance=0.3)
    for now, chance in ((0.0, 0.0), (300.0, 0.4), (600.0, 0.11), (900.0, 0.09)):
        signal = Signal(now, 0.3, 80.0, math.nan, 60.0, False, chance, 70.0)
        seen += [(t.state, t.at_s) for t in step(state, signal, quick=near)]

    assert seen == [("active", 300.0), ("resolved", 900.0)]


def test_a_resting_rate_must_last_ten_minutes():
    state, seen = new_state(), []
    for minute in range(15):
        signal = Signal(60.0 * minute, math.nan, math.nan, 125.0, 60.0, True)
        seen += [(t.state, t.at_s) for t in step(state, signal)]

    assert seen == [("pending", 0.0), ("active", 600.0)]


def test_the_id_is_the_same_in_every_replay():
    assert alert_id("ada", "low_glucose_soon", 12.0) == alert_id("ada", "low_glucose_soon", 12.0)


def falling():
    readings = readings_of("glucose", 30, 300, 0.0, "ada")
    readings.value = np.concatenate([np.linspace(160.0, 58.0, 18), np.full(12, 58.0)])
    return readings


def test_falling_glucose_alerts_once_under_one_id_and_can_be_acknowledged():
    cohort = Cohort()
    cohort.set_profile("ada", {"conditions": ["t1d"]})
    sent = []
    for row in range(30):
        sent += cohort.apply(falling().rows(slice(row, row + 1))).alerts
    active = [a for a in sent if a["state"] == "active"]
    taken = cohort.acknowledge("ada", active[0]["alert_id"], "nurse", 1)

    assert len(active) == 1
    assert active[0]["value"] > 70.0, "it came before the low"
    assert len({a["alert_id"] for a in sent if a["alert_id"] == active[0]["alert_id"]}) == 1
    assert (taken[0]["state"], taken[0]["acknowledged_by"]) == ("acknowledged", "nurse")
    assert cohort.acknowledge("ada", active[0]["alert_id"], "other", 2) == []


def test_silence_is_a_technical_alert_that_ends_with_data():
    cohort = Cohort()
    cohort.apply(falling().rows(slice(0, 3)))
    newest = cohort.twins["ada"].newest_ms
    opened = cohort.tick_clock(newest + 3_600_000)
    again = cohort.tick_clock(newest + 3_700_000)
    cohort.apply(falling().rows(slice(3, 30)))
    closed = cohort.tick_clock(cohort.twins["ada"].newest_ms + 1000)

    assert [(a["kind"], a["state"]) for a in opened] == [("technical", "active")]
    assert again == []
    assert [a["state"] for a in closed] == ["resolved"]
