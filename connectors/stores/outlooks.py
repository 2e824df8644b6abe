"""Forecasts stand beside the estimate that they were made with: a corrected estimate, which comes without, leaves them.

A forecast is made once. What a store keeps is what people saw at the time, also when late data corrected the state.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from connectors.channels import CODE_OF
from connectors.stores import Document

OUTLOOK = "outlook"


def channels_of(e: Document) -> list[str]:
    """Channels that an estimate brings forecasts of; none where these have another shape."""
    found = e.get(OUTLOOK)
    if not isinstance(found, list) or not all(isinstance(f, dict) for f in found):
        return []
    channels = [f.get("channel") for f in found]
    if not all(isinstance(channel, str) and channel in CODE_OF for channel in channels):
        return []
    return list(dict.fromkeys(channels))


def take_apart(e: Document) -> tuple[Document, dict[str, bytes]]:
    """The estimate without its forecasts, and these as JSON by channel; one of another shape stays as it is."""
    channels = channels_of(e)
    if not channels:
        return e, {}
    by_channel = {
        channel: orjson.dumps([f for f in e[OUTLOOK] if f["channel"] == channel]) for channel in channels
    }
    return {**e, OUTLOOK: []}, by_channel


def put_together(e: dict[str, Any], found: Mapping[str, bytes | str]) -> dict[str, Any]:
    """The estimate with its forecasts, in the order of the channel table."""
    if found:
        parts = [
            orjson.loads(found[channel]) for channel in sorted(found, key=lambda name: CODE_OF.get(name, -1))
        ]
        e[OUTLOOK] = e.get(OUTLOOK, []) + [forecast for part in parts for forecast in part]
    return e
