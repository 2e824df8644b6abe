"""What differs from a run that nobody disturbed: the same readings, sorted, each once, in one process."""

import json

import numpy as np
import orjson

from connectors.decode import decode
from connectors.stores.influx import InfluxStore
from stream import topics
from stream.cohort import Cohort
from stream.estimates import estimates
from tests.chaos.system import everything

NOW_MS = 1_900_000_000_000
# Of an estimate: how far behind its newest reading it was made, how many came too late before it, and whether its
# forecast was made already (then a corrected estimate comes without one) depend on the arrival.
ARRIVAL = ("lag_s", "late_readings", "outlook")


def undisturbed(made):
    """The cohort, its estimates by (person, time) and its alerts."""
    cohort, documents, alerts = Cohort(), {}, []
    for person, found in made.items():
        values = [value for _, value in found]
        done = cohort.apply(decode(values, [person.encode()] * len(values), NOW_MS))
        documents |= {(person, e["time"]): e for e in estimates(cohort, done)}
        alerts += done.alerts
    return cohort, documents, alerts


def _same(one, other):
    without = [{k: v for k, v in e.items() if k not in ARRIVAL} for e in (one, other)]
    return without[0] == without[1]


async def judge(settings, store, made, taken):
    """Each check with how many were looked at and how many differ."""
    whole, expected, alarms = undisturbed(made)
    restored = Cohort()
    for record in await everything(settings, topics.changelog(settings)):
        restored.restore(record.key, record.value)
    restored.finish_restore()
    twins, lost, twice = [], 0, 0
    for person in made:
        got, want = restored.twins.get(person), whole.twins[person]
        if got is None:
            twins.append(person)
            lost += len(want.journal)
            continue
        if json.dumps(restored.twin_json(person)) != json.dumps(whole.twin_json(person)):
            twins.append(person)
        lost += max(0, len(want.journal) - len(got.journal))
        twice += max(0, len(got.journal) - len(want.journal))
        if len(got.journal) == len(want.journal) and not np.array_equal(got.journal, want.journal):
            lost += int((got.journal != want.journal).sum())
    found = [orjson.loads(r.value) for r in await everything(settings, topics.ESTIMATE)]
    published = {(e["person"], e["time"]): e for e in found}  # the last of each key
    odd = [key for key, e in expected.items() if key not in published or not _same(e, published[key])]
    odd += [key for key in published if key not in expected]
    wrong_rows, rows = 0, 0
    influx = InfluxStore(store.url, store.token, store.org, store.bucket)
    try:
        for person in made:
            kept = {e["time"]: e for e in await influx.states(person, 0, 2**62)}
            mine = {at: e for (who, at), e in published.items() if who == person}
            rows += len(kept)
            wrong_rows += sum(at not in kept or not _same(kept[at], e) for at, e in mine.items())
            wrong_rows += len(kept.keys() - mine.keys())
    finally:
        await influx.close()
    lives = {}
    for record in await everything(settings, topics.ALERT):
        alert = orjson.loads(record.value)
        lives.setdefault(alert["alert_id"], []).append(alert["state"])
    states = {identity: {s for s in life if s != "pending"} for identity, life in lives.items()}
    undelivered = sum((i, s) not in taken for i, found in states.items() for s in found)
    known = {i: a["state"] for twin in restored.twins.values() for i, a in twin.alerts.items()}
    open_at_end = [
        i for i, life in lives.items() if life[-1] != "resolved" and known.get(i) in (None, "resolved")
    ]
    missing = {a["alert_id"] for a in alarms if a["state"] == "active"} - {
        i for i, life in lives.items() if "active" in life
    }  # fmt: skip
    readings = sum(len(t.journal) for t in whole.twins.values())
    return {
        "twins that differ": (len(made), len(twins)),
        "readings lost": (readings, lost),
        "readings applied twice": (readings, twice),
        "estimates on the topic that differ": (len(expected), len(odd)),
        "rows of InfluxDB that differ from the topic": (rows, wrong_rows),
        "active alerts of the undisturbed run never published": (len(lives), len(missing)),
        "alert states not delivered": (sum(map(len, states.values())), undelivered),
        "alerts left open though the twin closed or never had them": (len(lives), len(open_at_end)),
    }  # fmt: skip
