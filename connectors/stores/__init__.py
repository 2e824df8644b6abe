"""Stores: where estimates and alerts are kept for pages and queries; all keep one contract."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

Document = Mapping[str, Any]


class Refused(NamedTuple):
    """A document that a store will never take, and why; the reason holds no measured value."""

    document: Document
    reason: str


class Store(Protocol):
    """Idempotent by (person, event time) for estimates and by alert id for alerts.

    Every method may raise connectors.errors.Unavailable; what was handed to `write` is then not lost but still the
    caller's, who tries again.
    """

    async def open(self) -> None:
        """Connect and make what is missing."""

    async def write(self, estimates: Sequence[Document], alerts: Sequence[Document]) -> list[Refused]:
        """Keep documents of estimate/1 and alert/1; returns those that it will never take, the rest is kept."""

    async def latest(self) -> list[dict[str, Any]]:
        """The newest estimate of every person."""

    async def states(self, person: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """A person's estimates in [since, until], by time."""

    async def alerts(self, since_ms: int = 0, person: str | None = None) -> list[dict[str, Any]]:
        """Alerts whose last change is not older, newest first."""

    async def erase(self, person: str) -> None:
        """Delete everything of a person."""

    async def ping(self) -> str:
        """What answers, with its version."""

    async def close(self) -> None:
        """Let go of the connection."""
