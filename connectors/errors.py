"""What can go wrong at the edge of the system.

ConnectorError
├── PayloadError      the sender's fault; never retried
│   └── TableError    a table of readings that is broken at a line and column
└── Unavailable       the network's fault; retried after a pause
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused: the header x-error-class of a dead letter."""

    UNPARSEABLE = "unparseable"
    SCHEMA_INVALID = "schema_invalid"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_UNIT = "unknown_unit"
    OUT_OF_RANGE = "out_of_range"
    NOT_FINITE = "not_finite"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    TOO_LARGE = "too_large"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_USER = "unknown_user"
    STALE = "stale"
    SINK_REJECTED = "sink_rejected"


class ConnectorError(Exception):
    """Base of every error a connector raises."""


class PayloadError(ConnectorError):
    """A payload that cannot be understood; `place` says where in it."""

    def __init__(self, message: str, reason: Reason = Reason.SCHEMA_INVALID, place: str = "") -> None:
        super().__init__(message)
        self.reason, self.place = reason, place


class TableError(PayloadError):
    """A table that is broken; the message names line and column."""


class Unavailable(ConnectorError):  # noqa: N818 - reads as the state it reports
    """A remote system that cannot be reached now."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
