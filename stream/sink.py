"""From the topics to the store and to the care team: plain consumers with groups of their own.

Kafka is the buffer: when the store or the webhook is down they wait, acknowledge nothing, and catch up; the twins go
on. An offset is committed only after its record is kept; writes are idempotent, so that at-least-once is enough.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import orjson
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from connectors.alerts.webhook import Webhook
from connectors.errors import Reason, Unavailable
from connectors.stores import Store
from connectors.stores.checks import ALERT, fault
from connectors.stores.hourly import HOUR_MS
from connectors.stores.overview import STEP_MS
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.health import Metrics, serving
from stream.letters import dead_letter
from stream.settings import Settings
from stream.watchdog import end_within

log = structlog.get_logger()
LONGEST_PAUSE_S = 60.0
ROLL_UP_S, MOST_TOUCHED = 5.0, 20_000
NEVER_MS = 2**31 - 1  # a store may be away for days; that this process lives its heartbeats say
CLOSED, HALF_OPEN, OPEN = range(3)
BREAKER = ("closed", "half open", "open")
Letter = tuple[str, bytes | None, bytes, Any]


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.store == "influx":
        from connectors.stores.influx import InfluxStore  # noqa: PLC0415 - its client takes a third of a second

        token = settings.influx_token.get_secret_value()
        return InfluxStore(settings.influx_url, token, settings.influx_org, settings.influx_bucket,
                           settings.influx_long_bucket)  # fmt: skip
    return SqliteStore(settings.sqlite_path)


async def persist(
    action: Callable[[], Awaitable[Any]], what: str, noted: Callable[[int], None] = lambda _: None
) -> Any:
    """Try until it works, with growing, jittered pauses; `noted` hears the state of the breaker."""
    attempt = 0
    while True:
        try:
            done = await action()
        except Unavailable as error:
            attempt += 1
            noted(OPEN)
            pause = max(error.retry_after, random.uniform(0, min(LONGEST_PAUSE_S, 0.5 * 2**attempt)))  # noqa: S311
            log.warning("waiting", what=what, why=str(error), attempt=attempt, seconds=round(pause, 1))
            await asyncio.sleep(pause)
            noted(HALF_OPEN)
        else:
            noted(CLOSED)
            return done


async def _post(producer: AIOKafkaProducer, letters: list[Letter]) -> None:
    try:
        for topic, key, value, headers in letters:
            await producer.send_and_wait(topic, key=key, value=value, headers=headers)
    except KafkaError as error:
        raise Unavailable(f"dead letters: {type(error).__name__}") from error


async def _commit(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.commit()
    except KafkaError as error:  # a rebalance, say: the rows come again and overwrite themselves
        log.warning("offsets_not_committed", why=type(error).__name__)


def _alert_of(value: bytes | None) -> dict[str, Any] | None:
    """None for what is no alert; the sink makes a dead letter of it."""
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) and fault(document, ALERT) is None else None


class Sink:
    """The roles sink and alerts of a process."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.touched: set[tuple[str, int]] = set()  # people and hours whose hourly row is to be written anew
        self.rolled = 0.0
        self.newest_ms, self.overviewed = (
            0,
            0,
        )  # event time that is stored, and the last step with a row of all people
        self.roles = set(settings.roles.split(","))

    def _consumer(self, group: str, *names: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *names, bootstrap_servers=self.settings.broker, group_id=f"{self.settings.app_id}-{group}",
            enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=self.settings.fetch_wait_ms,
            session_timeout_ms=round(max(self.settings.session_timeout_s, 6.0) * 1000), heartbeat_interval_ms=1000,
            max_poll_interval_ms=NEVER_MS,
        )  # fmt: skip

    async def run(self) -> None:
        """Both roles, until cancelled."""
        tasks = []
        if "sink" in self.roles and self.settings.store != "none":
            tasks.append(self.keep())
        if "alerts" in self.roles and self.settings.webhook_url and self.settings.webhook_secret:
            tasks.append(self.deliver())
        await asyncio.gather(*tasks)

    def _noted(self, state: int) -> None:
        self.metrics.set("twin_sink_state", state)
        if state == OPEN:
            self.metrics.count("twin_sink_retries_total")

    def _behind(self, consumer: AIOKafkaConsumer, fetched: Mapping[Any, list[Any]]) -> None:
        """Note how old the oldest record is that is not stored."""
        ages = [time.time() - records[0].timestamp / 1000 for records in fetched.values()]
        self.metrics.set("twin_sink_lag_seconds", max(0.0, round(max(ages, default=0.0), 1)))
        size = sum(len(record.value or b"") for records in fetched.values() for record in records)
        self.metrics.set("twin_sink_queued_bytes", size)

    async def keep(self) -> None:
        """Estimates and alerts into the store; what it refuses to dead letters; then the offsets are committed."""
        store = open_store(self.settings)
        consumer = self._consumer("sink", topics.ESTIMATE, topics.ALERT)
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, max_request_size=16_777_216)
        await consumer.start()
        await producer.start()
        try:
            await persist(store.open, "store", self._noted)
            while True:
                fetched = await consumer.getmany(timeout_ms=500, max_records=2000)
                self._behind(consumer, fetched)
                if fetched:
                    letters = await self._store(store, fetched)
                    await persist(lambda found=letters: _post(producer, found), "dead letters")  # type: ignore[misc]
                await self._roll_up(store, consumer, bool(fetched))
        finally:
            await consumer.stop()
            await producer.stop()
            await store.close()

    async def _roll_up(self, store: Store, consumer: AIOKafkaConsumer, fetched: bool) -> None:
        """Offsets are committed when the hours that they changed are written too: after a crash they change again."""
        roll_up = getattr(store, "roll_up", None)  # SQLite is read by the page, which needs no hours
        if roll_up is None:
            self.touched.clear()
            if fetched:
                await _commit(consumer)
            return
        due = time.monotonic() - self.rolled > ROLL_UP_S or len(self.touched) > MOST_TOUCHED
        if self.touched and due:
            await persist(lambda: roll_up(self.touched), "store", self._noted)
            self.touched.clear()
            self.rolled = time.monotonic()
            await _commit(consumer)
            await self._overview(store, consumer)
        elif fetched and not self.touched:
            await _commit(consumer)

    async def _overview(self, store: Any, consumer: AIOKafkaConsumer) -> None:
        """Whoever has partition 0 writes the row of all people, once a step of event time."""
        first = any(tp.topic == topics.ESTIMATE and tp.partition == 0 for tp in consumer.assignment())
        if first and self.newest_ms // STEP_MS > self.overviewed:
            await persist(lambda: store.write_overview(self.newest_ms), "store", self._noted)
            self.overviewed = self.newest_ms // STEP_MS

    async def _store(self, store: Store, fetched: Mapping[Any, list[Any]]) -> list[Letter]:
        """Write what can be read; returns dead letters of the rest."""
        kinds: dict[str, list[dict[str, Any]]] = {topics.ESTIMATE: [], topics.ALERT: []}
        records: dict[int, Any] = {}
        letters: list[Letter] = []
        for partition, found in fetched.items():
            for record in found:
                try:
                    document = orjson.loads(record.value or b"")
                except orjson.JSONDecodeError:
                    letters.append(dead_letter(partition.topic, record, Reason.UNPARSEABLE, "is no JSON"))
                    continue
                if isinstance(document, dict):
                    kinds[partition.topic].append(document)
                    records[id(document)] = record
                else:
                    letters.append(
                        dead_letter(partition.topic, record, Reason.SCHEMA_INVALID, "is no object")
                    )
        refused = await persist(
            lambda: store.write(kinds[topics.ESTIMATE], kinds[topics.ALERT]), "store", self._noted
        )
        for document, reason in refused:
            record = records[id(document)]
            letters.append(dead_letter(record.topic, record, Reason.SINK_REJECTED, reason))
        gone = {id(document) for document, _ in refused}
        self.touched |= {(e["person"], e["time"] // HOUR_MS * HOUR_MS)
                         for e in kinds[topics.ESTIMATE] if id(e) not in gone}  # fmt: skip
        self.newest_ms = max(
            [self.newest_ms, *(e["time"] for e in kinds[topics.ESTIMATE] if id(e) not in gone)]
        )
        stored = len(kinds[topics.ESTIMATE]) + len(kinds[topics.ALERT]) - len(refused)
        self.metrics.count("twin_sink_rows_total", stored, outcome="stored")
        if letters:
            self.metrics.count("twin_sink_rows_total", len(letters), outcome="refused")
            log.warning(
                "rows_refused", rows=len(letters), example=dict(letters[0][3])["x-error-message"].decode()
            )
        log.debug("stored", estimates=len(kinds[topics.ESTIMATE]), alerts=len(kinds[topics.ALERT]))
        return letters

    async def deliver(self) -> None:
        """Alerts to the webhook; pending ones stay inside."""
        secret = self.settings.webhook_secret
        assert secret is not None
        assert self.settings.webhook_url is not None
        webhook = Webhook(self.settings.webhook_url, secret.get_secret_value())
        consumer = self._consumer("alerts", topics.ALERT)
        await consumer.start()
        try:
            async with aiohttp.ClientSession() as session:
                async for record in consumer:
                    alert = _alert_of(record.value)
                    if alert is None:
                        log.warning("alert_unreadable", partition=record.partition, offset=record.offset)
                    elif alert["state"] != "pending":
                        send = lambda a=alert: webhook.deliver(session, a, int(time.time()))  # noqa: E731
                        delivered = await persist(send, "webhook")
                        outcome = "delivered" if delivered else "refused"
                        self.metrics.count("twin_alerts_delivered_total", outcome=outcome)
                        log.info(
                            "alert_delivered" if delivered else "alert_refused", alert_id=alert["alert_id"]
                        )
                    await _commit(consumer)
        finally:
            await consumer.stop()


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
