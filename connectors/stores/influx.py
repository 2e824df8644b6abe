"""InfluxDB 1.8 and 2.x by influxdb-client's asynchronous client: /api/v2/write, and InfluxQL, which both read.

The client neither batches nor retries here (influxdb-client loses lines when it does): a call is done or raises, and
Kafka is the buffer. Bodies are compressed here, in a thread; the client would do it at level 9 on the event loop.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
import orjson
from influxdb_client import PingService, WriteService
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from connectors.errors import Unavailable
from connectors.stores import Document, Refused, buckets, hourly, overview
from connectors.stores.answers import CONFIGURATION_PAUSE_S, Rejected, judge
from connectors.stores.checks import ALERT, ESTIMATE, FAR_MS, sort_out
from connectors.stores.firsts import Firsts, Standing, brought
from connectors.stores.lines import alert_lines, estimate_lines, line
from connectors.stores.outlooks import OUTLOOK, put_together
from connectors.stores.retention import Retention

T = TypeVar("T")
LINES, BYTES = 5000, 4_000_000  # of one request; the vendor's optimum
STORED = 204  # a page of a proxy says 200, and nothing is kept
TIMEOUT = aiohttp.ClientTimeout(total=15.0, connect=3.0)
EVER = ("1970-01-01T00:00:00Z", "2262-01-01T00:00:00Z")
MADE = f"{OUTLOOK}_"
ESTIMATES = f'"document", /^{MADE}/ FROM twin_state'
Entry = tuple[str, Document]


def _literal(text: str, quote: str = "'") -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def encode(
    estimates: Sequence[Document], alerts: Sequence[Document], standing: Standing
) -> tuple[list[Entry], list[Refused]]:
    """Lines with their documents, forecasts that stand in the place of later ones; and documents that no line can hold."""
    entries: list[Entry] = []
    refused: list[Refused] = []
    kinds: Any = (
        (estimates, ESTIMATE, lambda e: estimate_lines(e, standing.get(id(e)))),
        (alerts, ALERT, alert_lines),
    )
    for documents, needed, lines_of in kinds:
        good, bad = sort_out(documents, needed)
        refused += bad
        for document in good:
            try:
                entries += [(text, document) for text in lines_of(document)]
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
                refused.append(Refused(document, f"no line can hold it: {type(error).__name__}: {error}"))
    return entries, refused


def requests(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Cut by lines and bytes."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == LINES or size + len(entry[0]) > BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry[0])
    if batch:
        yield batch


def compress(batch: Sequence[Entry]) -> bytes:
    """The body of a request; level 1 is 15 times faster than the client's 9 and three quarters as small."""
    return gzip.compress("\n".join(text for text, _ in batch).encode(), 1)


class InfluxStore:
    """See connectors.stores.Store. The bucket is `database` or `database/retention` for 1.x."""

    def __init__(
        self, url: str, token: str, org: str, bucket: str, long_bucket: str = "", alert_bucket: str = ""
    ) -> None:
        self.url, self.token, self.org, self.bucket = url.rstrip("/"), token, org, bucket
        self.long_bucket = long_bucket or bucket  # of the hourly rows
        self.alert_bucket = alert_bucket or bucket
        self._client: InfluxDBClientAsync | None = None
        self.retention, self.firsts = Retention(), Firsts()

    def api(self) -> Any:
        """The client's, made on first use."""
        if self._client is None:  # the client wants a running loop
            self._client = InfluxDBClientAsync(self.url, self.token, self.org, timeout=TIMEOUT)
        return self._client.api_client

    async def done(self, call: Awaitable[T]) -> T:
        """The answer of a call; raises Unavailable or Rejected."""
        try:
            return await call
        except ApiException as error:
            raise judge(error, self.url) from None  # the exception quotes the body, and a log would show it
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"InfluxDB at {self.url}: {type(error).__name__}", 1.0) from error

    async def version(self) -> str:
        """Of the server."""
        answer = await self.done(PingService(self.api()).get_ping_async(_return_http_data_only=False))
        return str(answer[2].get("X-Influxdb-Version", "?")).removeprefix("v")

    async def open(self) -> None:
        """Databases and buckets are the operator's; on 2.x the bucket's name is made known to InfluxQL."""
        if (await self.version()).startswith("2."):
            for bucket in dict.fromkeys((self.bucket, self.alert_bucket)):
                await buckets.make_known(self, bucket)
        await self._know_retention()

    async def write(self, estimates: Sequence[Document], alerts: Sequence[Document]) -> list[Refused]:
        """All lines; returns the documents of those that the server will not have."""
        if self.retention.due():
            await self._know_retention()
        estimates, refused = self.retention.sort_out(estimates, "time", self.bucket)
        alerts, others = self.retention.sort_out(alerts, "onset", self.alert_bucket)
        refused += others
        brings = brought(estimates)
        standing = await self.firsts.standing(brings, self._query, _literal)
        for bucket, documents in ((self.bucket, (estimates, ())), (self.alert_bucket, ((), alerts))):
            entries, bad = await asyncio.to_thread(encode, documents[0], documents[1], standing)
            refused += bad
            for batch in requests(entries):
                refused += await self._send(batch, bucket)
        self.firsts.written(brings)
        return list({id(r.document): r for r in refused}.values())  # an estimate has two lines

    def forget(self) -> None:
        """Another writer may have been at work: what stands is asked for again."""
        self.firsts.forget()

    async def _know_retention(self) -> None:
        wanted = dict.fromkeys((self.bucket, self.alert_bucket, self.long_bucket), 0)
        try:
            self.retention.know({b.name: b.days for b in await buckets.look(self, wanted, False)})
        except (Unavailable, Rejected):  # away, or this token may not ask: the answers to writes tell then
            self.retention.unknown()

    async def roll_up(self, touched: hourly.Touched) -> list[Refused]:
        """Write the hourly rows of (person, time [ms]) anew; raises Unavailable, and then they are still to do.

        A row of which ticks may have expired stays as it is.
        """
        refused: list[Refused] = []
        since_ms = max(self.retention.since_ms(bucket) for bucket in (self.bucket, self.long_bucket))
        for hour, people in sorted(hourly.by_hour(touched).items()):
            if hour < since_ms:
                continue
            series = await self._query(hourly.query(hour, people, _literal))
            texts = await asyncio.to_thread(hourly.rows, series, hour, people)
            entries: list[Entry] = [(text, {}) for text in texts]
            for batch in requests(entries):
                refused += await self._send(batch, self.long_bucket)
        return refused

    async def write_overview(self, newest_ms: int) -> list[Refused]:
        """The row of all people at the newest event time."""
        series = await self._query(overview.query(newest_ms))
        found = await self._query(overview.OPEN_ALERTS, bucket=self.alert_bucket)
        text = overview.row(series, int(found[0]["values"][0][1]) if found else 0, newest_ms, "all")
        return await self._send([(text, {})], self.long_bucket) if text else []

    async def write_own(self, worker: str, numbers: Mapping[str, float], now_ms: int) -> list[Refused]:
        """The sink's own counters, by the clock."""
        text = line("twin_sink", {"worker": worker}, numbers, now_ms)
        return await self._send([(text, {})]) if text else []

    async def _send(self, batch: Sequence[Entry], bucket: str = "") -> list[Refused]:
        """One request, and more when lines of it are bad; what is sent twice overwrites itself."""
        body = await asyncio.to_thread(compress, batch)
        try:
            _, status, _ = await self.done(
                WriteService(self.api()).post_write_async(
                    org=self.org, bucket=bucket or self.bucket, body=body, precision="ms", content_encoding="gzip",
                    content_type="text/plain; charset=utf-8", async_req=False, _return_http_data_only=False,
                )
            )  # fmt: skip
            if status != STORED:
                raise Unavailable(f"InfluxDB at {self.url}: HTTP {status} to a write", CONFIGURATION_PAUSE_S)
        except Rejected as answer:
            if not answer.message and answer.status != 413:
                await self._must_answer(answer)
            if numbered := answer.numbered(len(batch)):  # 3.x has stored the others
                return [Refused(batch[position][1], reason) for position, reason in numbered.items()]
            if named := answer.named([text for text, _ in batch]):
                bad = [Refused(batch[position][1], reason) for position, reason in named.items()]
                rest = [entry for position, entry in enumerate(batch) if position not in named]
                return bad + (await self._send(rest, bucket) if rest else [])
            if len(batch) in (1, answer.dropped):
                return [Refused(document, answer.reason) for _, document in batch]
            half = len(batch) // 2
            return await self._send(batch[:half], bucket) + await self._send(batch[half:], bucket)
        return []

    async def _must_answer(self, answer: Rejected) -> None:
        """A refusal without a reason condemns lines only if InfluxDB is there to have said it, and not who stands between."""
        try:
            version = await self.version()
        except Rejected:
            version = "?"
        if version == "?":
            message = f"InfluxDB at {self.url}: HTTP {answer.status} from something that is not InfluxDB"
            raise Unavailable(message, CONFIGURATION_PAUSE_S)

    async def _query(
        self, query: str, method: str = "GET", bucket: str = "", whole: bool = False
    ) -> list[dict[str, Any]]:
        """The series of one statement of InfluxQL, of a bucket, or of its `whole` database."""
        database, _, retention = (bucket or self.bucket).partition("/")
        parameters = [("db", database), ("q", query), ("epoch", "ms")]
        parameters += [("rp", retention)] if retention and not whole else []
        try:
            answer = await self.done(
                self.api().call_api("/query", method, query_params=parameters, response_type="object")
            )
        except Rejected as error:
            raise Unavailable(f"InfluxDB at {self.url}: the query was refused: {error}", 5.0) from None
        try:
            result = answer["results"][0]
        except (TypeError, KeyError, IndexError):  # a page of somebody between, garbage
            raise Unavailable(f"InfluxDB at {self.url}: no answer of InfluxDB to a query", 1.0) from None
        if "error" in result:
            raise Unavailable(f"InfluxDB at {self.url}: {result['error'][:100]}", CONFIGURATION_PAUSE_S)
        return list(result.get("series", []))

    async def ask(self, statement: str, method: str = "GET") -> list[dict[str, Any]]:
        """The series of a statement of InfluxQL, in no retention of its own."""
        return await self._query(statement, method, whole=True)

    @staticmethod
    def quoted(name: str) -> str:
        """A name of InfluxQL."""
        return _literal(name, chr(34))

    async def look(self, wanted: dict[str, int], fix: bool) -> list[buckets.Bucket]:
        """See connectors.stores.buckets."""
        return await buckets.look(self, wanted, fix)

    async def _documents(self, query: str, bucket: str = "") -> list[dict[str, Any]]:
        found = []
        for series in await self._query(query, bucket=bucket):
            at = series["columns"].index("document")
            made = {i: n.removeprefix(MADE) for i, n in enumerate(series["columns"]) if n.startswith(MADE)}
            for row in series["values"]:
                if row[at] is not None:
                    parts = {channel: row[i] for i, channel in made.items() if row[i] is not None}
                    found.append(put_together(orjson.loads(row[at]), parts))
        return found

    async def latest(self) -> list[dict[str, Any]]:
        """The newest of each person."""
        found = await self._documents(f"SELECT {ESTIMATES} GROUP BY person_id ORDER BY time DESC LIMIT 1")
        return sorted(found, key=lambda e: str(e["person"]))

    async def states(self, person: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """By time."""
        limits = f"time >= {max(since_ms, 0)}ms AND time <= {min(until_ms, FAR_MS)}ms"
        return await self._documents(f"SELECT {ESTIMATES} WHERE person_id = {_literal(person)} AND {limits}")

    async def alerts(self, since_ms: int = 0, person: str | None = None) -> list[dict[str, Any]]:
        """Newest change first."""
        who = f" AND person_id = {_literal(person)}" if person is not None else ""
        query = f'SELECT "document" FROM twin_alert WHERE "at" >= {since_ms}{who}'  # noqa: S608
        found = await self._documents(query, self.alert_bucket)
        return sorted(found, key=lambda a: (-a["at"], a["alert_id"]))

    async def erase(self, person: str) -> None:
        """Every measurement of every bucket, at all times."""
        first = (await self.version()).startswith("1.")
        for bucket in dict.fromkeys((self.bucket, self.alert_bucket, self.long_bucket)):
            if first:
                await self._query(
                    f"DROP SERIES WHERE person_id = {_literal(person)}", "POST", bucket, whole=True
                )
                continue
            self.api()
            assert self._client is not None
            predicate = f"person_id={_literal(person, chr(34))}"
            await self.done(self._client.delete_api().delete(*EVER, predicate, bucket, self.org))

    async def ping(self) -> str:
        """The server's version; a query shows that token, organisation and bucket are right."""
        version = await self.version()
        await self._query("SHOW MEASUREMENTS LIMIT 1")
        return f"InfluxDB {version} at {self.url}"

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None
