"""InfluxDB by /api/v2/write, which 1.8, 2.x and 3.x serve, and InfluxQL, which all of them read. Tried on 1.8.10.

Measurements twin_state, twin_parameter, twin_alert. The document stands beside the numbers in one field of text, so that
the page reads back exactly what was written. Same measurement, tags and time overwrite: a replay changes nothing.
"""

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from connectors.errors import Unavailable
from connectors.stores import Document
from connectors.stores.lines import line, spread_fields

LINES = 5000
TIMEOUT = aiohttp.ClientTimeout(total=15.0, connect=3.0)
LONGEST_PAUSE_S = 300.0
FAR_MS = 9_000_000_000_000


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class InfluxStore:
    """See connectors.stores.Store."""

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self.url, self.org, self.bucket = url.rstrip("/"), org, bucket
        self.headers = {"Authorization": f"Token {token}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Nothing is made here: databases and buckets are the operator's."""
        await self.ping()

    async def _ask(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self.headers, timeout=TIMEOUT)
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"} if body else {}
        try:
            async with self._session.request(
                method, self.url + path, params=parameters, data=body, headers=headers
            ) as answer:
                status, text, shown = answer.status, await answer.read(), dict(answer.headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"InfluxDB: {type(error).__name__}", 1.0) from error
        if status == 429 or status >= 500:
            after = shown.get("Retry-After", "")
            raise Unavailable(
                f"InfluxDB: HTTP {status}", min(float(after), LONGEST_PAUSE_S) if after.isdigit() else 1.0
            )
        if status in (401, 403, 404):
            # Keep everything and say so: waiting loses nothing, dropping does.
            raise Unavailable(f"InfluxDB: HTTP {status}: check token, organisation and bucket", 30.0)
        return status, text, shown

    async def write(self, estimates: Sequence[Document], alerts: Sequence[Document]) -> list[str]:
        """All lines, in requests of 5000; refused ones are isolated by halving."""
        lines: list[str] = []
        for e in estimates:
            who, at = {"person_id": e["person"]}, e["time"]
            numbers: dict[str, Any] = spread_fields(e["state"])
            numbers |= {f"observed_{name}": value for name, value in e.get("observed", {}).items()}
            numbers |= {"lag_s": e.get("lag_s"), "n_obs": e.get("made_from")}
            lines += [text for text in (
                line("twin_state", who, numbers | {"document": orjson.dumps(e).decode()}, at),
                line("twin_parameter", who, spread_fields(e.get("parameter", {})), at),
            ) if text]  # fmt: skip
        for a in alerts:
            tags = {"person_id": a["person"], "rule": a.get("rule", "none")}
            fields = {"score": a.get("probability"), "at": a["at"], "status": a["state"],
                      "document": orjson.dumps(a).decode()}  # fmt: skip
            if text := line("twin_alert", tags, fields, a["onset"]):
                lines.append(text)
        refused: list[str] = []
        for start in range(0, len(lines), LINES):
            refused += await self._send(lines[start : start + LINES])
        return refused

    async def _send(self, lines: list[str]) -> list[str]:
        body = await asyncio.to_thread(gzip.compress, "\n".join(lines).encode(), 1)
        parameters = {"org": self.org, "bucket": self.bucket, "precision": "ms"}
        status, text, _ = await self._ask("POST", "/api/v2/write", parameters, body)
        if status < 300:
            return []
        if len(lines) == 1:
            try:
                message = str(orjson.loads(text).get("message", ""))
            except orjson.JSONDecodeError:
                message = ""
            return [f"HTTP {status}: {message.split(' ', 3)[:3]}"]  # the server's words quote the line: cut
        half = len(lines) // 2
        return await self._send(lines[:half]) + await self._send(lines[half:])

    async def _documents(self, query: str) -> list[dict[str, Any]]:
        _, text, _ = await self._ask(
            "GET", "/query", {"db": self.bucket.split("/")[0], "q": query, "epoch": "ms"}
        )
        result = orjson.loads(text)["results"][0]
        if "error" in result:
            raise Unavailable("InfluxDB: the query was refused", 5.0)
        found = []
        for series in result.get("series", []):
            at = series["columns"].index("document")
            found += [orjson.loads(row[at]) for row in series["values"] if row[at] is not None]
        return found

    async def latest(self) -> list[dict[str, Any]]:
        """The newest of each person."""
        found = await self._documents(
            'SELECT last("document") AS "document" FROM twin_state GROUP BY person_id'
        )
        return sorted(found, key=lambda e: str(e["person"]))

    async def states(self, person: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """By time."""
        limits = f"time >= {since_ms}ms AND time <= {min(until_ms, FAR_MS)}ms"
        return await self._documents(
            f'SELECT "document" FROM twin_state WHERE person_id = {_literal(person)} AND {limits}'  # noqa: S608 - escaped
        )

    async def alerts(self, since_ms: int = 0, person: str | None = None) -> list[dict[str, Any]]:
        """Newest change first."""
        where = f" WHERE person_id = {_literal(person)}" if person is not None else ""
        found = await self._documents(f'SELECT "document" FROM twin_alert{where}')  # noqa: S608 - escaped
        return sorted((a for a in found if a["at"] >= since_ms), key=lambda a: (-a["at"], a["alert_id"]))

    async def erase(self, person: str) -> None:
        """Drop the person's series of every measurement."""
        query = f"DROP SERIES WHERE person_id = {_literal(person)}"
        await self._ask("POST", "/query", {"db": self.bucket.split("/")[0], "q": query})

    async def ping(self) -> str:
        """The server's version."""
        _, _, headers = await self._ask("GET", "/ping", {})
        return f"InfluxDB {headers.get('X-Influxdb-Version', '?')} at {self.url}"

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
