"""A sustained load of virtual people: minute by minute, some of it twice, some of it late, some of it alarming."""

import asyncio
import dataclasses
import random
import time

from aiokafka import AIOKafkaProducer

from connectors.channels import CODE_OF
from stream import topics
from stream.sending import minutes_of
from stream.virtual import DEMO, simulate

START_MS = 1_763_600_400_000
KINDS = 4  # different bodies; the others are the same bodies under other names
HELD = (2, 40)  # minutes that a late message is held back


def _alarming(readings, seed):
    """Half an hour of a heart that races at rest, and a fall of glucose: each opens and closes an alert."""
    minutes = (readings.time_ms - START_MS) // 60_000
    begin = 90 + 20 * seed
    racing = (minutes >= begin) & (minutes < begin + 30)
    readings.value[racing & (readings.channel == CODE_OF["heart_rate"])] += 60.0
    readings.value[racing & (readings.channel == CODE_OF["met"])] = 1.0
    falling = (minutes >= begin + 60) & (minutes < begin + 120) & (readings.channel == CODE_OF["glucose"])
    readings.value[falling] = 60.0


def messages(people, days):
    """By person their messages of a minute each, in order: (minute, value)."""
    made = {}
    for kind in range(min(KINDS, people)):
        body = dataclasses.replace(DEMO[kind % len(DEMO)], seed=10 + kind, name=f"kind-{kind}")
        readings, _ = simulate(body, START_MS, days)
        _alarming(readings, kind)
        for number in range(kind, people, KINDS):
            readings.persons[0] = f"chaos-{number}"
            made[f"chaos-{number}"] = [
                ((at - START_MS) // 60_000, value)
                for at, found in minutes_of(readings, 60)
                for _, value in found
            ]
    return made


def schedule(made, rng, duplicates=0.05, late=0.05):
    """Everything that is sent: (when in minutes of the people, person, value), and how much of it is odd."""
    out, counts = [], {"duplicates": 0, "late": 0}
    for person, found in made.items():
        for minute, value in found:
            due = minute + rng.random()
            if rng.random() < late:
                due += rng.uniform(*HELD)
                counts["late"] += 1
            out.append((due, person, value))
            if rng.random() < duplicates:
                out.append((due + rng.uniform(0, HELD[1]), person, value))
                counts["duplicates"] += 1
    return sorted(out), counts


class Load:
    """Sends a schedule evenly until the last disturbance; what the broker did not confirm is sent again."""

    def __init__(self, broker, plan, seconds):
        self.broker, self.plan, self.sent, self.hurry, self.again = broker, plan, 0, False, 0
        self.began, self.most = time.monotonic(), len(plan) / seconds
        self.rate = self.most

    def pace(self, done, of):
        """So many disturbances are done: the rest of the load is spread over what the others will take.

        Never faster than planned: the first disturbances may be short ones, and a system that is sent three times what
        it bears recovers from nothing.
        """
        left_s = (time.monotonic() - self.began) / done * (of - done)
        self.rate = min(self.most, (len(self.plan) - self.sent) / max(left_s, 5.0))

    async def run(self):
        # Not idempotent: see stream.producing. What is sent again is a duplicate more.
        producer = AIOKafkaProducer(bootstrap_servers=self.broker, acks="all", linger_ms=20)
        await producer.start()
        self.began, waiting = time.monotonic(), set()
        due = self.began
        try:
            for number, (_, person, value) in enumerate(self.plan):
                while not self.hurry and time.monotonic() < due:
                    await asyncio.sleep(min(due - time.monotonic(), 0.2))
                due = max(due, time.monotonic() - 1.0) + 1.0 / max(self.rate, 0.1)
                waiting.add(asyncio.ensure_future(self._send(producer, person, value)))
                if len(waiting) >= 500:
                    _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                self.sent = number + 1
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    async def _send(self, producer, person, value):
        while True:
            try:
                await producer.send_and_wait(topics.READING, value, key=person.encode())
            except Exception:  # the broker is away, as intended; at least once is what is promised
                self.again += 1
                await asyncio.sleep(random.uniform(0.2, 1.0))
            else:
                return
