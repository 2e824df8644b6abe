"""What InfluxDB's answers mean: wait, or these lines are bad. They differ from 1.x over 2.x to 3.x.

A message quotes the line, which holds measured values: of it only the reason leaves this file.
"""

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import orjson
from influxdb_client.rest import ApiException

from connectors.errors import ConnectorError, Unavailable
from connectors.stores.retention import EXPIRED

LONGEST_PAUSE_S = 300.0
CONFIGURATION_PAUSE_S = 10.0
DROPPED = re.compile(r" dropped=(\d+)")
TOO_OLD = re.compile(r"dropped (\d+) points outside retention policy")


class Rejected(ConnectorError):  # noqa: N818 - reads as what the server did
    """The server will not have this body, however often it is sent."""

    def __init__(self, status: int, message: str, data: Any = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.message, self.data = status, message, data

    @property
    def dropped(self) -> int:
        """How many points it left out; the others are stored. 0 when it does not say."""
        found = DROPPED.search(self.message) or TOO_OLD.search(self.message)
        return int(found[1]) if found else 0

    @property
    def reason(self) -> str:
        """Why, without the line."""
        if self.status == 413:
            return "the line is larger than the server takes"
        if TOO_OLD.search(self.message) or "beyond retention" in self.message:
            return EXPIRED
        _, conflict, rest = self.message.partition("field type conflict")
        if conflict:
            return DROPPED.split(conflict + rest)[0][:200]
        return f"HTTP {self.status}"

    def numbered(self, lines: int) -> dict[int, str]:
        """Positions of the lines that 3.x counts (from 1) and left out, with why; the others are stored."""
        found = {}
        for entry in self.data if isinstance(self.data, list) else []:
            if (
                isinstance(entry, dict)
                and type(number := entry.get("line_number")) is int
                and 0 < number <= lines
            ):
                reason, quoted = str(entry.get("error_message", "")), str(entry.get("original_line", ""))
                found[number - 1] = (reason.replace(quoted, "…") if quoted else reason)[:100]
        return found

    def named(self, lines: Sequence[str]) -> dict[int, str]:
        """Positions of the lines that the message quotes, with why each cannot be parsed."""
        found = {}
        if "unable to parse '" in self.message:
            for position, text in enumerate(lines):
                _, quoted, rest = self.message.partition(f"unable to parse '{text}': ")
                if quoted:
                    found[position] = DROPPED.split(rest.split("\n", 1)[0])[0][:100]
        return found


def pause_of(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, which is a number or a date; 1 without."""
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - time()
    except ValueError:
        return 1.0
    return min(max(seconds, 0.0), LONGEST_PAUSE_S)


def judge(error: ApiException, server: str) -> Unavailable | Rejected:
    """Wait, or rejected."""
    status = error.status or 0
    if status in (400, 413, 422):
        try:
            answer = orjson.loads(error.body or b"")
            message = str(answer.get("message") or answer.get("error") or "")
        except (orjson.JSONDecodeError, AttributeError):
            return Rejected(status, "")
        return Rejected(status, message, answer.get("data"))
    if status == 429 or status >= 500:
        return Unavailable(f"InfluxDB at {server}: HTTP {status}", pause_of(error.headers or {}))
    # Keep everything and say so: waiting loses nothing, dropping does.
    hint = {401: "check the token", 403: "the token may not do this", 404: "check organisation and bucket"}
    return Unavailable(
        f"InfluxDB at {server}: HTTP {status}: {hint.get(status, 'check the address')}", CONFIGURATION_PAUSE_S
    )
