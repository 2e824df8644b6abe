"""Learned numbers of heart rate and daily values, as one small JSON file with the names and licences of its data."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.learned import daily, heart
from twin.shapes import Vector

SCHEMA, VERSION = "body-weights", 1
SHIPPED = Path(__file__).parent / "body.json"
SIZES = {"heart": heart.HORIZONS * heart.N, "daily": daily.NUMBERS}


class BodyWeights(NamedTuple):
    """`used` is 0 where the learned part is off; start weights of the regression; constants of the daily filters."""

    used: float
    heart: Vector
    daily: Vector


class BodyWeightsError(ValueError):
    """A file that this program cannot use; says why."""


def no_body() -> BodyWeights:
    """The learned part off."""
    return BodyWeights(0.0, np.zeros(SIZES["heart"]), np.zeros(SIZES["daily"]))


def body_document(arrays: dict[str, Vector], about: dict[str, Any]) -> str:
    """The text of a weights file; `about` says what it was trained on and how."""
    head = {"schema": f"{SCHEMA}/{VERSION}", **about}
    return (
        json.dumps(head | {name: [round(float(x), 9) for x in arrays[name]] for name in SIZES}, indent=1)
        + "\n"
    )


def load_body(path: Path | None = None) -> BodyWeights:
    """Weights from a file, or those that are shipped.

    Raises:
        BodyWeightsError: not a weights file, of another version, or damaged.

    """
    path = path or SHIPPED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != f"{SCHEMA}/{VERSION}":
            raise BodyWeightsError(
                f"{path}: schema {found['schema']!r} is not {SCHEMA}/{VERSION}: train again"
            )
        arrays = {name: np.array(found[name], dtype=np.float64) for name in SIZES}
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise BodyWeightsError(f"{path}: not a weights file: {error!r}") from error
    for name, size in SIZES.items():
        if arrays[name].shape != (size,) or not np.isfinite(arrays[name]).all():
            raise BodyWeightsError(f"{path}: {name} is not {size} finite numbers")
    return BodyWeights(1.0, arrays["heart"], arrays["daily"])
