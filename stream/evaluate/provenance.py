"""What the learned part of a replay had seen before: whether its people are unseen is what a report stands on."""

from pathlib import Path
from typing import Any

from connectors.table import stem_of


def trained_on(document: dict[str, Any]) -> list[str]:
    """Studies that the weights of the replay were trained on; empty where nothing was learned."""
    return [study for part in document["replay"].get("learned_from", []) for study in part["trained_on"]]


def learned_from(document: dict[str, Any]) -> str:
    """A sentence for readers; empty where the replay does not say, as an earlier version's does not."""
    if "learned_from" not in document["replay"]:
        return ""
    studies = trained_on(document)
    return f"Learned part trained on {', '.join(studies)}." if studies else "Nothing learned of other people."


def caution(document: dict[str, Any]) -> str:
    """What the reader must know before any figure: the weights were trained on a set of this table's name. Else empty."""
    study = stem_of(Path(document["source"]))
    if study not in trained_on(document):
        return ""
    return (
        f"The learned part was trained on a set called {study}, as this table is: if these are its "
        "people, the figures flatter the twin. Train without them (twin train --keep-folds) and replay with --weights."
    )
