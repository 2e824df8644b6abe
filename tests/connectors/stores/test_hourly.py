"""Hourly rows on InfluxDB 1.8.10 and 2.9.1, against numpy."""

import asyncio

import numpy as np
import pytest

from connectors.stores.hourly import HOUR_MS, by_hour, query
from connectors.stores.influx import _literal
from tests.connectors.stores.test_contract import influx

START_MS = 1_763_600_400_000 // HOUR_MS * HOUR_MS
PEOPLE = ("hourly-ada", "o'brien, \\bob=1")


def estimate(person, at_ms, glucose):
    return {"schema": "estimate/1", "person": person, "time": at_ms, "made_from": 1, "lag_s": 0.0,
            "state": {"glucose": {"mean": glucose, "sd": 2.0}, "heart_rate": {"mean": 60.0, "sd": 1.0}},
            "parameter": {}, "surprise": {}, "observed": {}, "probability": {}, "outlook": []}  # fmt: skip


@pytest.fixture(params=["influx1", "influx2"])
def server(request):
    return request.getfixturevalue(request.param)


async def hours(store, person):
    found = await store._query(f"SELECT * FROM twin_state_1h WHERE person_id = {_literal(person)}")
    if not found:
        return {}
    names = found[0]["columns"]
    return {row[0]: dict(zip(names, row, strict=True)) for row in found[0]["values"]}


def test_an_hour_is_what_numpy_says_and_again_after_late_data(server):
    values = np.linspace(80.0, 140.0, 90)
    made = [estimate(p, START_MS + 60_000 * i, v) for p in PEOPLE for i, v in enumerate(values.tolist())]
    late = estimate(PEOPLE[0], START_MS + 60_000 * 5, 300.0)

    async def run():
        store = influx(server)
        try:
            await store.open()
            assert await store.write(made, []) == []
            assert await store.roll_up({(e["person"], e["time"]) for e in made}) == []
            first = {p: await hours(store, p) for p in PEOPLE}
            await store.write([late], [])
            await store.roll_up({(late["person"], late["time"])})
            return first, {p: await hours(store, p) for p in PEOPLE}
        finally:
            await store.close()

    first, second = asyncio.run(run())

    for person in PEOPLE:
        row = first[person][START_MS]
        hour = values[:60]
        assert set(first[person]) == {START_MS, START_MS + HOUR_MS}
        assert row["glucose_n"] == 60
        assert first[person][START_MS + HOUR_MS]["glucose_n"] == 30
        found = [row[f"glucose_{name}"] for name in ("mean", "min", "max", "sd")]
        np.testing.assert_allclose(found, [hour.mean(), hour.min(), hour.max(), hour.std(ddof=1)], rtol=1e-4)
        assert row["heart_rate_mean"] == 60.0
    changed = values[:60].copy()
    changed[5] = 300.0
    assert second[PEOPLE[0]][START_MS]["glucose_max"] == 300.0
    np.testing.assert_allclose(second[PEOPLE[0]][START_MS]["glucose_mean"], changed.mean(), rtol=1e-5)
    assert second[PEOPLE[1]] == first[PEOPLE[1]]


def test_many_people_are_not_named_in_the_query():
    hour, people = next(iter(by_hour((f"p{n}", START_MS + n) for n in range(500)).items()))

    assert len(people) == 500
    assert "person_id =" not in query(hour, people, _literal)
    assert "person_id =" in query(hour, ["p1"], _literal)
