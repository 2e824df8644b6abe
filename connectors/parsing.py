"""Bytes to JSON documents: strict, but a bare NaN, Infinity or 1e400 is let through as the float that it stands for.

JSON has no such numbers, yet senders write them. As a float the value is refused alone, by its own place; as a syntax
error it would cost every other reading of its document.
"""

import json
from typing import Any

import orjson

from connectors.errors import PayloadError, Reason


def parse_json(text: bytes, place: str = "") -> Any:
    """The document; raises PayloadError (unparseable) with line and column, never with the content."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if b"NaN" not in text and b"Infinity" not in text and "infinity" not in str(error):
            message = f"no JSON: {error.msg} at line {error.lineno} column {error.colno}"
            raise PayloadError(message, Reason.UNPARSEABLE, place) from error
    try:
        document = json.loads(text)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate cannot be written again
    except json.JSONDecodeError as error:
        message = f"no JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise PayloadError(message, Reason.UNPARSEABLE, place) from error
    except (ValueError, RecursionError) as error:
        message = "no JSON: a text or a number that cannot be written again, or too deep"
        raise PayloadError(message, Reason.UNPARSEABLE, place) from error
    return document
