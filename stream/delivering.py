"""Alerts to the care team's webhook: a plain consumer with a group of its own, committed after each delivery."""

import time
from typing import Any

import aiohttp
import orjson
import structlog
from aiokafka import AIOKafkaConsumer

from connectors.alerts.webhook import Webhook
from connectors.stores.checks import ALERT, fault
from stream import topics
from stream.breaker import Breaker
from stream.consuming import commit, consumer_of
from stream.health import Metrics
from stream.settings import Settings

log = structlog.get_logger()


def alert_of(value: bytes | None) -> dict[str, Any] | None:
    """None for what is no alert; the sink makes a dead letter of it."""
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) and fault(document, ALERT) is None else None


async def deliver(settings: Settings, metrics: Metrics) -> None:
    """Until cancelled; pending alerts stay inside."""
    assert settings.webhook_secret is not None
    assert settings.webhook_url is not None
    webhook = Webhook(settings.webhook_url, settings.webhook_secret.get_secret_value())
    breaker = Breaker("webhook")
    consumer: AIOKafkaConsumer = consumer_of(settings, "alerts")
    consumer.subscribe([topics.ALERT])
    await consumer.start()
    try:
        async with aiohttp.ClientSession() as session:
            async for record in consumer:
                alert = alert_of(record.value)
                if alert is None:
                    log.warning("alert_unreadable", partition=record.partition, offset=record.offset)
                elif alert["state"] != "pending":
                    send = lambda a=alert: webhook.deliver(session, a, int(time.time()))  # noqa: E731
                    delivered = await breaker.persist(send)
                    outcome = "delivered" if delivered else "refused"
                    metrics.count("twin_alerts_delivered_total", outcome=outcome)
                    log.info("alert_delivered" if delivered else "alert_refused", alert_id=alert["alert_id"])
                await commit(consumer)
    finally:
        await consumer.stop()
