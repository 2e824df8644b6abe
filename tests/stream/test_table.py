import asyncio

import faust
import pytest
from faust.types import TP

from stream.table import OVERHEAD, READ_AGAIN, TwinTable, batches


def twin(name, journal):
    return [(b"j|" + name + b"|1", b"j" * journal), (b"c|" + name, b"c" * 50), (b"t|" + name, b"h" * 50)]


def weight(batch):
    return sum(len(key) + len(value) + OVERHEAD for key, value in batch)


def test_a_twin_is_never_cut():
    twins = [twin(b"%d" % number, 100 * (number % 7)) for number in range(50)]
    records = [record for one in twins for record in one]
    made = list(batches(records, 1000))

    assert [record for batch in made for record in batch] == records
    assert all(batch[-1][0].startswith(b"t|") for batch in made)
    assert len(made) > 10
    assert all(weight(batch) <= 1000 for batch in made)


def test_one_that_is_larger_travels_alone():
    made = list(batches([*twin(b"a", 10), *twin(b"b", 5000), *twin(b"c", 10)], 1000))

    assert [batch[-1][0] for batch in made] == [b"t|a", b"t|b", b"t|c"]


def test_nothing_makes_no_batch():
    assert list(batches([], 1000)) == []


@pytest.fixture
def table():
    app = faust.App("forgetting", store="memory://", table_standby_replicas=0)
    return app.tables.add(TwinTable(app, name="twins", key_type=bytes, value_type=bytes, partitions=1))


def test_a_partition_whose_twins_were_dropped_is_read_from_its_beginning(table):
    recovery, tp = table.app.tables.recovery, TP("forgetting-twins-changelog", 0)
    recovery.active_offsets[tp] = 206  # Faust read it once, for a generation in which it was ours
    recovery.add_active(table, tp)

    assert recovery.active_offsets[tp] == -1


def test_what_was_read_is_not_read_again(table):
    recovery, tp = table.app.tables.recovery, TP("forgetting-twins-changelog", 0)
    table.offsets[tp] = 206
    recovery.add_active(table, tp)

    assert recovery.active_offsets[tp] == 206


@pytest.fixture
def ended(monkeypatch):
    """What the process would have ended with; a recovery that ends is cut at once."""
    codes = []
    monkeypatch.setattr("stream.table.os._exit", codes.append)
    monkeypatch.setattr("stream.table.CUT_S", 0.0)
    return codes


def complete(table, *tps):
    asyncio.run(table.on_recovery_completed(set(tps), set()))


def test_a_changelog_that_was_not_read_to_its_end_is_read_on(table, ended):
    recovery, tp = table.app.tables.recovery, TP("forgetting-twins-changelog", 0)
    recovery.active_highwaters[tp], recovery.active_offsets[tp] = 206, 206
    table.offsets[tp] = 205
    complete(table, tp)

    assert recovery.active_offsets[tp] == 205
    assert recovery.signal_recovery_start.is_set()
    assert not ended


def test_one_that_was_read_is_put_together(table, ended):
    recovery, tp, gone = table.app.tables.recovery, *(TP("forgetting-twins-changelog", n) for n in (0, 1))
    recovery.active_highwaters[tp] = 206
    table.offsets |= {tp: 206, gone: 9}
    complete(table, tp)

    assert table.offsets == {tp: 206}
    assert not recovery.signal_recovery_start.is_set()
    assert not ended


def test_a_recovery_that_a_rebalance_overtook_ends_nothing_and_drops_nothing(table, ended):
    recovery, tp, other = table.app.tables.recovery, *(TP("forgetting-twins-changelog", n) for n in (0, 1))
    recovery.active_highwaters[tp] = 206
    table.offsets[other] = 9
    recovery.signal_recovery_start.set()
    for _ in range(READ_AGAIN + 2):
        complete(table, tp)

    assert table.offsets == {other: 9}
    assert not ended


def test_a_worker_that_never_reads_a_changelog_to_its_end_ends_itself(table, ended):
    recovery, tp = table.app.tables.recovery, TP("forgetting-twins-changelog", 0)
    recovery.active_highwaters[tp] = 206
    for _ in range(READ_AGAIN + 1):
        recovery.signal_recovery_start.clear()
        complete(table, tp)

    assert ended == [70]
