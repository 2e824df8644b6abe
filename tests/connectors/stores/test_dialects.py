"""Alerts in a bucket of their own, the sink's own rows, and the dialect of InfluxDB 3 as its documentation gives it."""

import asyncio
import time

import orjson
import pytest
from aiohttp import web

from connectors.stores.answers import Rejected
from connectors.stores.influx import InfluxStore
from tests.connectors.stores.test_buckets import store_of
from tests.connectors.stores.test_contract import ALERT, ESTIMATE


@pytest.fixture(params=["influx1", "influx2"], ids=["1.8.10", "2.9.1"])
def server(request):
    return request.getfixturevalue(request.param)


def test_alerts_lie_in_their_own_bucket_and_are_read_and_erased_there(server):
    now = int(time.time() * 1000) - 60_000
    estimate, alert = ESTIMATE | {"time": now}, ALERT | {"onset": now, "at": now}
    raw, alerts = ("al_raw", "al_raw/alerts") if not hasattr(server, "token") else ("al-raw", "al-alerts")

    async def run():
        store = InfluxStore(
            server.url, getattr(server, "token", ""), getattr(server, "org", "-"), raw, "", alerts
        )
        plain = store_of(server, raw)
        try:
            await store.look({raw: 30, alerts: 730}, True)
            await store.open()
            await store.write([estimate], [alert])
            found = await store.alerts(), await plain.alerts(), await store.states("ada, b=c", 0, 2**62)
            await store.erase("ada, b=c")
            return *found, await store.alerts(), await store.states("ada, b=c", 0, 2**62)
        finally:
            await store.close()
            await plain.close()

    assert asyncio.run(run()) == ([alert], [], [estimate], [], [])


def test_the_sinks_own_counters_are_rows_by_the_clock(server):
    async def run():
        store = store_of(server, "twin")
        try:
            await store.write_own(
                "worker-7", {"twin_sink_queued_bytes": 12.0, "twin_sink_state": 0.0}, 1_795_392_000_000
            )
            series = await store.ask("SELECT * FROM twin_sink WHERE worker = 'worker-7'") if not hasattr(server, "token") \
                else await store._query("SELECT * FROM twin_sink WHERE worker = 'worker-7'")  # fmt: skip
            return dict(zip(series[0]["columns"], series[0]["values"][0], strict=True))
        finally:
            await store.close()

    row = asyncio.run(run())

    assert (row["time"], row["twin_sink_queued_bytes"], row["twin_sink_state"]) == (
        1_795_392_000_000,
        12.0,
        0.0,
    )


THREE = {
    "error": "partial write of line protocol occurred",
    "data": [
        {
            "original_line": "twin_state,person_id=b x=77 1",
            "line_number": 2,
            "error_message": "bad 'twin_state,person_id=b x=77 1'",
        },
        {"original_line": "x", "line_number": 99, "error_message": "beyond"},
        {"line_number": True},
        "odd",
    ],
}


def test_3_counts_the_lines_that_it_left_out_from_one():
    assert Rejected(400, "partial write", THREE["data"]).numbered(3) == {1: "bad '…'"}
    assert Rejected(400, "partial write", {"a": 1}).numbered(3) == {}


def test_of_3_only_what_it_names_is_dead_and_nothing_is_sent_again():
    bodies = []

    async def write(request):
        bodies.append((await request.read()).count(b"\n"))
        return web.Response(status=400, body=orjson.dumps(THREE), content_type="application/json")

    async def run():
        app = web.Application()
        app.router.add_post("/api/v2/write", write)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        store = InfluxStore(f"http://127.0.0.1:{runner.addresses[0][1]}", "t", "-", "twin")
        people = [ESTIMATE | {"person": name} for name in "abc"]
        try:
            return await store.write(people, []), people
        finally:
            await store.close()
            await runner.cleanup()

    refused, people = asyncio.run(run())

    assert [(r.document, r.reason) for r in refused] == [(people[1], "bad '…'")]
    assert len(bodies) == 1
