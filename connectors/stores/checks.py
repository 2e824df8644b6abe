"""What every store asks of a document: that it says whose it is and when. The topics are open to others' bytes."""

from collections.abc import Sequence

from connectors.stores import Document, Refused

# The last ms that a signed 64-bit count of ns holds, rounded down; also the end of "all time" in queries.
FAR_MS = 9_200_000_000_000
TIMES = ("time", "onset", "at")
ESTIMATE, ALERT = ("person", "time", "state"), ("person", "alert_id", "onset", "at", "state")


def fault(document: Document, needed: Sequence[str]) -> str | None:
    """Why it cannot be kept, by the field's name; None when it can."""
    for name in needed:
        value = document.get(name)
        if name in TIMES:
            if type(value) is not int or not 0 <= value <= FAR_MS:
                return f"{name} is no count of milliseconds since 1970"
        elif name == "state" and needed is ESTIMATE:
            if not isinstance(value, dict):
                return "state is no object"
        elif not isinstance(value, str) or not value or any(ord(c) < 32 for c in value):
            return f"{name} is missing, empty or has control characters"
    return None


def sort_out(documents: Sequence[Document], needed: Sequence[str]) -> tuple[list[Document], list[Refused]]:
    """Those that can be kept, and the others with why not."""
    kept: list[Document] = []
    refused: list[Refused] = []
    for document in documents:
        why = fault(document, needed)
        if why is None:
            kept.append(document)
        else:
            refused.append(Refused(document, why))
    return kept, refused
