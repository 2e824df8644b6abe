"""From a request's body to records of reading.v1: unpack, take apart, put together by person."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from connectors.columns import Decoded
from connectors.decode import encode_batch
from connectors.errors import PayloadError, Reason
from connectors.parsing import parse_json
from stream.letters import refused

MAX_BODY = 24 * 1024 * 1024  # also when decompressed
RECORD_ROWS = 20_000  # readings in one Kafka record: about 1.5 MB, far below what a worker takes


def unpack(body: bytes, encoding: str) -> bytes:
    """The body, decompressed if gzip and never beyond MAX_BODY; raises PayloadError."""
    if encoding in ("", "identity") or (encoding == "gzip" and body[:2] != b"\x1f\x8b"):
        return body  # aiohttp has unpacked it already, within client_max_size
    if encoding != "gzip":
        raise PayloadError(
            "content-encoding is neither identity nor gzip", Reason.UNPARSEABLE, "content-encoding"
        )
    inflate = zlib.decompressobj(31)
    try:
        out = inflate.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise PayloadError("the body is no gzip", Reason.UNPARSEABLE, "body") from error
    if len(out) > MAX_BODY:
        raise PayloadError("too large when decompressed", Reason.TOO_LARGE, "body")
    return out


def documents(body: bytes) -> list[Any]:
    """Each reading or batch of a body: one object, an array, or NDJSON, whose broken lines stand for themselves.

    Returns:
        Parsed documents; in the place of a line that is no JSON, its PayloadError.

    Raises:
        PayloadError: the body is empty, or no JSON as a whole.

    """
    text = body.strip()
    if not text:
        raise PayloadError("the body is empty", Reason.UNPARSEABLE, "body")
    try:
        whole = parse_json(text, "body")
    except PayloadError:
        lines = text.splitlines()
        if text[:1] == b"[" or len(lines) == 1:
            raise
        return [_line(line) for line in lines if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _line(line: bytes) -> Any:
    try:
        return parse_json(line)
    except PayloadError as error:
        return error


def origins(found: Sequence[Any], decoded: Decoded) -> Iterator[tuple[str, str | None]]:
    """Source and record id of every accepted reading as the sender wrote them, in the order of `decoded`."""
    gone: dict[int, set[int]] = {}
    for fault in decoded.refused:
        gone.setdefault(fault.record, set()).add(fault.index)
    for record in dict.fromkeys(decoded.record.tolist()):
        document, missing = found[record], gone.get(record, set())
        identity, source = document.get("record_id"), document.get("source") or ""
        if document.get("schema") == "readings/1":
            for index in range(len(document["channel"])):
                if index not in missing:
                    yield source, identity[index] if identity else None
        else:
            yield source, identity


def by_person(found: Sequence[Any], decoded: Decoded) -> list[tuple[bytes, bytes]]:
    """Key and value of readings/1 batches, each of one person and source, none too large for a record."""
    sources, identities = [], []
    for source, identity in origins(found, decoded):
        sources.append(source)
        identities.append(identity)
    rows: dict[tuple[int, str, int], list[int]] = {}
    together = zip(decoded.person.tolist(), sources, decoded.ingested_ms.tolist(), strict=True)
    for row, key in enumerate(together):
        rows.setdefault(key, []).append(row)
    return [
        (decoded.persons[person].encode(),
         encode_batch(decoded.persons[person], decoded, chosen[at : at + RECORD_ROWS], source, identities, ingested))
        for (person, source, ingested), chosen in rows.items()
        for at in range(0, len(chosen), RECORD_ROWS)
    ]  # fmt: skip


def letter(
    topic: str,
    person: str,
    body: bytes,
    faults: Sequence[PayloadError],
    before: Mapping[str, bytes] | None = None,
) -> Any:
    """A dead letter of a payload: its bytes, and in the headers where and why, never a value.

    Args:
        topic: that the payload is of.
        person: may be empty.
        body: as it came.
        faults: the first names the reason.
        before: headers of the letter that was replayed, if it is one.

    """
    text = "; ".join(f"{fault.place}: {fault}" for fault in faults[:5])
    text += f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    found = {"x-original-topic": topic, "x-error-class": faults[0].reason.value, "x-error-message": text}
    return f"{topic}.dlq", person.encode() or None, body, refused(list((before or {}).items()), found)


def refusals(decoded: Decoded) -> list[dict[str, object]]:
    """For the answer: of a single reading its index, of a batch's the batch and the index in it."""
    return [
        r.as_dict() | {"index": r.record if r.index == 0 else [r.record, r.index]} for r in decoded.refused
    ]


def as_json(document: Any) -> str:
    """JSON for an answer."""
    return orjson.dumps(document).decode()
