"""From the topics to the store: a plain consumer with a group of its own, lanes to the store, acknowledged in order.

Kafka is the buffer: when the store is down the sink waits, acknowledges nothing, and catches up; the twins go on. An
offset is committed only after its record is kept, or lies with the dead letters, and so is every one before it; writes
are idempotent, so that at-least-once is enough.
"""

import asyncio
import contextlib
import platform
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from connectors.errors import Reason, Unavailable
from connectors.stores import Refused, Store
from connectors.stores.hourly import HOUR_MS
from connectors.stores.overview import STEP_MS
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.breaker import BREAKER, CLOSED, OPEN, Breaker
from stream.consuming import commit, consumer_of
from stream.delivering import deliver
from stream.health import Metrics, serving
from stream.lanes import Acknowledgements, Item, Lanes
from stream.letters import Letter, dead_letter
from stream.settings import Settings
from stream.watchdog import end_within

log = structlog.get_logger()
ROLL_UP_S, MOST_TOUCHED = 5.0, 20_000
OWN_ROW_S, FETCH_MS, FETCHED = 60.0, 200, 2000
STOP_S, REVOKED_S = 4.0, 5.0
KINDS = {topics.ESTIMATE: "estimate", topics.ALERT: "alert"}


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.store == "influx":
        from connectors.stores.influx import InfluxStore  # noqa: PLC0415 - its client takes a third of a second

        token = settings.influx_token.get_secret_value()
        return InfluxStore(settings.influx_url, token, settings.influx_org, settings.influx_bucket,
                           settings.influx_long_bucket, settings.influx_alert_bucket)  # fmt: skip
    return SqliteStore(settings.sqlite_path)


class Sink(ConsumerRebalanceListener):
    """The roles sink and alerts of a process."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.roles = set(settings.roles.split(","))
        self.touched: set[tuple[str, int]] = set()  # people and hours whose hourly row is to be written anew
        self.committed: dict[Any, int] = {}
        self.rolled = self.told = 0.0
        self.newest_ms, self.overviewed = (
            0,
            0,
        )  # event time that is stored, and the last step with a row of all people

    async def run(self) -> None:
        """Both roles, until cancelled."""
        tasks = []
        if "sink" in self.roles and self.settings.store != "none":
            tasks.append(self.keep())
        if "alerts" in self.roles and self.settings.webhook_url and self.settings.webhook_secret:
            tasks.append(deliver(self.settings, self.metrics))
        await asyncio.gather(*tasks)

    def _noted(self, state: int) -> None:
        """The worse of both breakers; they are of one server, but alerts do not queue behind estimates."""
        states = [breaker.state for breaker in self.breakers.values()]
        self.metrics.set("twin_sink_state", max(states))
        if state == OPEN:
            self.metrics.count("twin_sink_retries_total")

    async def keep(self) -> None:
        """Estimates and alerts into the store; what it refuses to dead letters."""
        self.store = open_store(self.settings)
        width = self.settings.sink_lanes if self.settings.store == "influx" else 1  # SQLite has one writer
        self.breakers = {
            kind: Breaker(f"store, {kind}s", width, self._noted) for kind in ("alert", "estimate")
        }
        self.dead = Breaker("dead letters")
        self.acks = Acknowledgements()
        self.lanes = Lanes(self._write, width, self.settings.sink_mib << 20)
        consumer = consumer_of(self.settings, "sink")
        consumer.subscribe([topics.ESTIMATE, topics.ALERT], listener=self)
        self.producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, max_request_size=16_777_216)
        await consumer.start()
        await self.producer.start()
        try:
            await self.breakers["estimate"].persist(self.store.open)
            self.lanes.start()
            while True:
                await self.lanes.room()
                fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=FETCHED)
                await self._take(fetched)
                self._show()
                await self._settle(consumer)
        finally:
            if (
                self.lanes.tasks
                and self.metrics.get("twin_sink_state") == CLOSED
                and await self.lanes.idle(STOP_S)
            ):
                with contextlib.suppress(Unavailable, TimeoutError):
                    await asyncio.wait_for(self._rolled(consumer), 1.0)
            await self.lanes.stop()
            await consumer.stop()
            await self.producer.stop()
            await self.store.close()

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Let what is under way end, and drop the rest: a late write of ours would overwrite the new owner's."""
        self.lanes.forget(revoked)
        self.acks.forget(revoked)
        for part in revoked:
            self.committed.pop(part, None)
        if self.lanes.tasks:
            await self.lanes.idle(REVOKED_S)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Nothing is known of them but what is committed."""

    async def _take(self, fetched: Mapping[Any, Sequence[Any]]) -> None:
        """Queue what can be read; the rest is dead."""
        for part, records in fetched.items():
            for record in records:
                document, reason, why = _document_of(record.value)
                item = Item(part, record, KINDS[part.topic], document)
                self.acks.add(item)
                if document is None:
                    await self._bury([(item, reason, why)])
                else:
                    self.lanes.put(item)

    async def _bury(self, found: Sequence[tuple[Item, Reason, str]]) -> None:
        letters = [dead_letter(item.part.topic, item.record, reason, why) for item, reason, why in found]
        await self.dead.persist(lambda: self._post(letters))
        self.metrics.count("twin_sink_rows_total", len(found), outcome="refused")
        log.warning("rows_refused", rows=len(found), example=found[0][2])
        for item, _, _ in found:
            item.done = True

    async def _post(self, letters: Sequence[Letter]) -> None:
        try:
            for topic, key, value, headers in letters:
                await self.producer.send_and_wait(topic, key=key, value=value, headers=headers)
        except KafkaError as error:
            raise Unavailable(f"dead letters: {type(error).__name__}") from error

    async def _write(self, kind: str, items: Sequence[Item]) -> None:
        """A lane's request: stored, or dead with the server's reason."""

        async def store() -> list[Refused]:
            documents = [item.document for item in items if item.document is not None and not item.lost]
            return await self.store.write(*((documents, ()) if kind == "estimate" else ((), documents)))

        refused = {id(document): why for document, why in await self.breakers[kind].persist(store)}
        if dead := [
            (item, Reason.SINK_REJECTED, refused[id(item.document)])
            for item in items
            if id(item.document) in refused
        ]:
            await self._bury(dead)
        kept = [item for item in items if id(item.document) not in refused]
        for item in kept:
            item.done = True
            if kind == "estimate" and item.document is not None:
                self.touched.add((item.document["person"], item.document["time"] // HOUR_MS * HOUR_MS))
                self.newest_ms = max(self.newest_ms, item.document["time"])
        self.metrics.count("twin_sink_rows_total", len(kept), outcome="stored")
        log.debug("stored", kind=kind, documents=len(kept))

    def _show(self) -> None:
        oldest = self.acks.oldest_ms
        lag = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
        self.metrics.set("twin_sink_lag_seconds", round(lag, 1))
        self.metrics.set("twin_sink_queued_bytes", self.lanes.bytes)
        if self.newest_ms:
            self.metrics.set("twin_sink_event_lag_seconds", round(time.time() - self.newest_ms / 1000, 1))

    async def _settle(self, consumer: AIOKafkaConsumer) -> None:
        """At intervals, and soon when many hours changed: hourly rows, offsets, the rows of all people and our own."""
        now = time.monotonic()
        if (
            now - self.rolled > ROLL_UP_S
            or len(self.touched) > MOST_TOUCHED
            or getattr(self.store, "roll_up", None) is None
        ):
            await self._rolled(consumer)
            await self._overview(consumer)
        if now - self.told > OWN_ROW_S and (write_own := getattr(self.store, "write_own", None)) is not None:
            self.told = now
            numbers = {name: self.metrics.total(name) for name in self.metrics.names("twin_sink_")}
            await self.breakers["estimate"].persist(
                lambda: write_own(
                    self.settings.worker_name or platform.node(), numbers, int(time.time() * 1000)
                )
            )

    async def _rolled(self, consumer: AIOKafkaConsumer) -> None:
        """Offsets are committed when the hours that they changed are written too: after a crash they change again."""
        positions, touched = self.acks.positions(), set(self.touched)
        roll_up = getattr(self.store, "roll_up", None)  # SQLite is read by the page, which needs no hours
        if touched and roll_up is not None:
            await self.breakers["estimate"].persist(lambda: roll_up(touched))
        self.touched -= touched
        self.rolled = time.monotonic()
        mine = consumer.assignment()
        new = {part: at for part, at in positions.items() if part in mine and self.committed.get(part) != at}
        if new:
            await commit(consumer, new)
            self.committed |= new

    async def _overview(self, consumer: AIOKafkaConsumer) -> None:
        """Whoever has partition 0 writes the row of all people, once a step of event time."""
        write_overview = getattr(self.store, "write_overview", None)
        first = any(tp.topic == topics.ESTIMATE and tp.partition == 0 for tp in consumer.assignment())
        if write_overview is not None and first and self.newest_ms // STEP_MS > self.overviewed:
            await self.breakers["estimate"].persist(lambda: write_overview(self.newest_ms))
            self.overviewed = self.newest_ms // STEP_MS


def _document_of(value: bytes | None) -> tuple[dict[str, Any] | None, Reason, str]:
    """A record's document, or why it is none."""
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None, Reason.UNPARSEABLE, "is no JSON"
    return document if isinstance(document, dict) else None, Reason.SCHEMA_INVALID, "is no object"


async def run_sink(settings: Settings) -> None:
    """A process that does only this, until SIGTERM or SIGINT, with /live, /ready and /metrics."""
    metrics = Metrics()

    async def ready() -> tuple[bool, dict[str, Any]]:
        state = int(metrics.get("twin_sink_state"))
        fine = state == CLOSED
        return fine, {"status": "ok" if fine else "not_ready", "sink_state": BREAKER[state],
                      "sink_lag_s": metrics.get("twin_sink_lag_seconds")}  # fmt: skip

    async with serving(settings.health_host, settings.health_port, metrics, ready):
        task = asyncio.ensure_future(Sink(settings, metrics).run())

        def stop() -> None:
            end_within()
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            await task
