"""What a process tells its operator: /live, /ready and /metrics (Prometheus' text format); no person, no value.

Every metric that there is stands in KINDS; deploy/README.md says of each what it means and what to do when it is red.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web

log = structlog.get_logger()
KINDS = {
    "twin_readings_total": ("counter", "readings by outcome: applied, duplicate, replayed, late, waiting"),
    "twin_refused_total": ("counter", "readings and documents refused, by reason"),
    "twin_event_lag_seconds": ("gauge", "clock less the newest event time of the last batch"),
    "twin_lag_records": ("gauge", "records of reading.v1 that are not acknowledged"),
    "twin_acknowledgement_age_seconds": ("gauge", "time without an acknowledgement though there was lag"),
    "twin_recovering": ("gauge", "1 while the twins are read from the changelog"),
    "twin_rebalancing": ("gauge", "1 while partitions move"),
    "twin_people": ("gauge", "twins held by this process"),
    "twin_ticks_total": ("counter", "ticks filtered, also those run again for late data"),
    "twin_filter_microseconds_total": ("counter", "time in the filter; divide by twin_ticks_total"),
    "twin_nis_sum": ("counter", "squared normalised innovations by channel; over twin_nis_count it should be near 1"),
    "twin_nis_count": ("counter", "innovations by channel"),
    "twin_checkpoint_bytes_total": ("counter", "bytes of state written to the changelog"),
    "twin_checkpoint_seconds_total": ("counter", "time spent in checkpoints"),
    "twin_alerts_total": ("counter", "alerts published, by rule and state"),
    "twin_alerts_delivered_total": ("counter", "deliveries to the webhook, by outcome"),
    "twin_sink_state": ("gauge", "circuit breaker of the store: 0 closed, 1 half open, 2 open"),
    "twin_sink_lag_seconds": ("gauge", "age of the oldest record that the store does not have yet"),
    "twin_sink_event_lag_seconds": ("gauge", "clock less the newest event time that the store has"),
    "twin_sink_rows_total": ("counter", "documents by outcome: stored, refused, expired"),
    "twin_sink_retries_total": ("counter", "writes that had to be tried again"),
    "twin_sink_hours_owed": ("gauge", "people's hours whose hourly row is to be written anew"),
    "twin_sink_queued_bytes": ("gauge", "bytes fetched and not yet stored"),
    "twin_gateway_total": ("counter", "readings and requests at the door, by source and outcome"),
}  # fmt: skip
Labels = tuple[tuple[str, str], ...]
Ready = Callable[[], Awaitable[tuple[bool, dict[str, Any]]]]


class Metrics:
    """Numbers since the start of this process."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {}

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Add to a counter."""
        values = self._values.setdefault(name, {})
        key = tuple(sorted(labels.items()))
        values[key] = values.get(key, 0) + by

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._values.setdefault(name, {})[tuple(sorted(labels.items()))] = value

    def get(self, name: str, **labels: str) -> float:
        """What a metric is at; 0 if nothing was noted."""
        return self._values.get(name, {}).get(tuple(sorted(labels.items())), 0)

    def names(self, start: str) -> list[str]:
        """Metrics that were noted and begin so."""
        return sorted(name for name in self._values if name.startswith(start))

    def total(self, name: str) -> float:
        """Of all labels."""
        return sum(self._values.get(name, {}).values())

    def text(self) -> str:
        """All of them, in Prometheus' text format."""
        lines = []
        for name in sorted(self._values):
            kind, words = KINDS[name]
            lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
            for labels, value in sorted(self._values[name].items()):
                inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
                lines.append(f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}")
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def add_routes(app: web.Application, metrics: Metrics, ready: Ready) -> None:
    """Add /live, /ready and /metrics to an application.

    Args:
        app: the application.
        metrics: what /metrics shows.
        ready: whether work that comes now would be done soon, and the document that says so.

    """

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readiness(_request: web.Request) -> web.Response:
        fine, document = await ready()
        return web.json_response(document, status=200 if fine else 503)

    async def numbers(_request: web.Request) -> web.Response:
        await ready()  # brings its gauges up to date
        return web.Response(text=metrics.text(), content_type="text/plain")

    app.router.add_get("/live", live)
    app.router.add_get("/ready", readiness)
    app.router.add_get("/metrics", numbers)


@asynccontextmanager
async def serving(host: str, port: int, metrics: Metrics, ready: Ready) -> AsyncIterator[list[str]]:
    """Serve the three while inside; gives their addresses. Nothing else is answered: tables are health data."""
    app = web.Application()
    add_routes(app, metrics, ready)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        addresses = [f"http://{address[0]}:{address[1]}" for address in runner.addresses]
        log.info("health_ready", addresses=addresses)
        yield addresses
    finally:
        await runner.cleanup()
