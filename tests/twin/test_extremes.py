"""Whatever the schema lets through, in any order and after any gap, of anybody: numbers stay numbers, repairs are counted."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import channels as edge
from stream.person import PersonTwin
from stream.portrait import portrait
from tests.bench.ten_years import readings, run, soundness
from twin import record as r_
from twin.channels import CHANNELS
from twin.profile import CONDITIONS, Profile

KNOWN = [name for name in CHANNELS if name in edge.CHANNELS]
GAPS_S = (1.0, 60.0, 300.0, 3600.0, 13 * 3600.0, 10 * 86400.0, 100 * 86400.0, 3 * 365 * 86400.0)


@st.composite
def readings_of_a_tick(draw):
    names = draw(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=8, unique=True))
    found = {}
    for name in names:
        low, high = edge.CHANNELS[name].hard
        found[CHANNELS.index(name)] = draw(st.one_of(st.sampled_from([low, high]), st.floats(low, high)))
    return draw(st.sampled_from(GAPS_S)), draw(st.integers(1, 12)), dict(sorted(found.items()))


@st.composite
def profiles(draw):
    return Profile(
        weight_kg=draw(st.floats(20.0, 400.0)), height_m=draw(st.floats(1.0, 2.5)), age_years=draw(st.floats(10.0, 110.0)),
        sex=draw(st.sampled_from(["male", "female"])), conditions=tuple(draw(st.sets(st.sampled_from(CONDITIONS)))),
    )  # fmt: skip


def lived(ticks, profile):
    """Fold ticks, each repeated a number of times a minute apart."""
    tick_s, start, channel, value, now = [], [0], [], [], 1_795_392_000.0
    for gap, times, read in ticks:
        now += gap
        for _ in range(times):
            tick_s.append(now)
            channel += read.keys()
            value += read.values()
            start.append(len(channel))
            now += 60.0
    last = np.arange(len(tick_s))
    return run(
        np.array(tick_s), np.array(start), np.array(channel), np.array(value, dtype=float), last, profile
    )


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.lists(readings_of_a_tick(), min_size=1, max_size=8), profiles())
def test_numbers_stay_numbers(ticks, profile):
    kept, (estimates, _, outcomes, *_) = lived(ticks, profile)
    found = soundness(kept)

    assert found["finite"]
    assert set(outcomes.tolist()) <= {0, 1}, (
        "a reading within the bounds is never beyond what the twin can weigh"
    )
    for name, (_, _, _, time_at) in r_.BLOCKS.items():
        if kept[-1, time_at] > r_.NEVER:
            assert found[name]["least_eigenvalue"] > -1e-8, name
    assert not np.isinf(estimates).any()


def test_a_repair_is_counted_and_shown():
    profile = Profile()
    kept, _ = lived([(60.0, 1, {CHANNELS.index("heart_rate"): 70.0})], profile)
    record = kept[-1].copy()
    block, _, at, _ = r_.BLOCKS["fast"]
    covariance = record[at : at + block.N**2].reshape(block.N, block.N)
    covariance[0, 1] = covariance[1, 0] = 3.0 * np.sqrt(covariance[0, 0] * covariance[1, 1])
    from stream.weights import weights_named
    from tests.bench.ten_years import fold, outputs_for

    records, one = record[None].copy(), np.array([0, 1])
    tick_s = np.array([record[r_.HEAD_S] + 60.0])
    keep, kept = np.full(1, -1, dtype=np.int64), np.zeros((0, r_.SIZE))
    fold(records, one, tick_s, one, np.array([0]), np.array([71.0]), np.array([-1.0]), np.zeros(1, dtype=np.int64),
         np.zeros(1), np.full((2, 2), np.nan), weights_named(), keep, kept, *outputs_for(1, 1, 2))  # fmt: skip
    twin = PersonTwin("ada")
    twin.head.record[:] = records[0]

    assert records[0, r_.REPAIRED] >= 1.0
    assert portrait(twin)["repaired"] == records[0, r_.REPAIRED]
    assert soundness(records)["fast"]["least_eigenvalue"] > -1e-8


def test_what_is_not_finite_is_an_outcome_and_counted_and_changes_nothing():
    heart = CHANNELS.index("heart_rate")
    kept, (_, _, outcomes, *_) = lived([(60.0, 1, {heart: 70.0}), (1.0, 1, {heart: np.inf})], Profile())

    assert outcomes.tolist() == [0, 2]
    assert kept[-1, r_.REFUSED] == 1.0
    assert np.isfinite(kept).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_half_a_year_of_gaps_outliers_and_stuck_sensors(seed):
    *ticks, ends = readings(0.5, seed)
    kept, (_, _, outcomes, *_) = run(*ticks, ends, Profile())
    found = soundness(kept)

    assert found["finite"]
    assert (outcomes == 1).sum() > 20, "outliers are seen"
    assert not (outcomes == 2).any()
    for name in r_.BLOCKS:
        assert found[name]["least_eigenvalue"] > -1e-8
    assert kept[-1, r_.REPAIRED] == 0.0
