"""A person's readings inside the lateness window, sorted; the truth from which a twin can be built again.

A reading is identified by channel, source and key (its record id, or its time where it has none). Of several with one
identity the highest revision counts, then the latest ingestion, then a retraction, then the largest value (then time,
sigma, quality): the order of arrival never does. connectors/README.md tells vendors.
A retraction is kept as a mark, so that a late duplicate of what it removed does not bring it back.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CODE_OF
from connectors.columns import CENSORED_HIGH, CENSORED_LOW, SUSPECT, Decoded
from twin.channels import CHANNELS, GLUCOSE, HEART_RATE, SUMMED
from twin.learned.daily import DAILY

ENTRY = np.dtype([
    ("time_ms", "<i8"), ("channel", "<i2"), ("source", "<i8"), ("key", "<i8"), ("revision", "<i8"),
    ("ingested_ms", "<i8"), ("value", "<f8"), ("sigma", "<f8"), ("retract", "?"), ("quality", "i1"),
])  # fmt: skip
Entries = NDArray[Any]
# The twin's own channel numbers by the schema's; -1 for what no block observes yet.
TWIN_CHANNEL = np.full(len(CODE_OF), -1, dtype=np.int64)
for _position, _name in enumerate(CHANNELS):
    if _name in CODE_OF:
        TWIN_CHANNEL[CODE_OF[_name]] = _position
DEVICE_NUMBERS = 1 << 52  # a device's number is exact as a float
SUSPECT_NOISE = 4.0  # a suspect reading's variance, in the channel's own


def entries_of(readings: Decoded, rows: NDArray[np.int64]) -> Entries:
    """Journal entries of the chosen rows. A missing sigma is 0, which compares equal to itself."""
    entries = np.empty(len(rows), dtype=ENTRY)
    for name in (
        "time_ms",
        "channel",
        "source",
        "key",
        "revision",
        "ingested_ms",
        "value",
        "retract",
        "quality",
    ):
        entries[name] = getattr(readings, name)[rows]
    entries["sigma"] = np.nan_to_num(readings.sigma[rows], nan=0.0)
    return entries


def merge(journal: Entries, new: Entries) -> tuple[Entries, int | None]:
    """The journal with `new` in it, and the earliest time that changed [ms], None if nothing did."""
    both = np.concatenate([journal, new])
    order = np.lexsort((
        both["quality"], both["sigma"], both["time_ms"], both["value"], both["retract"], both["ingested_ms"],
        both["revision"], both["key"], both["source"],
        both["channel"],
    ))  # fmt: skip
    both = both[order]
    last = np.ones(len(both), dtype=bool)
    last[:-1] = (
        (both["channel"][1:] != both["channel"][:-1])
        | (both["source"][1:] != both["source"][:-1])
        | (both["key"][1:] != both["key"][:-1])
    )
    merged = both[last]
    merged = merged[np.lexsort((merged["key"], merged["source"], merged["channel"], merged["time_ms"]))]
    common = min(len(journal), len(merged))
    differs = np.flatnonzero(journal[:common] != merged[:common])
    if len(differs):
        first = int(differs[0])
        return merged, int(min(journal["time_ms"][first], merged["time_ms"][first]))
    if len(journal) == len(merged):
        return merged, None
    longer = merged if len(merged) > common else journal
    return merged, int(longer["time_ms"][common])


def bin_ticks(entries: Entries, tick_ms: int) -> tuple[NDArray[Any], ...]:
    """One observation a channel and tick, for the fold.

    Args:
        entries: sorted by time.
        tick_ms: length of a tick [ms].

    Returns:
        Time of each tick, which is that of its last reading [s] (t,); where its observations start (t + 1,);
        their twin channel, value (mean of a sensor's, sum of doses), noise, flag and device (m,); readings a tick (t,).

    """
    return bin_people(entries, np.array([0, len(entries)]), tick_ms)[1:]


def bin_people(entries: Entries, bounds: NDArray[np.int64], tick_ms: int) -> tuple[NDArray[Any], ...]:
    """The same for the entries of several people.

    Args:
        entries: of one person after the other, each sorted by time.
        bounds: person i owns bounds[i] to bounds[i + 1] (p + 1,).
        tick_ms: length of a tick [ms].

    Returns:
        Person i owns ticks ticks[i] to ticks[i + 1] (p + 1,); then as above.

    """
    channel = TWIN_CHANNEL[entries["channel"]]
    person = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    live = (channel >= 0) & ~entries["retract"]
    if not live.all():
        entries, channel, person = entries[live], channel[live], person[live]
    time_ms = np.ascontiguousarray(entries["time_ms"])
    if not len(entries):
        none, empty = np.zeros(0, dtype=np.int64), np.zeros(0)
        return np.zeros_like(bounds), empty, np.zeros(1, np.int64), none, empty, empty, none, empty, none
    tick = time_ms // tick_ms
    if (channel != channel[0]).any():  # else they are in order already
        order = np.lexsort((channel, tick, person))
        entries, channel, tick, person = entries[order], channel[order], tick[order], person[order]
        time_ms = time_ms[order]
    new_tick = np.ones(len(tick), dtype=bool)
    new_tick[1:] = (tick[1:] != tick[:-1]) | (person[1:] != person[:-1])
    new_group = new_tick.copy()
    new_group[1:] |= channel[1:] != channel[:-1]
    groups, ticks = np.flatnonzero(new_group), np.flatnonzero(new_tick)
    count = np.diff(np.append(groups, len(tick)))
    kind, quality, sigma = channel[groups], entries["quality"], entries["sigma"]
    value = np.add.reduceat(np.ascontiguousarray(entries["value"]), groups)
    value = np.where(np.isin(kind, SUMMED), value, value / count)
    noise, flag = np.full(len(groups), -1.0), np.zeros(len(groups), dtype=np.int64)
    if sigma.any():
        given = np.add.reduceat(sigma**2, groups) / count
        noise = np.where(given > 0.0, given, -1.0)
    if quality.any():
        suspect = np.maximum.reduceat((quality == SUSPECT).astype(np.float64), groups)
        noise *= np.where(suspect > 0.0, SUSPECT_NOISE, 1.0)
        low = np.maximum.reduceat(quality == CENSORED_LOW, groups)
        high = np.maximum.reduceat(quality == CENSORED_HIGH, groups)
        flag = np.where(low, 1, np.where(high, 2, 0)).astype(np.int64)
    tick_s = np.maximum.reduceat(time_ms, ticks) / 1000.0
    start = np.append(np.searchsorted(groups, ticks), len(groups)).astype(np.int64)
    device = (np.maximum.reduceat(entries["source"], groups) % DEVICE_NUMBERS).astype(np.float64)
    owned = np.searchsorted(person[ticks], np.arange(len(bounds))).astype(np.int64)
    return owned, tick_s, start, kind, value, noise, flag, device, np.diff(np.append(ticks, len(tick)))


def forecast_before(entries: Entries, tick_ms: int) -> tuple[NDArray[np.float64], ...] | None:
    """Times [s] at which heart rate and glucose were forecast when these entries were run, keys of daily values; or None.

    A forecast is made once: when late data run its tick again, the estimate is corrected and the forecast stays.
    """
    if not len(entries):
        return None
    tick_s, start, kind, *_ = bin_ticks(entries, tick_ms)
    at = np.repeat(tick_s, np.diff(start))
    of_day = np.isin(kind, DAILY)
    return at[kind == HEART_RATE], at[kind == GLUCOSE], daily_key(at[of_day], kind[of_day])


def daily_key(at: NDArray[np.float64], channel: NDArray[np.int64]) -> NDArray[np.float64]:
    """Time [s] and channel of daily values as one number each."""
    return at * 100.0 + channel
