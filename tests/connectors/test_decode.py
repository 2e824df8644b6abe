import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import decode as decode_module
from connectors.columns import COLUMNS
from connectors.decode import decode
from connectors.errors import Reason
from connectors.plain import FUTURE_MS

NOW_MS = 1_795_600_000_000
GOOD = {"person": "ada", "channel": "heart_rate", "time": "2026-11-20T07:31:05Z", "value": 62.0}


def one(**changes):
    return decode([json.dumps(GOOD | changes).encode()], [None], NOW_MS)


def reason_of(**changes):
    found = one(**changes)
    assert len(found) == 0
    return found.refused[0].field, found.refused[0].reason


def test_a_reading_becomes_a_row():
    found = one()

    assert (len(found), found.persons, found.value[0], found.refused) == (1, ["ada"], 62.0, [])
    assert found.time_ms[0] == 1_795_159_865_000


def test_each_fault_names_field_and_reason():
    assert reason_of(value="62") == ("value", Reason.SCHEMA_INVALID)
    assert reason_of(value=True) == ("value", Reason.SCHEMA_INVALID)
    assert reason_of(value=301) == ("value", Reason.OUT_OF_RANGE)
    assert reason_of(value=10**30) == ("value", Reason.OUT_OF_RANGE)
    assert reason_of(channel="aura") == ("channel", Reason.UNKNOWN_CHANNEL)
    assert reason_of(unit="mmol/L") == ("unit", Reason.UNKNOWN_UNIT)
    assert reason_of(time="1970-01-01T00:00:00Z") == ("time", Reason.BAD_TIME)
    assert reason_of(time="2026-11-20T07:31:05") == ("time", Reason.BAD_TIME)
    assert reason_of(time=NOW_MS + 400_000) == ("time", Reason.FUTURE)
    assert reason_of(person="x" * 10_000) == ("person", Reason.SCHEMA_INVALID)
    assert reason_of(quality=["ok"]) == ("quality", Reason.SCHEMA_INVALID)
    assert reason_of(extra=1) == ("extra", Reason.SCHEMA_INVALID)


def test_a_bad_reading_of_a_batch_costs_itself():
    batch = {
        "schema": "readings/1",
        "person": "ada",
        "channel": ["heart_rate"] * 3,
        "time": [NOW_MS - 3] * 3,
        "value": [60.0, 999.0, 61.0],
    }
    found = decode([orjson.dumps(batch), b"[1", b"", b'{"value": }'], [None] * 4, NOW_MS)

    assert found.value.tolist() == [60.0, 61.0]
    assert [(r.record, r.index, r.reason) for r in found.refused] == [
        (0, 1, Reason.OUT_OF_RANGE),
        (1, 0, Reason.UNPARSEABLE),
        (2, 0, Reason.UNPARSEABLE),
        (3, 0, Reason.UNPARSEABLE),
    ]


def test_numbers_that_json_has_not_cost_themselves_only():
    text = (
        b'{"schema": "readings/1", "person": "ada", "channel": ["heart_rate", "heart_rate", "heart_rate", "heart_rate"],'
        b' "time": [1795159865000, 1795159866000, 1795159867000, 1795159868000], "value": [NaN, -Infinity, 1e400, 61]}'
    )
    found = decode([text], [b"ada"], NOW_MS)

    assert found.value.tolist() == [61.0]
    assert [(r.index, r.field, r.reason) for r in found.refused] == [
        (i, "value", Reason.NOT_FINITE) for i in range(3)
    ]


def test_a_refusal_never_carries_the_value():
    found = decode([json.dumps(GOOD | {"value": 4321.5}).encode()], [None], NOW_MS)

    assert "4321" not in found.refused[0].message


def test_ten_megabytes_are_refused():
    assert decode([b" " * 10_000_000], [None], NOW_MS).refused[0].reason is Reason.TOO_LARGE


def test_units_are_converted():
    found = decode(
        [json.dumps(GOOD | {"channel": "glucose", "value": 5.5, "unit": "mmol/L"}).encode()], [None], NOW_MS
    )

    assert abs(found.value[0] - 99.0858) < 1e-9


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *GOOD,
                    "schema",
                    "op",
                    "sigma",
                    "unit",
                    "quality",
                    "revision",
                    "record_id",
                    "source",
                    "ingested_at",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
)


@given(st.lists(st.binary(max_size=60) | JSON.map(lambda d: json.dumps(d).encode()), max_size=4))
def test_no_bytes_make_it_raise(values):
    found = decode(values, [None] * len(values), NOW_MS)

    assert len(found) + len(found.refused) >= 0


VALUES = {
    "schema": ["reading/1", "reading/1", "readings/1", "reading/2", 7],
    "person": ["ada", "bob", "ada", "", "é", "a\tb", 5, "x" * 201],
    "channel": ["heart_rate", "glucose", "heart_rate", "nonsense", 1, None],
    "time": [1_763_600_400_000, 1_763_600_460_000, "2025-11-20T01:00:00Z", 5, 10**30, True, 4e12],
    "value": [70, 70.5, 25.0, 500, math.nan, 10**400, True, "70", None],
    "source": ["watch", "", None, "s" * 201, 3],
    "record_id": ["r1", "r2", None, "r" * 201, 9],
    "ingested_at": [1_763_600_400_000, None, 10**40, "2025-11-20T01:00:00Z", "x"],
    "sigma": [1.0, None, -1.0],
    "op": ["upsert", "retract", "x"],
}
USUAL_FIELDS = ("schema", "person", "channel", "time", "value", "source")
LISTED = {"channel", "time", "value", "record_id", "sigma", "op"}


@st.composite
def documents(draw):
    """Mostly plain ones, so that most of a batch goes the short way and some of it does not."""
    plain = draw(st.integers(0, 3)) > 0
    names = USUAL_FIELDS if plain else draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    batch = draw(st.booleans())
    made = {}
    for name in names:
        some = st.sampled_from(VALUES[name][:2] if plain else VALUES[name])
        if name == "schema":
            made[name] = "readings/1" if batch else draw(some)
        elif batch and name in LISTED:
            made[name] = draw(st.lists(some, min_size=2, max_size=2))
        else:
            made[name] = draw(some)
    return made


@given(st.lists(documents(), max_size=12), st.booleans())
def test_the_short_way_says_word_for_word_what_the_long_way_says(found, keyed):
    values = [json.dumps(document).encode() for document in found]
    keys = [str(d.get("person", "")).encode() if keyed else None for d in found]
    clocks = [1_763_600_400_000 + 60_000 * (i % 2) - FUTURE_MS for i in range(len(values))]
    short = decode(values, keys, clocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode_module, "take", lambda documents, *_: (None, list(range(len(documents)))))
        long = decode(values, keys, clocks)

    def rows(decoded):
        columns = [getattr(decoded, name).tolist() for name in COLUMNS if name != "person"]
        names = [decoded.persons[i] for i in decoded.person]
        return [repr(row) for row in zip(names, *columns, strict=True)]

    assert rows(short) == rows(long)
    assert short.refused == long.refused
