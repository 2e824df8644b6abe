import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stream.journal import ENTRY
from stream.packing import pack, unpack


@given(arrays(ENTRY, st.integers(0, 20)))
def test_whatever_goes_in_comes_back_bit_for_bit(entries):
    assert unpack(pack(entries)).tobytes() == entries.tobytes()


@given(
    st.lists(st.integers(0, 4_000_000_000), max_size=30),
    st.lists(st.sampled_from([70.0, 70.1, -0.0, 1e300]), min_size=30, max_size=30),
)
def test_what_is_usual_comes_back_bit_for_bit(steps, values):
    entries = np.zeros(len(steps), dtype=ENTRY)
    entries["time_ms"] = 1_763_600_400_000 + np.cumsum(steps, dtype=np.int64)
    entries["key"], entries["value"] = entries["time_ms"], values[: len(steps)]

    assert unpack(pack(entries)).tobytes() == entries.tobytes()


def test_an_hour_of_heart_rate_takes_an_eighth():
    entries = np.zeros(60, dtype=ENTRY)
    entries["time_ms"] = 1_763_600_400_000 + 60_000 * np.arange(60)
    entries["key"], entries["value"], entries["source"] = (
        entries["time_ms"],
        70.0 + np.arange(60) % 7 / 10,
        12345,
    )

    assert len(pack(entries)) < entries.nbytes / 8
