"""One JSON object per line on standard error; readable lines on a terminal. Standard output belongs to results."""

import logging
import sys

import structlog


class _Forward(logging.Handler):
    """Warnings of the Kafka client (hosts, topics, errors; never a record) in the same shape as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        structlog.get_logger().warning("kafka_client", says=record.getMessage()[:300])


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
    client.handlers, client.propagate = [_Forward(logging.WARNING)], False
