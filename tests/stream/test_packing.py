import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stream import storing
from stream.journal import ENTRY
from stream.packing import pack, unpack
from stream.person import Checkpoint
from stream.policy import new_state
from stream.storing import newborn
from twin import record as r_


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


def test_a_checkpoint_leaves_out_what_is_zero_and_nothing_else():
    rng = np.random.default_rng(3)
    record = newborn(b"{}").copy()
    chosen = rng.choice(storing.TOLD[1:], 300, replace=False)
    record[chosen] = rng.normal(size=300)
    record[chosen[:3]] = -0.0, np.nan, 5e-324
    for block, _, at, _ in r_.BLOCKS.values():
        covariance = record[at : at + block.N**2].reshape(block.N, block.N)
        covariance[:] = np.tril(covariance) + np.tril(covariance, -1).T
    made = Checkpoint(77, record, rng.normal(size=len(new_state())))
    data = storing.bytes_of(made)
    again = storing.checkpoint_of(data, {})

    assert again.record.tobytes() == record.tobytes()
    assert again.policy.tobytes() == made.policy.tobytes()
    assert again.tick == 77
    assert len(data) < 8 * np.count_nonzero(record) + 1000 < 8 * len(storing.TOLD)
