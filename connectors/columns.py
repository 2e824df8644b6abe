"""Readings as columns: what the decoder and the table reader hand to the engine."""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.errors import Reason

OK, SUSPECT, CENSORED_LOW, CENSORED_HIGH, MANUAL = range(5)
QUALITIES = {"ok": OK, "suspect": SUSPECT, "censored_low": CENSORED_LOW, "censored_high": CENSORED_HIGH,
             "manual": MANUAL}  # fmt: skip


@lru_cache(maxsize=65536)
def stable_hash(text: str) -> int:
    """The same 63-bit number for the same text in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def source_number(source: str) -> int:
    """A source's number; 0 where nobody said, which is no device of its own (twin.fold)."""
    return stable_hash(source) if source else 0


@dataclass(frozen=True, slots=True)
class Refused:
    """One reading that was not taken: its Kafka record, its index there, the field and the rule. Never the value."""

    record: int
    index: int
    field: str
    reason: Reason
    message: str

    def as_dict(self) -> dict[str, object]:
        """For the gateway's answer."""
        return {
            "index": self.index,
            "field": self.field,
            "reason": self.reason.value,
            "message": self.message,
        }


COLUMNS: dict[str, Any] = {
    "person": np.int32, "record": np.int32, "channel": np.int16, "time_ms": np.int64, "value": np.float64,
    "sigma": np.float64, "source": np.int64, "key": np.int64, "revision": np.int64, "ingested_ms": np.int64,
    "retract": np.bool_, "quality": np.int8,
}  # fmt: skip


@dataclass(slots=True)
class Decoded:
    """Readings of many people, one row each; `person` indexes `persons`, `record` the Kafka record of the batch.

    Rows of one Kafka record carry its offset in `offsets[record]` where there is one. `key` identifies a reading of a
    source and channel: its record id, or its time where it has none.
    """

    persons: list[str]
    person: NDArray[np.int32]
    record: NDArray[np.int32]
    channel: NDArray[np.int16]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    sigma: NDArray[np.float64]
    source: NDArray[np.int64]
    key: NDArray[np.int64]
    revision: NDArray[np.int64]
    ingested_ms: NDArray[np.int64]
    retract: NDArray[np.bool_]
    quality: NDArray[np.int8]
    refused: list[Refused] = field(default_factory=list)

    @classmethod
    def of(cls, persons: list[str], columns: dict[str, Any], refused: list[Refused]) -> "Decoded":
        """From plain sequences by column name."""
        arrays = {name: np.asarray(columns[name], dtype=kind) for name, kind in COLUMNS.items()}
        return cls(persons=persons, refused=refused, **arrays)

    def __len__(self) -> int:
        return len(self.value)

    def rows(self, chosen: Any) -> "Decoded":
        """The chosen rows (mask, slice or index array), with the same list of persons."""
        columns = {name: getattr(self, name)[chosen] for name in COLUMNS}
        return Decoded(persons=self.persons, refused=[], **columns)
