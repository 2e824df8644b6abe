"""The worker: batches of readings in, twins forward, estimates and alerts out, state at intervals.

Per batch, in this order: fence, decode, drop what was applied, run the twins, publish and wait for the broker, note as
applied. At intervals: state to the changelog, wait, then the offsets may be committed. After a crash the batches since
run again and give the same bits; each twin holds the offset that it has applied.
"""

import asyncio
import os
import time
from typing import Any

import faust
import numpy as np
import orjson
import structlog

from connectors.decode import decode
from connectors.errors import PayloadError, Reason
from stream import topics
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.letters import dead_letter
from stream.settings import Settings
from stream.sink import Sink
from stream.table import TwinTable
from stream.transport import App, BatchConsumer, ConsumerThread, RawSchema
from twin.profile import ProfileError

log = structlog.get_logger()
EXIT_WITHOUT_ACKNOWLEDGING = 70


class Publisher:
    """Sends outputs and waits until the broker has them."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def send(self, records: list[tuple[str, bytes | None, bytes, list[tuple[str, bytes]]]]) -> None:
        """Records of (topic, key, value, headers); returns when every one is acknowledged."""
        producer = self.app.producer._producer
        sent = [
            await producer.send(topic, key=key, value=value, headers=headers or None)
            for topic, key, value, headers in records
        ]
        await asyncio.gather(*sent)


class Worker:
    """One Faust app with the twins of the partitions that it owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lock = asyncio.Lock()  # a checkpoint sees whole batches
        BatchConsumer.batch_topics = {topics.READING}
        BatchConsumer.before_empty = self.checkpoint
        ConsumerThread.fetch_wait_ms = settings.fetch_wait_ms
        window_s = round(settings.window_h * 3600)
        TwinTable.make_cohort = staticmethod(lambda: Cohort(tick_s=settings.tick_s, window_s=window_s))
        self.app = App(
            settings.app_id, broker=f"kafka://{settings.broker}", topic_partitions=settings.partitions,
            datadir=str(settings.data_dir / f"faust-{os.getpid()}"), topic_disable_leader=True, web_enabled=False,
            topic_allow_declare=False, table_standby_replicas=0, consumer_auto_offset_reset="earliest",
            stream_buffer_maxsize=16, broker_commit_interval=1.0,
            broker_heartbeat_interval=settings.heartbeat_s, broker_session_timeout=settings.session_timeout_s,
            broker_rebalance_timeout=10.0, broker_max_poll_interval=120.0, producer_linger=0.005,
            producer_compression_type=None if settings.embedded else "lz4", producer_max_request_size=16_777_216,
        )  # fmt: skip
        raw = RawSchema(key_type=bytes, value_type=bytes)
        readings = self.app.topic(topics.READING, schema=raw, partitions=settings.partitions)
        commands = self.app.topic(
            topics.COMMAND,
            key_type=bytes,
            value_type=bytes,
            value_serializer="raw",
            partitions=settings.partitions,
        )
        self.table: TwinTable = self.app.tables.add(
            TwinTable(self.app, name="twins", schema=RawSchema(), key_type=bytes, value_type=bytes,
                      partitions=settings.partitions, recovery_buffer_size=10)
        )  # fmt: skip
        self.publisher = Publisher(self.app)
        self.app.agent(readings, name="update")(self.update)
        self.app.agent(commands, name="command")(self.command)
        self.app.timer(interval=settings.checkpoint_s)(self.checkpoint)
        self.app.timer(interval=15.0)(self.watch)
        if {"sink", "alerts"} & set(settings.roles.split(",")):
            self.app.task(self.sink)

    async def sink(self) -> None:
        """The sink on consumers of its own: when the store is down it waits, and the twins go on."""
        await Sink(self.settings).run()

    async def update(self, stream: Any) -> None:
        """The agent over reading.v1."""
        async for event in stream.noack().events():  # noack: otherwise Cython acknowledges past Consumer.ack
            message = event.message
            try:
                async with self.lock:
                    if await self.app.consumer.admit(message):
                        await self.apply(message)
                    await stream.ack(event)  # counts only what was admitted
            except Exception:  # whatever it is: acknowledging would lose the batch
                log.exception("batch_failed", partition=message.partition, offset=message.offset)
                os._exit(EXIT_WITHOUT_ACKNOWLEDGING)

    async def apply(self, message: Any) -> None:
        """One batch of one partition."""
        began = time.perf_counter()
        records = message.value
        decoded = decode([r.value for r in records], [r.key for r in records], int(time.time() * 1000))
        cohort = self.table.cohort(message.partition)
        offsets = np.array([r.offset for r in records], dtype=np.int64)
        done = cohort.apply(decoded, offsets)
        out: list[tuple[str, bytes | None, bytes, Any]] = []
        for document in estimates(cohort, done):
            out.append((topics.ESTIMATE, document["person"].encode(), orjson.dumps(document), []))
        for alert in done.alerts:
            out.append((topics.ALERT, alert["person"].encode(), orjson.dumps(alert), []))
        refusals: dict[int, list[Any]] = {}
        for refused in decoded.refused:
            refusals.setdefault(refused.record, []).append(refused)
        for index, found in refusals.items():
            text = "; ".join(f"[{r.index}] {r.field}: {r.message}" for r in found[:5])
            text += f"; and {len(found) - 5} more" if len(found) > 5 else ""
            out.append(dead_letter(topics.READING, records[index], found[0].reason.value, text))
        for index in sorted({int(decoded.record[row]) for row in done.late}):
            out.append((topics.LATE, records[index].key, records[index].value, []))
        await self.publisher.send(out)
        log.info(
            "batch_applied", partition=message.partition, readings=len(decoded), people=len(decoded.persons),
            refused=len(decoded.refused), late=len(done.late), duplicates=done.counts["duplicate"],
            alerts=len(done.alerts), milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )  # fmt: skip

    async def command(self, stream: Any) -> None:
        """The agent over twin.command.v1: acknowledge, profile."""
        async for event in stream.events():
            try:
                document = orjson.loads(event.value)
                cohort = self.table.cohort(event.message.partition)
                async with self.lock:
                    await self.obey(cohort, document)
            except (
                orjson.JSONDecodeError,
                KeyError,
                TypeError,
                AttributeError,
                PayloadError,
                ProfileError,
            ) as error:
                letter = dead_letter(topics.COMMAND, _Plain(event.message, event.value), Reason.SCHEMA_INVALID.value,
                                     f"{type(error).__name__}")  # fmt: skip
                await self.publisher.send([letter])

    async def obey(self, cohort: Cohort, document: dict[str, Any]) -> None:
        """One command."""
        person = document["person"]
        if document["command"] == "acknowledge":
            now = int(time.time() * 1000)
            alerts = cohort.acknowledge(person, document["alert_id"], str(document.get("by", ""))[:100], now)
            await self.publisher.send([(topics.ALERT, person.encode(), orjson.dumps(a), []) for a in alerts])
        elif document["command"] == "profile":
            cohort.set_profile(person, document["profile"])
        else:
            raise PayloadError("unknown command", Reason.SCHEMA_INVALID, "command")

    async def watch(self) -> None:
        """Technical alerts of people whose data stopped."""
        now = int(time.time() * 1000)
        async with self.lock:
            for cohort in self.table.cohorts.values():
                alerts = cohort.tick_clock(now, round(self.settings.silent_after_min * 60_000))
                out: list[Any] = [(topics.ALERT, a["person"].encode(), orjson.dumps(a), []) for a in alerts]
                if out:
                    await self.publisher.send(out)

    async def checkpoint(self) -> None:
        """State of all twins touched since to the changelog; then the offsets may be committed."""
        async with self.lock:
            consumer = self.app.consumer
            positions = consumer.applied()
            written = 0
            for tp in positions:
                written += await self.table.write(tp.partition)
            consumer.checkpointed(positions)
        if written:
            log.debug("checkpoint_written", bytes=written)


class _Plain:
    """A Faust message in the shape of an aiokafka record."""

    def __init__(self, message: Any, value: bytes) -> None:
        self.partition, self.offset, self.timestamp = message.partition, message.offset, message.timestamp
        self.key, self.value = message.key, value


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; equations are compiled before Kafka is asked for anything."""
    from stream.warm import warm  # noqa: PLC0415 - the compiler is needed only here

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log.info("compiling_equations")
    log.info("equations_ready", seconds=round(warm(), 1))
    if "update" in settings.roles.split(","):
        worker = Worker(settings)
        faust.Worker(worker.app, loglevel="WARN", logging_config=None).execute_from_commandline()
    else:
        asyncio.run(Sink(settings).run())
