"""What every store keeps; a new store joins the list."""

import asyncio
import sqlite3

import pytest

from connectors.errors import Unavailable
from connectors.stores.influx import InfluxStore
from connectors.stores.sqlite import SqliteStore

ESTIMATE = {"person": "ada, b=c", "time": 1000, "state": {"glucose": {"mean": 100.0, "sd": 5.0}}}
ALERT = {"alert_id": "x", "person": "ada, b=c", "onset": 1, "at": 5, "state": "active"}


HOSTILE = ["it's", 'say "hi"', "back\\slash", "a\\,b", "=", "Zoë 人", "x' OR person_id != '", "#no comment"]


def influx(server):
    """A store of the server, 1.8.10 or 2.9.1."""
    return InfluxStore(server.url, getattr(server, "token", ""), getattr(server, "org", "-"), "twin")


@pytest.fixture(params=["sqlite", "influx1", "influx2"], ids=["SQLite", "InfluxDB 1.8.10", "InfluxDB 2.9.1"])
def store(request, tmp_path):
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "t.sqlite")
    made = influx(request.getfixturevalue(request.param))
    run(made, *(made.erase(person) for person in ("ada, b=c", "bob", *HOSTILE)))
    return made


def run(store, *steps):
    async def all_of_it():
        try:
            await store.open()
            return [await step for step in steps][-1]
        finally:
            await store.close()

    return asyncio.run(all_of_it())


def test_what_is_written_is_read_back(store):
    later = ESTIMATE | {"time": 2000}
    found = run(store, store.write([ESTIMATE, later], [ALERT]), store.states("ada, b=c", 0, 1500))

    assert found == [ESTIMATE]
    assert run(store, store.latest()) == [later]
    assert run(store, store.alerts()) == [ALERT]


def forecast(channel, mean):
    return {"channel": channel, "made_at": 1000, "horizon_s": 1800, "mean": mean}


def test_forecasts_stay_as_they_were_made_when_the_estimate_is_corrected(store):
    first = ESTIMATE | {"outlook": [forecast("heart_rate", 70.0), forecast("glucose", 110.0)]}
    corrected = ESTIMATE | {"state": {"glucose": {"mean": 90.0, "sd": 4.0}}, "outlook": []}
    later = ESTIMATE | {"outlook": [forecast("heart_rate", 71.0)]}
    wanted = corrected | {"outlook": first["outlook"]}

    assert run(store, store.write([first], []), store.states("ada, b=c", 0, 9999)) == [first]
    assert run(store, store.write([corrected], []), store.latest()) == [wanted]
    assert run(store, store.states("ada, b=c", 0, 9999)) == [wanted]
    run(store, store.erase("ada, b=c"), store.write([corrected], []), store.write([later], []))
    assert run(store, store.states("ada, b=c", 0, 9999)) == [later], "it was not forecast before"


def test_the_first_forecast_of_a_tick_stays_whoever_writes_again(store):
    """After a crash ticks are forecast again: by the writer that knows, by one that does not, in one request."""
    first = ESTIMATE | {"outlook": [forecast("glucose", 110.0)]}
    again = ESTIMATE | {"outlook": [forecast("heart_rate", 70.0), forecast("glucose", 99.0)]}
    other = ESTIMATE | {"outlook": [forecast("heart_rate", 80.0)]}
    later = first | {"time": 2000}
    wanted = ESTIMATE | {"outlook": [again["outlook"][0], first["outlook"][0]]}
    run(store, store.write([first, later], []), store.write([again], []))
    forget = getattr(store, "forget", lambda: None)
    forget()  # another sink has the partition now

    assert run(store, store.write([other], []), store.states("ada, b=c", 0, 1500)) == [wanted]
    run(store, store.erase("ada, b=c"), store.write([first, again, other], []))
    assert run(store, store.states("ada, b=c", 0, 1500)) == [wanted]


def test_an_outlook_of_another_shape_is_read_back_as_it_came(store):
    odd = ESTIMATE | {"outlook": [{"channel": "aura"}]}

    assert run(store, store.write([odd], []), store.states("ada, b=c", 0, 9999)) == [odd]


def test_the_same_key_overwrites(store):
    corrected = ESTIMATE | {"state": {"glucose": {"mean": 90.0, "sd": 4.0}}}
    taken = ALERT | {"state": "acknowledged", "at": 6}
    run(store, store.write([ESTIMATE], [ALERT]), store.write([corrected], [taken]))

    assert run(store, store.states("ada, b=c", 0, 9999)) == [corrected]
    assert run(store, store.alerts()) == [taken]


def test_an_older_tick_does_not_replace_the_latest(store):
    run(store, store.write([ESTIMATE | {"time": 3000}], []), store.write([ESTIMATE], []))

    assert [e["time"] for e in run(store, store.latest())] == [3000]


def test_a_person_is_erased_everywhere(store):
    run(store, store.write([ESTIMATE, ESTIMATE | {"person": "bob"}], [ALERT]), store.erase("ada, b=c"))

    assert [e["person"] for e in run(store, store.latest())] == ["bob"]
    assert run(store, store.alerts()) == []


def test_a_store_that_is_away_says_so_and_comes_back(tmp_path):
    blocked = tmp_path / "t.sqlite"
    blocked.mkdir()
    store = SqliteStore(blocked)
    with pytest.raises(Unavailable):
        asyncio.run(store.write([ESTIMATE], []))
    blocked.rmdir()

    assert run(store, store.write([ESTIMATE], []), store.latest()) == [ESTIMATE]
    assert sqlite3.sqlite_version in run(store, store.ping())


def test_a_hostile_name_is_only_a_name(store):
    run(store, store.write([ESTIMATE | {"person": name} for name in ["bob", *HOSTILE]], []))
    found = [run(store, store.states(name, 0, 9999)) for name in HOSTILE]
    run(store, *(store.erase(name) for name in HOSTILE))

    assert [[e["person"] for e in rows] for rows in found] == [[name] for name in HOSTILE]
    assert [e["person"] for e in run(store, store.latest())] == ["bob"]


def test_a_document_that_cannot_be_kept_costs_only_itself(store):
    bad = [
        {},
        ESTIMATE | {"person": 7},
        ESTIMATE | {"person": "two\nlines"},
        ESTIMATE | {"time": 10**20},
        ESTIMATE | {"time": "1000"},
        ESTIMATE | {"time": True},
        ESTIMATE | {"state": None},
    ]
    bad_alerts = [{}, ALERT | {"onset": -1}, ALERT | {"at": 1.5}, ALERT | {"alert_id": None}]
    refused = run(store, store.write([*bad, ESTIMATE], [*bad_alerts, ALERT]))

    assert [r.document for r in refused] == [*bad, *bad_alerts]
    assert run(store, store.latest()) == [ESTIMATE]
    assert run(store, store.alerts()) == [ALERT]


def test_what_changed_since_is_asked_by_its_last_change(store):
    older, newer = ALERT, ALERT | {"alert_id": "y", "person": "bob", "at": 1_763_622_100_001}
    run(store, store.write([], [older, newer]))

    assert run(store, store.alerts(1_763_622_100_001)) == [newer]
    assert run(store, store.alerts(1_763_622_100_002)) == []
    assert run(store, store.alerts(0, "bob")) == [newer]
