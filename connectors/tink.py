"""Public keys as Google publishes them: a Tink keyset in JSON, each key a serialised EcdsaPublicKey.

Format: github.com/tink-crypto/tink, proto/tink.proto and proto/ecdsa.proto: x is field 3 and y field 4 of the key, as
big-endian bytes that may begin with a zero. Keys rotate about every thirty days, so a keyset holds several.
"""

import base64
import binascii
from collections.abc import Iterator

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.errors import PayloadError, Reason

ECDSA = "type.googleapis.com/google.crypto.tink.EcdsaPublicKey"
X, Y = 3, 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each length-delimited field of a protobuf message; numbers are passed over."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        length, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + length]
            at += length
        elif tag & 7 != 0:
            raise ValueError("unknown wire type")


def read_keyset(document: bytes) -> dict[int, str]:
    """PEM public keys by key id: the enabled ECDSA P-256 keys of a keyset.

    Raises:
        PayloadError: naming the place, for what is no keyset or holds no such key.

    """
    keys: dict[int, str] = {}
    place = "keyset"
    try:
        for index, key in enumerate(orjson.loads(document)["key"]):
            place = f"key[{index}]"
            if key.get("status") != "ENABLED" or key["keyData"]["typeUrl"] != ECDSA:
                continue
            point = dict(_fields(base64.b64decode(key["keyData"]["value"], validate=True)))
            numbers = ec.EllipticCurvePublicNumbers(
                int.from_bytes(point[X], "big"), int.from_bytes(point[Y], "big"), ec.SECP256R1()
            )
            pem = numbers.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            keys[int(key["keyId"])] = pem.decode()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, binascii.Error) as error:
        raise PayloadError("no Tink keyset of ECDSA P-256 keys", Reason.BAD_SIGNATURE, place) from error
    if not keys:
        raise PayloadError("no enabled ECDSA key", Reason.BAD_SIGNATURE, "key")
    return keys
