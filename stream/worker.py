"""The worker: batches of readings in, twins forward, estimates and alerts out, state at intervals.

Per batch, in this order: fence, decode, drop what was applied, run the twins, publish and wait for the broker, note as
applied. At intervals: state to the changelog, wait, then the offsets may be committed. After a crash the batches since
run again and give the same bits; each twin holds the offset that it has applied.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import faust
import numpy as np
import structlog
from numpy.typing import NDArray

from connectors.columns import Decoded
from connectors.decode import FUTURE_MS, decode
from connectors.errors import Reason
from stream import topics
from stream.announcing import Announcer
from stream.breaker import BREAKER
from stream.checkpointing import Checkpoints
from stream.cohort import Applied, Cohort
from stream.estimates import encoded
from stream.flights import Flights
from stream.health import Metrics, serving
from stream.lateness import WAIT_MS
from stream.leavings import letters_of, stamps_of
from stream.letters import Letter
from stream.noting import Notes
from stream.obeying import obey
from stream.publishing import Publisher
from stream.settings import Settings
from stream.shelf import Shelf, folder_of, sweep
from stream.sink import Sink, run_sink
from stream.table import LARGEST_BATCH, TwinTable
from stream.transport import App, BatchConsumer, ConsumerThread, RawSchema
from stream.watchdog import EXIT_WITHOUT_ACKNOWLEDGING, Watchdog, end_within
from stream.weights import weights_named
from stream.whole import or_end, whole

log = structlog.get_logger()
READY_AGE_S = 30.0  # without an acknowledgement for so long, though there is lag, a worker is not ready
PROBE_S = 5.0
SWITCH_S = 0.0005  # a fetch asks for Python's lock some six times, and waits so long each time while a batch is decoded
AT_ONCE = 64  # estimates, 2 ms
LARGE = 5000  # readings of a batch, 20 ms: worth decoding the next one meanwhile; after a smaller one it would be in the way
BEHIND_MS = 1000.0  # a batch that the topic took so long ago is followed by others at once


class Worker:
    """One Faust app with the twins of the partitions that it owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lock = asyncio.Lock()  # a checkpoint sees whole batches
        self.flights = Flights()
        BatchConsumer.batch_topics = {topics.READING}
        BatchConsumer.before_empty = self.checkpoint_at_once
        BatchConsumer.before_seek = self.flights.land
        ConsumerThread.fetch_wait_ms = settings.fetch_wait_ms
        window_s = round(settings.window_h * 3600)
        weights = weights_named(settings.weights)  # a file that cannot be used ends the start, by name
        TwinTable.make_cohort = staticmethod(
            lambda partition: Cohort(
                tick_s=settings.tick_s, window_s=window_s, windows=settings.windows, weights=weights, patient=True,
                shelf=Shelf(folder_of(settings.data_dir) / f"{partition}.sqlite"),
                resident=max(1, settings.resident_twins // settings.partitions),
            )
        )  # fmt: skip
        # How far ahead decode lets a reading be, beyond its own five minutes: it waits in its twin then.
        self.patience_ms = WAIT_MS - FUTURE_MS if settings.future == "wait" else 0
        self.metrics = Metrics()
        self.watchdog = Watchdog(settings.stalled_s, self.probe)
        self.app = App(
            settings.app_id, broker=f"kafka://{settings.broker}", topic_partitions=settings.partitions,
            datadir=str(settings.data_dir / f"faust-{os.getpid()}"), topic_disable_leader=True, web_enabled=False,
            web_tables_enabled=False, web_router_enabled=False,
            topic_allow_declare=False, table_standby_replicas=0, consumer_auto_offset_reset="earliest",
            stream_buffer_maxsize=16, broker_commit_interval=1.0,
            broker_heartbeat_interval=settings.heartbeat_s, broker_session_timeout=settings.session_timeout_s,
            broker_rebalance_timeout=10.0, broker_max_poll_interval=120.0, producer_linger=0.005,
            producer_compression_type=None if settings.embedded else "zstd", producer_max_request_size=16_777_216,
            producer_max_batch_size=LARGEST_BATCH,
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
        self.announcer = Announcer(self.table, self.publisher, self.metrics)
        self.checkpoints = Checkpoints(self)
        self.behind: dict[int, bool] = {}  # by partition, until its next checkpoint
        self.backlog = False  # whether the last batch was
        self.came = 0.0  # the last batch, on the monotonic clock
        self.notes = Notes(self.metrics)
        self.app.early = (self.watchdog.run, self.health)
        self.app.agent(readings, name="update")(self.update)
        self.app.agent(commands, name="command")(self.command)
        self.app.timer(interval=settings.checkpoint_s)(self.checkpoint)
        self.app.timer(interval=0.5)(self.checkpoints.when_quiet)
        self.app.timer(interval=15.0)(self.watch)
        if {"sink", "alerts"} & set(settings.roles.split(",")):
            self.app.task(self.sink)

    async def sink(self) -> None:
        """The sink on consumers of its own: when the store is down it waits, and the twins go on."""
        await Sink(self.settings, self.metrics).run()

    async def health(self) -> None:
        """Serve /live, /ready and /metrics."""
        async with serving(self.settings.health_host, self.settings.health_port, self.metrics, self.ready):
            await asyncio.Event().wait()

    async def probe(self) -> tuple[int, Any]:
        """Lag, and marks of progress: offsets, what recovery has read, and the generation.

        While the broker is away nothing can be done, so that there is no lag. A consumer that does not answer while
        the broker does is a standstill: lag of at least 1.
        """
        recovered = sum(self.table.offsets.values())
        try:
            lag, marks = await asyncio.wait_for(self.app.consumer.standing(), PROBE_S)
        except Exception as error:  # noqa: BLE001 - whatever it is: the question is only whether the broker is there
            log.debug("standing_unknown", why=type(error).__name__)
            lag, marks = int(await self._broker_answers()), {}
        lag = max(lag, int(self.app.rebalancing))
        self.metrics.set("twin_lag_records", lag)
        return lag, (marks, recovered, self.app.consumer_generation_id)

    async def _broker_answers(self) -> bool:
        try:
            client = self.app.producer._producer.client
            return bool(await asyncio.wait_for(client.force_metadata_update(), PROBE_S))
        except Exception:  # noqa: BLE001 - it does not
            return False

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether readings that come now are applied soon; the sink's state is told, and does not decide."""
        recovering, rebalancing = bool(self.app.in_recovery), bool(self.app.rebalancing)
        age, lag = self.watchdog.idle_s, self.watchdog.lag
        age = age if lag > 0 else 0.0
        self.metrics.set("twin_recovering", recovering)
        self.metrics.set("twin_rebalancing", rebalancing)
        self.metrics.set("twin_acknowledgement_age_seconds", round(age, 1))
        self.metrics.set("twin_people", sum(c.people() for c in self.table.cohorts.values()))
        joined = self.app.consumer.joined()
        fine = joined and not recovering and not rebalancing and age < READY_AGE_S
        return fine, {
            "status": "ok" if fine else "not_ready", "joined": joined, "recovering": recovering,
            "recovered_records": self.table.read, "rebalancing": rebalancing,
            "acknowledgement_age_s": round(age, 1), "lag_records": lag,
            "sink_lag_s": self.metrics.get("twin_sink_lag_seconds"),
            "sink_state": BREAKER[int(self.metrics.get("twin_sink_state"))],
        }  # fmt: skip

    async def update(self, stream: Any) -> None:
        """The agent over reading.v1: decodes a batch while a large one before it is filtered."""
        before: asyncio.Task[None] | None = None
        async for event in stream.noack().events():  # noack: otherwise Cython acknowledges past Consumer.ack
            message = event.message
            with or_end(message):
                stamps = stamps_of(message.value)
                decoded = decode(
                    [r.value for r in message.value],
                    [r.key for r in message.value],
                    (stamps + self.patience_ms).tolist(),
                )
                await self.flights.room(message.partition)
            if before is not None:
                await asyncio.shield(before)
            before = asyncio.ensure_future(self.take(message, stamps, decoded, partial(stream.ack, event)))
            if len(decoded) < LARGE:
                await asyncio.shield(before)

    async def take(
        self, message: Any, stamps: NDArray[np.int64], decoded: Decoded, acknowledge: Callable[[], Awaitable[Any]]
    ) -> None:  # fmt: skip
        """One batch, if it is the next of its partition."""
        with or_end(message):
            async with self.lock:
                if await self.app.consumer.admit(message):
                    await whole(self.apply(message, stamps, decoded, acknowledge))
                else:
                    await acknowledge()  # counts only what was admitted

    async def apply(
        self, message: Any, stamps: NDArray[np.int64], decoded: Decoded, acknowledge: Callable[[], Awaitable[Any]]
    ) -> None:  # fmt: skip
        """One batch of one partition; it is acknowledged when the broker has what it says."""
        began, self.came = time.perf_counter(), time.monotonic()
        records = message.value
        cohort = self.table.cohort(message.partition)
        await self.announcer.say_again(message.partition)
        offsets = np.array([r.offset for r in records], dtype=np.int64)
        filtering = time.perf_counter()
        behind = self.backlog = self.behind[message.partition] = (
            time.time() * 1000 - float(stamps[-1]) > BEHIND_MS
        )
        done, folding = cohort.begin(decoded, offsets, stamps if self.patience_ms else None, behind=behind)
        if folding is not None:
            await folding.run_aside()
        cohort.end(done, folding)
        self.notes.count(decoded, done, time.perf_counter() - filtering)
        for refused in decoded.refused:
            self.metrics.count("twin_refused_total", reason=refused.reason.value)
        for _ in done.ahead:
            self.metrics.count("twin_refused_total", reason=Reason.FUTURE.value)
        letters = list(letters_of(records, decoded, done))
        await self.tell(message.partition, cohort, done, letters, acknowledge)
        message.value = ()  # a backlog's 50,000 records, until the broker has answered
        self.notes.say(message.partition, decoded, done, time.perf_counter() - began)

    async def tell(
        self, partition: int, cohort: Cohort, done: Applied, letters: Sequence[Letter] = (),
        then: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:  # fmt: skip
        """Send alerts and estimates of a run on their way, alerts first, and what follows when they have arrived."""
        announced = self.announcer.announce(partition, done.alerts)
        self.notes.surprises(done)
        if not (len(done.tick_s) or letters or announced or self.flights.last(partition)):
            if then is not None:  # as of most small batches: their readings wait for more of their minute
                await then()
            return

        async def hand_over() -> list[Any]:
            told = []
            for document in encoded(cohort, done):
                told.append(document)
                if len(told) % AT_ONCE == 0:
                    await asyncio.sleep(0.0)  # the next batch begins: it is filtered while these are written
            waiting = [*announced, *await self.publisher.post(topics.ESTIMATE, partition, told)]
            return [*waiting, self.publisher.send(letters)] if letters else waiting

        self.flights.depart(partition, hand_over, then)

    async def command(self, stream: Any) -> None:
        """The agent over twin.command.v1: acknowledge, profile."""
        async for event in stream.events():
            partition = event.message.partition
            try:
                async with self.lock:
                    await self.announcer.say_again(partition)
                    alerts, letters = obey(self.table.cohort(partition), event.message, event.value)
                    await asyncio.gather(*self.announcer.announce(partition, alerts))
                    await self.publisher.send(letters)
                if not letters:  # what is no command changed nothing
                    await self.checkpoint_at_once()  # before Faust acknowledges it
            except Exception:  # the broker or the changelog: Faust would acknowledge what was not done
                log.exception("command_failed", partition=partition, offset=event.message.offset)
                os._exit(EXIT_WITHOUT_ACKNOWLEDGING)

    async def watch(self) -> None:
        """Technical alerts of people whose data stopped."""
        now, silent_ms = int(time.time() * 1000), round(self.settings.silent_after_min * 60_000)
        async with self.lock:
            for tp in self.app.consumer.applied():  # recovered, and ours
                await self.announcer.say_again(tp.partition)
                alerts = self.table.cohort(tp.partition).tick_clock(now, silent_ms)
                await asyncio.gather(*self.announcer.announce(tp.partition, alerts))

    async def checkpoint(self) -> None:
        """State of all twins touched since to the changelog; then the offsets may be committed."""
        await self.checkpoints.make()

    async def checkpoint_at_once(self) -> None:
        """The same where somebody waits for it."""
        await self.checkpoints.make(hurry=True)


class Process(faust.Worker):
    """Faust's worker, which ends within 10 s of being asked to whatever it waits for."""

    def _schedule_shutdown(self, signal: Any) -> None:
        end_within()
        super()._schedule_shutdown(signal)


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; equations are compiled before Kafka is asked for anything."""
    from stream.compiled import load  # noqa: PLC0415 - the compiler is needed only here

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    sweep(settings.data_dir)
    log.info("compiling_equations")
    log.info("equations_ready", seconds=round(load(), 1))
    gc.freeze()  # what is there now stays; and a batch of 30,000 documents is no reason to look at everything three times
    gc.set_threshold(200_000, 20, 50)
    sys.setswitchinterval(SWITCH_S)
    if "update" in settings.roles.split(","):
        worker = Worker(settings)
        Process(worker.app, loglevel="WARN", logging_config=None).execute_from_commandline()
    else:
        asyncio.run(run_sink(settings))
