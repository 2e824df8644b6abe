"""The traps of shared/faust.md, each with a test of its own where it can be set without a broker.

With one elsewhere: C5, C14, C15, C16, C27, C28 tests/chaos and tests/stream/test_watchdog.py; C6, C7, C9 test_cohort.py and
test_property.py (applied offsets, torn checkpoints) and tests/flow/test_worker.py (kill -9); C19 tests/flow/test_bad_input.py
and test_fuzz.py; the web routes tests/flow/test_health.py. Without one, because nothing of ours uses it: C13, C18, C22, C23.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from faust import streams
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from stream.cohort import Cohort
from stream.settings import Settings
from stream.table import TwinTable
from stream.transport import Batch, BatchConsumer, ConsumerThread, Frontier
from stream.worker import Worker

SOURCES = list((Path(__file__).parents[2] / "stream").rglob("*.py"))
PART = TP("reading.v1", 0)


@pytest.fixture
def worker(tmp_path):
    return Worker(Settings(data_dir=tmp_path, store="none"))


FAILING = """
import asyncio, sys
from types import SimpleNamespace
from stream.settings import Settings
from stream.worker import Worker
worker, acknowledged = Worker(Settings(store="none")), []
class Stream:
    def noack(self): return self
    async def events(self):
        yield SimpleNamespace(message=SimpleNamespace(partition=0, offset=7, value=[]))
    async def ack(self, event): print("acknowledged", flush=True)
async def admit(message): return True
async def apply(message): raise OSError("the broker is away")
worker.app = SimpleNamespace(consumer=SimpleNamespace(admit=admit))
worker.apply = apply
asyncio.run(worker.update(Stream()))
print("went on", flush=True)
"""


def test_c1_c3_an_error_ends_the_process_before_the_batch_is_acknowledged(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )

    assert done.returncode == 70
    assert "batch_failed" in done.stdout + done.stderr
    assert not re.search("^(acknowledged|went on)", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    "pattern",
    [r"(stream|events\(\)|noack\(\))\.take\(", r"noack_take", r"exactly_once", r"producer_threaded", r"isolated_partitions", r"GlobalTable", r"\.tumbling\(",
     r"\.hopping\(", r"concurrency=", r"send_changelog\(", r"table_route\(", r"use_partitioner", r"pickle"],
)  # fmt: skip
def test_c2_c8_c10_c13_c18_c22_c23_what_must_not_be_used_is_not(pattern):
    used = [path.name for path in SOURCES if re.search(pattern, path.read_text())]

    assert used == []


def test_settings_are_those_that_the_broker_showed_to_be_right(worker):
    conf = worker.app.conf

    assert str(conf.processing_guarantee.name).lower() == "at_least_once"
    assert (conf.table_standby_replicas, conf.producer_threaded, conf.stream_wait_empty) == (0, False, True)
    assert (conf.web_enabled, conf.web_tables_enabled, conf.web_router_enabled) == (False, False, False)
    assert (conf.topic_disable_leader, conf.topic_allow_declare, conf.producer_acks) == (True, False, -1)
    assert conf.broker_session_timeout == 6.0
    assert conf.broker_heartbeat_interval * 3 <= conf.broker_session_timeout
    assert conf.broker_max_poll_interval <= 120
    assert conf.recovery_consistency_check


def test_c17_c26_there_is_one_table_and_its_keys_are_the_bytes_that_were_sent(worker):
    assert list(worker.app.tables) == ["twins"]
    assert worker.table.key_type is bytes
    assert worker.table.partitions == worker.settings.partitions


def test_c20_faust_runs_with_its_cython_part_and_refuses_to_without(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", "import stream.transport"], env=os.environ | {"NO_CYTHON": "1"}, capture_output=True,
        text=True, check=False, cwd=tmp_path, timeout=120,
    )  # fmt: skip

    assert streams._CStreamIterator is not None
    assert found.returncode != 0
    assert "unset NO_CYTHON" in found.stderr


def consumer_with(*, applied=10, generation=3):
    """Our consumer without its threads."""
    consumer = BatchConsumer.__new__(BatchConsumer)
    consumer.app = SimpleNamespace(consumer_generation_id=generation)
    consumer._frontiers = {PART: Frontier(applied)}
    consumer._unacked_messages, consumer._waiting_for_ack = set(), None
    return consumer


def batch(consumer, start, end, generation=3):
    made = Batch(
        PART.topic, PART.partition, end, 0.0, 0, (), b"", [], None, 0, 0, PART, generation_id=generation
    )
    made.frontier, made.start = consumer._frontiers[PART], start
    return made


def test_readiness_can_be_asked_before_the_consumers_thread_has_begun():
    """A probe came 40 ms after the port was open: Faust raises there, and /metrics answered 500."""
    consumer = consumer_with()
    consumer._thread = ConsumerThread.__new__(ConsumerThread)
    consumer._thread._consumer = None
    with pytest.raises(ConsumerNotStarted):
        consumer.assignment()
    assert consumer.joined() is False

    consumer._thread = SimpleNamespace(assignment=lambda: {PART})
    assert consumer.joined() is True


def test_c4_a_batch_counts_only_where_the_last_one_ended():
    consumer = consumer_with()
    first, second = batch(consumer, 10, 14), batch(consumer, 15, 19)

    assert consumer.ack(second) is False
    assert consumer.applied() == {PART: 10}
    assert (consumer.ack(first), consumer.ack(second)) == (True, True)
    assert consumer.applied() == {PART: 20}


def test_c5_gaps_of_transactions_and_compaction_lie_inside_a_batch():
    consumer = consumer_with()

    assert consumer.ack(batch(consumer, 10, 99)) is True  # three records, say, of offsets 10, 50 and 99
    consumer.checkpointed({PART: 100})
    assert consumer._new_offset(PART) == 100


def test_c6_c7_only_what_is_in_the_changelog_may_be_committed():
    consumer = consumer_with()
    consumer.ack(batch(consumer, 10, 14))

    assert consumer._new_offset(PART) == 10
    consumer.checkpointed({PART: 99})  # beyond what was applied: of another life
    assert consumer._new_offset(PART) == 10
    consumer.checkpointed({PART: 15})
    assert consumer._new_offset(PART) == 15


def test_c20_a_batch_of_an_older_generation_or_seek_is_never_counted():
    consumer = consumer_with()
    old = batch(consumer, 10, 14, generation=2)
    sought = batch(consumer, 10, 14)
    consumer._frontiers[PART] = Frontier(10)

    assert consumer.ack(old) is False
    assert consumer.ack(sought) is False
    assert consumer.applied() == {PART: 10}


def test_c29_aiokafka_is_never_asked_with_a_set_that_faust_still_changes(monkeypatch):
    asked = []

    async def getmany(_self, partitions, timeout):
        asked.append((partitions, timeout))
        return {}

    monkeypatch.setattr("faust.transport.drivers.aiokafka.Consumer._getmany", getmany)
    consumer, live = consumer_with(), {PART}
    consumer._open = True
    asyncio.run(consumer._getmany(live, 1.0))
    consumer._open = False  # nothing of these topics before the flow opens, C14
    nothing = asyncio.run(consumer._getmany(live, 1.0))

    assert [partitions for partitions, _ in asked] == [{PART}]
    assert asked[0][0] is not live
    assert nothing == {}


def test_c30_where_nothing_was_committed_it_begins_at_the_earliest(monkeypatch):
    consumer, sought = consumer_with(), []
    other = TP("reading.v1", 1)

    async def theirs(_self):
        consumer._committed_offset.update({PART: None, other: 70})

    async def earliest(*parts):
        return dict.fromkeys(parts, 5)

    async def seek_wait(positions):
        sought.append(positions)

    monkeypatch.setattr("faust.transport.drivers.aiokafka.Consumer.perform_seek", theirs)
    consumer._committed_offset, consumer.batch_topics = {}, {"reading.v1"}
    consumer.assignment = lambda: {PART, other}
    consumer.earliest_offsets, consumer.seek_wait = earliest, seek_wait
    asyncio.run(consumer.perform_seek())

    assert sought == [{PART: 5}]
    assert consumer.applied() == {PART: 5, other: 70}


class Producer:
    """Takes batches as aiokafka's does; between ours somebody else may have written."""

    def __init__(self, firsts):
        self.firsts = list(firsts)

    def create_batch(self):
        return SimpleNamespace(append=lambda **_: True, close=lambda: None)

    async def send_batch(self, _builder, _topic, partition):
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(SimpleNamespace(offset=self.firsts.pop(0)))
        return sent


def table_with(firsts):
    table = TwinTable.__new__(TwinTable)
    table.cohorts, table.offsets, table.writing, table.turns, table.again = (
        {0: Cohort()},
        {},
        Counter(),
        {},
        0,
    )
    table.app = SimpleNamespace(
        producer=SimpleNamespace(changelog=Producer(firsts)),
        tables=SimpleNamespace(
            recovery=SimpleNamespace(active_highwaters={}, signal_recovery_start=asyncio.Event())
        ),
    )
    table.changelog_topic = SimpleNamespace(get_topic_name=lambda: "changelog")
    return table


def test_c11_twins_of_a_partition_that_moved_away_are_dropped(monkeypatch):
    async def theirs(*_):
        return None

    monkeypatch.setattr("faust.Table.on_recovery_completed", theirs)
    table = table_with([])
    table.cohorts[1] = Cohort()
    asyncio.run(table.on_recovery_completed({TP("changelog", 1)}, set()))

    assert list(table.cohorts) == [1]


async def written(table, people):
    for person in people:
        table.cohorts[0].twin(person).touched = True
        await table.arrived(table.write(0))


def test_c28_recovery_skips_only_what_we_wrote_without_a_gap(monkeypatch):
    monkeypatch.setattr(TwinTable, "changelog_topic_name", "changelog", raising=False)
    table, part = table_with([0, 1, 5]), TP("changelog", 0)
    asyncio.run(written(table, ("ada", "bob", "cyd")))

    assert table.persisted_offset(part) == 1, "the third was written at 5: between lies another owner's"


def test_c12_a_tombstone_is_restored_and_nothing_but_bytes_lies_in_the_table(worker):
    table = worker.table
    type(table).make_cohort = staticmethod(lambda partition: Cohort())
    records = [
        SimpleNamespace(key=b"j|ada|7", value=None),
        SimpleNamespace(key=b"t|ada", value=None),
        SimpleNamespace(key=b"j|ada|7", value=None),
    ]
    message = SimpleNamespace(partition=0, offset=9, tp=TP("changelog", 0))
    table.apply_changelog_batch([SimpleNamespace(message=message, value=records)])

    assert table.persisted_offset(message.tp) == 9
    assert (table.key_type, table.value_type) == (bytes, bytes)
    assert not hasattr(table.data, "data") or dict(table.data.data) == {}, (
        "twins are not values of Faust's store"
    )


def test_c21_a_timer_runs_on_every_worker_and_its_error_is_not_swallowed(tmp_path, monkeypatch):
    """Faust crashes a worker whose timer raises. That is right for a checkpoint: nothing was committed, a restart finds all."""
    worker = Worker(Settings(data_dir=tmp_path, store="none", roles="update"))
    calls = []

    async def ticks(interval, **_):
        for _ in range(3):
            yield interval

    async def fails():
        calls.append(1)
        raise OSError("the changelog is away")

    def leader():
        raise AssertionError("no leader is asked: there is no leader topic")

    monkeypatch.setattr(worker.app, "itertimer", ticks)
    monkeypatch.setattr(worker.app, "is_leader", leader)
    monkeypatch.setattr(worker.checkpoints, "make", fails)
    checkpoint = worker.app._app_tasks[0]
    with pytest.raises(OSError, match="changelog is away"):
        asyncio.run(checkpoint())

    assert calls == [1]


def test_c24_what_waits_for_a_commit_does_not_add_up_while_none_is_made():
    """Faust keeps every acknowledged offset until it is committed; a batch of ours is one number of its partition."""
    consumer = consumer_with(applied=0)
    consumer._acked = {}
    for number in range(10_000):
        made = batch(consumer, 10 * number, 10 * number + 9)
        consumer._unacked_messages.add(made)
        assert consumer.ack(made) is True

    assert not consumer._unacked_messages
    assert not consumer._acked
    assert consumer.applied() == {PART: 100_000}
    assert list(consumer._frontiers) == [PART]


def test_c25_two_workers_in_one_folder_share_no_file(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from stream.settings import Settings\nfrom stream.shelf import folder_of\nfrom stream.worker import Worker\n"
        "made = Worker(Settings(data_dir=sys.argv[1], store='none'))\n"
        "made.table.cohort(0).shelf.put('ada', [(b't', b'x')])\n"
        "print(made.app.conf.datadir, folder_of(Path(sys.argv[1])))\n"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
        ).stdout.splitlines()[-1].split()
        for _ in range(2)
    ]  # fmt: skip

    assert len({path for paths in found for path in paths}) == 4
    assert all(path.startswith(str(tmp_path)) for paths in found for path in paths)
