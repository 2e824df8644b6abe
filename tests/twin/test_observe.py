"""What each channel tells the twin: the direction, the size, and what a reading must not do."""

import numpy as np
import pytest

from connectors.channels import CHANNELS as EDGE
from stream.cohort import Cohort
from stream.virtual import readings_of_rows
from twin import record as r_
from twin.catalogue import learned_share
from twin.channels import CHANNELS, SENSORS
from twin.summary import PARAMETER_COLUMNS, SEEN_COLUMNS, STATE_COLUMNS

START_MS = 1_795_392_000_000  # a midnight
NOON_MS = START_MS + 12 * 3_600_000


def twin_after(*rows):
    """The last estimate and the twin of a person with these readings: (minutes after noon, channel, value)."""
    readings = readings_of_rows("p", [(NOON_MS + round(m * 60_000), channel, v) for m, channel, v in rows])
    cohort = Cohort()
    done = cohort.apply(readings)
    return done.estimates[-1], cohort.twins["p"].head.record


def parameter(row, name):
    return row[PARAMETER_COLUMNS[name]]


QUIET = [(m, "heart_rate", 66.0) for m in range(5)]
MOVES = [
    ("hrv_rmssd", 80.0, 20.0, "log_variability"), ("respiration_rate", 20.0, 11.0, "resting_respiration_rate"),
    ("spo2", 98.5, 92.0, "alveolar_arterial_difference"), ("skin_temperature", 35.0, 28.0, "skin_site_offset"),
    ("core_temperature", 37.6, 36.4, "temperature_set_point"), ("body_temperature", 37.6, 36.0, "temperature_set_point"),
    ("bp_systolic", 160.0, 100.0, "pressure_set_point"), ("bp_diastolic", 100.0, 55.0, "pressure_set_point"),
    ("resting_heart_rate", 75.0, 45.0, "resting_heart_rate_parameter"), ("vo2max", 60.0, 25.0, "maximal_oxygen_uptake"),
    ("heart_rate", 90.0, 50.0, "resting_heart_rate_parameter"), ("bp_systolic_cuffless", 160.0, 100.0, "pressure_set_point"),
    ("bp_diastolic_cuffless", 100.0, 55.0, "pressure_set_point"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "high", "low", "name"), MOVES, ids=[row[0] for row in MOVES])
def test_a_high_reading_and_a_low_one_move_the_parameter_apart(channel, high, low, name):
    up, down = (twin_after(*QUIET, (6, channel, value))[0] for value in (high, low))
    apart = parameter(up, name) - parameter(down, name)

    assert apart < 0 if channel == "spo2" else apart > 0


@pytest.mark.parametrize("channel", ["glucose", "glucose_bgm"])
def test_a_night_of_high_glucose_raises_the_basal(channel):
    up, down = (twin_after(*[(m, channel, v) for m in range(0, 480, 15)])[0] for v in (115.0, 80.0))

    assert parameter(up, "basal_glucose") > parameter(down, "basal_glucose") + 3.0


@pytest.mark.parametrize(("channel", "high", "low"), [("weight", 82.0, 70.0), ("body_fat", 32.0, 14.0)])
def test_the_scale_moves_the_body(channel, high, low):
    up, down = (twin_after((0, channel, value))[0] for value in (high, low))
    column = SEEN_COLUMNS["weight" if channel == "weight" else "body_fat"]

    assert up[column] > down[column] + 1.0


def test_every_channel_of_the_twin_is_one_of_the_edge():
    assert set(CHANNELS) <= set(EDGE)


def test_a_raised_skin_temperature_deviation_speaks_for_fever():
    night = [(m * 1440, "skin_temperature_delta", v) for m, v in enumerate([0.0, 0.1, -0.1, 1.6, 1.8])]
    ill, _ = twin_after(*night)
    well, _ = twin_after(*[(m, channel, 0.0) for m, channel, _ in night])

    assert ill[STATE_COLUMNS["infection_drive"]] > well[STATE_COLUMNS["infection_drive"]] + 0.2


def test_saturation_at_the_top_says_at_least():
    full, record = twin_after(*QUIET, (6, "spo2", 100.0))
    none, _ = twin_after(*QUIET, (6, "heart_rate", 66.0))

    assert abs(full[SEEN_COLUMNS["spo2"]] - none[SEEN_COLUMNS["spo2"]]) < 3.0
    assert record[r_.READ + SENSORS.index("spo2")] == 1.0


def test_an_outlier_counts_less_and_is_counted():
    steady = [(m, "heart_rate", 60.0) for m in range(60)]
    row, record = twin_after(*steady, (60, "heart_rate", 190.0))

    assert record[r_.OUTLIERS + SENSORS.index("heart_rate")] == 1.0
    assert row[SEEN_COLUMNS["heart_rate"]] < 75.0


def test_a_days_total_of_steps_is_no_movement():
    row, _ = twin_after(*QUIET, (6, "steps", 9000.0), (7, "heart_rate", 66.0))

    assert row[SEEN_COLUMNS["exercise_fraction"]] < 0.1


def test_steps_by_the_minute_are_movement():
    walking = [(m, channel, v) for m in range(10) for channel, v in (("steps", 115.0), ("heart_rate", 95.0))]
    row, _ = twin_after(*walking)

    assert row[SEEN_COLUMNS["exercise_fraction"]] > 0.1


def test_a_word_of_sleep_by_day_is_believed_when_it_lasts():
    day = [(m, channel, v) for m in range(0, 90, 5) for channel, v in (("asleep", 1.0), ("heart_rate", 52.0))]
    _, first = twin_after(*day[:2])
    _, later = twin_after(*day)

    assert first[r_.SLEEP_BELIEF] < 0.5 < later[r_.SLEEP_BELIEF]


def test_what_was_learned_is_told_against_the_prior():
    row, _ = twin_after(*[(m, "heart_rate", 66.0) for m in range(600)])
    at = PARAMETER_COLUMNS["resting_heart_rate_parameter"]

    assert learned_share("resting_heart_rate_parameter", row[at], row[at + 1]) > 0.3
    assert learned_share("log_variability", 3.7, 0.5) == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(row[SEEN_COLUMNS["bp_systolic"]])


def counted(first, *counts, every=5, met=None):
    """A device counts active energy every five minutes; movement is told too where `met` says how much."""
    rows = [(m, "met", met) for m in range(every * len(counts) + 1)] if met else []
    return [*QUIET, *rows, (0, "active_energy", first), *((every * (i + 1), "active_energy", c) for i, c in enumerate(counts))]  # fmt: skip


def test_active_energy_is_movement_where_nothing_else_tells_it():
    walks, sits = (
        twin_after(*counted(0.0, *[kcal] * 4), (21, "heart_rate", 80.0))[0] for kcal in (20.0, 1.0)
    )

    assert walks[SEEN_COLUMNS["energy_expenditure"]] > sits[SEEN_COLUMNS["energy_expenditure"]] + 2.0


def test_active_energy_beside_a_told_movement_says_nothing_twice():
    more, less = (twin_after(*counted(0.0, *[kcal] * 4, met=4.0))[0] for kcal in (30.0, 9.0))

    np.testing.assert_array_equal(more, less)


@pytest.mark.parametrize("minutes", [0, 600])
def test_a_count_of_energy_whose_time_nobody_knows_says_nothing(minutes):
    row, record = twin_after(*QUIET, (minutes + 1, "active_energy", 600.0), (minutes + 2, "heart_rate", 66.0))

    assert row[SEEN_COLUMNS["active_expenditure"]] < 1.0
    assert record[r_.DOWNWEIGHTED] == 0


def test_pressures_without_a_cuff_of_one_day_count_as_one():
    cuffs, none = (
        twin_after(*[(m, f"bp_systolic{kind}", 150.0) for m in range(0, 300, 15)])[0]
        for kind in ("", "_cuffless")
    )
    sd = PARAMETER_COLUMNS["pressure_set_point"] + 1

    assert none[sd] > 1.5 * cuffs[sd]


def test_a_scale_stood_on_ten_times_in_an_hour_is_no_surer_than_its_day():
    once, often = (twin_after(*[(m, "weight", 78.0) for m in range(0, n, 6)])[0] for n in (1, 60))
    sd = SEEN_COLUMNS["weight"] + 1

    assert 0.75 * once[sd] < often[sd] < once[sd]


def test_an_impedance_scale_is_no_surer_after_a_week_than_its_bias():
    once, often = (
        twin_after(*[(1440 * day, "body_fat", 31.0) for day in range(n)], (1440 * 7, "weight", 78.0))[0]
        for n in (1, 7)
    )
    sd = STATE_COLUMNS["fat_mass"] + 1

    assert 0.75 * once[sd] < often[sd] <= once[sd]


def lying_by(minutes):
    """Awake and sitting until 23:00, then in bed with a device that says sleep."""
    evening = [row for m in range(600, 660) for row in ((m, "posture", 0.3), (m - m % 5, "asleep", 0.0))]
    bed = [
        row for m in range(660, 660 + minutes) for row in ((m, "posture", 0.0), (m - m % 5, "asleep", 1.0))
    ]
    return [*evening, *bed, (660 + minutes, "heart_rate", 55.0)]


def test_one_who_lies_at_bedtime_is_believed_asleep_within_half_an_hour():
    beliefs = [twin_after(*lying_by(minutes))[1][r_.SLEEP_BELIEF] for minutes in (5, 15, 30)]

    assert beliefs[0] < 0.45 < beliefs[1] < 0.9 < beliefs[2]


def test_a_night_in_bed_is_believed_to_its_end():
    night = lying_by(450)  # 6:30, when the schedule alone is half in doubt
    sitting = [(*row[:2], 0.3) if row[1] == "posture" else row for row in night]
    dropped = [row for row in night if row[1] != "posture"]

    lies, unknown, sits = (twin_after(*rows)[1][r_.SLEEP_BELIEF] for rows in (night, dropped, sitting))

    assert lies > unknown > sits
    assert lies > 0.97
