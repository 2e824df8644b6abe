"""One JSON object per line on standard error; readable lines on a terminal. Standard output belongs to results."""

import logging
import sys

import structlog

QUIET_S = 10.0  # a broker that is away is said ten times a second by its client


class _Forward(logging.Handler):
    """Warnings of the Kafka client (hosts, topics, errors; never a record) in our shape, each kind at its pace."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: dict[str, float] = {}
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One line, or none if this kind was said just now."""
        if record.created - self.said.get(str(record.msg), 0.0) < QUIET_S:
            self.dropped += 1
            return
        self.said[str(record.msg)] = record.created
        says, dropped, self.dropped = record.getMessage()[:300], self.dropped, 0
        structlog.get_logger().warning("kafka_client", says=says, not_repeated=dropped)


def configure_logs(level: str = "info") -> None:
    """Call once, first thing in an entry point."""
    number = getattr(logging, level.upper(), logging.INFO)
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    client = logging.getLogger("aiokafka")
    client.handlers, client.propagate = [_Forward()], False
    client.setLevel(
        logging.WARNING
    )  # Faust opens the root to everything: a record of each request, for nobody
