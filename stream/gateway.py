"""The HTTP door for vendors: readings, payloads and notifications in, Kafka behind; answered when the broker has them."""

import asyncio
import gzip
import hmac
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import structlog
from aiohttp import web
from aiokafka.errors import KafkaError

from connectors.columns import stable_hash
from connectors.decode import decode_documents, person_fault
from connectors.errors import PayloadError, Reason
from connectors.parsing import parse_json
from connectors.tink import read_keyset
from connectors.vendors import dexcom, google_health
from stream import topics
from stream.health import Metrics, add_routes
from stream.intake import MAX_BODY, as_json, by_person, documents, letter, refusals, unpack
from stream.producing import started_producer
from stream.settings import Settings

log = structlog.get_logger()
VENDORS: dict[str, ModuleType] = {module.NAME: module for module in (google_health, dexcom)}
READY_S = 3.0
Records = list[tuple[str, bytes | None, bytes, Any]]


class Producer(Protocol):
    """What the gateway needs of a Kafka producer."""

    async def send_and_wait(
        self, topic: str, value: bytes, key: bytes | None = None, headers: Any = None
    ) -> Any:
        """Send and wait for the broker's word."""


async def _yes() -> bool:
    return True


class Gateway:
    """Routes and what they need; `producer` is started by who makes it, `reachable` says whether the broker answers."""

    def __init__(
        self, settings: Settings, producer: Producer, reachable: Callable[[], Awaitable[bool]] = _yes
    ) -> None:
        self.settings, self.producer, self.reachable = settings, producer, reachable
        self.metrics = Metrics()
        self.keyset: tuple[float, dict[int, str]] = (0.0, {})

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/v1/readings", self.readings)
        app.router.add_post("/v1/vendors/{vendor}", self.vendor)
        add_routes(app, self.metrics, self.ready)
        return app

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether what is sent now would reach Kafka."""
        try:
            reached = await asyncio.wait_for(self.reachable(), READY_S)
        except (KafkaError, TimeoutError, OSError):
            reached = False
        return reached, {"status": "ok" if reached else "kafka_unavailable"}

    def _count(self, source: str, outcome: str, by: int = 1) -> None:
        self.metrics.count("twin_gateway_total", by, source=source, outcome=outcome)

    def _allowed(self, request: web.Request, name: str) -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        key = self.settings.vendor_keys.get(name)
        expected = key.get_secret_value().encode() if key else b""
        return bool(expected) and hmac.compare_digest(given, expected)

    def _unauthorized(self, source: str) -> web.Response:
        self._count(source, "unauthorized")
        return web.json_response({"error": "unauthorized"}, status=401)

    async def _body(self, request: web.Request) -> bytes:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise PayloadError(f"more than {MAX_BODY} bytes", Reason.TOO_LARGE, "body") from error
        return unpack(raw, request.headers.get("Content-Encoding", "").lower())

    def _refusal(self, source: str, error: PayloadError) -> web.Response:
        self._count(source, error.reason.value)
        log.info("request_refused", source=source, reason=error.reason.value)
        status = {Reason.TOO_LARGE: 413}.get(error.reason, 400)
        answer = {"error": error.reason.value, "place": error.place, "message": str(error)}
        return web.json_response(answer, status=status)

    async def _publish(self, records: Records) -> web.Response | None:
        try:
            await asyncio.wait_for(
                asyncio.gather(
                    *(self.producer.send_and_wait(t, v, key=k, headers=h) for t, k, v, h in records)
                ),
                20,
            )
        except (KafkaError, TimeoutError):
            log.warning("kafka_unavailable")
            return web.json_response({"error": "kafka_unavailable"}, status=503, headers={"Retry-After": "5"})
        return None

    async def readings(self, request: web.Request) -> web.Response:
        """POST /v1/readings: 202 with what was accepted and every refusal by index, field and reason."""
        if not self._allowed(request, "readings"):
            return self._unauthorized("readings")
        try:
            found = documents(await self._body(request))
        except PayloadError as error:
            return self._refusal("readings", error)
        return await self._take("readings", found, [], [])

    async def _take(
        self, source: str, found: list[Any], faults: list[PayloadError], first: Records
    ) -> web.Response:
        """Publish the good readings of `found` behind `first`, and answer; `faults` came before there were readings."""
        decoded = decode_documents(found, int(time.time() * 1000))
        records: Records = [(topics.READING, key, value, None) for key, value in by_person(found, decoded)]
        if failed := await self._publish([*first, *records]):
            return failed
        refused: list[dict[str, object]] = [
            {"index": None, "field": fault.place, "reason": fault.reason.value, "message": str(fault)}
            for fault in faults
        ]
        refused += refusals(decoded)
        self._count(source, "accepted", len(decoded))
        for item in refused:
            self._count(source, str(item["reason"]))
        log.info("readings_taken", source=source, accepted=len(decoded), refused=len(refused))
        return web.json_response({"accepted": len(decoded), "refused": refused}, status=202, dumps=as_json)

    async def vendor(self, request: web.Request) -> web.Response:
        """POST /v1/vendors/{vendor}[?person=ID]: a payload as the vendor delivers it, or a signed notification."""
        name = request.match_info["vendor"]
        if name not in VENDORS:
            return self._unauthorized("unknown")
        if not self._allowed(request, name):
            return self._unauthorized(name)
        person, raw = request.query.get("person", ""), f"raw.{name}.v1"
        body = b""
        try:
            body = await self._body(request)
            if name == google_health.NAME:
                answer = await self._google_health(request, body)
                if answer is not None:
                    return answer
            if fault := person_fault(person):
                person = ""
                raise PayloadError(fault, Reason.UNKNOWN_USER, "query.person")
            faults: list[PayloadError] = []
            found = [{key: value for key, value in fields.items() if value is not None}
                     for fields in VENDORS[name].parse(parse_json(body, "body"), person, faults)]  # fmt: skip
        except PayloadError as error:
            failed = await self._publish([letter(raw, person, body, [error])])
            return failed or self._refusal(name, error)
        first: Records = [(raw, person.encode(), gzip.compress(body, 1), None)]
        first += [letter(raw, person, body, faults)] if faults else []
        return await self._take(name, found, faults, first)

    async def _google_health(self, request: web.Request, body: bytes) -> web.Response | None:
        """The handshake of a subscription (201) and signed notifications (204); None for data, which goes on.

        The signature is checked over the raw bytes before anything is parsed. A notification carries no data and
        names Google's user, not a person: its raw bytes wait under a hash of that user for who fetches the data.
        """
        signed = google_health.SIGNATURE_HEADER in request.headers
        if signed and not self._signature_fits(request, body):
            return self._unauthorized(google_health.NAME)
        payload = parse_json(body, "body")
        if google_health.is_verification(payload):
            self._count(google_health.NAME, "verification")
            return web.Response(status=201)
        if not google_health.is_notification(payload):
            return None
        if not signed:
            return self._unauthorized(google_health.NAME)
        found = google_health.notices(payload)
        users = {notice.user for notice in found}
        key = f"{stable_hash(users.pop()):016x}".encode() if len(users) == 1 else None
        topic = f"raw.{google_health.NAME}.v1"
        if failed := await self._publish([(topic, key, gzip.compress(body, 1), None)]):
            return failed
        self._count(google_health.NAME, "notification", len(found))
        log.info("notifications_taken", vendor=google_health.NAME, notices=len(found))
        return web.Response(status=204)

    def _signature_fits(self, request: web.Request, body: bytes) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            google_health.verify(body, headers, self._keys(self.settings.google_health_keyset))
        except PayloadError as error:
            log.warning("signature_refused", vendor=google_health.NAME, place=error.place)
            return False
        return True

    def _keys(self, path: Path | None) -> dict[int, str]:
        """Google's public keys; the file is read again when it changed, for they rotate."""
        if path is None:
            raise PayloadError("TWIN_GOOGLE_HEALTH_KEYSET is not set", Reason.BAD_SIGNATURE, "settings")
        try:
            changed = path.stat().st_mtime
            if changed != self.keyset[0]:
                self.keyset = changed, read_keyset(path.read_bytes())
        except OSError as error:
            raise PayloadError("the keyset cannot be read", Reason.BAD_SIGNATURE, "settings") from error
        return self.keyset[1]


async def serve(settings: Settings) -> None:
    """Run until cancelled."""
    compression = None if settings.embedded else "lz4"
    async with started_producer(settings, compression_type=compression) as producer:

        async def reachable() -> bool:
            return bool(await producer.client.force_metadata_update())

        runner = web.AppRunner(Gateway(settings, producer, reachable).app(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.gateway_host, settings.gateway_port).start()
            addresses = [f"http://{host}:{port}" for host, port, *_ in runner.addresses]
            log.info("gateway_ready", addresses=addresses)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
