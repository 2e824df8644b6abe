"""Disturb a running system at random points, and judge what is left. See README.md."""

import asyncio
import dataclasses
import logging
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from deploy.services.services import Influx2, Kafka
from stream import topics
from stream.compiled import load
from stream.settings import Settings
from tests.chaos.disk import InfluxOnDisk
from tests.chaos.judge import judge
from tests.chaos.load import Load, messages, schedule
from tests.chaos.system import SECRET, Groups, Receiver, Workers
from tests.flow.proxy import Proxy

RECOVER_S, DRAIN_S = 300.0, 900.0
BROKER_UP_S = 600.0  # a stalled disk: Kafka stood for two minutes at its start, twice, and the run was lost
SO_FAR = (
    10  # after so many disturbances the table is printed: a run that is cut short has told what it proved
)


def log(what):
    """As it goes; the table comes at the end."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


@dataclass
class Plan:
    """What is done, how often."""

    people: int
    days: float
    seconds: float  # over which the load is spread; what is left after the last disturbance is sent at once
    workers: int = 3
    kills: int = 0
    restarts: int = 0
    scale_ups: int = 0
    scale_downs: int = 0
    broker_stops: int = 0
    broker_kills: int = 0
    store_stops: int = 0
    store_slow: int = 0  # by latency, then by little bandwidth
    store_full: int = 0
    checkpoint_s: float = 2.0
    minutes: float = 1e9  # after so many no further disturbance is begun, and the table says what was left
    away_s: float = 30.0
    store_away_s: float = 60.0
    pause_s: tuple[float, float] = (0.5, 4.0)
    seed: int = 1


SHORT = Plan(people=16, days=0.2, seconds=110, workers=2, kills=4, restarts=1, scale_ups=1, scale_downs=1,
             broker_stops=1, broker_kills=1, store_stops=1, store_slow=1, store_full=1, away_s=5, store_away_s=8,
             pause_s=(0.2, 1.5))  # fmt: skip
LONG = Plan(people=60, days=0.6, seconds=2400, kills=50, restarts=20, scale_ups=10, scale_downs=10, broker_stops=3,
            broker_kills=1, store_stops=3, store_slow=3, store_full=2, checkpoint_s=5.0)  # fmt: skip


@dataclass
class Report:
    """What was done, how long it took to recover, what differed."""

    asked: int = 0  # disturbances
    left: Counter = field(default_factory=Counter)  # not done for want of time
    recovered: dict[str, list[float]] = field(default_factory=dict)
    never: Counter = field(default_factory=Counter)
    stops: list[float] = field(default_factory=list)
    load: dict = field(default_factory=dict)
    ends: Counter = field(default_factory=Counter)
    differs: dict = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # where it differs

    @property
    def done(self):
        return sum(map(len, self.recovered.values())) + self.never.total()

    def text(self):
        lines = ["| what was done | times | recovered, median s | worst s | never |", "|---|---|---|---|---|"]
        for what, took in self.recovered.items():
            lines.append(f"| {what} | {len(took) + self.never[what]} | {statistics.median(took):.1f} | {max(took):.1f} "
                         f"| {self.never[what]} |" if took else f"| {what} | {self.never[what]} | | | all |")  # fmt: skip
        lines += ["", "| what was looked at | of | differs |", "|---|---|---|"]
        lines += [f"| {what} | {of} | {bad} |" for what, (of, bad) in self.differs.items()]
        worst = max(self.stops, default=0.0)
        lines += [
            "",
            f"load {self.load}; ends of workers {dict(self.ends)}; longest graceful stop {worst:.1f} s",
            f"{self.done} of {self.asked} disturbances done; not done for want of time: {dict(self.left)}",
        ]
        return "\n".join([*lines, *self.notes[:40]])


class Chaos:
    """One run of a plan in a folder."""

    def __init__(self, plan, folder):
        self.plan, self.folder, self.rng, self.report = plan, Path(folder), random.Random(plan.seed), Report()

    def actions(self):
        p = self.plan
        counts = {self.kill: p.kills, self.restart: p.restarts, self.scale_up: p.scale_ups, self.scale_down: p.scale_downs,
                  self.broker_stop: p.broker_stops, self.broker_kill: p.broker_kills, self.store_stop: p.store_stops,
                  self.store_slow: p.store_slow, self.store_full: p.store_full}  # fmt: skip
        found = [action for action, count in counts.items() for _ in range(count)]
        self.rng.shuffle(found)
        turns, scaling = 0, (self.scale_up, self.scale_down)
        for at, action in enumerate(found):  # by turns, or they add up to more workers than the machine bears
            if action in scaling and p.scale_ups == p.scale_downs:
                found[at] = scaling[turns % 2]
                turns += 1
        return found

    def one(self):
        return self.rng.choice(list(self.workers.processes))

    async def kill(self):
        self.workers.kill(self.one())
        self.workers.start()
        return "worker killed (-9)"

    async def restart(self):
        """One worker after the other, all of them."""
        for number in list(self.workers.processes):
            await self.stop(number)
            self.workers.start()
            await asyncio.sleep(self.rng.uniform(*self.plan.pause_s))
        return "all workers restarted gracefully, one after the other"

    async def stop(self, number):
        if number in self.workers.processes:  # it may have ended by itself
            self.report.stops.append(await asyncio.to_thread(self.workers.stop, number))

    async def scale_up(self):
        self.workers.start()
        return "worker added"

    async def scale_down(self):
        if len(self.workers.processes) > 1:
            await self.stop(self.one())
        return "worker taken away"

    async def broker_stop(self):
        await asyncio.to_thread(self.kafka.stop)
        await asyncio.sleep(self.plan.away_s)
        await asyncio.to_thread(self.kafka.start, BROKER_UP_S)
        return f"broker stopped for {self.plan.away_s:.0f} s"

    async def broker_kill(self):
        self.kafka.process.kill()
        await asyncio.to_thread(self.kafka.process.wait, 10)
        await asyncio.to_thread(self.kafka.start, BROKER_UP_S)
        return "broker killed (-9)"

    async def store_stop(self):
        await asyncio.to_thread(self.influx.stop)
        await asyncio.sleep(self.plan.store_away_s)
        await asyncio.to_thread(self.influx.start)
        return f"InfluxDB stopped for {self.plan.store_away_s:.0f} s"

    async def store_slow(self):
        self.slowed += 1
        self.proxy.mode = ("latency", "bandwidth")[self.slowed % 2]
        await asyncio.sleep(self.plan.store_away_s)
        self.proxy.mode = "pass"
        return f"InfluxDB slow for {self.plan.store_away_s:.0f} s"

    async def store_full(self):
        """Room again, and InfluxDB is started anew: a shard that it could not open it does not try to open again."""
        await asyncio.to_thread(self.influx.disk.fill)
        await asyncio.sleep(self.plan.store_away_s)
        await asyncio.to_thread(self.influx.disk.free)
        await asyncio.to_thread(self.influx.stop)
        await asyncio.to_thread(self.influx.start)
        return f"InfluxDB's disk full for {self.plan.store_away_s:.0f} s"

    async def disturb(self, load):
        actions = self.actions()
        self.report.asked = len(actions)
        for done, action in enumerate(actions):
            if time.monotonic() - self.began > 60 * self.plan.minutes:
                self.report.left = Counter(left.__name__ for left in actions[done:])
                return
            if done:
                load.pace(done, len(actions))
            await asyncio.sleep(self.rng.uniform(*self.plan.pause_s))
            what = await action()
            began = time.monotonic()
            log(f"{began - self.began:.0f} s: {what}")
            if what.startswith("InfluxDB"):
                group, marks = f"{self.settings.app_id}-sink", await self._marks(topics.ESTIMATE)
            else:
                group, marks = self.settings.app_id, await self._marks(topics.READING)
            reached = await self.groups.reached(group, marks, RECOVER_S)
            log(f"    recovered after {reached} s")
            if reached is None:
                self.report.never[what] += 1
            self.report.recovered.setdefault(what, [])
            if reached is not None:
                self.report.recovered[what].append(time.monotonic() - began)
            log(f"    {load.sent} of {len(load.plan)} sent, {len(self.workers.processes)} workers")
            if (done + 1) % SO_FAR == 0:
                self.so_far(load)

    def so_far(self, load):
        """The table of what was done until now."""
        self.report.ends = self.workers.ends
        log(
            f"so far {self.report.done} of {self.report.asked}, {load.sent} of {len(load.plan)} sent\n{self.report.text()}"
        )

    async def _marks(self, topic):
        while True:
            try:
                return await self.groups.ends(topic)
            except Exception:  # the broker is on its way back
                await asyncio.sleep(0.3)

    async def supervise(self):
        while True:
            self.workers.look_after()
            await asyncio.sleep(0.5)

    def settings_for(self):
        return Settings(broker=self.kafka.bootstrap, partitions=16, app_id="chaos")

    async def run(self, kafka, influx):
        """Against services that are started; they are stopped and started again."""
        self.kafka, self.influx, self.slowed, self.began = kafka, influx, 0, time.monotonic()
        self.settings = self.settings_for()
        await topics.create_missing(self.settings)
        made = messages(self.plan.people, self.plan.days)
        plan, counts = schedule(made, self.rng)
        self.receiver, self.groups = Receiver(), Groups(self.settings)
        self.proxy = Proxy(influx.port).__enter__()
        self.workers = Workers(self.folder, {
            "TWIN_BROKER": kafka.bootstrap, "TWIN_PARTITIONS": "16", "TWIN_APP_ID": "chaos", "TWIN_STORE": "influx",
            "TWIN_INFLUX_URL": f"http://127.0.0.1:{self.proxy.port}", "TWIN_INFLUX_TOKEN": influx.token,
            "TWIN_INFLUX_ORG": influx.org, "TWIN_INFLUX_BUCKET": influx.bucket, "TWIN_SILENT_AFTER_MIN": "100000000",
            "TWIN_CHECKPOINT_S": str(self.plan.checkpoint_s), "TWIN_SESSION_TIMEOUT_S": "3", "TWIN_WEBHOOK_URL": self.receiver.url, "TWIN_WEBHOOK_SECRET": SECRET,
            "TWIN_STALLED_S": "60",
        })  # fmt: skip
        load = Load(kafka.bootstrap, plan, self.plan.seconds)
        supervisor = None
        try:
            for _ in range(self.plan.workers):
                self.workers.start()
            supervisor = asyncio.ensure_future(self.supervise())
            sending = asyncio.ensure_future(load.run())
            await self.disturb(load)
            under_load = load.sent / len(plan)
            load.hurry = True
            await sending
            drained = await self.groups.reached(
                self.settings.app_id, await self._marks(topics.READING), DRAIN_S
            )
            for group, names in (("sink", (topics.ESTIMATE, topics.ALERT)), ("alerts", (topics.ALERT,))):
                marks = await self.groups.ends(*names)
                kept = await self.groups.reached(f"{self.settings.app_id}-{group}", marks, DRAIN_S)
                drained = None if kept is None else drained
            supervisor.cancel()
            for number in list(self.workers.processes):
                self.report.stops.append(await asyncio.to_thread(self.workers.stop, number))
            self.report.load = counts | {"messages": len(plan), "sent again": load.again, "drained": drained is not None,
                                         "share sent while disturbed": round(under_load, 2)}  # fmt: skip
            self.report.ends = self.workers.ends
            log(f"judging what is left\n{self.report.text()}")
            self.report.differs, self.report.notes = await judge(
                self.settings, influx, made, self.receiver.taken
            )
        except BaseException:
            self.so_far(load)
            raise
        finally:
            if supervisor:
                supervisor.cancel()
            self.workers.end()
            self.receiver.close()
            self.proxy.__exit__()
        return self.report


def run(plan, folder):
    """With services of its own; returns the report."""
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # that the broker is away it says 500 times a second
    load()
    folder = Path(folder)
    for name in ("kafka", "influx", "workers"):
        (folder / name).mkdir()
    kafka, influx = Kafka(folder / "kafka"), None
    try:
        try:
            influx = InfluxOnDisk(folder / "influx")
        except (OSError, RuntimeError) as error:  # no user namespaces: everything else can be done
            log(f"the disk cannot be made full here: {error}")
            influx, plan = Influx2(folder / "influx"), dataclasses.replace(plan, store_full=0)
        kafka.start()
        influx.start()
        return asyncio.run(Chaos(plan, folder / "workers").run(kafka, influx))
    finally:
        if influx is not None:
            influx.stop()
        if isinstance(influx, InfluxOnDisk):
            influx.close()
        kafka.stop()
