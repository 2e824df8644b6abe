"""What was learned of other people, as arrays in one JSON file: versioned, with the names and licences of its data.

float32 arrays travel as base64 of little-endian bytes, so that a file is the same bytes whenever it is trained again.
The fold takes weights as an argument: others need no compiling.
"""

import base64
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.learned import glucose_slot as s_
from twin.learned.body_weights import BodyWeights, load_body, no_body
from twin.learned.glucose import LOWS, ONSETS, SLOW_LAGS
from twin.learned.inputs import INPUTS, NAMES
from twin.learned.network import GlucoseWeights, Network
from twin.shapes import Array

SCHEMA, VERSION = "glucose-weights", 3  # 1: one hidden layer; 2: no trend of slow sensors
SHIPPED = Path(__file__).parent / "glucose.json"
PER_HORIZON = 6  # mean and five quantiles
PARTS = ("corrections", "onsets", "lows")
_OTHERS = ("middle", "projection", "gains", "slow_trend")
_NETWORK = ("centre", "inverse", "inner", "bias", "deep", "deep_bias", "outer", "offset")


class Weights(NamedTuple):
    """Of every learned part."""

    glucose: GlucoseWeights
    body: BodyWeights


class WeightsError(ValueError):
    """A weights file that this program cannot use; says why."""


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, dtype=np.float32)


def _empty(outputs: int) -> Network:
    return Network(
        _zeros(INPUTS), _zeros(INPUTS), _zeros(INPUTS, 1), _zeros(1), _zeros(1, 1, 1), _zeros(1),
        _zeros(1, outputs), _zeros(outputs),
    )  # fmt: skip


def nothing() -> Weights:
    """The learned part off: the mechanism alone forecasts."""
    corrections, onsets, lows = _empty(s_.HORIZONS * PER_HORIZON), _empty(ONSETS), _empty(LOWS - ONSETS)
    rest = _zeros(1), _zeros(1, s_.PROJECTED), _zeros(s_.HORIZONS, s_.CAUSES), _zeros(SLOW_LAGS + 1)
    return Weights(GlucoseWeights(0.0, corrections, onsets, lows, *rest), no_body())


def _arrays(weights: GlucoseWeights) -> dict[str, Array]:
    found = {f"{part}.{name}": getattr(getattr(weights, part), name) for part in PARTS for name in _NETWORK}
    return found | {name: getattr(weights, name) for name in _OTHERS}


def identified(weights: GlucoseWeights) -> GlucoseWeights:
    """The same with their number: a digest of all arrays, never 0."""
    digest = 0
    for array in _arrays(weights).values():
        digest = zlib.crc32(np.ascontiguousarray(array, dtype="<f4").tobytes(), digest)
    return weights._replace(identity=float(digest + 1))


def document(weights: GlucoseWeights, about: dict[str, Any]) -> str:
    """The text of a weights file; `about` says what it was trained on and how."""
    arrays = {
        name: {
            "shape": list(array.shape),
            "float32": base64.b64encode(array.astype("<f4").tobytes()).decode(),
        }
        for name, array in _arrays(weights).items()
    }
    head = {"schema": f"{SCHEMA}/{VERSION}", "inputs": list(NAMES), **about}
    return json.dumps(head | {"arrays": arrays}, indent=1) + "\n"


def _check(path: Path, found: dict[str, Any]) -> None:
    name, _, version = str(found.get("schema", "")).partition("/")
    if name != SCHEMA or not version.isdigit():
        raise WeightsError(
            f"{path}: schema {found.get('schema')!r} is not that of weights, {SCHEMA}/{VERSION}"
        )
    if int(version) != VERSION:
        newer = "newer than" if int(version) > VERSION else "older than"
        raise WeightsError(
            f"{path}: {SCHEMA}/{version} is {newer} this program's {SCHEMA}/{VERSION}: train again"
        )
    if found.get("inputs") != list(NAMES):
        odd = sorted(set(NAMES) ^ set(found.get("inputs", [])))
        raise WeightsError(
            f"{path}: made for other inputs ({', '.join(odd) or 'in another order'}): train again"
        )


def _shapes(arrays: dict[str, Array]) -> dict[str, tuple[int, ...]]:
    """Shape of every array, by the layers of the two networks."""
    found: dict[str, tuple[int, ...]] = {}
    for part, out in zip(PARTS, (s_.HORIZONS * PER_HORIZON, ONSETS, LOWS - ONSETS), strict=True):
        members, first, second = arrays[f"{part}.deep"].shape
        found |= {
            f"{part}.centre": (INPUTS,), f"{part}.inverse": (INPUTS,), f"{part}.inner": (INPUTS, members * first),
            f"{part}.bias": (members * first,), f"{part}.deep": (members, first, second),
            f"{part}.deep_bias": (members * second,), f"{part}.outer": (members * second, out),
            f"{part}.offset": (out,),
        }  # fmt: skip
    units = len(arrays["corrections.deep_bias"])
    return found | {
        "middle": (units,), "projection": (units, s_.PROJECTED), "gains": (s_.HORIZONS, s_.CAUSES),
        "slow_trend": (SLOW_LAGS + 1,),
    }  # fmt: skip


def load(path: Path | None = None) -> Weights:
    """Weights from a file, or those that are shipped.

    Raises:
        WeightsError: not a weights file, of another version, or damaged.

    """
    path = path or SHIPPED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path}: not a weights file")
    _check(path, found)
    arrays: dict[str, Array] = {}
    try:
        for name, entry in found["arrays"].items():
            data = np.frombuffer(base64.b64decode(entry["float32"]), dtype="<f4")
            arrays[name] = np.ascontiguousarray(data.reshape(entry["shape"]), dtype=np.float32)
        wanted = _shapes(arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path}: damaged: {error!r}") from error
    for name, shape in wanted.items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: {name} is not {shape} finite numbers")
    corrections, onsets, lows = (Network(*(arrays[f"{part}.{name}"] for name in _NETWORK)) for part in PARTS)
    made = GlucoseWeights(0.0, corrections, onsets, lows, *(arrays[name] for name in _OTHERS))
    return Weights(identified(made), load_body())
