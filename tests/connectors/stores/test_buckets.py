"""Buckets with their retention on InfluxDB 1.8.10 and 2.9.1: made once, never changed."""

import asyncio
import time

import pytest

from connectors.stores import Refused
from connectors.stores.buckets import Bucket
from connectors.stores.influx import InfluxStore
from connectors.stores.retention import EXPIRED
from tests.connectors.stores.test_hourly import estimate, hours


def store_of(server, bucket, long_bucket=""):
    token, org = getattr(server, "token", ""), getattr(server, "org", "-")
    return InfluxStore(server.url, token, org, bucket, long_bucket)


@pytest.fixture(params=["influx1", "influx2"], ids=["1.8.10", "2.9.1"])
def server(request):
    return request.getfixturevalue(request.param)


def test_missing_ones_are_made_and_hourly_rows_go_to_the_long_one(server):
    now = int(time.time() * 1000) - 3_600_000
    raw, long = ("kept_raw", "kept_raw/long") if not hasattr(server, "token") else ("kept-raw", "kept-long")

    async def run():
        store = store_of(server, raw, long)
        reader = store_of(server, long)
        try:
            before = await store.look({raw: 30, long: 730}, False)
            made = await store.look({raw: 30, long: 730}, True)
            again = await store.look({raw: 5, long: 5}, True)
            await store.open()
            e = estimate("bucket-ada", now, 100.0)
            await store.write([e], [])
            await store.roll_up({(e["person"], e["time"])})
            return (
                before,
                made,
                again,
                await store.states("bucket-ada", 0, 2**62),
                await hours(reader, "bucket-ada"),
            )
        finally:
            await store.close()
            await reader.close()

    before, made, again, states, rows = asyncio.run(run())

    assert before == [Bucket(raw, False, False, None), Bucket(long, False, False, None)]
    assert made == [Bucket(raw, True, True, 30.0), Bucket(long, True, True, 730.0)]
    assert again == [Bucket(raw, True, False, 30.0), Bucket(long, True, False, 730.0)]
    assert len(states) == 1
    assert [row["glucose_mean"] for row in rows.values()] == [100.0]


def test_what_a_bucket_does_not_keep_is_not_sent_and_its_hour_stays(server):
    now, day = int(time.time() * 1000), 86_400_000
    raw, long = ("brief", "brief/long") if not hasattr(server, "token") else ("brief-raw", "brief-long")
    old, new = estimate("brief-ada", now - 3 * day, 100.0), estimate("brief-ada", now, 100.0)

    async def run():
        store = store_of(server, raw, long)
        sent = []
        try:
            await store.look({raw: 1, long: 730}, True)
            await store.open()
            send = store._send
            store._send = lambda batch, bucket="": sent.append(len(batch)) or send(batch, bucket)
            refused = await store.write([old, new], [])
            counts = list(sent)
            await store.roll_up({(e["person"], e["time"]) for e in (old, new)})
            return refused, counts, await store.states("brief-ada", 0, 2**62)
        finally:
            await store.close()

    refused, counts, states = asyncio.run(run())

    assert refused == [Refused(old, EXPIRED)]
    assert counts == [1], "one line, of the new one"
    assert states == [new]


def test_where_retention_may_not_be_asked_the_server_says_it(server, monkeypatch):
    now, day = int(time.time() * 1000), 86_400_000
    raw = "silent" if not hasattr(server, "token") else "silent-raw"
    documents = [estimate("silent-ada", now - days * day, 100.0) for days in (0, 30, 0, 40)]

    async def run():
        store = store_of(server, raw)
        try:
            await store.look({raw: 1}, True)
            await store.open()
            store.retention.know({})
            return await store.write(documents, [])
        finally:
            await store.close()

    refused = asyncio.run(run())

    assert [r.document["time"] for r in refused] == [documents[1]["time"], documents[3]["time"]]
    assert {r.reason for r in refused} == {EXPIRED}


def test_the_doctor_says_what_is_missing_and_makes_it(influx2):
    from pydantic import SecretStr

    from stream.doctor import examine
    from stream.settings import Settings

    settings = Settings(
        broker="127.0.0.1:1", store="influx", influx_url=influx2.url, influx_token=SecretStr(influx2.token),
        influx_org=influx2.org, influx_bucket="doctor-raw", influx_long_bucket="doctor-long",
    )  # fmt: skip
    found = {fix: [(f["ok"], f["found"]) for f in asyncio.run(examine(settings, fix)) if f["what"] == "bucket"]
             for fix in (False, True)}  # fmt: skip

    assert found[False] == [(False, "doctor-raw is missing"), (False, "doctor-long is missing")]
    assert found[True] == [
        (True, "doctor-raw keeps 30 days, created"),
        (True, "doctor-long keeps 730 days, created"),
    ]
