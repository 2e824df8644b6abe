"""What people's devices may do to a stream, and in plain Python what must come of it: the model of test_property.

Nothing here is taken from the engine: the rules are those that connectors/README.md tells vendors.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import orjson
from hypothesis import strategies as st

from connectors.decode import decode

START_MS = 1_795_392_000_000
MINUTE, HOUR = 60_000, 3_600_000
AHEAD_MS, WAIT_MS = 5 * MINUTE, 24 * HOUR
PEOPLE = ("ada", "bob")
SOURCES = ("", "watch")
VALUES = {
    "heart_rate": (45, 170), "glucose": (50, 300), "met": (1, 9), "asleep": (0, 1), "carbohydrate_intake": (5, 90),
    "weight": (60, 80), "resting_heart_rate": (45, 75), "insulin_bolus": (1, 8),
}  # fmt: skip
WINDOW_H = dict.fromkeys(VALUES, 24) | {"asleep": 120, "resting_heart_rate": 120}
QUALITY = ("ok", "suspect", "censored_low", "censored_high", "manual")


@dataclass(frozen=True)
class Row:
    """One reading as a sender means it."""

    channel: str
    time: int
    value: float
    record_id: str | None = None
    revision: int = 0
    sigma: float | None = None
    quality: str = "ok"
    retract: bool = False


@dataclass(frozen=True)
class Message:
    """One record of the topic, with the broker's stamp."""

    person: str
    source: str
    ingested: int
    stamp: int
    rows: tuple[Row, ...]

    def value(self):
        columns = {name: [getattr(row, name) for row in self.rows]
                   for name in ("channel", "time", "value", "record_id", "revision", "sigma", "quality")}  # fmt: skip
        columns["op"] = ["retract" if row.retract else "upsert" for row in self.rows]
        document = {"schema": "readings/1", "person": self.person, "source": self.source, **columns}
        return orjson.dumps(document | ({"ingested_at": self.ingested} if self.ingested else {}))


def decoded(messages, patience_ms=WAIT_MS - AHEAD_MS):
    """As the worker does it."""
    keys = [m.person.encode() for m in messages]
    return decode([m.value() for m in messages], keys, [m.stamp + patience_ms for m in messages])


# How old a reading is when its topic takes it [minutes]: mostly fresh, at times late, very late, or ahead.
AGES = st.one_of(
    st.integers(0, 90), st.integers(0, 90), st.integers(0, 23 * 60), st.integers(0, 30 * 60), st.integers(0, 7 * 1440),
    st.integers(-9 * 60, -1),
)  # fmt: skip


@st.composite
def plain_rows(draw):
    """Channel, age [ms], value."""
    channel = draw(st.sampled_from(sorted(VALUES)))
    low, high = VALUES[channel]
    age = draw(AGES) * MINUTE + draw(st.sampled_from((0, 0, 0, 1, 17_000, 59_999)))
    return channel, age, draw(st.integers(low, high))


@dataclass
class Held:
    """What the model knows of a person."""

    newest: int = -(1 << 62)
    late: int = 0
    waiting: list = field(default_factory=list)
    accepted: list = field(default_factory=list)  # (source, ingested, row)


def told(messages):
    """By person: what is accepted, what waits, how many came too late: each record against those before it."""
    people = {}
    for message in messages:
        held = people.setdefault(message.person, Held())
        due = [item for item in held.waiting if item[2].time <= message.stamp + AHEAD_MS]
        held.waiting = [item for item in held.waiting if item[2].time > message.stamp + AHEAD_MS]
        for item in due:
            held.accepted.append(item)
            held.newest = max(held.newest, item[2].time)
        before = held.newest
        for row in message.rows:
            item = (message.source, message.ingested, row)
            if row.time > message.stamp + AHEAD_MS:
                held.waiting.append(item)
                continue
            if row.time < before - WINDOW_H[row.channel] * HOUR:
                held.late += 1
                continue
            held.accepted.append(item)
            held.newest = max(held.newest, row.time)
    return people


def final(accepted):
    """The table that is meant in the end: of each identity the one that counts, none that was retracted, by time."""
    best = {}
    for source, ingested, row in accepted:
        identity = (row.channel, source, row.record_id if row.record_id is not None else row.time)
        rank = (
            row.revision,
            ingested,
            row.retract,
            row.value,
            row.time,
            row.sigma or 0.0,
            QUALITY.index(row.quality),
        )
        if identity not in best or rank > best[identity][0]:
            best[identity] = (rank, source, row)
    kept = [(source, row) for _, source, row in best.values() if not row.retract]
    return sorted(kept, key=lambda item: item[1].time)


def undisturbed(cohort, person, accepted):
    """Apply the final table in one piece to a new cohort."""
    rows = final(accepted)
    if not rows:
        return
    bare = [Message(person, source, 0, row.time, (replace(row, revision=0),)) for source, row in rows]
    table = decoded(bare)
    assert not table.refused
    table.record = np.zeros(len(table), dtype=np.int32)
    cohort.apply(table)
