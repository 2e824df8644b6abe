"""The short form: real processes on Apache Kafka 4.3.1 and InfluxDB 2.9.1, disturbed at random; about three minutes."""

import os

import pytest

from deploy.services.services import Missing
from tests.chaos.run import SHORT, run
from tests.conftest import unavailable

# It found real faults and is not yet steady enough to hold up every build: issue 5 makes it a must.
pytestmark = pytest.mark.skipif(
    not os.environ.get("TWIN_CHAOS"), reason="TWIN_CHAOS is not set: three minutes of kills"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """On services of its own: its topics have 16 partitions, and what it stops others may need."""
    try:
        found = run(SHORT, tmp_path_factory.mktemp("chaos"))
    except Missing as error:
        unavailable(f"Apache Kafka and InfluxDB 2.9.1: {error}")
    print(found.text())
    return found


def test_everything_was_done_and_recovered_from(report):
    assert sum(map(len, report.recovered.values())) == 11
    assert not report.never
    assert report.load["drained"]
    assert report.load["duplicates"] > 100
    assert report.load["late"] > 100


UNPUBLISHED = "active alerts of the undisturbed run never published"


def test_nothing_differs_from_a_run_that_nobody_disturbed(report):
    assert {what: bad for what, (_, bad) in report.differs.items() if bad and what != UNPUBLISHED} == {}
    assert all(of > 0 for of, _ in report.differs.values())


@pytest.mark.xfail(
    reason="one of four runs missed one of 34 alerts; the cause is not found yet: issue 5", strict=False
)
def test_every_alert_of_the_undisturbed_run_was_active_once(report):
    assert report.differs[UNPUBLISHED][1] == 0


def test_graceful_stops_end_within_ten_seconds(report):
    assert max(report.stops) < 10.0
