"""Consumers beside the worker's: a group of their own, no automatic commit."""

from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from stream.settings import Settings

log = structlog.get_logger()
NEVER_MS = 2**31 - 1  # a store may be away for days; that this process lives its heartbeats say
JOIN_WITHIN_MS = (
    20_000  # what is under way may end before partitions are given up; later the member is put out
)


def consumer_of(settings: Settings, group: str) -> AIOKafkaConsumer:
    """Of the group `<app_id>-<group>`; it is not started, and no topic is subscribed."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=f"{settings.app_id}-{group}", enable_auto_commit=False,
        auto_offset_reset="earliest", fetch_max_wait_ms=settings.fetch_wait_ms,
        session_timeout_ms=round(max(settings.session_timeout_s, 6.0) * 1000), heartbeat_interval_ms=1000,
        max_poll_interval_ms=NEVER_MS, rebalance_timeout_ms=JOIN_WITHIN_MS,
    )  # fmt: skip


async def commit(consumer: AIOKafkaConsumer, positions: Mapping[Any, Any] | None = None) -> bool:
    """Commit these positions (with metadata, if it is a pair), or what was fetched; whether it was done.

    What is not committed comes again and overwrites itself.
    """
    try:
        await consumer.commit(None if positions is None else dict(positions))
    except KafkaError as error:  # a rebalance, say
        log.warning("offsets_not_committed", why=type(error).__name__)
        return False
    return True
