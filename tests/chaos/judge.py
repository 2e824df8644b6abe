"""What differs from a run that nobody disturbed: the same readings, sorted, each once, in one process."""

import json
from collections import Counter

import orjson

from connectors.decode import decode
from connectors.stores.influx import InfluxStore
from stream import topics
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.policy import alert_id
from tests.chaos.lives import gaps, lives
from tests.chaos.system import newest, records

NOW_MS = 1_900_000_000_000
# Of an estimate: how far behind its newest reading it was made, how many came too late before it, and whether its
# forecast was made already (then a corrected estimate comes without one) depend on the arrival.
ARRIVAL = ("lag_s", "late_readings", "outlook")
KEPT = ("outlook",)  # stands beside the row, and stays when the estimate is corrected


def undisturbed(person, values):
    """One person's cohort, estimates by time, and the states of each alert."""
    cohort = Cohort()
    done = cohort.apply(decode(values, [person.encode()] * len(values), NOW_MS))
    documents = {e["time"]: e for e in estimates(cohort, done)}
    alerts = {}
    for _, change in done.transitions:
        alerts.setdefault(alert_id(person, change.rule.name, change.onset_s), []).append(change.state)
    return cohort, documents, alerts


def _plain(document, without=ARRIVAL):
    return {name: value for name, value in document.items() if name not in without}


def _by_channel(document):
    found = {}
    for forecast in document.get("outlook", []):
        found.setdefault(forecast["channel"], []).append(forecast)
    return found


class Forecasts:
    """Of the topic, by person and time the first of each channel: a forecast is made once."""

    def __init__(self):
        self.first = {}

    def note(self, record):
        if b'"outlook":[]' not in record.value:
            document = orjson.loads(record.value)
            there = self.first.setdefault((document["person"], document["time"]), {})
            for channel, found in _by_channel(document).items():
                there.setdefault(channel, found)


def _readings(got, want):
    """How many of a journal's readings are missing or other, and how many are there that should not be."""
    lost, twice = max(0, len(want) - len(got)), max(0, len(got) - len(want))
    if len(got) == len(want):
        lost = int((got != want).sum())
    return lost, twice


async def judge(settings, store, made, taken):
    """Each check with how many were looked at and how many differ; partition by partition, person by person."""
    seen, bad, transitions, notes = Counter(), Counter(), {}, []
    published = [orjson.loads(r.value) for r in await records(settings, topics.ALERT)]
    rows = {}  # of alerts: the last that was said of each
    for alert in published:
        rows[alert["alert_id"]] = alert
    influx = InfluxStore(store.url, store.token, store.org, store.bucket) if store else None
    left, kept_alerts = dict(made), {}
    try:
        for partition in range(settings.partitions):
            restored = Cohort()
            for key, value in (await newest(settings, topics.changelog(settings), partition)).items():
                if value is not None:
                    restored.restore(key, value)
            restored.finish_restore()
            said, forecasts = {}, Forecasts()
            for value in (
                await newest(
                    settings, topics.ESTIMATE, partition, lambda r: (r.key, _time(r.value)), forecasts.note
                )
            ).values():
                document = orjson.loads(value)
                said.setdefault(document["person"], {})[document["time"]] = value
            for person in [p for p in left if p in restored.twins or p in said]:
                whole, expected, alerts = undisturbed(person, [value for _, value in left.pop(person)])
                transitions |= alerts
                got, want = restored.twins.get(person), whole.twins[person]
                bad["twins"] += got is None or json.dumps(restored.twin_json(person)) != json.dumps(
                    whole.twin_json(person)
                )
                lost, twice = _readings(want.journal[:0] if got is None else got.journal, want.journal)
                seen["readings"] += len(want.journal)
                bad["lost"] += lost
                bad["twice"] += twice
                told = {at: orjson.loads(value) for at, value in said.pop(person, {}).items()}
                seen["estimates"] += len(expected)
                bad["estimates"] += sum(
                    at not in told or _plain(told[at]) != _plain(e) for at, e in expected.items()
                )
                bad["estimates"] += len(told.keys() - expected.keys())
                kept = {e["time"]: e for e in await influx.states(person, 0, 2**62)} if influx else told
                seen["rows"] += len(kept)
                off = [
                    at
                    for at, e in told.items()
                    if at not in kept or _plain(kept[at], KEPT) != _plain(e, KEPT)
                ]
                off += list(kept.keys() - told.keys())
                bad["rows"] += len(off)
                if influx:
                    changed = [
                        at
                        for at, e in kept.items()
                        if _by_channel(e) != forecasts.first.get((person, at), {})
                    ]
                    seen["forecasts"] += sum(map(len, (forecasts.first.get((person, at), {}) for at in kept)))
                    bad["forecasts"] += len(changed)
                    notes += [f"forecasts of {person} at {at} are not the first" for at in changed[:2]]
                notes += [f"row of {person} at {at}: {'other' if at in kept else 'none'}" for at in off[:3]]
                if got is not None:
                    known = {i: a["state"] for i, a in got.alerts.items()}
                    open_ids = [
                        i for i, a in rows.items() if a["person"] == person and a["state"] != "resolved"
                    ]
                    bad["open"] += sum(known.get(i) in (None, "resolved") for i in open_ids)
        kept_alerts = {a["alert_id"]: a for a in await influx.alerts()} if influx else rows
    finally:
        if influx:
            await influx.close()
    for person, found in left.items():  # nowhere: nothing of them came through
        whole, _, alerts = undisturbed(person, [value for _, value in found])
        transitions |= alerts
        bad["twins"] += 1
        bad["lost"] += len(whole.twins[person].journal)
    told = lives(published)
    broken = gaps(told, transitions)
    notes += [f"alert {identity}: {what}" for identity, what in broken.items()]
    states = {(a["alert_id"], a["state"]) for a in published if a["state"] != "pending"}
    active = {i for i, found in transitions.items() if "active" in found}
    return {
        "twins that differ": (len(made), bad["twins"]),
        "readings lost": (seen["readings"], bad["lost"]),
        "readings applied twice": (seen["readings"], bad["twice"]),
        "estimates on the topic that differ": (seen["estimates"], bad["estimates"]),
        "rows of InfluxDB that differ from the topic": (seen["rows"], bad["rows"]),
        "forecasts of InfluxDB that are not the first made": (seen["forecasts"], bad["forecasts"]),
        "active alerts of the undisturbed run never published": (
            len(active), len([i for i in active if "active" not in told.get(i, [])])
        ),
        "alerts whose life has a gap or ends otherwise": (len(told), len(broken)),
        "alert states not delivered": (len(states), len(states - taken)),
        "alerts left open though the twin closed or never had them": (len(told), bad["open"]),
        "alerts of InfluxDB that differ from the topic": (
            len(rows), sum(kept_alerts.get(i) != a for i, a in rows.items()) + len(kept_alerts.keys() - rows.keys())
        ),
    }, notes  # fmt: skip


def _time(value):
    """Of an estimate, without reading the rest of it."""
    return int(value.split(b'"time":', 1)[1].split(b",", 1)[0])
