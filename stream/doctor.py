"""What is wrong, and what to do about it."""

import asyncio
from importlib.metadata import version
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connectors.errors import Unavailable
from stream import topics
from stream.settings import Settings
from stream.sink import open_store
from twin.jit import cache_folder

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}


def _finding(ok: bool, what: str, found: str, do: str) -> dict[str, Any]:
    return {"ok": ok, "what": what, "found": found, "do": "" if ok else do}


async def examine(settings: Settings, fix: bool) -> list[dict[str, Any]]:
    """Findings, the most basic first."""
    found = []
    for name, wanted in PINNED.items():
        have = version(name)
        found.append(_finding(have == wanted, f"version of {name}", have, f"pip install {name}=={wanted}"))
    warm = cache_folder().exists()
    found.append(_finding(warm, "compiled equations", str(cache_folder()), "run: twin warm"))
    found += await _broker(settings, fix)
    store = open_store(settings)
    try:
        found.append(_finding(True, "store", await store.ping(), ""))
    except Unavailable as error:
        do = (
            "TWIN_INFLUX_URL, _TOKEN, _ORG and _BUCKET"
            if settings.store == "influx"
            else "TWIN_SQLITE_PATH and the disk"
        )
        found.append(_finding(False, "store", str(error), f"check {do}"))
    finally:
        await store.close()
    return found


async def _broker(settings: Settings, fix: bool) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker, request_timeout_ms=5000)
    try:
        await asyncio.wait_for(admin.start(), 10)
    except (KafkaError, TimeoutError, OSError) as error:
        await admin.close()
        do = "start Kafka or set TWIN_BROKER (development: python deploy/services/services.py start kafka)"
        return [_finding(False, "broker", f"{settings.broker}: {type(error).__name__}", do)]
    try:
        there = set(await admin.list_topics())
    finally:
        await admin.close()
    created = await topics.create_missing(settings) if fix else []
    missing = sorted(set(topics.needed(settings)) - there - set(created))
    shown = (
        f"{len(missing)} missing: {', '.join(missing[:3])}"
        if missing
        else f"all there, {len(created)} created"
    )
    return [
        _finding(True, "broker", settings.broker, ""),
        _finding(not missing, "topics", shown, "run: twin doctor --fix"),
    ]
