"""The short form: real processes on Apache Kafka 4.3.1 and InfluxDB 2.9.1, disturbed at random; about three minutes."""

import pytest

from deploy.services.services import Missing
from tests.chaos.run import SHORT, run
from tests.conftest import unavailable


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
    assert report.asked >= 11  # 12 where a disk can be made full
    assert sum(map(len, report.recovered.values())) == report.asked
    assert not report.never
    assert report.load["drained"]
    assert report.load["duplicates"] > 100
    assert report.load["late"] > 100


def test_nothing_differs_from_a_run_that_nobody_disturbed(report):
    assert {what: bad for what, (_, bad) in report.differs.items() if bad} == {}, report.notes
    assert all(of > 0 for of, _ in report.differs.values())


def test_graceful_stops_end_within_ten_seconds(report):
    assert max(report.stops) < 10.0
