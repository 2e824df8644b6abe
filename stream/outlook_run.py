"""Forecast and what-if of one twin as a document, outlook/1: "nothing is done" beside the scenario, and their difference.

Deterministic: the samples' seeds are fixed, the time is that of the twin's newest reading. The twin is copied, never written.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stream.outlook import KINDS, Item, OutlookError, frame, plan_of, scenario
from stream.outlook_words import not_shown, unknowns
from twin import channels as c_
from twin import record as r_
from twin.blocks import fast
from twin.catalogue import SEEN_UNITS
from twin.outlook import nothing, run
from twin.outlook_channels import CHANNELS, chances, ever, sensed, statistics, true_values
from twin.outlook_start import SAMPLES, start
from twin.shapes import Array, Record

NOTICE = "Decision support, not a medical device"
BEGIN_SEED, NOISE_SEED, SENSOR_SEED = 1, 2, 3
EVERY = (1, 2, 5, 10, 15, 30, 60)  # minutes between rows that one may choose


def outlook(
    person: str, record: Record, wanted: Mapping[str, Sequence[str]], hours: float = 6.0, every: int = 5
) -> dict[str, Any]:
    """The document.

    Args:
        person: whose twin it is.
        record: the twin; it stays as it is.
        wanted: the scenario by kind, texts of the grammar in stream/outlook.py.
        hours: how far.
        every: minutes between rows.

    Raises:
        OutlookError: naming the place, the value and what is allowed.

    """
    head = float(record[r_.HEAD_S])
    if head == r_.NEVER:
        raise OutlookError(
            f"{person}: no reading was applied yet, so that there is nothing to look ahead from"
        )
    if every not in EVERY:
        raise OutlookError(f"every = {every}: allowed are {', '.join(map(str, EVERY))} minutes")
    when = frame(head, float(record[r_.OFFSET_H]), hours)
    weight = float(record[r_.WEIGHT])
    items = scenario(wanted, when)
    begin = start(record, np.random.default_rng(BEGIN_SEED))
    plans = [nothing(when.minutes)] + ([plan_of(items, when.minutes, weight)] if items else [])
    times, true, drives, asleep = [], [], [], []
    for courses in run(begin, plans, when.minutes, np.random.default_rng(NOISE_SEED)):
        if courses[0].minutes % every == 0:
            times.append(round((head + 60.0 * courses[0].minutes) * 1000))
            true.append([true_values(course) for course in courses])
            drives.append([course.x["fast"][:, fast.DRIVE].ravel() for course in courses])
            asleep.append([course.asleep for course in courses])
    values: Array = np.array(true)  # (times, courses, channels, samples)
    drive: Array = np.array(drives)  # (times, courses, samples)
    normal = np.random.default_rng(SENSOR_SEED).standard_normal((len(times), len(CHANNELS), SAMPLES))
    channels = {
        name: _channel(name, values[:, :, i], drive, np.array(asleep), normal[:, i], record)
        for i, name in enumerate(CHANNELS)
        if begin.running[CHANNELS[name].block]
    }
    return {
        "schema": "outlook/1", "person": person, "made_at": times[0], "hours": when.minutes / 60.0, "every_min": every,
        "utc_offset_h": when.offset_h, "samples": SAMPLES, "scenario": [_told(item, head) for item in items],
        "times": times, "channels": channels, "not_shown": not_shown(begin.running),
        "unknown": unknowns(items, record, begin), "notice": NOTICE,
    }  # fmt: skip


def _told(item: Item, head: float) -> dict[str, Any]:
    return {
        "kind": item.kind, "what": KINDS[item.kind].title, "amount": item.amount, "unit": item.unit,
        "at": round((head + 60.0 * item.minute) * 1000), "minutes": item.minutes,
    }  # fmt: skip


def _channel(
    name: str, true: Array, drive: Array, asleep: Array, normal: Array, record: Record
) -> dict[str, Any]:
    """One channel: both courses as readings, the chances of its limits, and the difference of the bodies."""
    channel, read = CHANNELS[name], float(record[r_.READ + c_.SENSORS.index(name)])
    document: dict[str, Any] = {
        "unit": SEEN_UNITS[channel.field],
        "measured": read > 0.0,
        "readings": int(read),
    }
    for j, course in enumerate(("nothing", "scenario")[: true.shape[1]]):
        shown = np.stack([
            sensed(name, true[t, j], normal[t], drive[t, j], float(asleep[t, j])) for t in range(len(true))
        ])  # fmt: skip
        document[course] = _rounded(statistics(shown) | chances(channel, shown)) | {
            "ever": ever(channel, true[:, j])
        }
    if true.shape[1] > 1:
        document["difference"] = _rounded(statistics(true[:, 1] - true[:, 0]))
    return document


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    return np.round(found, 4).tolist()
