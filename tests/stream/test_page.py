"""The page in headless Chromium, on the real store."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest
from aiohttp import web
from playwright.sync_api import sync_playwright

from connectors.channels import CODE_OF
from connectors.stores.sqlite import SqliteStore
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.page.server import Page
from stream.virtual import DEMO, simulate
from stream.warm import readings_of

NOW_MS = 1_763_625_700_000
SLIPPED = 171.0
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def falling():
    readings = readings_of("glucose", 30, 300, 0.0, "ada")
    readings.time_ms = readings.time_ms - int(readings.time_ms.max()) + 1_763_625_600_000
    readings.value = np.concatenate([np.linspace(160.0, 66.0, 17), np.full(13, 64.0)])
    return readings


def virtual_day():
    """Seed 3 logs its breakfast; not every virtual person logs every meal. One pulse was read by a wrist that slipped."""
    readings, truth = simulate(replace(DEMO[0], seed=3), 1_763_600_400_000, 0.29)
    readings.value[np.flatnonzero(readings.channel == CODE_OF["heart_rate"])[200]] = SLIPPED
    return readings, truth


@pytest.fixture
def served(tmp_path):
    store, taken = SqliteStore(tmp_path / "t.sqlite"), []
    cohort = Cohort()
    virtual, truth = virtual_day()
    rows, alerts = [], []
    for readings in (virtual, falling()):
        done = cohort.apply(readings)
        rows += list(estimates(cohort, done))
        alerts += done.alerts

    async def acknowledge(person, identity, by):
        taken.append(identity)
        await store.write([], cohort.acknowledge(person, identity, by, 1_763_625_700_000))

    loop, box, started = asyncio.new_event_loop(), {}, threading.Event()

    async def start():
        await store.write(rows, alerts)
        box["runner"] = web.AppRunner(
            Page(store, acknowledge, truths={DEMO[0].name: truth}, clock=lambda: NOW_MS).app(),
            shutdown_timeout=0.1,
        )
        await box["runner"].setup()
        await web.TCPSite(box["runner"], "127.0.0.1", 0).start()
        started.set()

    async def stop():
        await box["runner"].cleanup()
        await store.close()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(start()), loop.run_forever()))
    thread.start()
    started.wait(20)
    yield f"http://127.0.0.1:{box['runner'].addresses[0][1]}/", taken, store, loop, cohort
    asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_a_nurse_sees_who_needs_attention_and_acknowledges(served, chromium):
    address, taken, _, _, _ = served
    errors, outside = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on(
            "request", lambda r: outside.append(r.url) if not r.url.startswith((address, "data:")) else None
        )
        page.goto(address)
        page.wait_for_selector(".alert h3")
        first = page.locator("button.person").first.inner_text()
        assert "ada" in first
        assert "Low glucose soon" in first
        assert "Decision support, not a medical device" in page.inner_text("header")
        assert page.locator("canvas").count() >= 1
        assert "Now 64 mg/dL: already below 70." in page.inner_text(".alert")
        painted = page.evaluate(
            "() => { const c = document.querySelector('canvas'); return c.getContext('2d').getImageData(0,0,c.width,c.height).data.some(v => v) }"
        )
        assert painted
        page.fill("#by", "night shift")
        page.click("button.take")
        page.wait_for_selector(".alert.acknowledged")
        assert "Acknowledged by night shift" in page.inner_text(".alert.acknowledged")
        page.locator("button.person", has_text="virtual-1").click()
        page.wait_for_selector("text=truth (virtual person)")
        page.wait_for_selector("text=meal, g carbohydrate")
        assert "still learning" in page.inner_text("#one")
        assert "Not learned yet, the population's values" in page.inner_text("#one")
        page.locator("#one details summary").last.click()
        assert "Plasma insulin mass" in page.locator("#one details").last.inner_text()
        assert page.locator("canvas").count() == 2
        page.set_viewport_size({"width": 380, "height": 800})
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        browser.close()

    assert len(taken) == 1
    assert errors == []
    assert outside == []


def test_new_data_appear_without_a_reload(served, chromium):
    address, _, store, loop, cohort = served
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("button.person")
        newcomer = readings_of("glucose", 3, 300, 120.0, "newcomer")
        newcomer.time_ms = newcomer.time_ms - int(newcomer.time_ms.max()) + 1_763_626_200_000
        done = cohort.apply(newcomer)
        rows = list(estimates(cohort, done))
        asyncio.run_coroutine_threadsafe(store.write(rows, []), loop).result(10)
        page.wait_for_selector("text=newcomer", timeout=10_000)
        browser.close()


def test_a_foreign_host_and_origin_are_refused(served):
    import urllib.error
    import urllib.request

    address = served[0]
    for request in (
        urllib.request.Request(address, headers={"Host": "evil.example"}),
        urllib.request.Request(
            address + "api/alerts/x/acknowledge", method="POST", headers={"Origin": "http://evil.example"}
        ),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        caught.value.close()
        assert caught.value.code == 403


def test_a_page_that_lost_its_server_says_so(served, chromium):
    address = served[0]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("button.person")
        assert page.is_hidden("#broken")
        page.route("**/api/**", lambda route: route.abort())
        page.evaluate("() => dispatchEvent(new Event('resize'))")
        page.wait_for_selector("#broken:visible")
        assert "no longer renewed" in page.inner_text("#broken")
        browser.close()


def api(served, path):
    import json
    import urllib.request

    with urllib.request.urlopen(served[0] + path) as answer:
        return json.load(answer)


def test_who_needs_attention_comes_first_and_ages_are_those_of_the_clock(served):
    found = api(served, "api/people")

    assert [p["person"] for p in found["people"]] == ["ada", DEMO[0].name]
    assert found["people"][0]["age_s"] == 100.0
    assert [c["name"] for c in found["channels"]] == ["glucose", "heart_rate"]


def test_a_reading_that_was_not_believed_is_named(served):
    found = api(served, f"api/people/{DEMO[0].name}")
    unbelieved = [e["observed"]["heart_rate"] for e in found["series"] if "heart_rate" in e["unbelieved"]]

    assert SLIPPED in unbelieved
    assert len(unbelieved) < 0.03 * len(found["series"])


def test_a_person_shows_what_the_estimate_holds_with_units(served):
    found = api(served, f"api/people/{DEMO[0].name}")

    assert {"oxygen_uptake", "plasma_insulin_mass", "glucose"} <= set(found["state"])
    assert set(found["state"]) | set(found["parameter"]) == set(found["units"])
    assert (found["units"]["oxygen_uptake"], found["units"]["glucose"]) == ("mL/kg/min", "mg/dL")
    assert all(found["units"].values())
    meals = [
        e["observed"]["carbohydrate_intake"]
        for e in found["series"]
        if "carbohydrate_intake" in e["observed"]
    ]
    eaten = virtual_day()[0]
    assert meals == [
        round(v, 4) for v in eaten.value[eaten.channel == CODE_OF["carbohydrate_intake"]].tolist()
    ]
    assert set(found["series"][-1]["state"]) == {"glucose", "heart_rate"}
