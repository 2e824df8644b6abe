"""Line protocol: documents to the bytes of /api/v2/write. Numbers are floats always, times are event time in ms.

One field type for ever: an int in one point and a float in the next would drop the second silently.
"""

import math
from collections.abc import Mapping
from typing import Any


def tag(text: str) -> str:
    """A tag's value, escaped; control characters, which no line can hold, become spaces."""
    clean = "".join(c if ord(c) >= 32 else " " for c in text)
    return clean.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def string(text: str) -> str:
    """A field of text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Any], time_ms: int) -> str | None:
    """One line; None when no finite field is left."""
    cells = []
    for name, value in fields.items():
        if isinstance(value, str):
            cells.append(f"{name}={string(value)}")
        elif value is not None and math.isfinite(value):
            cells.append(f"{name}={value:.9g}")
    if not cells:
        return None
    head = ",".join([measurement, *(f"{name}={tag(value)}" for name, value in tags.items())])
    return f"{head} {','.join(cells)} {time_ms}"


def spread_fields(pairs: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """`<name>_mean` and `<name>_sd` of states or parameters."""
    return {f"{name}_{what}": pair[what] for name, pair in pairs.items() for what in ("mean", "sd")}
