"""What is older than a bucket keeps is not sent: the server would drop it, and say so once for each line."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

from connectors.stores import Document, Refused

EXPIRED = "older than the retention of the bucket"
DAY_MS = 86_400_000
CHANGES_S, UNKNOWN_S = 600.0, 15.0  # an operator may change it; until it is known at all


class Retention:
    """Days by bucket, None for ever, as far as they are known."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.days: Mapping[str, float | None] = {}
        self._ask_s = math.inf  # a store that was opened has asked once

    def due(self) -> bool:
        """Whether to ask for it (again)."""
        return self.clock() >= self._ask_s

    def know(self, days: Mapping[str, float | None]) -> None:
        """As the server says."""
        self.days, self._ask_s = days, self.clock() + CHANGES_S

    def unknown(self) -> None:
        """The server does not say; what was known holds."""
        self._ask_s = self.clock() + UNKNOWN_S

    def since_ms(self, bucket: str) -> int:
        """The oldest time that the bucket takes."""
        days = self.days.get(bucket)
        return 0 if days is None else round(self.clock() * 1000 - days * DAY_MS)

    def sort_out(
        self, documents: Sequence[Document], name: str, bucket: str
    ) -> tuple[Sequence[Document], list[Refused]]:
        """Those that it takes, and the others; `name` is the field of their time."""
        since = self.since_ms(bucket)
        old = [d for d in documents if type(d.get(name)) is int and 0 <= d[name] < since]
        if not old:
            return documents, []
        gone = set(map(id, old))
        return [d for d in documents if id(d) not in gone], [Refused(d, EXPIRED) for d in old]
