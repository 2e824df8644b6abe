import asyncio
import re
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


def test_every_row_of_the_runbook_is_of_metrics_that_there_are_and_says_what_to_do():
    rows = [
        line.strip("|").split(" | ")
        for line in RUNBOOK.read_text().splitlines()
        if line.startswith("| `twin_")
    ]
    named = {name for row in rows for name in re.findall(r"twin_[a-z_]+", row[0])}

    assert named == set(KINDS)
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)


def test_every_metric_is_set_somewhere_and_no_other_is():
    sources = [path.read_text() for path in (RUNBOOK.parents[1] / "stream").rglob("*.py")]
    used = {
        name for text in sources for name in re.findall(r"""(?:count|set)\(\s*["'](twin_[a-z_]+)["']""", text)
    }

    assert used == set(KINDS)


def test_what_the_issue_asks_for_is_there():
    wanted = {"readings_total", "refused_total", "event_lag_seconds", "filter_microseconds_total", "nis_sum", "nis_count",
              "checkpoint_bytes_total", "sink_state", "alerts_total"}  # fmt: skip

    assert {f"twin_{name}" for name in wanted} <= set(KINDS)
    assert "late" in KINDS["twin_readings_total"][1]
