"""Twins that lie on the shelf are the same twins."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from stream.bench.inside import people_minutes
from stream.cohort import Cohort
from stream.memory import give_back
from stream.shelf import Shelf, sweep
from stream.virtual import DEMO, simulate

START_MS = 1_795_392_000_000
NAMES = ("ada", "bob", "cem")


@pytest.fixture(scope="module")
def people():
    found = [simulate(DEMO[number % len(DEMO)], START_MS + 7000 * number, 0.15)[0] for number in range(3)]
    for name, readings in zip(NAMES, found, strict=True):
        readings.persons = [name]
    return found


@pytest.fixture(scope="module")
def undisturbed(people):
    cohort = Cohort()
    for readings in people:
        cohort.apply(readings)
    return {name: json.dumps(cohort.twin_json(name)) for name in cohort.twins}


def lived(cohort, people, late=()):
    """Everybody's readings, half an hour of one person after the other; returns the changelog."""
    log, left = [], []
    for number, readings in enumerate(people):
        for begin in range(0, len(readings), 30):
            rows = np.arange(begin, min(begin + 30, len(readings)))
            left.append((int(readings.time_ms[rows[0]]), number, rows))
    for _, number, rows in sorted(left, key=lambda one: (one[0], one[1])):
        held = np.isin(rows, late)
        cohort.apply(people[number].rows(rows[~held]))
        log += cohort.changed()
    for readings in people:
        cohort.apply(readings.rows(np.array(late, dtype=int)))
        log += cohort.changed()
    return log


def test_who_is_put_away_comes_back_the_same(people, undisturbed, tmp_path):
    cohort = Cohort(shelf=Shelf(tmp_path / "a.sqlite"), resident=1)
    lived(cohort, people, late=(5, 6, 40))

    assert (len(cohort.twins), cohort.people()) == (1, 3)
    assert {name: json.dumps(cohort.twin_json(name)) for name in undisturbed} == undisturbed


def test_a_changelog_is_read_onto_the_shelf_and_nobody_is_put_together_before_something_comes(
    people, undisturbed, tmp_path
):
    log = lived(Cohort(), people)
    cohort = Cohort(shelf=Shelf(tmp_path / "b.sqlite"))
    for key, value in log:
        cohort.restore(key, value)
    cohort.finish_restore()
    assert (len(cohort.twins), cohort.people()) == (0, 3)

    done = cohort.apply(people[0])

    assert done.counts["duplicate"] == len(people[0])
    assert len(cohort.twins) == 1
    assert {name: json.dumps(cohort.twin_json(name)) for name in undisturbed} == undisturbed


def test_silence_of_people_on_the_shelf_is_said_once_and_taken_back(people, tmp_path):
    cohort = Cohort(shelf=Shelf(tmp_path / "c.sqlite"), resident=1)
    lived(cohort, people)
    later = max(int(readings.time_ms.max()) for readings in people) + 7_200_000
    said = cohort.tick_clock(later)
    list(cohort.changed())
    again = cohort.tick_clock(later + 60_000)
    asleep = len(cohort.asleep)

    assert {alert["person"] for alert in said} == set(NAMES)
    assert (again, asleep) == ([], 2)


def test_the_file_is_gone_when_the_partition_is(tmp_path):
    cohort = Cohort(shelf=Shelf(tmp_path / "d.sqlite"))
    assert (tmp_path / "d.sqlite").exists()
    cohort.close()

    assert not (tmp_path / "d.sqlite").exists()


def test_shelves_of_processes_that_are_no_more_are_deleted(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for number in (gone.pid, os.getpid()):
        (tmp_path / f"shelf-{number}").mkdir()
    sweep(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [f"shelf-{os.getpid()}"]


def test_memory_of_twins_that_were_put_away_is_given_back(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr("stream.keeping.give_back", lambda: given.append(1))
    monkeypatch.setattr("stream.keeping.GIVE_BACK_AFTER", 10)
    cohort = Cohort(shelf=Shelf(tmp_path / "s.sqlite"), resident=2)
    for minute in range(2):
        cohort.apply(people_minutes(0, 30, minute, minute + 1))
        list(cohort.changed())

    assert len(cohort.twins) == 2
    assert len(given) >= 2


def test_giving_memory_back_works_where_there_is_glibc():
    give_back()
