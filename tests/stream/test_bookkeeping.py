"""What is journalled, put off, put away, written and read again, at a speed that allows hundreds of lives.

The filter is replaced by a recursion that no order of ticks, no missing and no doubled reading leaves the same; what is
tested is everything around it. The filter itself is in test_cohort.py and test_property.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stream.folding
from connectors.columns import COLUMNS, Decoded
from stream.cohort import Cohort
from stream.shelf import Shelf
from twin import record as r_

BEGIN_MS = 1_763_600_400_000
WIDE = {"windows": {}, "window_s": 200 * 3600}


def recursion(records, ticks, tick_s, start, channel, value, noise, _flag, device, *others):
    """In the place of `fold`: each reading moves one number by another, so that order matters."""
    keep, kept = others[-8], others[-7]
    estimates, _, _, forecasts, low, daily = others[-6:]
    daily[:] = np.nan
    for p, record in enumerate(records):
        for t in range(ticks[p], ticks[p + 1]):
            for j in range(start[t], start[t + 1]):
                at = r_.FAST_MEAN + channel[j] % 20
                follows = record[r_.FAST_MEAN + (channel[j] + 1) % 20]
                record[at] = (
                    record[at] * 0.9 + value[j] * 0.1 + follows * 1e-3 + noise[j] * 1e-5 + device[j] * 1e-20
                )
                record[r_.READINGS] += 1
            record[r_.FAST_S] = record[r_.HEAD_S] = tick_s[t]
            estimates[t], forecasts[t], low[t] = np.nan, np.nan, np.nan
            if keep[t] >= 0:
                kept[keep[t]] = record


def a_life(rng):
    """Readings of one person, some with names of their own, some revised, moved or retracted."""
    count, span_ms = int(rng.integers(20, 400)), 3_600_000 * float(rng.choice([0.02, 0.3, 3, 20, 100]))
    time_ms = BEGIN_MS + np.sort(rng.integers(0, int(span_ms), count))
    none, key = np.zeros(count, dtype=np.int64), time_ms.copy()
    named = rng.random(count) < 0.1
    key[named] = -np.arange(1, named.sum() + 1)
    life = Decoded(
        ["p"], none.astype(np.int32), none.astype(np.int32), rng.choice([0, 0, 0, 1, 3], count).astype(np.int16),
        time_ms, np.round(rng.normal(70, 9, count), 1), np.full(count, np.nan), none, key, none, none,
        none.astype(np.bool_), none.astype(np.int8),
    )  # fmt: skip
    again = life.rows(rng.integers(0, count, int(rng.integers(0, 5))))
    again.revision, again.value = np.ones(len(again), dtype=np.int64), again.value + 5.0
    again.retract = rng.random(len(again)) < 0.5
    moved = (again.key < 0) & (rng.random(len(again)) < 0.3)
    again.time_ms = again.time_ms + moved * rng.integers(-3_600_000, 3_600_000, len(again))
    both = {name: np.concatenate([getattr(life, name), getattr(again, name)]) for name in COLUMNS}
    both["record"] = np.arange(len(both["value"]), dtype=np.int32)
    return Decoded(["p"], **both)


def end_of(cohort):
    cohort.twin_json("p")
    twin = cohort.twin("p")
    return twin.head.tick, twin.head.record.tobytes(), twin.journal.tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shelves")


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), shelved=st.booleans(), patient=st.booleans())
def test_however_a_life_comes_and_is_kept_it_ends_the_same(folder, seed, shelved, patient):
    rng = np.random.default_rng(seed)
    life = a_life(rng)

    def anew():
        shelf = Shelf(folder / f"{rng.integers(2**60)}.sqlite") if shelved else None
        return Cohort(patient=patient, shelf=shelf, resident=int(rng.integers(0, 2)), **WIDE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream.folding, "fold", recursion)
        whole = Cohort(**WIDE)
        whole.apply(life)
        late_ms = rng.exponential(float(rng.choice([1, 1000, 60_000, 3_600_000])), len(life))
        order = np.argsort(life.time_ms + late_ms, kind="stable")
        order = np.concatenate([order, rng.integers(0, len(life), int(rng.integers(0, 20)))])
        cohort, log, most = anew(), [], int(rng.choice([1, 3, 20, 100]))
        while len(order):
            size = int(rng.integers(1, most + 1))
            cohort.apply(life.rows(order[:size]), behind=bool(rng.random() < 0.3))
            order = order[size:]
            what = rng.random()
            if what < 0.2:
                log += cohort.changed()
            elif what < 0.25:
                cohort.settle()
            elif what < 0.3:
                log += cohort.changed()
                cohort.close()
                cohort = anew()
                for key, value in log:
                    cohort.restore(key, value)
                cohort.finish_restore()
        found = end_of(cohort)
        cohort.close()

        assert found == end_of(whole)
