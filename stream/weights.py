"""Which weights of the learned part a twin uses: those that are shipped, files of one's own, or none."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from twin.learned.body_weights import SCHEMA as BODY
from twin.learned.body_weights import SHIPPED as SHIPPED_BODY
from twin.learned.body_weights import BodyWeightsError, load_body
from twin.learned.weights import SHIPPED, Weights, WeightsError, load, nothing

NONE = "none"


@cache
def weights_named(name: str = "") -> Weights:
    """Weights by a setting: empty for those that are shipped, `none` for the mechanism alone, else files, comma-separated.

    A file says itself whether it is of glucose or of heart rate and daily values; what no file brings is as shipped.

    Raises:
        WeightsError: a file cannot be used; says why.

    """
    if name == NONE:
        return nothing()
    found = load()
    for path in _own(name):
        if _kind(_document(path)) == BODY:
            try:
                found = found._replace(body=load_body(path))
            except BodyWeightsError as error:
                raise WeightsError(str(error)) from error
        else:
            found = found._replace(glucose=load(path).glucose)
    return found


def provenance(name: str = "") -> list[dict[str, Any]]:
    """Of each file that weights_named(name) takes: its name and the studies that it was trained on; nothing for `none`.

    Raises:
        WeightsError: a file cannot be read.

    """
    if name == NONE:
        return []
    documents = [(path.name, _document(path)) for path in (SHIPPED, SHIPPED_BODY, *_own(name))]
    taken = {_kind(document): (file, document) for file, document in documents}  # the later one of a kind
    return [{"weights": file, "trained_on": _studies(document)} for file, document in taken.values()]


def _own(name: str) -> list[Path]:
    return [Path(part) for part in name.split(",") if part]


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from error
    return document if isinstance(document, dict) else {}


def _kind(document: dict[str, Any]) -> str:
    return str(document.get("schema", "")).partition("/")[0]


def _studies(document: dict[str, Any]) -> list[str]:
    about = document.get("trained_on") or document.get("data") or []
    return [str(part.get("study", "not stated") if isinstance(part, dict) else part) for part in about]
