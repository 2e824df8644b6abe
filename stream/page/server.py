"""Serves the page and its small API from the store; live by server-sent events."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiokafka.errors import KafkaError

from connectors.channels import CHANNELS
from connectors.errors import Unavailable
from connectors.stores import Store
from stream.commanding import send_acknowledgement
from stream.outlook_source import Heads
from stream.page.ahead import Ahead, Source
from stream.page.urgency import urgency
from stream.settings import Settings
from stream.sink import open_store
from twin.catalogue import catalogue, learned_share
from twin.filter.correct import GATE

log = structlog.get_logger()
ASSETS = Path(__file__).parent / "assets"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
POLL_S = 1.0
HOUR_MS = 3_600_000
OPEN = ("active", "acknowledged")
STALE_MS = 24 * HOUR_MS
CATCHING_UP_MS = 600_000  # the demo's clock is that of its data until they are so near to now
FIRST = ("glucose", "heart_rate")  # on the page; other channels follow by name
UNITS = {name: spec.ucum for name, spec in CHANNELS.items()} | {"mean_arterial_pressure": "mm[Hg]"} | {
    row["name"]: row["unit"] for row in catalogue()
}  # fmt: skip
# A state that a channel measures; where the unit differs it is another quantity under the channel's name.
MEASURABLE = frozenset(name for name, spec in CHANNELS.items() if UNITS[name] == spec.ucum)
Acknowledge = Callable[[str, str, str], Awaitable[None]]
Truths = dict[str, dict[int, dict[str, float]]]  # of virtual people: by person and minute [ms]
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _channels(estimates: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Channels that somebody measured and the twin explains, with their unit, in the page's order."""
    names = {name for e in estimates for name in e["observed"] if name in MEASURABLE and name in e["state"]}
    ordered = [name for name in FIRST if name in names] + sorted(names - set(FIRST))
    return [{"name": name, "unit": CHANNELS[name].ucum} for name in ordered]


class UnsafePageError(ValueError):
    """A page that strangers could read; nothing was served."""


class Page:
    """Routes; `acknowledge` is handed in: (person, alert_id, by), and so is the clock [ms].

    With `truths` it is the demo's page, whose readings come faster than life until they have reached now. `twins` gives
    what-if a person's twin.
    """

    def __init__(
        self, store: Store, acknowledge: Acknowledge, token: str | None = None, loopback: bool = True,
        truths: Truths | None = None, clock: Callable[[], int] = lambda: int(time.time() * 1000),
        twins: Source | None = None,
    ) -> None:  # fmt: skip
        self.store, self.acknowledge, self.token, self.loopback = store, acknowledge, token, loopback
        self.truths, self.demo, self.clock = truths or {}, truths is not None, clock
        self.ahead = Ahead(twins)
        self.seen: tuple[int, int, int] = (0, 0, 0)
        self.listeners: set[asyncio.Queue[bytes]] = set()

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(middlewares=[self.guard])
        app.router.add_get("/", self.index)
        app.router.add_get("/api/people", self.people)
        app.router.add_get("/api/people/{person}", self.person)
        app.router.add_post("/api/people/{person}/outlook", self.look_ahead)
        app.router.add_post("/api/alerts/{alert}/acknowledge", self.take)
        app.router.add_get("/api/stream", self.events)
        app.router.add_static("/assets", ASSETS)
        app.cleanup_ctx.append(self._watching)
        return app

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Token where the page is not on loopback; on loopback only its own names (DNS rebinding)."""
        if self.loopback:
            if request.host.rsplit(":", 1)[0].strip("[]") not in LOOPBACK:
                raise web.HTTPForbidden(text="unknown host")
        elif not self._known(request):
            raise web.HTTPUnauthorized(text="token needed")
        if request.method == "POST" and request.headers.get("Origin", "").split("://")[-1] != request.host:
            raise web.HTTPForbidden(text="other origin")
        try:
            response: web.StreamResponse = await handler(request)
        except Unavailable:
            response = web.json_response({"error": "store unavailable"}, status=503)
        if not response.prepared:
            response.headers.update(SECURITY)
            if not self.loopback and "token" in request.query:
                response.set_cookie("twin", request.query["token"], httponly=True, samesite="Strict")
        return response

    def _known(self, request: web.Request) -> bool:
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = header or request.query.get("token", "") or request.cookies.get("twin", "")
        return bool(self.token) and hmac.compare_digest(given.encode(), (self.token or "").encode())

    async def index(self, _request: web.Request) -> web.FileResponse:
        """The page itself."""
        return web.FileResponse(ASSETS / "index.html")

    async def people(self, _request: web.Request) -> web.Response:
        """Everybody, who needs attention first."""
        latest, alerts = await self.store.latest(), await self.store.alerts()
        mine: dict[str, list[dict[str, Any]]] = {}
        for alert in alerts:
            if alert["state"] in OPEN:
                mine.setdefault(alert["person"], []).append(alert)
        clock, newest = self.clock(), max((e["time"] for e in latest), default=0)
        accelerated = self.demo and newest < clock - CATCHING_UP_MS
        clock = newest if accelerated else clock
        people = [
            {
                "person": e["person"], "time": e["time"], "age_s": max(0.0, (clock - e["time"]) / 1000),
                "stale": clock - e["time"] > STALE_MS, "observed": e["observed"], "state": _brief(e),
                "outlook": e["outlook"], "alerts": mine.get(e["person"], []), "truth": e["person"] in self.truths,
            }
            for e in latest
        ]  # fmt: skip
        people.sort(key=urgency)
        document = {
            "clock": clock,
            "accelerated": accelerated,
            "channels": [
                {"name": name, "unit": CHANNELS[name].ucum}
                for name in FIRST
                if any(name in e["state"] for e in latest)
            ],
            "people": people,
        }
        return web.json_response(document, dumps=_json)

    async def person(self, request: web.Request) -> web.Response:
        """One person's last hours: series, parameters, alerts, the newest forecasts."""
        name = request.match_info["person"]
        try:
            hours = min(max(float(request.query.get("hours", "8")), 1.0), 72.0)
        except ValueError as error:
            raise web.HTTPBadRequest(text="hours is a number") from error
        latest = [e for e in await self.store.latest() if e["person"] == name]
        if not latest:
            raise web.HTTPNotFound(text="nobody by this name")
        until = latest[0]["time"]
        rows = await self.store.states(name, until - round(hours * HOUR_MS), until)
        channels = _channels(rows)
        names = {channel["name"] for channel in channels}
        series = [
            {
                "time": e["time"],
                "observed": e["observed"],
                "state": {n: v for n, v in e["state"].items() if n in names},
                "truth": self.truths.get(name, {}).get(e["time"] // 60_000 * 60_000),
                "unbelieved": [n for n, z in e["surprise"].items() if n in names and abs(z) > GATE],
            }
            for e in rows
        ]
        newest: dict[str, list[Any]] = {}
        for e in rows:
            for forecast in e["outlook"]:
                kept = newest.get(forecast["channel"], [])
                if kept and kept[0]["made_at"] != forecast["made_at"]:
                    kept = []
                newest[forecast["channel"]] = [*kept, forecast]
        alerts = [a for a in await self.store.alerts(0, name) if a["state"] != "pending"]
        held = latest[0]["state"], latest[0]["parameter"]
        document = {
            "person": name, "time": until, "late_readings": latest[0].get("late_readings", 0),
            "virtual": name in self.truths, "channels": channels,
            "series": series, "outlook": newest, "alerts": alerts[:20], "state": held[0], "parameter": held[1],
            "learned": {n: round(learned_share(n, v["mean"], v["sd"]), 3) for n, v in held[1].items()},
            "units": {n: UNITS.get(n, "") for part in held for n in part},
            "probability": _newest_probability(rows), "surprise": latest[0]["surprise"],
        }  # fmt: skip
        return web.json_response(document, dumps=_json)

    async def look_ahead(self, request: web.Request) -> web.Response:
        """What if: stream/page/ahead.py."""
        name = request.match_info["person"]
        if all(e["person"] != name for e in await self.store.latest()):
            raise web.HTTPNotFound(text="nobody by this name")
        return await self.ahead.answer(name, request)

    async def take(self, request: web.Request) -> web.Response:
        """Acknowledge an alert."""
        identity = request.match_info["alert"]
        found = [a for a in await self.store.alerts() if a["alert_id"] == identity]
        if not found:
            raise web.HTTPNotFound(text="no such alert")
        try:
            by = orjson.loads(await request.read() or b"{}").get("by") or "page"
            await asyncio.wait_for(self.acknowledge(found[0]["person"], identity, str(by)[:100]), 10)
        except (orjson.JSONDecodeError, AttributeError) as error:
            raise web.HTTPBadRequest(text="the body is no JSON object") from error
        except (KafkaError, Unavailable, TimeoutError, OSError):
            log.warning("acknowledge_failed", alert_id=identity)
            return web.json_response({"error": "kafka_unavailable"}, status=503)
        return web.json_response({"alert_id": identity}, status=202)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A line whenever the store has something new; the page then asks for what it shows."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **SECURITY})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=2)
        self.listeners.add(queue)
        try:
            await response.write(b"data: hello\n\n")
            while True:
                try:
                    line = await asyncio.wait_for(queue.get(), 15)
                except TimeoutError:
                    line = b": still here\n\n"
                await response.write(line)
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            self.listeners.discard(queue)
        return response

    async def _watching(self, _app: web.Application) -> Any:
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                latest, alerts = await self.store.latest(), await self.store.alerts()
                newest = max((e["time"] for e in latest), default=0)
                seen = (newest, max((a["at"] for a in alerts), default=0), len(latest))
                if seen != self.seen:
                    self.seen = seen
                    for queue in self.listeners:
                        if not queue.full():
                            queue.put_nowait(f"data: {seen[0]}\n\n".encode())
            except Unavailable:
                log.warning("store_unavailable")
            await asyncio.sleep(POLL_S)


def _brief(estimate: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in estimate["state"].items() if name in FIRST}


def _newest_probability(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The chances of the newest tick that has any: a minute of heart rate alone gives none of glucose."""
    found: dict[str, float] = next((e["probability"] for e in reversed(rows) if e["probability"]), {})
    return found


def _json(document: Any) -> str:
    return orjson.dumps(document).decode()


async def serve(
    settings: Settings, ready: Callable[[str], None] | None = None, truths: Truths | None = None
) -> None:
    """Run until cancelled; refuses to leave loopback without a token."""
    loopback = settings.page_host in LOOPBACK
    if not loopback and settings.page_token is None:
        raise UnsafePageError(f"page_host {settings.page_host} is not loopback: TWIN_PAGE_TOKEN is needed")
    store = open_store(settings)
    await store.open()

    async def acknowledge(person: str, identity: str, by: str) -> None:
        await send_acknowledgement(settings, person, identity, by)

    token = settings.page_token.get_secret_value() if settings.page_token else None
    runner = web.AppRunner(
        Page(store, acknowledge, token, loopback, truths, twins=Heads(settings).record).app(),
        access_log=None, shutdown_timeout=1.0,
    )  # fmt: skip
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.page_host, settings.page_port).start()
        address = f"http://{runner.addresses[0][0]}:{runner.addresses[0][1]}/"
        log.info("page_ready", address=address, at=int(time.time()))
        if ready is not None:
            ready(address)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await store.close()
