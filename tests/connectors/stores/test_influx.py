"""What is InfluxDB's own: bad lines among good ones, servers that are away or set up wrongly."""

import asyncio
import math
import time

import pytest
from aiohttp import web
from influxdb_client import (
    AuthorizationPostRequest,
    AuthorizationsService,
    BucketsService,
    OrganizationsService,
    Permission,
    PermissionResource,
    PostBucketRequest,
)

from connectors.errors import Unavailable
from connectors.stores import influx as module
from connectors.stores.buckets import make_known
from connectors.stores.influx import InfluxStore
from connectors.stores.lines import alert_lines, estimate_lines
from tests.connectors.stores.test_contract import ALERT, ESTIMATE, influx, run


@pytest.fixture(params=["influx1", "influx2"], ids=["1.8.10", "2.9.1"])
def server(request):
    return request.getfixturevalue(request.param)


def fields_of(store, measurement):
    query = f'SHOW FIELD KEYS FROM "{measurement}"'
    return {row[0]: row[1] for series in run(store, store._query(query)) for row in series["values"]}


def test_numbers_are_floats_also_when_they_are_whole(server):
    store = influx(server)
    estimate = ESTIMATE | {
        "person": "floats",
        "lag_s": 0,
        "made_from": 3,
        "observed": {"bad": math.nan, "steps": 7},
    }
    refused = run(
        store, store.write([estimate | {"parameter": ESTIMATE["state"]}], [ALERT | {"severity": "high"}])
    )
    found = fields_of(store, "twin_state")

    assert refused == []
    assert {found[name] for name in ("glucose_mean", "glucose_sd", "lag_s", "n_obs", "observed_steps")} == {
        "float"
    }
    assert "observed_bad" not in found
    assert fields_of(store, "twin_parameter") == {"glucose_mean": "float", "glucose_sd": "float"}
    assert fields_of(store, "twin_alert")["severity"] == "float"


def test_times_keep_all_digits_and_numbers_six():
    text = alert_lines(ALERT | {"at": 1_763_622_100_001, "probability": 0.123456789})[0]

    assert "at=1763622100001.0," in text
    assert "score=0.123457," in text


@pytest.mark.parametrize("name", ["", "ends\\", "two\nlines", "\x00"])
def test_a_name_that_no_line_can_hold_is_refused_alone(influx2, name):
    store = influx(influx2)
    good = ESTIMATE | {"person": "neighbour"}
    bad = ESTIMATE | {"person": name}
    refused = run(store, store.write([bad, good], []))

    assert [r.document for r in refused] == [bad]
    assert run(store, store.states("neighbour", 0, 9999)) == [good]


def test_numbers_of_the_wrong_shape_are_refused_alone(influx2):
    store = influx(influx2)
    good = ESTIMATE | {"person": "shapely"}
    bad = [good | {"state": {"glucose": 5}}, good | {"lag_s": [1]}, good | {"observed": {"a": {}}}]
    refused = run(store, store.write([*bad, good], []))

    assert [r.document for r in refused] == bad
    assert run(store, store.states("shapely", 0, 9999)) == [good]


def test_lines_that_cannot_be_parsed_are_found_and_the_rest_is_kept(server):
    store = influx(server)
    documents = [ESTIMATE | {"person": "parsed", "time": t} for t in range(1, 401)]
    entries = [(estimate_lines(d)[0], d) for d in documents]
    for position in (7, 300):
        text, document = entries[position]
        entries[position] = (text.replace("glucose_mean=100", "glucose_mean="), document)
    refused = run(store, store._send(entries))
    kept = run(store, store.states("parsed", 0, 9999))

    assert [r.document["time"] for r in refused] == [8, 301]
    assert {r.reason for r in refused} == {"missing field value"}
    assert kept == [d for d in documents if d["time"] not in {8, 301}]


def test_a_line_against_the_types_of_the_server_is_found_and_the_rest_is_kept(server):
    store = influx(server)
    documents = [ESTIMATE | {"person": "typed", "time": t} for t in range(1, 401)]
    for position in (7, 300):
        documents[position] = documents[position] | {"observed": {"conflict": 1.5}}
    run(store, store._send([("twin_state,person_id=another observed_conflict=5i 1", {})]))
    refused = run(store, store.write(documents, []))
    kept = run(store, store.states("typed", 0, 9999))

    assert [r.document["time"] for r in refused] == [8, 301]
    assert all(
        r.reason.startswith("field type conflict") and "observed_conflict" in r.reason for r in refused
    )
    assert kept == [d for d in documents if d["time"] not in {8, 301}]


async def hour_bucket(store):
    found = await OrganizationsService(store.api()).get_orgs_async(org="twin")
    rule = {"type": "expire", "everySeconds": 3600, "shardGroupDurationSeconds": 3600}
    request = PostBucketRequest(org_id=found.orgs[0].id, name="short/hour", retention_rules=[rule])
    await BucketsService(store.api()).post_buckets_async(request)


def test_what_is_older_than_the_retention_is_refused_and_the_rest_is_kept(server):
    store = influx(server)
    if hasattr(server, "token"):
        run(store, hour_bucket(store))
        store.bucket = store.alert_bucket = "short/hour"
    else:
        run(store, store._query('CREATE RETENTION POLICY "hour" ON "twin" DURATION 1h REPLICATION 1', "POST"))
        store.bucket = store.alert_bucket = "twin/hour"
    now = int(time.time() * 1000)
    documents = [ESTIMATE | {"person": "aged", "time": now - 36_000_000 * (i < 50)} for i in range(51)]
    documents = [d | {"time": d["time"] + i} for i, d in enumerate(documents)]
    refused = run(store, store.write(documents, []))

    assert [r.document for r in refused] == documents[:50]
    assert {r.reason for r in refused} == {"older than the retention of the bucket"}
    assert run(store, store.states("aged", 0, 2**62)) == documents[50:]


def test_a_server_that_is_away_says_so_and_takes_what_comes_after(server):
    store = influx(server)
    run(store, store.ping())
    server.stop()
    with pytest.raises(Unavailable, match="InfluxDB at http://127"):
        asyncio.run(closing(store, store.write([ESTIMATE], [])))
    server.start()

    assert run(store, store.write([ESTIMATE], []), store.states("ada, b=c", 0, 9999)) == [ESTIMATE]
    assert ("2.9.1" if getattr(server, "token", "") else "1.8.10") in run(store, store.ping())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"token": "wrong"}, "401.*token"),
        ({"bucket": "none"}, "404.*bucket"),
        ({"org": "none"}, "404.*organisation"),
    ],
)
def test_a_wrong_setting_keeps_everything_and_is_named(influx2, change, said):
    given = {"url": influx2.url, "token": influx2.token, "org": "twin", "bucket": "twin"} | change
    store = InfluxStore(**given)

    with pytest.raises(Unavailable, match=said) as error:
        asyncio.run(closing(store, store.write([ESTIMATE], [])))
    assert error.value.retry_after >= 10


async def closing(store, step):
    try:
        return await step
    finally:
        await store.close()


class Double:
    """A server that answers what it is told, for answers that a real one gives only under load."""

    def __init__(self, answer):
        self.answer, self.bodies = answer, []

    async def take(self, request):
        self.bodies.append((await request.read()).decode())
        return await self.answer(self, request)

    async def serve(self, use):
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        store = InfluxStore(f"http://127.0.0.1:{runner.addresses[0][1]}", "t", "o", "b")
        try:
            return await use(store)
        finally:
            await store.close()
            await runner.cleanup()

    def write(self, estimates):
        return asyncio.run(self.serve(lambda store: store.write(estimates, [])))


@pytest.mark.parametrize(
    ("status", "header", "pause"),
    [
        (503, "7", 7),
        (429, "100000", 300),
        (500, None, 1),
        (507, "nonsense", 1),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_a_busy_server_is_waited_for_as_long_as_it_asks(status, header, pause):
    async def answer(double, request):
        return web.Response(status=status, headers={"Retry-After": header} if header else {})

    with pytest.raises(Unavailable, match=str(status)) as error:
        Double(answer).write([ESTIMATE])
    assert error.value.retry_after == pause


def test_a_hanging_server_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", module.aiohttp.ClientTimeout(total=0.2))

    async def answer(double, request):
        await asyncio.sleep(3)

    with pytest.raises(Unavailable, match="TimeoutError"):
        Double(answer).write([ESTIMATE])


def test_a_body_that_is_too_large_is_halved_until_it_fits():
    async def answer(double, request):
        return web.Response(
            status=413 if double.bodies[-1].count("\n") >= 3 or "huge" in double.bodies[-1] else 204
        )

    double = Double(answer)
    huge = ESTIMATE | {"person": "huge"}
    documents = [*(ESTIMATE | {"time": t} for t in range(20)), huge]

    assert double.write(documents) == [(huge, "the line is larger than the server takes")]
    small = [
        text
        for body in double.bodies
        if body.count("\n") < 3
        for text in body.split("\n")
        if "huge" not in text
    ]
    assert {int(text.rsplit(" ", 1)[1]) for text in small} >= set(range(19))


def test_an_opaque_refusal_is_halved_down_to_the_line():
    async def answer(double, request):
        if request.path == "/ping":
            return web.Response(status=204, headers={"X-Influxdb-Version": "v2.9.1"})
        bad = "person_id=bad" in double.bodies[-1]
        return web.Response(status=400 if bad else 204, text="<html>no</html>")

    double = Double(answer)
    documents = [ESTIMATE | {"person": "bad" if t == 700 else "ada", "time": t} for t in range(1000)]

    assert double.write(documents) == [(documents[700], "HTTP 400")]
    assert sum(map(bool, double.bodies)) < 25


@pytest.mark.parametrize("status", [200, 400, 422])
def test_what_is_not_influxdb_condemns_and_keeps_no_line(status):
    async def answer(double, request):
        return web.Response(status=status, text="<html>Welcome to the hotel</html>")

    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        Double(answer).write([ESTIMATE])


def test_a_bucket_that_influxql_does_not_know_is_mapped(influx2):
    store, query = (
        influx(influx2),
        "SHOW TAG KEYS FROM twin_state",
    )  # as before 2.1, where no mapping comes by itself
    with pytest.raises(Unavailable, match=r"not found|not set"):
        asyncio.run(closing(store, store._query(query, bucket="elsewhere")))
    run(store, store.write([ESTIMATE], []), make_known(store, "twin", "elsewhere"))

    assert run(store, store._query(query, bucket="elsewhere"))[0]["values"] == [["person_id"]]


def test_a_token_of_the_bucket_alone_is_enough(influx2):
    store = influx(influx2)
    store.token = run(store, bucket_token(store))

    assert run(store, store.write([ESTIMATE], []), store.states("ada, b=c", 0, 9999)) == [ESTIMATE]
    assert run(store, store.erase("ada, b=c"), store.states("ada, b=c", 0, 9999)) == []


async def bucket_token(store):
    bucket = (await BucketsService(store.api()).get_buckets_async(name="twin")).buckets[0]
    resource = PermissionResource(type="buckets", id=bucket.id, org_id=bucket.org_id)
    permissions = [Permission(action=action, resource=resource) for action in ("read", "write")]
    request = AuthorizationPostRequest(org_id=bucket.org_id, permissions=permissions)
    return (await AuthorizationsService(store.api()).post_authorizations_async(request)).token
