"""What-if on the page: its door and its panel, in headless Chromium on the real store and a real twin."""

import asyncio
import json
import threading
import urllib.error
import urllib.request

import pytest
from aiohttp import web
from playwright.sync_api import sync_playwright

from connectors.errors import Unavailable
from connectors.stores.sqlite import SqliteStore
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.page.server import Page
from stream.warm import readings_of

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LAST_MS = 1_763_625_600_000


def dated(channel, count, step_s, value, person):
    readings = readings_of(channel, count, step_s, value, person)
    readings.time_ms = readings.time_ms - int(readings.time_ms.max()) + LAST_MS
    return readings


class Served:
    """A page on a thread; `twins` may be told to fail."""

    def __init__(self, folder, **options):
        self.cohort, self.store, self.broken = Cohort(), SqliteStore(folder / "t.sqlite"), False
        self.cohort.set_profile("ada", {"conditions": ["t1d"]})
        self.rows = []
        for channel, step, value in (("glucose", 300, 130.0), ("heart_rate", 60, 66.0)):
            self.take(dated(channel, 20, step, value, "ada"))
        self.take(dated("glucose", 6, 300, 100.0, "cgm-alone"))
        self.options, self.loop, self.started = options, asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(
            target=lambda: (self.loop.run_until_complete(self._start()), self.loop.run_forever())
        )
        self.thread.start()
        assert self.started.wait(20)
        self.address = f"http://127.0.0.1:{self.runner.addresses[0][1]}/"

    def take(self, readings):
        self.rows = list(estimates(self.cohort, self.cohort.apply(readings)))
        return self.rows

    async def twins(self, person):
        if self.broken:
            raise Unavailable("no Kafka", 1.0)
        return self.cohort.twins[person].head.record

    async def _start(self):
        rows = []
        for twin in ("ada", "cgm-alone"):
            again = Cohort()
            again.apply(dated("glucose", 20, 300, 130.0, twin))
            rows += list(estimates(again, again.apply(dated("glucose", 1, 300, 131.0, twin))))

        async def acknowledge(*_):
            pass

        await self.store.write(rows, [])
        page = Page(self.store, acknowledge, clock=lambda: LAST_MS + 60_000, twins=self.twins, **self.options)
        self.runner = web.AppRunner(page.app(), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.started.set()

    def write(self, rows):
        asyncio.run_coroutine_threadsafe(self.store.write(rows, []), self.loop).result(10)

    def stop(self):
        async def ending():
            await self.runner.cleanup()
            await self.store.close()

        asyncio.run_coroutine_threadsafe(ending(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def ask(self, body, person="ada", headers=()):
        request = urllib.request.Request(
            f"{self.address}api/people/{person}/outlook", method="POST", data=body,
            headers={"Origin": self.address.rstrip("/"), **dict(headers)},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                return error.code, json.loads(text) if text.startswith("{") else text


@pytest.fixture
def served(tmp_path):
    page = Served(tmp_path)
    yield page
    page.stop()


def test_a_scenario_is_answered_and_the_twin_is_as_before(served):
    record = served.cohort.twins["ada"].head.record
    before = record.tobytes()
    status, found = served.ask(b'{"hours": 2, "meal": ["60@+15min"], "insulin": ["4"]}')

    assert status == 200
    assert found["made_at"] == LAST_MS
    assert found["channels"]["glucose"]["difference"]["mean"][-1] != 0.0
    assert found["notice"] == "Decision support, not a medical device"
    assert record.tobytes() == before


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b'{"meal": ["6000"]}', 400, "meal: 6000 g: allowed is 1 to 300 g"),
        (b"[]", 400, "no JSON object"),
        (b"{", 400, "no JSON object"),
        (b'{"hours": "six"}', 400, "hours = six"),
        (b'{"hours": 40}', 400, "hours = 40"),
        (b'{"hours": NaN}', 400, "no JSON object"),
        (b'{"dance": ["1"]}', 400, "dance: unknown"),
        (b'{"meal": "60"}', 400, "meal: a list of short texts"),
        (b'{"meal": ["' + b"6" * 100 + b'"]}', 400, "meal: a list of short texts"),
        (json.dumps({"meal": ["1"] * 21}).encode(), 400, "at most 20 things"),
        (b" " * 20_000, 400, "larger than 10000 bytes"),
    ],
    ids=["range", "list", "cut", "hours text", "hours far", "nan", "kind", "text", "long", "many", "large"],
)
def test_what_cannot_be_is_refused_in_words(served, body, status, told):
    code, answer = served.ask(body)

    assert code == status
    assert told in answer["error"]


def test_nobody_by_this_name_is_nobodys_twin(served):
    assert served.ask(b"{}", person="bob")[0] == 404


def test_another_origin_is_refused(served):
    assert served.ask(b"{}", headers={"Origin": "http://evil.example"}.items())[0] == 403


def test_without_its_token_nobody_looks_ahead(tmp_path):
    page = Served(tmp_path, loopback=False, token="secret")
    try:
        assert page.ask(b"{}")[0] == 401
        assert page.ask(b'{"hours": 0.5}', headers={"Authorization": "Bearer secret"}.items())[0] == 200
    finally:
        page.stop()


def test_a_broker_that_is_away_is_said(served):
    served.broken = True

    assert served.ask(b"{}") == (503, {"error": "the worker's broker does not answer: try again"})


@pytest.fixture
def browser(chromium):
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


def look(page):
    page.click("text=Look ahead")
    page.wait_for_selector(".course canvas", timeout=120_000)


def test_a_care_team_puts_a_scenario_together_and_sees_both_courses(served, browser):
    errors, outside = [], []
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on(
        "request",
        lambda r: outside.append(r.url) if not r.url.startswith((served.address, "data:")) else None,
    )
    page.goto(served.address)
    page.locator("button.person", has_text="ada").click()
    page.select_option("#what", "meal")
    page.fill("#much", "45")
    page.select_option("#when", "30")
    page.click("button.add")
    page.select_option("#what", "exercise")
    page.click("button.add")
    assert page.locator(".items li").all_inner_texts() == [
        "Meal: 45 g carbohydrate, in 30 min✕", "Exercise: 6 MET, for 45 min, in 30 min✕",
    ]  # fmt: skip
    look(page)
    told = page.inner_text(".card.ahead")
    assert "instead of" in told
    assert "The amount is taken as people judge it" in told
    assert "Decision support, not a medical device" in told
    assert page.locator(".course").count() == 2
    assert all(page.evaluate(
        "() => [...document.querySelectorAll('.course canvas')].map(c => c.getContext('2d').getImageData(0,0,c.width,c.height).data.some(v => v))"
    ))  # fmt: skip
    page.click("text=Core temperature (changes)")
    assert page.locator(".course").count() == 3
    assert "never measured: the population's" in page.locator(".course h3").all_inner_texts()[2]
    page.locator(".course summary").first.click()
    assert page.locator(".course table").first.locator("tbody tr").count() == 7
    page.locator(".items button").first.click()
    assert page.locator(".items li").count() == 1
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    assert errors == []
    assert outside == []


def test_it_works_by_keyboard_and_keeps_focus_and_text_when_data_come(served, browser):
    page = browser.new_page()
    page.goto(served.address)
    page.locator("button.person", has_text="ada").click()
    page.wait_for_selector("#much")
    page.focus("#what")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "much"
    page.keyboard.press("Control+A")
    page.keyboard.type("77")
    served.write(served.take(dated_later("ada")))
    page.wait_for_function("() => document.querySelector('#one').innerText.includes('08:05')", timeout=10_000)
    assert page.evaluate("() => document.activeElement.id") == "much"
    assert page.input_value("#much") == "77"
    page.keyboard.press("Enter")

    assert page.locator(".items li").all_inner_texts() == ["Meal: 77 g carbohydrate, now✕"]
    page.focus("text=Look ahead")
    page.keyboard.press("Enter")
    page.wait_for_selector(".course canvas", timeout=120_000)


def dated_later(person):
    readings = dated("glucose", 1, 300, 140.0, person)
    readings.time_ms = readings.time_ms + 300_000
    return readings


def test_an_outlook_says_when_newer_readings_are_in(served, browser):
    page = browser.new_page()
    page.goto(served.address)
    page.locator("button.person", has_text="ada").click()
    look(page)
    assert "There are newer readings" not in page.inner_text(".card.ahead")
    served.write(served.take(dated_later("ada")))

    page.wait_for_selector("text=There are newer readings: look again.", timeout=10_000)


def test_a_refusal_is_shown_in_the_servers_words(served, browser):
    page = browser.new_page()
    page.goto(served.address)
    page.locator("button.person", has_text="ada").click()
    page.fill("#much", "900")
    page.click("text=Look ahead")

    page.wait_for_selector("text=meal: 900 g: allowed is 1 to 300 g")


def test_what_nobody_measures_is_not_drawn(served, browser):
    page = browser.new_page()
    page.goto(served.address)
    page.locator("button.person", has_text="cgm-alone").click()
    look(page)

    assert page.locator(".chosen button").count() == 1
    assert "Not shown: heart rate" in page.inner_text(".card.ahead")
