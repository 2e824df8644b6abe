"""One module a vendor: raw payload in, readings out. A vendor's own user ids stay in its payload.

A vendor module has `NAME`, `parse(payload, person, refused) -> readings as plain dictionaries in the words of
reading/1`, and `verify(body, headers, keys)` where the vendor signs.
"""

from datetime import UTC, datetime
from typing import Any

from connectors.errors import PayloadError

Fields = dict[str, Any]


def instant(text: Any, place: str) -> datetime:
    """A time with a zone; one without is UTC only where the vendor says so, which is not here."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise PayloadError("no RFC 3339 time", place=place) from error
    if at.tzinfo is None:
        raise PayloadError("the zone is missing", place=place)
    return at.astimezone(UTC)


def number(value: Any, place: str) -> float:
    """A number, also one that came as a string (Google's int64)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise PayloadError("no number", place=place)
    try:
        return float(value)
    except ValueError as error:
        raise PayloadError("no number", place=place) from error
