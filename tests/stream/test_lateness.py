"""Late, too late and too early: by channel and source, the same however batches are cut, and never silently."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from connectors.channels import CHANNEL_CODES, CODE_OF
from connectors.columns import COLUMNS, Decoded, stable_hash
from connectors.decode import FUTURE_MS
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.lateness import MOST_WAITING, WAIT_MS, Windows, judge
from stream.leavings import spans
from stream.settings import Settings
from stream.virtual import DEMO, simulate
from tests.stream.test_cohort import restarted

START_MS = 1_795_392_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NAME = DEMO[0].name


def readings_of(rows, person="ada"):
    """Columns of (record, channel, time, value) or the same with a source."""
    columns = {name: [] for name in COLUMNS}
    for record, channel, time_ms, value, *source in rows:
        for name, cell in {"person": 0, "record": record, "channel": CODE_OF[channel], "time_ms": time_ms, "value": value,
                           "sigma": np.nan, "source": stable_hash(source[0] if source else ""), "key": time_ms,
                           "revision": 0, "ingested_ms": 0, "retract": False, "quality": 0}.items():  # fmt: skip
            columns[name].append(cell)
    return Decoded.of([person], columns, [])


def rates(minutes, record=0):
    return [(record, "heart_rate", START_MS + 60_000 * m, 60.0 + m % 7) for m in minutes]


def twin_of(cohort, person="ada"):
    return json.dumps(cohort.twin_json(person))


def test_the_most_exact_name_counts_and_of_channel_and_source_the_longer():
    windows = Windows(3600, {"glucose": 2, "slowpoke": 48, "slowpoke/glucose": 3, "asleep": 120})
    channels = np.array(
        [CODE_OF[name] for name in ("heart_rate", "glucose", "heart_rate", "glucose", "asleep", "asleep")]
    )
    sources = np.array([stable_hash(text) for text in ("", "", "slowpoke", "slowpoke", "slowpoke", "")])

    assert (windows.of(channels, sources) / HOUR_MS).tolist() == [1, 2, 48, 3, 120, 120]
    assert (windows.shortest_ms, windows.longest_ms) == (HOUR_MS, 120 * HOUR_MS)


def test_sleep_and_summaries_have_five_days_and_settings_can_say_otherwise(monkeypatch):
    assert Settings().windows["asleep"] == Settings().windows["resting_heart_rate"] == 120
    assert "heart_rate" not in Settings().windows
    monkeypatch.setenv("TWIN_WINDOWS", '{"oura/asleep": 72}')
    assert Settings().windows == {"oura/asleep": 72}
    with pytest.raises(ValueError, match="window of 'glucose'"):
        Windows(3600, {"glucose": 0})
    monkeypatch.setenv("TWIN_FUTURE", "perhaps")
    with pytest.raises(ValidationError):
        Settings()


def test_sleep_four_days_late_is_applied_as_if_it_had_come_in_time_and_heart_rate_is_not():
    five_days = rates(range(0, 5 * 1440, 30))
    night = [(0, "asleep", START_MS + 60_000 * m, 1.0) for m in range(600, 900, 15)]
    whole, late = Cohort(), Cohort()
    whole.apply(readings_of(sorted([*five_days, *night], key=lambda row: row[2])))
    late.apply(readings_of(five_days))
    done = late.apply(readings_of([*night, (0, "heart_rate", START_MS + 61_000, 180.0)]))

    assert (done.counts["applied"], done.counts["late"]) == (len(night), 1)
    assert done.late == [len(night)]
    assert done.late_by_ms == [max(row[2] for row in five_days) - DAY_MS - START_MS - 61_000]
    assert late.twins["ada"].late == 1
    assert twin_of(late) == twin_of(whole)


def test_what_is_late_does_not_depend_on_how_batches_are_cut():
    rng = np.random.default_rng(3)
    minutes = rng.permutation(np.arange(0, 3 * 1440, 20)).tolist()
    everything = readings_of([(record, *rates([minute])[0][1:]) for record, minute in enumerate(minutes)])
    outcomes = []
    for size in (1, 7, 50, len(minutes)):
        cohort, late = Cohort(), []
        for at in range(0, len(minutes), size):
            part = everything.rows(slice(at, at + size))
            late += [at + row for row in cohort.apply(part).late]
        outcomes.append((late, twin_of(cohort), cohort.twins["ada"].late))

    assert 10 < len(outcomes[0][0]) < len(minutes)
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_week_in_one_record_is_not_late_in_whatever_order():
    week = rates(range(0, 7 * 1440, 60))
    done = Cohort().apply(readings_of(week[::-1]))

    assert (done.counts["applied"], done.late) == (len(week), [])


def stamps(*minutes):
    return np.array([START_MS + 60_000 * m for m in minutes])


def test_a_reading_ahead_of_its_time_waits_also_through_a_restart_and_then_counts():
    present, early = rates(range(10)), rates([60])
    late_by_a_day_of_the_early_one = rates([-1430])
    whole, cohort = Cohort(), Cohort()
    whole.apply(readings_of([*late_by_a_day_of_the_early_one, *present, *early, *rates([56])]))
    first = cohort.apply(readings_of([*present, *early]), np.array([0]), stamps(10))
    cohort = restarted(cohort)
    newest = cohort.twins["ada"].newest_ms
    second = cohort.apply(readings_of(late_by_a_day_of_the_early_one), np.array([1]), stamps(11))
    waiting = len(cohort.twins["ada"].waiting)
    cohort = restarted(cohort)
    third = cohort.apply(readings_of(rates([56])), np.array([2]), stamps(56))

    assert (first.counts["waiting"], first.counts["applied"], waiting) == (1, 10, 1)
    assert newest == START_MS + 9 * 60_000, "what waits makes nothing late"
    assert second.late == []
    assert third.counts["applied"] == 2
    assert len(cohort.twins["ada"].waiting) == 0
    assert twin_of(cohort) == twin_of(whole)


def test_a_run_after_a_crash_releases_in_the_same_place():
    parts = [(readings_of(rates([0, 40])), stamps(0)), (readings_of(rates([20])), stamps(20)),
             (readings_of(rates([36])), stamps(36)), (readings_of(rates([41])), stamps(41))]  # fmt: skip
    straight = Cohort()
    for offset, (part, at) in enumerate(parts):
        straight.apply(part, np.array([offset]), at)
    crashed = Cohort()
    crashed.apply(parts[0][0], np.array([0]), parts[0][1])
    kept = restarted(crashed)
    crashed.apply(parts[1][0], np.array([1]), parts[1][1])  # and is killed before its next checkpoint
    joined = readings_of([(r, *row[1:]) for r, m in enumerate((20, 36, 41)) for row in rates([m])])
    kept.apply(joined, np.array([1, 2, 3]), stamps(20, 36, 41))

    assert twin_of(kept) == twin_of(straight)
    assert kept.twins["ada"].newest_ms == straight.twins["ada"].newest_ms == START_MS + 41 * 60_000


def test_a_revision_and_a_retraction_of_what_waits_are_heard():
    cohort, whole = Cohort(), Cohort()
    revised, gone = readings_of(rates([30])), readings_of(rates([31]))
    revised.revision, revised.value = np.array([2]), np.array([99.0])
    gone.revision, gone.retract = np.array([1]), np.array([True])
    for offset, part in enumerate((revised, gone, readings_of(rates([30, 31])))):
        cohort.apply(part, np.array([offset]), stamps(0))
    cohort.apply(readings_of(rates([40])), np.array([9]), stamps(40))
    whole.apply(readings_of(rates([40])))
    whole.apply(revised)

    assert twin_of(cohort) == twin_of(whole)


def test_more_than_may_wait_are_refused_and_named():
    many = readings_of(
        [(0, "heart_rate", START_MS + FUTURE_MS + 1 + i, 60.0) for i in range(MOST_WAITING + 3)]
    )
    cohort = Cohort()
    done = cohort.apply(many, np.array([0]), stamps(0))

    assert done.ahead == [MOST_WAITING, MOST_WAITING + 1, MOST_WAITING + 2]
    assert done.counts["waiting"] == len(cohort.twins["ada"].waiting) == MOST_WAITING
    assert WAIT_MS == DAY_MS


def test_without_the_topics_times_nothing_waits():
    found = judge(readings_of(rates([0, 5000])), np.arange(2), START_MS, Windows())

    assert (len(found.rows), found.waits, found.waiting) == (2, 0, None)


@pytest.fixture(scope="module")
def virtual():
    return simulate(DEMO[0], START_MS, 0.2)[0]


def keyed(cohort, done):
    return {e["time"]: e for e in estimates(cohort, done)}


def test_a_corrected_tick_is_published_again_and_its_forecast_is_not_made_again(virtual):
    gone = virtual.rows(slice(150, 151))
    others = virtual.rows(np.delete(np.arange(len(virtual)), 150))
    cohort, whole = Cohort(), Cohort()
    before = keyed(cohort, cohort.apply(others))
    after = keyed(cohort, cohort.apply(gone))
    undisturbed = keyed(whole, whole.apply(virtual))
    again = after.keys() & before.keys()

    assert len(again) > 50
    assert all(after[at]["state"] == undisturbed[at]["state"] for at in after)
    assert any(after[at]["state"] != before[at]["state"] for at in again)
    assert sum(len(before[at]["outlook"]) for at in again) > 50
    assert {(f["made_at"], f["channel"]) for at in again for f in after[at]["outlook"]} <= {
        (int(gone.time_ms[0]), CHANNEL_CODES[gone.channel[0]])
    }, "only of the reading that came late"


def test_a_reading_that_comes_behind_others_is_forecast_once(virtual):
    glucose = np.flatnonzero(virtual.channel == CODE_OF["glucose"])[-5:]
    cohort = Cohort()
    cohort.apply(virtual.rows(np.setdiff1d(np.arange(len(virtual)), glucose)))
    first = keyed(cohort, cohort.apply(virtual.rows(glucose)))
    second = keyed(cohort, cohort.apply(virtual.rows(glucose)))
    made = [f for e in first.values() for f in e["outlook"] if f["channel"] == "glucose"]

    assert {f["made_at"] for f in made} == set(virtual.time_ms[glucose].tolist())
    assert second == {}, "a duplicate runs nothing"


def test_how_many_were_late_stands_in_the_estimate(virtual):
    cohort = Cohort()
    old = virtual.rows(slice(0, 3))
    old.time_ms = old.time_ms - 6 * DAY_MS
    cohort.apply(virtual.rows(slice(0, 200)))
    cohort.apply(old)
    done = cohort.apply(virtual.rows(slice(200, 250)))

    assert {e["late_readings"] for e in estimates(cohort, done)} == {3}


def test_spans_are_short():
    assert spans([0, 1, 2, 3, 4, 7, 9, 10]) == "0-4,7,9-10"
    assert spans(range(200_000)) == "0-199999"
