"""Alerts on their way out: written down before they are sent, so that whoever follows after a crash knows what was said."""

from typing import Any

import orjson

from stream import topics
from stream.health import Metrics
from stream.table import TwinTable


class Announcer:
    """Sends the alerts of a worker's partitions; its caller holds the worker's lock."""

    def __init__(self, table: TwinTable, publisher: Any, metrics: Metrics) -> None:
        self.table, self.publisher, self.metrics = table, publisher, metrics

    async def announce(self, partition: int, alerts: list[dict[str, Any]]) -> None:
        """Into the changelog as about to be sent, then out. What a crash leaves between `say_again` sends."""
        if not alerts:
            return
        await self.table.note(partition, alerts)
        for alert in alerts:
            self.metrics.count("twin_alerts_total", rule=alert["rule"], state=alert["state"])
        await self.publisher.send([(topics.ALERT, a["person"].encode(), orjson.dumps(a), []) for a in alerts])

    async def say_again(self, partition: int) -> None:
        """After recovery, before anything else of these people: alerts that may not have been sent."""
        cohort = self.table.cohort(partition)
        if cohort.unsaid:
            await self.announce(partition, [a for alerts in cohort.unsaid.values() for a in alerts])
            cohort.unsaid = {}
