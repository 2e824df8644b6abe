"""Alerts on their way out: written down before they are sent, so that whoever follows after a crash knows what was said."""

import asyncio
from typing import Any

import orjson

from stream import topics
from stream.health import Metrics
from stream.table import Sent, TwinTable


class Announcer:
    """Sends the alerts of a worker's partitions; its caller holds the worker's lock."""

    def __init__(self, table: TwinTable, publisher: Any, metrics: Metrics) -> None:
        self.table, self.publisher, self.metrics = table, publisher, metrics
        self.last: dict[int, asyncio.Future[None]] = {}

    def announce(self, partition: int, alerts: list[dict[str, Any]]) -> list[asyncio.Future[None]]:
        """Into the changelog as about to be sent, then out. What a crash leaves between `say_again` sends.

        Returns:
            What to wait for, or nothing.

        """
        if not alerts:
            return []
        # The next book of a person no longer says that those before are to be sent: they must be out. Its turn is taken
        # here and now: whatever is written later may wait for these alerts, and must not be what they wait for.
        before = self.last.get(partition)
        sent = self.table.note(partition, alerts, [] if before is None else [before])
        going = self.last[partition] = asyncio.ensure_future(self._out(sent, alerts))
        return [going]

    async def _out(self, sent: Sent, alerts: list[dict[str, Any]]) -> None:
        await self.table.arrived(sent)
        for alert in alerts:
            self.metrics.count("twin_alerts_total", rule=alert["rule"], state=alert["state"])
        await self.publisher.hasten(
            [(topics.ALERT, a["person"].encode(), orjson.dumps(a), []) for a in alerts]
        )

    async def say_again(self, partition: int) -> None:
        """After recovery, before anything else of these people: alerts that may not have been sent."""
        cohort = self.table.cohort(partition)
        if cohort.unsaid:
            unsaid, cohort.unsaid = cohort.unsaid, {}
            await asyncio.gather(*self.announce(partition, [a for alerts in unsaid.values() for a in alerts]))
