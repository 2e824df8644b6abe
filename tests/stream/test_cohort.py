"""The invariant: the twin does not depend on order of arrival, duplicates, batches or restarts."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.cohort import Cohort
from stream.estimates import estimates
from stream.virtual import DEMO, simulate
from stream.warm import readings_of

START_MS = 1_795_392_000_000
NAME = DEMO[0].name


@pytest.fixture(scope="module")
def readings():
    found, _ = simulate(DEMO[0], START_MS, 0.2)
    return found


@pytest.fixture(scope="module")
def undisturbed(readings):
    cohort = Cohort()
    cohort.apply(readings)
    return json.dumps(cohort.twin_json(NAME))


def written_anew(cohort):
    """All of a cohort as changelog records."""
    for twin in cohort.twins.values():
        twin.touched = True
        twin.journal = twin.journal
        for checkpoint in twin.checkpoints:
            checkpoint.written = False
    return list(cohort.changed())


def restored(records, **options):
    fresh = Cohort(**options)
    for key, value in records:
        fresh.restore(key, value)
    fresh.finish_restore()
    return fresh


def restarted(cohort, **options):
    """A cohort restored from the changelog of another."""
    return restored(written_anew(cohort), **options)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_crash_between_two_records_of_a_twin_costs_nothing(readings, undisturbed, share):
    half = len(readings) // 2
    cohort = Cohort()
    cohort.apply(readings.rows(np.arange(half)), np.array([0]))
    log = written_anew(cohort)
    cohort.apply(readings.rows(np.arange(half, len(readings))), np.array([1]))
    newer = list(cohort.changed())
    after = restored([*log, *newer[: round(share * len(newer))]])
    after.apply(readings.rows(np.arange(half, len(readings))), np.array([1]))

    assert json.dumps(after.twin_json(NAME)) == undisturbed


def test_only_what_is_new_is_written(readings):
    cohort = Cohort()
    cohort.apply(readings)
    everything = dict(cohort.changed())
    last = readings.rows(np.argsort(readings.time_ms)[-1:])
    last.time_ms = last.time_ms + 60_000
    last.key = last.time_ms
    cohort.apply(last)
    more = dict(cohort.changed())

    assert {key[:1] for key in more} <= {b"t", b"c", b"i", b"j"}
    assert sum(key[:1] in b"ij" for key in more) == 1, "one piece of the journal"
    assert sum(len(value or b"") for key, value in more.items() if key[:1] in b"ij") < 100
    assert len(more) < len(everything)
    assert not list(cohort.changed())


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_order_duplicates_batches_and_restarts_leave_the_same_bits(readings, undisturbed, seed):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(len(readings)), rng.integers(0, len(readings), 40)])
    cohort = Cohort()
    while len(rows):
        size = int(rng.integers(20, 300))
        cohort.apply(readings.rows(rows[:size]))
        rows = rows[size:]
        if rng.random() < 0.3:
            cohort = restarted(cohort)

    assert json.dumps(cohort.twin_json(NAME)) == undisturbed


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_what_waits_for_more_of_its_minute_leaves_the_same_bits(readings, undisturbed, seed):
    """Nearly in order, in small pieces, so that most of it is appended and much of it waits."""
    rng = np.random.default_rng(seed)
    rows = np.argsort(readings.time_ms + 1000.0 * rng.exponential(rng.choice([0.1, 30.0]), len(readings)))
    cohort = Cohort(patient=True)
    while len(rows):
        size = int(rng.integers(1, 40))
        cohort.apply(readings.rows(rows[:size]), behind=bool(rng.random() < 0.5))
        rows = rows[size:]
        if rng.random() < 0.1:
            cohort.settle()
        if rng.random() < 0.1:
            cohort = restarted(cohort, patient=True)

    assert json.dumps(cohort.twin_json(NAME)) == undisturbed


def test_of_one_minute_few_runs_are_made_and_each_channel_is_run_at_once():
    second = readings_of("heart_rate", 61, 1, 70.0)
    glucose = readings_of("glucose", 1, 60, 110.0)
    glucose.time_ms = second.time_ms[30:31] + 500
    glucose.key = glucose.time_ms
    cohort, ticks = Cohort(patient=True), []
    for i in range(41, 61):  # the series begins 20 s into a minute
        ticks.append(len(cohort.apply(second.rows(slice(i - 1, i))).tick_s))
    assert sum(ticks) == 3  # of 1, 4 and 16 readings
    cohort = Cohort(patient=True)
    cohort.apply(second.rows(slice(0, 30)))
    done = cohort.apply(glucose)
    assert len(done.tick_s) == 1
    assert len(cohort.settle().tick_s) == 0


def test_a_retraction_leaves_no_trace(readings, undisturbed):
    cohort = Cohort()
    extra = readings.rows(slice(100, 101))
    extra.key = extra.key - 7
    extra.time_ms, extra.value = extra.time_ms - 7, extra.value + 20
    cohort.apply(readings)
    cohort.apply(extra)
    assert json.dumps(cohort.twin_json(NAME)) != undisturbed
    extra.retract, extra.revision = np.array([True]), np.array([1])
    cohort.apply(extra)

    assert json.dumps(cohort.twin_json(NAME)) == undisturbed


def test_a_higher_revision_replaces(readings):
    first, second = Cohort(), Cohort()
    wrong = readings.rows(slice(50, 51))
    wrong.value = wrong.value + 30
    right = readings.rows(slice(50, 51))
    right.revision = np.array([3])
    first.apply(readings)
    first.apply(right)
    second.apply(right)
    second.apply(wrong)
    second.apply(readings)

    assert json.dumps(first.twin_json(NAME)) == json.dumps(second.twin_json(NAME))


def test_readings_beyond_the_window_are_named_and_never_applied(readings, undisturbed):
    cohort = Cohort()
    cohort.apply(readings)
    old = readings.rows(slice(0, 3))
    old.time_ms = old.time_ms - 3 * 86_400_000
    done = cohort.apply(old)

    assert (done.late, done.counts["late"]) == ([0, 1, 2], 3)
    assert json.dumps(cohort.twin_json(NAME)) == undisturbed


def test_applied_offsets_are_skipped(readings):
    cohort = Cohort()
    offsets = np.array([41])
    cohort.apply(readings.rows(slice(0, 50)), offsets)
    again = cohort.apply(readings.rows(slice(50, 60)), offsets)

    assert again.counts["replayed"] == 10


def test_estimates_are_documents_with_forecasts(readings):
    cohort = Cohort()
    done = cohort.apply(readings)
    last = [e for e in estimates(cohort, done) if e["outlook"]][-1]

    assert {f["horizon_s"] for f in last["outlook"]} <= {900, 1800, 3600}
    assert last["outlook"][0]["q05"] < last["outlook"][0]["mean"] < last["outlook"][0]["q95"]
    assert last["parameter"]["resting_heart_rate_parameter"]["sd"] > 0


def test_no_quantile_of_glucose_is_negative_and_the_normal_is_kept_where_it_is_narrow():
    from stream.estimates import quantiles

    wide, narrow = quantiles("glucose", 60.0, 60.0), quantiles("glucose", 100.0, 1.0)

    assert min(wide.values()) > 0
    assert abs(narrow["q95"] - 101.645) < 0.05
    assert quantiles("heart_rate", 60.0, 10.0)["q05"] == pytest.approx(43.5515, abs=1e-3)
