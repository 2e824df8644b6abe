"""Malformed and hostile payloads from a fixed seed: what senders, bugs and attackers put on a topic."""

import random
from pathlib import Path

import orjson

PAYLOADS = Path(__file__).parents[1] / "connectors" / "payloads"
REAL = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))]
PEOPLE = [f"fuzz-{i}" for i in range(20)]
TEXTS = (
    "", " ", "\u0000", "\u202eevil", "a" * 300, "💉" * 60, "é", "../../etc/passwd", "'; DROP TABLE twins; --", "|", "j|x|1",
    "${jndi:ldap://x}", "\ufeff", "null", "NaN", "\x7f\x1b[31m", "<script>", "%s%n", "\\", '"', "\n", "ﷺ" * 40,
)  # fmt: skip
NUMBERS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1e-400", b"-0", b"1" * 400, b"0x10", b"1_000", b"01", b"+1",
    b".5", b"1.", b"9223372036854775808", b"-9223372036854775809", b"1e308", b"4.9e-324", b"true", b"null", b'"62"', b"[62]", b"{}",
)  # fmt: skip
ODD = (None, True, False, [], {}, [[]], {"a": 1}, 0, -1, 1e308, 2**63 - 1, "", "x", [None], "2026-13-45T99:99:99Z",
       "2026-11-20T07:31:05", "0000-00-00", 1e3, -(10**18), 10**18)  # fmt: skip
FIELDS = ("schema", "person", "channel", "time", "value", "unit", "sigma", "source", "record_id", "revision", "op",
          "quality", "utc_offset_s", "ingested_at")  # fmt: skip


def reading(rng, now_ms):
    return {"person": rng.choice(PEOPLE), "channel": rng.choice(("heart_rate", "glucose", "met", "asleep")),
            "time": now_ms - rng.randrange(3_600_000), "value": 1.0}  # fmt: skip


def columns(rng, now_ms):
    many = [reading(rng, now_ms) for _ in range(rng.randrange(1, 8))]
    document = {name: [one[name] for one in many] for name in ("channel", "time", "value")}
    return {"schema": "readings/1", "person": many[0]["person"]} | document


def noise(rng, _):
    return rng.randbytes(rng.randrange(1, 400))


def odd_field(rng, now_ms):
    return orjson.dumps(reading(rng, now_ms) | {rng.choice(FIELDS): rng.choice(ODD)})


def odd_number(rng, now_ms):
    text = orjson.dumps(reading(rng, now_ms) | {"value": 77.125})
    return text.replace(b"77.125", rng.choice(NUMBERS))


def odd_text(rng, now_ms):
    return orjson.dumps(
        reading(rng, now_ms)
        | {rng.choice(("person", "channel", "source", "unit", "mood", "record_id")): rng.choice(TEXTS)}
    )


def odd_columns(rng, now_ms):
    document = columns(rng, now_ms)
    name = rng.choice(("channel", "time", "value", "sigma", "revision", "op", "quality"))
    column = document.get(name)
    kind = rng.randrange(4)
    if kind == 0 or not isinstance(column, list):
        document[name] = rng.choice(ODD)
    elif kind == 1:
        column.pop()
    elif kind == 2:
        column[rng.randrange(len(column))] = rng.choice(ODD)
    else:
        document[name] = column * 3
    return orjson.dumps(document)


def unicode_fault(rng, now_ms):
    text = orjson.dumps(reading(rng, now_ms))
    bad = rng.choice(
        (
            b"\xff\xfe",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\\ud800",
            b"\\udc00x",
            b"\x00",
            b"\xf4\x90\x80\x80",
            b"\\u12",
        )
    )
    return text.replace(b"fuzz", bad + b"fuzz") if rng.random() < 0.8 else b"\xef\xbb\xbf" + text


def nesting(rng, _):
    depth = rng.choice((50, 500, 1100, 5000, 60_000))
    inner = rng.choice((b"1", b"NaN", b"", b'{"person":1}'))
    opened, closed = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")))
    text = opened * depth + inner + (closed * depth if rng.random() < 0.7 else b"")
    return text if rng.random() < 0.5 else b'{"person":"fuzz-0","value":' + text + b"}"


def size(rng, now_ms):
    kind = rng.randrange(4)
    if kind == 0:
        return orjson.dumps(reading(rng, now_ms) | {"source": "s" * rng.randrange(201, 200_000)})
    if kind == 1:
        return orjson.dumps({f"k{i}": i for i in range(rng.randrange(100, 5000))})
    if kind == 2:
        return b'{"person": "fuzz-1", "value": ' + b"9" * rng.randrange(1000, 100_000) + b"}"
    return b" " * rng.randrange(1, 100_000)


def truncated(rng, now_ms):
    text = orjson.dumps(rng.choice((reading, columns))(rng, now_ms))
    return text[: rng.randrange(1, len(text))]


def mutated(rng, now_ms):
    """A real payload of a vendor, or a good reading, with bytes flipped, cut out, doubled or swapped."""
    data = bytearray(
        rng.choice((*REAL, orjson.dumps(reading(rng, now_ms)), orjson.dumps(columns(rng, now_ms))))
    )
    for _ in range(rng.randrange(0, 6)):
        at, kind = rng.randrange(len(data)), rng.randrange(4)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = data[at : at + rng.randrange(1, 30)]
        else:
            data[at] = rng.randrange(256)
        if not data:
            data = bytearray(b"[")
    return bytes(data)


def doubled_keys(rng, now_ms):
    text = orjson.dumps(reading(rng, now_ms))[:-1]
    return text + b',"person":' + orjson.dumps(rng.choice(ODD)) + b',"value":' + rng.choice(NUMBERS) + b"}"


def no_object(rng, _):
    return orjson.dumps(rng.choice(ODD))


KINDS = (noise, odd_field, odd_number, odd_text, odd_columns, unicode_fault, nesting, size, truncated, mutated, mutated, mutated,
         doubled_keys, no_object)  # fmt: skip


def payloads(count, now_ms, seed=5150):
    """Kind, key and value, `count` times; the same for the same arguments. A key may be wrong, empty, huge or none."""
    rng = random.Random(seed)
    for number in range(count):
        make = KINDS[number % len(KINDS)]
        value = make(rng, now_ms)
        key = rng.choice((None, None, None, b"", b"fuzz-3", b"\xff" * 40, rng.choice(PEOPLE).encode()))
        if rng.random() < 0.005:  # a tombstone; Kafka wants a key then
            key, value = key or b"fuzz-3", None
        yield make.__name__, key, value
