"""The life of an alert is told whole, whatever comes late and whoever dies in between."""

import random

import numpy as np
import orjson
import pytest

from connectors.channels import CODE_OF
from stream import alerting, storing
from stream.cohort import Cohort
from stream.person import PersonTwin
from stream.policy import LOW_SOON, NORMAL, PENDING, Transition, alert_id, new_state
from stream.shelf import Shelf
from stream.virtual import DEMO, simulate
from tests.chaos.lives import gaps, lives

START_MS = 1_795_392_000_000
NAME = DEMO[1].name


def change(state, at_s, onset_s=1000.0):
    return Transition(LOW_SOON, state, onset_s, at_s, 80.0, 70.0, 0.4, ("why",))


def rules(phase, onset_s=1000.0):
    found = new_state()
    found[0], found[1] = phase, onset_s
    return found


def told(twin, newest_s, changes, policy):
    twin.newest_ms = newest_s * 1000
    return [(a["state"], a["at"]) for a in alerting.publish(twin, changes, policy)]


def test_what_was_resolved_for_want_of_data_is_active_when_they_come():
    twin = PersonTwin("ada")
    first = told(twin, 1000, [change("pending", 1000.0)], rules(PENDING))
    second = told(twin, 1600, [change("resolved", 1600.0)], rules(NORMAL))
    third = told(twin, 1600, [change("active", 1300.0)], rules(2.0))
    fourth = told(twin, 1900, [change("resolved", 1900.0)], rules(NORMAL))

    assert [state for state, _ in first + second + third + fourth] == [
        "pending",
        "resolved",
        "active",
        "resolved",
    ]
    assert told(twin, 2200, [], rules(NORMAL)) == [], "and then it is quiet"


def test_what_began_in_the_minute_of_the_checkpoint_is_not_undone():
    twin = PersonTwin("ada")
    told(twin, 1000, [change("pending", 1000.0)], rules(PENDING))

    assert told(twin, 1060, [], rules(PENDING)) == []
    assert told(twin, 1300, [change("active", 1300.0)], rules(2.0)) == [("active", 1_300_000)]


def test_an_alert_that_held_on_after_all_is_active_again_and_later_than_before():
    twin = PersonTwin("ada")
    told(twin, 1300, [change("pending", 1000.0), change("active", 1300.0)], rules(2.0))
    told(twin, 1600, [change("resolved", 1600.0)], rules(NORMAL))
    again = told(twin, 1600, [], rules(2.0))

    assert again == [("active", 1_600_001)]
    assert told(twin, 1900, [change("resolved", 1900.0)], rules(NORMAL)) == [("resolved", 1_900_000)]


def test_who_follows_after_a_crash_does_not_take_back_what_was_said_when_more_was_known():
    twin = PersonTwin("ada")
    told(twin, 1600, [change("pending", 1000.0), change("active", 1300.0)], rules(2.0))
    behind = PersonTwin("ada")
    behind.alerts = twin.alerts

    assert told(behind, 900, [], rules(NORMAL)) == []
    assert told(behind, 1000, [change("pending", 1000.0)], rules(PENDING)) == []
    assert told(behind, 1600, [], rules(NORMAL)) == [("resolved", 1_600_000)], (
        "now as much is known, and it is not so"
    )


def table(seed):
    """Six hours with four falls of glucose to the edge of a low, in readings that all lie within their minutes."""
    readings, _ = simulate(DEMO[1], START_MS, 0.25)
    rng = np.random.default_rng(seed)
    minutes = (readings.time_ms - START_MS) / 60_000
    glucose = readings.channel == CODE_OF["glucose"]
    dips = sum(np.exp(-(((minutes - at) / 14.0) ** 2)) for at in (60, 130, 210, 300))
    readings.value[glucose] = (105.0 - 42.0 * dips + rng.normal(0.0, 4.0, len(minutes)))[glucose]
    racing = ((minutes > 100) & (minutes < 140)) & (readings.channel == CODE_OF["heart_rate"])
    readings.value[racing] += 55.0 + rng.normal(0.0, 12.0, len(minutes))[racing]
    readings.value[(readings.channel == CODE_OF["met"])] = 1.0
    readings.time_ms += rng.integers(0, 59_000, len(minutes))
    keep = np.flatnonzero(np.isin(readings.channel, [CODE_OF[c] for c in ("glucose", "heart_rate", "met")]))
    return readings.rows(keep[np.argsort(readings.time_ms[keep], kind="stable")])


class Life:
    """A partition with a worker that dies: what the topics hold, and nothing else, outlives it."""

    def __init__(self, seed, folder=None):
        self.rng, self.folder = random.Random(seed), folder
        self.changelog, self.topic, self.committed = {}, [], 0
        self.cohort = self.empty()

    def empty(self):
        """As a worker begins: with a shelf, on which everybody lies after a recovery, or without."""
        return Cohort() if self.folder is None else Cohort(shelf=Shelf(self.folder / "shelf"), resident=0)

    def write(self, records):
        for key, value in records:
            self.changelog[key] = value

    def announce(self, alerts, dies=False):
        """As Worker.announce does; True: it died in between."""
        self.write(self.cohort.books(alerts))
        if dies and alerts:
            return True
        self.topic += alerts
        return False

    def restart(self):
        self.cohort.close()
        self.cohort = self.empty()
        for key, value in self.changelog.items():
            if value is not None:
                self.cohort.restore(key, value)
        self.cohort.finish_restore()
        unsaid = [alert for alerts in self.cohort.unsaid.values() for alert in alerts]
        self.cohort.unsaid = {}
        self.announce(unsaid)
        return self.committed

    def run(self, readings):
        """All records, in batches of any size, with deaths after 15 % of them."""
        at, deaths = 0, 0
        while at < len(readings.time_ms):
            size = self.rng.choice((1, 3, 10, 60))
            rows = np.arange(at, min(at + size, len(readings.time_ms)))
            batch = readings.rows(rows)
            batch.record = np.arange(len(rows))
            done = self.cohort.apply(batch, offsets=rows.astype(np.int64))
            dies = deaths < 12 and self.rng.random() < 0.15
            if self.announce(done.alerts, dies and self.rng.random() < 0.5) or dies:
                at, deaths = self.restart(), deaths + 1
                continue
            at += size
            if self.rng.random() < 0.2:
                self.write(self.cohort.changed())
                self.committed = at
        return deaths


def arrival(readings, seed, late=0.15, minutes=45):
    """In the order of arrival: some readings up to so many minutes late."""
    rng = np.random.default_rng(seed)
    due = readings.time_ms + np.where(
        rng.random(len(readings.time_ms)) < late, rng.uniform(0, minutes * 60_000, len(readings.time_ms)), 0.0
    )
    return readings.rows(np.argsort(due, kind="stable"))


@pytest.mark.parametrize("shelved", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_every_state_of_every_alert_is_published_in_order_whatever_comes_late_and_whoever_dies(
    seed, shelved, tmp_path
):
    readings = table(seed)
    whole = Cohort().apply(readings)
    truth = {}
    for person, found in whole.transitions:
        truth.setdefault(alert_id(person, found.rule.name, found.onset_s), []).append(found.state)
    life = Life(seed, tmp_path if shelved else None)
    deaths = life.run(arrival(readings, seed))

    assert deaths > 3
    assert sum("active" in states for states in truth.values()) >= 2
    assert gaps(lives(life.topic), truth) == {}


def test_alerts_of_an_older_layout_are_read_from_the_head():
    cohort, older = Cohort(), Cohort()
    cohort.apply(table(0).rows(slice(0, 50)))
    opened = cohort.tick_clock(cohort.twins[NAME].newest_ms + 3_600_000)
    for key, value in cohort.changed():
        if key[:2] == b"t|":
            size = int.from_bytes(value[1:5], "big")
            header = orjson.loads(value[5 : 5 + size]) | {"alerts": cohort.twins[NAME].alerts}
            packed = orjson.dumps(header)
            head = cohort.twins[NAME].head
            row = np.concatenate(
                [head.record[storing.TOLD], head.policy]
            )  # with its zeros, as layouts before 5
            older.restore(
                key,
                bytes([2])
                + len(packed).to_bytes(4, "big")
                + packed
                + np.int64(head.tick).tobytes()
                + row.tobytes(),
            )
        elif key[:2] != b"a|":
            older.restore(key, value)
    older.finish_restore()

    assert [a["rule"] for a in opened] == ["data_missing"]
    assert older.twins[NAME].alerts == cohort.twins[NAME].alerts
