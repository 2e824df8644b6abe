"""Buckets and their retention: looked at, and made where they are missing. What is there stays as its owner set it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from influxdb_client import (
    BucketRetentionRules,
    BucketsService,
    DBRPCreate,
    DBRPsService,
    OrganizationsService,
    PostBucketRequest,
)

from connectors.errors import Unavailable
from connectors.stores.answers import CONFIGURATION_PAUSE_S

if TYPE_CHECKING:
    from connectors.stores.influx import InfluxStore

DAY_S, PAGE = 86_400, 100
SHARD_DAYS, LONG_SHARD_DAYS, LONG_FROM_DAYS = 1, 7, 60


class Bucket(NamedTuple):
    """A bucket as found or made; `days` is None where it keeps for ever, or is missing."""

    name: str
    there: bool
    made: bool
    days: float | None


def _shard_s(days: int) -> int:
    return (LONG_SHARD_DAYS if days >= LONG_FROM_DAYS else min(SHARD_DAYS, days)) * DAY_S


async def look(store: "InfluxStore", wanted: dict[str, int], fix: bool) -> list[Bucket]:
    """Each of the wanted buckets (name: days to keep), made if it is missing and `fix`.

    Raises:
        Unavailable: the server is away, or the token may not do this.

    """
    first = (await store.version()).startswith("1.")
    one = _database if first else _bucket
    return [await one(store, name, days, fix) for name, days in wanted.items()]


async def make_known(store: "InfluxStore", bucket: str, as_database: str = "") -> None:
    """2.x: a DBRP mapping of the bucket if there is none; from 2.1 on there is one unless somebody mapped otherwise."""
    database, _, retention = (as_database or bucket).partition("/")
    mappings, known = DBRPsService(store.api()), BucketsService(store.api())
    there = await store.done(mappings.get_dbr_ps_async(org=store.org, db=database))
    policy = retention or "autogen"
    if any(m.retention_policy == policy or (m.default and not retention) for m in there.content or []):
        return
    named = await store.done(known.get_buckets_async(org=store.org, name=bucket))
    if not named.buckets:
        raise Unavailable(f"InfluxDB at {store.url}: there is no bucket {bucket}", CONFIGURATION_PAUSE_S)
    mapping = DBRPCreate(
        org=store.org, bucket_id=named.buckets[0].id, database=database, retention_policy=policy, default=True
    )
    await store.done(mappings.post_dbrp_async(mapping))


async def _bucket(store: "InfluxStore", name: str, days: int, fix: bool) -> Bucket:
    buckets = BucketsService(store.api())
    named: list[Any] = []
    offset = 0
    while page := (
        await store.done(buckets.get_buckets_async(org=store.org, limit=PAGE, offset=offset))
    ).buckets:
        named += [
            bucket for bucket in page if bucket.name == name
        ]  # asked by a name that is missing it says 404
        offset += PAGE
    if named:
        seconds = [rule.every_seconds for rule in named[0].retention_rules or [] if rule.every_seconds]
        return Bucket(name, True, False, seconds[0] / DAY_S if seconds else None)
    if not fix:
        return Bucket(name, False, False, None)
    organisations = (await store.done(OrganizationsService(store.api()).get_orgs_async(org=store.org))).orgs
    if not organisations:
        raise Unavailable(f"InfluxDB: there is no organisation {store.org}", CONFIGURATION_PAUSE_S)
    rule = BucketRetentionRules(
        type="expire", every_seconds=days * DAY_S, shard_group_duration_seconds=_shard_s(days)
    )
    request = PostBucketRequest(org_id=organisations[0].id, name=name, retention_rules=[rule])
    await store.done(buckets.post_buckets_async(request))
    return Bucket(name, True, True, float(days))


async def _database(store: "InfluxStore", name: str, days: int, fix: bool) -> Bucket:
    """1.x: a bucket is `database` or `database/policy`."""
    database, _, policy = name.partition("/")
    text, duration = (
        store.quoted(database),
        f"DURATION {days}d REPLICATION 1 SHARD DURATION {_shard_s(days)}s",
    )
    databases = [row[0] for series in await store.ask("SHOW DATABASES") for row in series.get("values", [])]
    if database in databases:
        found = await store.ask(f"SHOW RETENTION POLICIES ON {text}")
        kept = {row[0]: (row[1], row[4]) for series in found for row in series.get("values", [])}
        default = next((name for name, (_, is_default) in kept.items() if is_default), "autogen")
        if (policy or default) in kept:
            return Bucket(name, True, False, _days(kept[policy or default][0]))
    if not fix:
        return Bucket(name, False, False, None)
    if database not in databases:
        with_ = "" if policy else f" WITH {duration}"
        await store.ask(f"CREATE DATABASE {text}{with_}", "POST")
    if policy:
        await store.ask(f"CREATE RETENTION POLICY {store.quoted(policy)} ON {text} {duration}", "POST")
    return Bucket(name, True, True, float(days))


def _days(duration: str) -> float | None:
    """Of Go's `720h0m0s`; for ever is `0s`."""
    hours = duration.partition("h")[0]
    return float(hours) / 24 if hours.isdigit() else None
