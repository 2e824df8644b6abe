"""The invariant, driven by hypothesis: whatever order, duplicates, revisions, retractions, cuts and crashes, the same bits.

The short form takes about a minute; `TWIN_PROPERTY=long pytest tests/stream/test_property.py` runs some hours, and any
number of examples may be given instead of `long`. How many ran is said at the end of the run.
"""

import csv
import gzip
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stream import replay
from stream.cohort import Cohort
from stream.shelf import Shelf
from tests.conftest import SAID
from tests.stream.lives import (
    HOUR,
    MINUTE,
    PEOPLE,
    QUALITY,
    SOURCES,
    START_MS,
    VALUES,
    WINDOW_H,
    Message,
    Row,
    decoded,
    final,
    plain_rows,
    told,
    undisturbed,
)  # fmt: skip

ASKED = os.environ.get("TWIN_PROPERTY", "")
LIVES = {"": 60, "long": 20_000}.get(ASKED) or int(ASKED)
HOW = settings(
    max_examples=LIVES, stateful_step_count=30 if not ASKED else 60, deadline=None, database=None, derandomize=not ASKED,
    suppress_health_check=list(HealthCheck), print_blob=True,
)  # fmt: skip
COUNT = {"lives": 0, "steps": 0, "readings": 0, "crashes": 0, "torn": 0, "late": 0, "waited": 0,
         "tables": 0}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def counted():
    yield
    SAID.append(f"property test: {json.dumps(COUNT)}")


def bits(cohort, person):
    return json.dumps(cohort.twin_json(person)) + "\n"


class Stream(RuleBasedStateMachine):
    """A topic, a changelog, what was committed, and a worker's cohort, which may die at any time."""

    @initialize(kind=st.sampled_from(("plain", "patient", "shelf")))
    def begin(self, kind):
        """Plain as in replay; patient as in the worker; with a shelf, where all but one person lie."""
        self.kind, self.folder, self.cohort = kind, Path(tempfile.mkdtemp(prefix="twin-lives-")), None
        self.topic, self.stamp, self.number = [], START_MS, 0
        self.cohort, self.applied = self.fresh(), 0
        self.changelog, self.committed = [], 0
        COUNT["lives"] += 1

    def fresh(self):
        if self.cohort is not None:
            self.cohort.close()
        shelf = Shelf(self.folder / "shelf.sqlite") if self.kind == "shelf" else None
        return Cohort(patient=self.kind != "plain", shelf=shelf, resident=1)

    def send(self, person, source, ingested, rows):
        if rows:
            self.topic.append(Message(person, source, ingested, self.stamp, tuple(rows)))
            COUNT["readings"] += len(rows)
        COUNT["steps"] += 1

    @rule(minutes=st.one_of(st.integers(0, 10), st.integers(0, 400)))
    def time_passes(self, minutes):
        self.stamp += minutes * MINUTE

    @rule(person=st.sampled_from(PEOPLE), source=st.sampled_from(SOURCES), found=st.lists(plain_rows(), max_size=12),
          known=st.booleans(), ingested=st.integers(0, 2))  # fmt: skip
    def readings_come(self, person, source, found, known, ingested):
        rows = []
        for channel, age, value in found:
            self.number += 1
            rows.append(Row(channel, self.stamp - age, float(value), f"r{self.number}" if known else None))
        self.send(person, source, ingested * 1000 + START_MS if ingested else 0, rows)

    @rule(person=st.sampled_from(PEOPLE), hours=st.integers(1, 30), every=st.sampled_from((5, 15, 60)))
    def a_watch_comes_back(self, person, hours, every):
        """Hours in one record, the newest first, as vendors do it."""
        ages = range(0, hours * 60, max(every, hours))
        self.send(
            person, "watch", 0, [Row("heart_rate", self.stamp - a * MINUTE, 55.0 + a % 23) for a in ages]
        )

    @precondition(lambda self: self.topic)
    @rule(data=st.data())
    def something_comes_again(self, data):
        old = data.draw(st.sampled_from(self.topic))
        rows = data.draw(st.permutations(old.rows))
        self.topic.append(
            replace(old, stamp=self.stamp, rows=tuple(rows[: data.draw(st.integers(1, len(rows)))]))
        )

    @precondition(lambda self: self.topic)
    @rule(data=st.data(), up=st.integers(0, 2), ingested=st.integers(0, 2), retract=st.booleans(),
          sigma=st.sampled_from((None, 0.5, 4.0)), quality=st.sampled_from(QUALITY))  # fmt: skip
    def something_is_revised(self, data, up, ingested, retract, sigma, quality):
        old = data.draw(st.sampled_from(self.topic))
        row = data.draw(st.sampled_from(old.rows))
        low, high = VALUES[row.channel]
        moves = row.record_id is not None and WINDOW_H[row.channel] == 24
        shift = data.draw(st.integers(-120, 120)) * MINUTE if moves else 0
        new = replace(row, value=float(data.draw(st.integers(low, high))), revision=row.revision + up, retract=retract,
                      time=min(row.time + shift, self.stamp + 20 * HOUR), sigma=sigma, quality=quality)  # fmt: skip
        self.send(old.person, old.source, ingested * 1000 + START_MS if ingested else 0, [new])

    @precondition(lambda self: self.applied < len(self.topic))
    @rule(share=st.floats(0.01, 1.0), behind=st.booleans())
    def a_batch_is_applied(self, share, behind):
        self.work(max(1, round(share * (len(self.topic) - self.applied))), behind=behind)

    @rule()
    def what_waited_for_more_of_its_minute_is_run(self):
        self.cohort.settle()

    def work(self, count, *, behind=False):
        part = self.topic[self.applied : self.applied + count]
        offsets = np.arange(self.applied, self.applied + count)
        found = decoded(part)
        assert not found.refused
        done = self.cohort.apply(found, offsets, np.array([m.stamp for m in part]), behind=behind)
        assert done.ahead == []
        COUNT["waited"] += done.counts["waiting"]
        self.applied += count

    @rule()
    def a_checkpoint_is_written(self):
        self.changelog += list(self.cohort.changed())
        self.committed = self.applied

    @rule(share=st.one_of(st.none(), st.floats(0.0, 1.0)))
    def the_worker_dies(self, share):
        """Between two checkpoints, or while one is written: then a part of it is there and nothing is committed."""
        if share is not None:
            cut = list(self.cohort.changed())
            self.changelog += cut[: round(share * len(cut))]
            COUNT["torn"] += 1
        COUNT["crashes"] += 1
        self.cohort, self.applied = self.fresh(), self.committed
        for key, value in self.changelog:
            self.cohort.restore(key, value)
        self.cohort.finish_restore()

    def teardown(self):
        try:
            if getattr(self, "topic", None):
                self.compare()
        finally:
            if getattr(self, "cohort", None) is not None:
                self.cohort.close()
                shutil.rmtree(self.folder)

    def compare(self):
        if self.applied < len(self.topic):
            self.work(len(self.topic) - self.applied)
        people = told(self.topic)
        for person, held in people.items():
            whole = Cohort()
            undisturbed(whole, person, held.accepted)
            twin = self.cohort.find(person)
            whole.twin(person)  # of somebody whose every reading is late or waits nothing is known
            assert bits(self.cohort, person) == bits(whole, person)
            assert (twin.late, twin.newest_ms) == (held.late, held.newest)
            assert sorted(twin.waiting["time_ms"].tolist()) == sorted(row.time for _, _, row in held.waiting)
            COUNT["late"] += held.late


def test_whatever_happens_the_twins_are_those_of_the_final_table():
    run_state_machine_as_test(Stream, settings=HOW)

    assert COUNT["lives"] >= LIVES
    assert min(COUNT[name] for name in COUNT if name != "tables") > 0


def written(path, rows):
    with gzip.open(path, "wt", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            (
                "person",
                "time",
                "channel",
                "value",
                "sigma",
                "source",
                "record_id",
                "revision",
                "op",
                "quality",
                "ingested_at",
            )
        )
        for person, source, ingested, row in rows:
            table.writerow((person, replay.stamp(row.time / 1000), row.channel, row.value, row.sigma or "", source,
                            row.record_id or "", row.revision, "retract" if row.retract else "upsert", row.quality,
                            replay.stamp(ingested / 1000) if ingested else ""))  # fmt: skip


@st.composite
def arrivals(draw):
    """A table in the order of arrival, all of it inside the window, with revisions, retractions and duplicates."""
    rows = []
    for number, (channel, age, value) in enumerate(draw(st.lists(plain_rows(), min_size=20, max_size=120))):
        person, source = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(SOURCES))
        row = Row(
            channel, START_MS - age % (23 * HOUR), float(value), f"r{number}" if draw(st.booleans()) else None
        )
        rows.append((person, source, draw(st.sampled_from((0, START_MS, START_MS + 1000))), row))
    for who, source, ingested, row in draw(st.lists(st.sampled_from(rows), max_size=30)):
        low, high = VALUES[row.channel]
        again = replace(row, revision=draw(st.integers(0, 2)), value=float(draw(st.integers(low, high))),
                        retract=draw(st.booleans()), quality=draw(st.sampled_from(QUALITY)))  # fmt: skip
        rows.append((who, source, ingested, draw(st.sampled_from((row, again)))))
    return draw(st.permutations(rows))


@settings(HOW, max_examples=max(10, LIVES // 6))
@given(rows=arrivals())
def test_replay_as_arrived_writes_the_bytes_of_the_final_table(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("arrived")
    meant = []
    for person in PEOPLE:
        mine = [(source, ingested, row) for who, source, ingested, row in rows if who == person]
        meant += [(person, source, 0, replace(row, revision=0)) for source, row in final(mine)]
    written(folder / "arrived.csv.gz", rows)
    written(folder / "final.csv.gz", meant)
    arrived = replay.run(replay.Replay(folder / "arrived.csv.gz", folder / "one", as_arrived=True))
    replay.run(replay.Replay(folder / "final.csv.gz", folder / "two"))
    twins = {
        name: sorted((folder / name / "twins.jsonl").read_bytes().splitlines()) for name in ("one", "two")
    }
    known = [line for line in twins["one"] if json.loads(line)["blocks"] or line in twins["two"]]
    with (folder / "one" / "forecasts.csv").open() as file:
        made = [tuple(line[:4]) for line in list(csv.reader(file))[1:]]
    COUNT["tables"] += 1

    assert known == twins["two"]
    assert arrived["late"] == 0
    assert len(made) == len(set(made)), "a forecast is made once"
