"""What-if for the page: a scenario comes as JSON, the outlook/1 document goes back. It reads the twin and writes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from aiohttp import web

from connectors.errors import Unavailable
from stream.compiled import OUTLOOK, ensure
from stream.outlook import KINDS, OutlookError
from twin.shapes import Record

log = structlog.get_logger()
Source = Callable[[str], Awaitable[Record]]
LONGEST_H, DEFAULT_H, ROWS = 24.0, 6.0, 72  # of a page's outlook
MOST_ITEMS, LONGEST_TEXT, LARGEST = 20, 60, 10_000  # of a scenario; bytes of a request
WAITING = 4  # outlooks at a time that wait for their turn: each takes a second of a processor


class Ahead:
    """Computes one outlook at a time, outside the event loop."""

    def __init__(self, source: Source | None) -> None:
        self.source = source
        self.turn, self.waiting = asyncio.Lock(), 0

    async def answer(self, person: str, request: web.Request) -> web.Response:
        """The outlook of a person whom the caller may see; refusals say why."""
        if self.source is None:
            return _refused(503, "this page was started without a worker's broker")
        if self.waiting >= WAITING:
            return _refused(503, "others are looking ahead: try again in a moment")
        self.waiting += 1
        try:
            wanted, hours = parse(await request.content.read(LARGEST + 1))
            record = await self.source(person)
            async with self.turn:
                document = await asyncio.to_thread(_compute, person, record, wanted, hours)
        except OutlookError as error:
            return _refused(400, str(error))
        except Unavailable:
            log.warning("outlook_without_broker")
            return _refused(503, "the worker's broker does not answer: try again")
        finally:
            self.waiting -= 1
        return web.Response(body=document, content_type="application/json")


def _refused(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)


def _compute(person: str, record: Record, wanted: Mapping[str, list[str]], hours: float) -> bytes:
    from stream.outlook_run import EVERY, outlook  # noqa: PLC0415 - imports the kernels

    ensure(stages=OUTLOOK)
    every = next(minutes for minutes in EVERY if hours * 60.0 / minutes <= ROWS)
    return orjson.dumps(outlook(person, record, wanted, hours, every))


def parse(body: bytes) -> tuple[dict[str, list[str]], float]:
    """Scenario and hours of a request; raises OutlookError."""
    if len(body) > LARGEST:
        raise OutlookError(f"the scenario is larger than {LARGEST} bytes")
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise OutlookError("the body is no JSON object") from error
    if not isinstance(document, dict):
        raise OutlookError("the body is no JSON object")
    hours = document.pop("hours", DEFAULT_H)
    if isinstance(hours, bool) or not isinstance(hours, (int, float)) or not hours <= LONGEST_H:
        raise OutlookError(f"hours = {str(hours)[:20]}: a number up to {LONGEST_H:g} is needed")
    for kind, texts in document.items():
        if kind not in KINDS:
            raise OutlookError(f"{kind[:30]}: unknown; known are {', '.join(KINDS)}")
        whole = isinstance(texts, list) and all(
            isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts
        )
        if not whole:
            raise OutlookError(f"{kind}: a list of short texts is needed")
    if sum(len(texts) for texts in document.values()) > MOST_ITEMS:
        raise OutlookError(f"a scenario has at most {MOST_ITEMS} things")
    return document, float(hours)
