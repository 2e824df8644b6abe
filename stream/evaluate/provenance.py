"""What the learned part of a replay had seen before: whether its people are unseen is what a report stands on."""

from pathlib import Path
from typing import Any


def study_of(source: str) -> str:
    """The name under which `twin train` would have learned of a table."""
    return Path(source).name.removesuffix(".gz").removesuffix(".csv")


def trained_on(document: dict[str, Any]) -> list[str]:
    """Studies that the weights of the replay were trained on; empty where nothing was learned."""
    return [study for part in document["replay"].get("learned_from", []) for study in part["trained_on"]]


def known(document: dict[str, Any]) -> bool:
    """Whether the replay says what its weights were trained on (an earlier version's does not)."""
    return "learned_from" in document["replay"]


def learned_from(document: dict[str, Any]) -> str:
    """A sentence for readers; empty where the replay does not say."""
    studies = trained_on(document)
    if not known(document):
        return ""
    return f"Learned part trained on {', '.join(studies)}." if studies else "Nothing learned of other people."


def were_seen(document: dict[str, Any]) -> bool:
    """Whether the weights were trained on a set of this table's name."""
    return study_of(document["source"]) in trained_on(document)


def caution(document: dict[str, Any]) -> str:
    """What the reader must know before any figure; empty where there is nothing to say."""
    if not were_seen(document):
        return ""
    return (
        f"The learned part was trained on a set called {study_of(document['source'])}, as this table is: if these are its "
        "people, the figures flatter the twin. Train without them (twin train --keep-folds) and replay with --weights."
    )
