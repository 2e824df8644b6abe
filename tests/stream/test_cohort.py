"""The invariant: the twin does not depend on order of arrival, duplicates, batches or restarts."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import migrating, storing
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.virtual import DEMO, simulate
from twin import exposure
from twin import record as r_
from twin.blocks import metabolic
from twin.channels import SENSORS

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
        twin.dirty_hours |= set(np.unique(twin.journal["time_ms"] // 3_600_000).tolist())
        for checkpoint in twin.checkpoints:
            checkpoint.written = False
    return list(cohort.changed())


def restored(records):
    fresh = Cohort()
    for key, value in records:
        fresh.restore(key, value)
    fresh.finish_restore()
    return fresh


def restarted(cohort):
    """A cohort restored from the changelog of another."""
    return restored(written_anew(cohort))


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
    everything = sum(len(value or b"") for _, value in cohort.changed())
    last = readings.rows(np.argsort(readings.time_ms)[-1:])
    last.time_ms = last.time_ms + 60_000
    last.key = last.time_ms
    cohort.apply(last)
    more = sum(len(value or b"") for _, value in cohort.changed())

    assert 0 < more < everything / 2
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


def as_layout_2(row):
    """A row as layout 2 would have held it: without three sensors, masses of block S as logarithms, the error unscaled."""
    sensors = 5 * len(SENSORS)
    header = row[: migrating.HEADER].copy()
    rows = row[migrating.HEADER : migrating.HEADER + sensors].reshape(5, -1)[:, migrating.KNOWN_BEFORE]
    found = np.concatenate([header, rows.ravel(), row[migrating.HEADER + sensors :]])
    at = migrating.HEADER + rows.size + exposure.N
    for name, (block, *_) in r_.BLOCKS.items():
        if name == "slow":
            masses = found[at : at + 2].copy()
            found[at : at + 2] = np.log(masses)
            half = np.zeros((block.N, block.N))
            lower = np.tri(block.N, dtype=bool)
            half[lower] = found[at + block.N : at + block.N + lower.sum()]
            scale = np.append(1.0 / masses, np.ones(block.N - 2))
            found[at + block.N : at + block.N + lower.sum()] = (half * np.outer(scale, scale))[lower]
        at += block.N + block.N * (block.N + 1) // 2
    return found


def test_twins_of_the_layout_before_go_on(readings):
    cohort = Cohort()
    cohort.apply(readings)
    log = []
    for key, value in written_anew(cohort):
        kind, data = key[:1], value[1:]
        if kind != b"j":
            at = 8 + (4 + int.from_bytes(data[:4], "big") if kind == b"t" else 0)
            data = data[:at] + as_layout_2(np.frombuffer(data, "<f8", offset=at)).tobytes()
        log.append((key, bytes([2]) + data))
    old, new = cohort.twins[NAME].head.record, restored(log).twins[NAME].head.record
    same = np.ones(r_.SIZE, dtype=bool)
    same[r_.METABOLIC_MEAN : r_.CIRCADIAN_MEAN] = False  # the sensor's error is taken for one without its scale
    same[[r_.ACTIVE_KCAL, r_.FLUX_EXPECTED, r_.ACTIVE_RATE]] = False

    np.testing.assert_allclose(new[same], old[same], rtol=1e-12)
    site = old[r_.METABOLIC_MEAN + metabolic.SITE]
    ratio = new[r_.METABOLIC_MEAN + metabolic.SENSOR_ERROR] / old[r_.METABOLIC_MEAN + metabolic.SENSOR_ERROR]
    assert ratio == pytest.approx(0.3 + 0.7 * min(max((site - 40.0) / 60.0, 0.0), 1.0))


@pytest.mark.parametrize(("layout", "error", "words"), [(4, storing.NewerState, "newer"), (1, storing.OlderState, "older than 2")])  # fmt: skip
def test_a_layout_that_cannot_be_read_is_refused_by_name(readings, layout, error, words):
    cohort = Cohort()
    cohort.apply(readings.rows(np.arange(10)))
    key, value = written_anew(cohort)[-1]

    with pytest.raises(error, match=f"layout {layout} .*{words}"):
        Cohort().restore(key, bytes([layout]) + value[1:])
