"""Dead letters: what a reader of a topic refuses goes to `<topic>.dlq` as it came, with where it was and why."""

from typing import Any

from stream import topics


def dead_letter(topic: str, record: Any, reason: str, message: str) -> tuple[str, bytes | None, bytes, Any]:
    """The original bytes with where they were and why they were refused; never a measured value."""
    headers = {
        "x-original-topic": topic, "x-original-partition": record.partition, "x-original-offset": record.offset,
        "x-original-timestamp": record.timestamp, "x-error-class": reason, "x-error-message": message,
    }  # fmt: skip
    return (
        topics.dead_letters(topic), record.key, record.value or b"",
        [(name, str(value).encode()) for name, value in headers.items()],
    )  # fmt: skip
