"""State of an earlier version is read, state of a later one is refused by name."""

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from stream import migrating, storing
from stream.cohort import Cohort
from stream.migrating import NewerState
from stream.policy import new_state
from stream.virtual import DEMO, simulate
from twin import record as r_

FOLDER = Path(__file__).parent / "layouts"
START_MS = 1_795_392_000_000  # of the readings in layout2-record3


@pytest.fixture
def stored():
    """What a worker of layout 2 and record version 3 wrote of two hours, one late reading and an alert, and its twin."""
    return json.loads(gzip.decompress((FOLDER / "layout2-record3.json.gz").read_bytes()))


def restored(records):
    cohort = Cohort()
    for key, value in records:
        cohort.restore(base64.b64decode(key), base64.b64decode(value))
    cohort.finish_restore()
    return cohort


def as_held_now(block):
    """Means of a block of record version 3 as version 4 holds them, and how what is held now grows with what was held."""
    mean, slope = np.array(block["mean"]), np.ones(len(block["mean"]))
    for i, state in enumerate(block["states"]):
        if state in ("fat_mass", "lean_mass"):  # logarithms
            mean[i] = slope[i] = np.exp(mean[i])
    return mean, slope


def test_a_twin_of_layout_2_and_record_version_3_is_read_number_by_number(stored):
    cohort = restored(stored["records"])
    twin, found = cohort.twins[stored["person"]], cohort.twin_json(stored["person"])

    assert (stored["layout"], stored["record_version"]) == (2, 3.0)
    assert (twin.offset, twin.late, twin.newest_ms) == (stored["offset"], stored["late"], stored["newest_ms"])
    assert (len(twin.journal), sorted(twin.alerts)) == (stored["readings"], stored["alerts"])
    assert twin.head.record[r_.AT_VERSION] == r_.VERSION
    assert not len(twin.waiting)
    for name, block in stored["portrait"]["blocks"].items():
        count = len(block["mean"])  # a later version may know further states
        assert found["blocks"][name]["states"][:count] == block["states"]
        mean, slope = as_held_now(block)
        np.testing.assert_array_equal(found["blocks"][name]["mean"][:count], mean)
        covariance = np.array(found["blocks"][name]["covariance"])[:count, :count]
        np.testing.assert_allclose(
            covariance, np.array(block["covariance"]) * np.outer(slope, slope), rtol=1e-14
        )


def test_it_goes_on_from_there_and_is_written_in_the_present_layout(stored):
    cohort = restored(stored["records"])
    readings, _ = simulate(DEMO[0], START_MS, 0.09)
    before = cohort.twins[stored["person"]].newest_ms
    done = cohort.apply(readings, np.array([43]))
    records = list(cohort.changed())
    again = Cohort()
    for key, value in records:
        again.restore(key, value)

    assert done.counts["applied"] + done.counts["duplicate"] == len(readings)
    assert done.counts["applied"] > 0
    assert cohort.twins[stored["person"]].newest_ms > before
    assert {value[0] for _, value in records if value} == {storing.LAYOUT}


def test_a_layout_to_come_is_refused_by_name():
    with pytest.raises(
        NewerState, match=rf"layout {storing.LAYOUT + 1} is newer than this worker's {storing.LAYOUT}"
    ):
        Cohort().restore(b"t|ada", bytes([storing.LAYOUT + 1]))


def test_a_record_version_to_come_is_refused_by_name(stored):
    key, value = (base64.b64decode(text) for text in stored["records"][-1])
    at = 5 + int.from_bytes(value[1:5], "big") + 8  # layout, header, tick
    newer = value[:at] + np.float64(r_.VERSION + 1).tobytes() + value[at + 8 :]
    cohort = Cohort()
    cohort.restore(key, newer)

    assert np.frombuffer(value[at : at + 8])[0] == stored["record_version"]
    with pytest.raises(
        NewerState, match=rf"version {r_.VERSION + 1:g} is newer than this worker's {r_.VERSION:g}"
    ):
        cohort.finish_restore()


def test_a_record_to_which_a_version_added_at_its_end_begins_there_as_a_new_twin(monkeypatch):
    genesis, told = np.full(1 + 6, 7.0), np.arange(7)
    monkeypatch.setattr(migrating, "STORED", {1.0: 4})
    monkeypatch.setattr(r_, "VERSION", 2.0)
    policy = migrating.lay(np.array([1.0, 10.0, 11.0, 12.0, 0.5, 0.25]), genesis, told)

    assert genesis.tolist() == [2.0, 10.0, 11.0, 12.0, 7.0, 7.0, 7.0]
    assert policy.tolist() == [0.5, 0.25]


def test_whoever_changes_the_record_raises_its_version():
    assert (r_.VERSION, len(storing.TOLD)) == (4.0, 2246), "then STORED keeps how many the version before had"
    assert len(new_state()) == 16, "it may only grow at its end: a shorter one is filled up (storing._unpack)"
