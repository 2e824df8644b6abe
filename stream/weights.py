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
    for path in (Path(part) for part in name.split(",") if part):
        if _schema(path) == BODY:
            try:
                found = found._replace(body=load_body(path))
            except BodyWeightsError as error:
                raise WeightsError(str(error)) from error
        else:
            found = found._replace(glucose=load(path).glucose)
    return found


def _schema(path: Path) -> str:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from error
    return str(document.get("schema", "")).partition("/")[0] if isinstance(document, dict) else ""


def provenance(name: str = "") -> list[dict[str, Any]]:
    """Of each file that weights_named(name) takes: its name and the studies that it was trained on; nothing for `none`.

    Raises:
        WeightsError: a file cannot be read.

    """
    if name == NONE:
        return []
    own = [Path(part) for part in name.split(",") if part]
    schemas = {_schema(path) for path in own}
    shipped = [path for path in (SHIPPED, SHIPPED_BODY) if _schema(path) not in schemas]
    found = []
    for path in (*own, *shipped):
        document = json.loads(path.read_text(encoding="utf-8"))
        about = document.get("trained_on") or document.get("data") or []
        studies = [str(part.get("study", "not stated") if isinstance(part, dict) else part) for part in about]
        found.append({"weights": path.name, "trained_on": studies})
    return found
