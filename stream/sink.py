"""From the topics to the store: a plain consumer with a group of its own, lanes to the store, acknowledged in order.

Kafka is the buffer: when the store is down the sink waits, acknowledges nothing, and catches up; the twins go on. An
offset is committed only after its record is kept, or lies with the dead letters, and so is every one before it; writes
are idempotent, so that at-least-once is enough.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from connectors.errors import Reason, Unavailable
from connectors.stores import Refused, Store
from connectors.stores.checks import ESTIMATE, fault
from connectors.stores.retention import EXPIRED
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.breaker import BREAKER, CLOSED, OPEN, Breaker, look_out
from stream.consuming import consumer_of
from stream.delivering import deliver
from stream.health import Metrics, serving
from stream.lanes import Acknowledgements, Item, Lanes
from stream.letters import Letter, dead_letter
from stream.owing import Owing
from stream.positions import Positions
from stream.rolling import Rolling
from stream.settings import Settings
from stream.watchdog import end_within

log = structlog.get_logger()
FETCH_MS, FETCHED = 200, 2000
SETTLE_S, COMMIT_WITHIN_S = 1.0, 10.0
STOP_S, REVOKED_S = 4.0, 3.0
FIRST = TopicPartition(topics.ESTIMATE, 0)
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
        self.settled, self.newest_ms = 0.0, 0  # event time that is stored

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
        self.acks, self.owing = Acknowledgements(), Owing()
        self.lanes = Lanes(self._write, width, self.settings.sink_mib << 20)
        self.consumer = consumer = consumer_of(self.settings, "sink")
        rolls = hasattr(self.store, "roll_up")  # SQLite is read by the page, which needs no hours
        self.positions = Positions(self.settings, consumer, f"{self.settings.app_id}-sink", rolls)
        rolling = Rolling(self.store, self.owing, self.metrics, self.settings.worker_name,
                          lambda: self.newest_ms, lambda: FIRST in consumer.assignment())  # fmt: skip
        consumer.subscribe([topics.ESTIMATE, topics.ALERT], listener=self)
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker, acks="all", max_request_size=16_777_216
        )
        await consumer.start()
        await self.producer.start()
        watched = [*self.breakers.values(), rolling.breaker]
        beside = [asyncio.ensure_future(look_out(watched, getattr(self.store, "version", self.store.ping)))]
        try:
            await self.breakers["estimate"].persist(self.store.open)
            self.lanes.start()
            self._show()
            beside.append(asyncio.ensure_future(rolling.run()))
            while True:
                await self.lanes.room()
                await self.positions.begin()
                fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=FETCHED)
                await self._take(fetched)
                self._show()
                await self._settle()
                for task in beside:
                    if task.done():
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if self.lanes.tasks:
                if self.metrics.get("twin_sink_state") == CLOSED:
                    await self.lanes.idle(STOP_S)
                await self._commit(1.0)
            await self.lanes.stop()
            await consumer.stop()
            await self.producer.stop()
            await self.store.close()

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Let what is under way end, commit it, drop the rest: a late write of ours would overwrite the new owner's."""
        self.lanes.forget(revoked)
        if self.lanes.tasks and self.metrics.get("twin_sink_state") == CLOSED:
            await self.lanes.idle(REVOKED_S)
        await self._commit(REVOKED_S)
        for known in (self.acks, self.owing, self.positions):
            known.forget(revoked)
        if (forget := getattr(self.store, "forget", None)) is not None:
            forget()
        for breaker in self.breakers.values():
            breaker.wake()
        if self.lanes.tasks:
            await self.lanes.idle(REVOKED_S)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Nothing is known of them but what is committed."""
        self.positions.came(assigned)

    async def _take(self, fetched: Mapping[Any, Sequence[Any]]) -> None:
        """Queue what can be read; the rest is dead. What was stored before tells only which hours are owed."""
        for part, records in fetched.items():
            if part in self.positions.fresh:  # they come again from where they are to begin
                continue
            for record in records:
                document, reason, why = _document_of(record.value)
                if not self.positions.is_new(part, record.offset):
                    self._owe(part, record.offset, document)
                    continue
                item = Item(part, record, KINDS[part.topic], document)
                self.acks.add(item)
                if document is None:
                    await self._bury([(item, reason, why)])
                else:
                    self.lanes.put(item)
                    item.document = (
                        None  # decoded anew when it is sent: as objects records take ten times their bytes
                    )

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

    def _owe(self, part: Any, offset: int, document: Mapping[str, Any] | None) -> None:
        if (
            self.positions.look_back
            and part.topic == topics.ESTIMATE
            and document
            and not fault(document, ESTIMATE)
        ):
            self.owing.note(part, offset, document["person"], document["time"])

    async def _write(self, kind: str, items: Sequence[Item]) -> None:
        """A lane's request, in smaller ones if the store is slow: stored, or dead with the server's reason."""
        breaker = self.breakers[kind]
        part: list[tuple[Item, dict[str, Any]]] = []

        def left() -> list[Item]:
            return [item for item in items if not item.done and not item.lost]

        async def store() -> list[Refused]:
            few = left()[: max(1, round(len(items) * breaker.portion))]
            part[:] = [(item, orjson.loads(item.record.value)) for item in few]
            documents = [document for _, document in part]
            return await self.store.write(*((documents, ()) if kind == "estimate" else ((), documents)))

        while left():
            refused = await breaker.persist(store, lambda: bool(left()))
            if refused is not None:
                await self._stored(kind, part, {id(document): why for document, why in refused})

    async def _stored(
        self, kind: str, part: Sequence[tuple[Item, dict[str, Any]]], refused: Mapping[int, str]
    ) -> None:
        bad = [(item, Reason.SINK_REJECTED, refused[id(d)]) for item, d in part if id(d) in refused]
        if dead := [found for found in bad if found[2] != EXPIRED]:
            await self._bury(dead)
        for item, _, why in bad:  # the store would have deleted it by now: no letter
            if why == EXPIRED:
                item.done = True
                self.metrics.count("twin_sink_rows_total", outcome="expired")
        kept = [(item, document) for item, document in part if id(document) not in refused]
        for item, document in kept:
            item.done = True
            if kind == "estimate":
                self.newest_ms = max(self.newest_ms, document["time"])
                if not item.lost:
                    self._owe(item.part, item.offset, document)
        self.metrics.count("twin_sink_rows_total", len(kept), outcome="stored")
        log.debug("stored", kind=kind, documents=len(kept))

    def _show(self) -> None:
        oldest = self.acks.oldest_ms
        lag = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
        self.metrics.set("twin_sink_lag_seconds", round(lag, 1))
        self.metrics.set("twin_sink_queued_bytes", self.lanes.bytes)
        self.metrics.set("twin_sink_hours_owed", len(self.owing))
        if self.newest_ms:
            self.metrics.set("twin_sink_event_lag_seconds", round(time.time() - self.newest_ms / 1000, 1))

    async def _settle(self) -> None:
        """At intervals: offsets, and a second look at records whose hours there was no room for."""
        if time.monotonic() - self.settled < SETTLE_S:
            return
        await self._commit(COMMIT_WITHIN_S)
        if len(self.owing) < self.owing.most // 2:
            for part, offset in list(self.owing.dropped.items()):
                if part in self.consumer.assignment() and part not in self.positions.fresh:
                    self.positions.rewind(part, offset)
                    del self.owing.dropped[part]
        self.settled = time.monotonic()

    async def _commit(self, within_s: float) -> None:
        """Estimates and alerts that are stored; that hours are owed for them says the metadata."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.positions.commit(self.acks.positions(), self.owing.firsts())


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
