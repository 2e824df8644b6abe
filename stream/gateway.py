"""The HTTP door for vendors: readings and vendor payloads in, Kafka behind; answered when the broker has them."""

import asyncio
import gzip
import hmac
import time
import zlib
from types import ModuleType
from typing import Any, Protocol

import orjson
import structlog
from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from connectors.columns import Decoded
from connectors.decode import decode, encode_batch
from connectors.errors import PayloadError, Reason
from connectors.vendors import dexcom, google_health
from stream import topics
from stream.settings import Settings

log = structlog.get_logger()
MAX_BODY = 24 * 1024 * 1024  # also when decompressed
VENDORS: dict[str, ModuleType] = {module.NAME: module for module in (google_health, dexcom)}


class Producer(Protocol):
    """What the gateway needs of a Kafka producer."""

    async def send_and_wait(
        self, topic: str, value: bytes, key: bytes | None = None, headers: Any = None
    ) -> Any:
        """Send and wait for the broker's word."""


def unpack(body: bytes, encoding: str) -> bytes:
    """The body, decompressed if gzip and never beyond MAX_BODY; raises PayloadError."""
    if encoding in ("", "identity") or (encoding == "gzip" and body[:2] != b"\x1f\x8b"):
        return body  # aiohttp has unpacked it already, within client_max_size
    if encoding != "gzip":
        raise PayloadError(
            "content-encoding is neither identity nor gzip", Reason.UNPARSEABLE, "content-encoding"
        )
    inflate = zlib.decompressobj(31)
    try:
        out = inflate.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise PayloadError("the body is no gzip", Reason.UNPARSEABLE, "body") from error
    if len(out) > MAX_BODY:
        raise PayloadError("too large when decompressed", Reason.TOO_LARGE, "body")
    return out


def documents(body: bytes) -> list[bytes]:
    """Each reading or batch of a body as a JSON document: one object, an array, or NDJSON."""
    text = body.strip()
    if not text:
        raise PayloadError("the body is empty", Reason.UNPARSEABLE, "body")
    if text[:1] == b"[":
        try:
            items = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise PayloadError("the body is no JSON array", Reason.UNPARSEABLE, "body") from error
        return [orjson.dumps(item) for item in items]
    return [line for line in text.splitlines() if line.strip()] if b"\n" in text else [text]


def by_person(decoded: Decoded, source: str) -> list[tuple[bytes, bytes]]:
    """Key and value of one readings/1 batch a person."""
    rows: dict[int, list[int]] = {}
    for row, person in enumerate(decoded.person.tolist()):
        rows.setdefault(person, []).append(row)
    return [
        (decoded.persons[person].encode(), encode_batch(decoded.persons[person], decoded, chosen, source))
        for person, chosen in rows.items()
    ]


class Gateway:
    """Routes and what they need; `producer` is started by who makes it."""

    def __init__(self, settings: Settings, producer: Producer) -> None:
        self.settings, self.producer = settings, producer

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/v1/readings", self.readings)
        app.router.add_post("/v1/vendors/{vendor}", self.vendor)
        app.router.add_get("/live", self.live)
        return app

    async def live(self, _request: web.Request) -> web.Response:
        """Whether the process answers."""
        return web.json_response({"status": "ok"})

    def _allowed(self, request: web.Request, name: str) -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        key = self.settings.vendor_keys.get(name)
        expected = key.get_secret_value().encode() if key else b""
        return bool(expected) and hmac.compare_digest(given, expected)

    async def _body(self, request: web.Request) -> bytes:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise PayloadError(f"more than {MAX_BODY} bytes", Reason.TOO_LARGE, "body") from error
        return unpack(raw, request.headers.get("Content-Encoding", "").lower())

    @staticmethod
    def _refusal(error: PayloadError) -> web.Response:
        status = {Reason.TOO_LARGE: 413, Reason.BAD_SIGNATURE: 401}.get(error.reason, 400)
        answer = {"error": error.reason.value, "place": error.place, "message": str(error)}
        return web.json_response(answer, status=status)

    async def _publish(self, records: list[tuple[str, bytes | None, bytes, Any]]) -> web.Response | None:
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
            return web.json_response({"error": "unauthorized"}, status=401)
        try:
            items = documents(await self._body(request))
        except PayloadError as error:
            return self._refusal(error)
        decoded = decode(items, [None] * len(items), int(time.time() * 1000))
        out: list[tuple[str, bytes | None, bytes, Any]] = [
            (topics.READING, key, value, None) for key, value in by_person(decoded, "")
        ]
        if failed := await self._publish(out):
            return failed
        refused = [
            r.as_dict() | {"index": r.record if r.index == 0 else [r.record, r.index]}
            for r in decoded.refused
        ]
        log.info("readings_taken", accepted=len(decoded), refused=len(refused))
        return web.json_response({"accepted": len(decoded), "refused": refused}, status=202)

    async def vendor(self, request: web.Request) -> web.Response:
        """POST /v1/vendors/{vendor}?person=ID: the payload as the vendor delivers it."""
        name = request.match_info["vendor"]
        if name not in VENDORS or not self._allowed(request, name):
            return web.json_response({"error": "unauthorized"}, status=401)
        person = request.query.get("person", "")
        raw_topic = f"raw.{name}.v1"
        try:
            body = await self._body(request)
            if not person:
                raise PayloadError("person is missing", Reason.UNKNOWN_USER, "query.person")
            try:
                payload = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise PayloadError("the body is no JSON", Reason.UNPARSEABLE, "body") from error
            found = [orjson.dumps({k: v for k, v in fields.items() if v is not None})
                     for fields in VENDORS[name].parse(payload, person)]  # fmt: skip
        except PayloadError as error:
            headers = [("x-original-topic", raw_topic.encode()), ("x-error-class", error.reason.value.encode()),
                       ("x-error-message", f"{error.place}: {error}".encode())]  # fmt: skip
            letter = (
                topics.dead_letters(raw_topic),
                person.encode() or None,
                locals().get("body", b""),
                headers,
            )
            await self._publish([letter])
            return self._refusal(error)
        decoded = decode(found, [None] * len(found), int(time.time() * 1000))
        out: list[tuple[str, bytes | None, bytes, Any]] = [
            (raw_topic, person.encode(), gzip.compress(body, 1), None)
        ]
        out += [(topics.READING, key, value, None) for key, value in by_person(decoded, name)]
        if failed := await self._publish(out):
            return failed
        refused = [r.as_dict() | {"index": r.record} for r in decoded.refused]
        log.info("vendor_payload_taken", vendor=name, accepted=len(decoded), refused=len(refused))
        return web.json_response({"accepted": len(decoded), "refused": refused}, status=202)


async def serve(settings: Settings) -> None:
    """Run until cancelled."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, enable_idempotence=True, linger_ms=5, max_request_size=16_777_216,
        compression_type=None if settings.embedded else "lz4",
    )  # fmt: skip
    await producer.start()
    runner = web.AppRunner(Gateway(settings, producer).app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.gateway_host, settings.gateway_port).start()
        log.info("gateway_ready", addresses=[f"http://{host}:{port}" for host, port, *_ in runner.addresses])
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await producer.stop()
