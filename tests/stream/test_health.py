import asyncio
from pathlib import Path

from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from stream.health import KINDS, Metrics, serving

RUNBOOK = Path(__file__).parents[2] / "deploy" / "README.md"


def ask(metrics, ready, *paths):
    async def run():
        async with serving("127.0.0.1", 0, metrics, ready) as (address,), ClientSession() as session:
            found = []
            for path in paths:
                async with session.get(address + path) as answer:
                    found.append((answer.status, await answer.text()))
            return found

    return asyncio.run(run())


def test_ready_says_why_not_and_live_does_not_care():
    async def ready():
        return False, {"recovering": True}

    (live, _), (status, text) = ask(Metrics(), ready, "/live", "/ready")

    assert (live, status) == (200, 503)
    assert text == '{"recovering": true}'


def test_nothing_but_the_three_is_served():
    async def ready():
        return True, {}

    found = ask(Metrics(), ready, "/table/twins/ada/", "/", "/router/twins/ada/")

    assert [status for status, _ in found] == [404, 404, 404]


def test_counts_add_up_and_gauges_are_what_was_set_last():
    metrics = Metrics()
    metrics.count("twin_refused_total", reason="future")
    metrics.count("twin_refused_total", 2, reason="future")
    metrics.set("twin_people", 3)
    metrics.set("twin_people", 2)
    lines = metrics.text().splitlines()

    assert 'twin_refused_total{reason="future"} 3' in lines
    assert "twin_people 2" in lines
    assert "# TYPE twin_refused_total counter" in lines


@given(st.text())
def test_no_label_breaks_a_line(text):
    metrics = Metrics()
    metrics.count("twin_refused_total", reason=text)
    body = metrics.text().removesuffix("\n").split("\n")

    assert len(body) == 3
    assert body[2].endswith('"} 1')


def test_the_runbook_names_every_metric():
    page = RUNBOOK.read_text()

    assert [name for name in KINDS if f"`{name}" not in page] == []
