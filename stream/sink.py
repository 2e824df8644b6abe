"""From the topics to the store and to the care team: plain consumers with groups of their own.

Kafka is the buffer: when the store or the webhook is down they wait, acknowledge nothing, and catch up; the twins go
on. An offset is committed only after its record is kept; writes are idempotent, so that at-least-once is enough.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import structlog
from aiokafka import AIOKafkaConsumer

from connectors.alerts.webhook import Webhook
from connectors.errors import Unavailable
from connectors.stores import Store
from connectors.stores.sqlite import SqliteStore
from stream import topics
from stream.settings import Settings

log = structlog.get_logger()
LONGEST_PAUSE_S = 60.0


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.store == "influx":
        from connectors.stores.influx import InfluxStore  # noqa: PLC0415 - its client takes a third of a second

        token = settings.influx_token.get_secret_value()
        return InfluxStore(settings.influx_url, token, settings.influx_org, settings.influx_bucket)
    return SqliteStore(settings.sqlite_path)


async def persist(action: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Try until it works, with growing, jittered pauses."""
    attempt = 0
    while True:
        try:
            return await action()
        except Unavailable as error:
            attempt += 1
            pause = max(error.retry_after, random.uniform(0, min(LONGEST_PAUSE_S, 0.5 * 2**attempt)))  # noqa: S311
            log.warning("waiting", what=what, attempt=attempt, seconds=round(pause, 1))
            await asyncio.sleep(pause)


class Sink:
    """The roles sink and alerts of a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.roles = set(settings.roles.split(","))

    def _consumer(self, group: str, *names: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *names, bootstrap_servers=self.settings.broker, group_id=f"{self.settings.app_id}-{group}",
            enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=self.settings.fetch_wait_ms,
            session_timeout_ms=round(max(self.settings.session_timeout_s, 6.0) * 1000), heartbeat_interval_ms=1000,
        )  # fmt: skip

    async def run(self) -> None:
        """Both roles, until cancelled."""
        tasks = []
        if "sink" in self.roles and self.settings.store != "none":
            tasks.append(self.keep())
        if "alerts" in self.roles and self.settings.webhook_url and self.settings.webhook_secret:
            tasks.append(self.deliver())
        await asyncio.gather(*tasks)

    async def keep(self) -> None:
        """Estimates and alerts into the store."""
        store = open_store(self.settings)
        consumer = self._consumer("sink", topics.ESTIMATE, topics.ALERT)
        await consumer.start()
        try:
            await persist(store.open, "store")
            while True:
                fetched = await consumer.getmany(timeout_ms=500, max_records=2000)
                estimates: list[dict[str, Any]] = []
                alerts: list[dict[str, Any]] = []
                for partition, records in fetched.items():
                    target = alerts if partition.topic == topics.ALERT else estimates
                    target += [orjson.loads(record.value) for record in records]
                if not estimates and not alerts:
                    continue
                refused = await persist(lambda e=estimates, a=alerts: store.write(e, a), "store")  # type: ignore[misc]
                await consumer.commit()
                log.debug("stored", estimates=len(estimates), alerts=len(alerts), refused=len(refused))
        finally:
            await consumer.stop()
            await store.close()

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
                    alert = orjson.loads(record.value)
                    if alert["state"] != "pending":
                        send = lambda a=alert: webhook.deliver(session, a, int(time.time()))  # noqa: E731
                        delivered = await persist(send, "webhook")
                        log.info(
                            "alert_delivered" if delivered else "alert_refused", alert_id=alert["alert_id"]
                        )
                    await consumer.commit()
        finally:
            await consumer.stop()
