"""Shared fixtures: services of our own, started on free ports and stopped by process id."""

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import settings

from deploy.services.services import Influx1, Influx2, Kafka, Missing
from stream.compiled import ensure

settings.register_profile("house", deadline=None)  # the first call of a kernel compiles it
settings.load_profile("house")
MISSING: list[str] = []
SAID: list[str] = []  # what tests measured, for the end of the run


def pytest_sessionstart():
    """Before anything is compiled here: twins of this process must have the bits of the workers that it starts."""
    ensure()


def unavailable(reason: str) -> None:
    """Skip with the reason; where CI is set a service is a must."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have it: {reason}")
    MISSING.append(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")  # its own topics for every file: no test reads what another one sent
def kafka(tmp_path_factory):
    """A real Apache Kafka 4.3.1."""
    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
    except Missing as error:
        unavailable(f"Apache Kafka: {error}")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def influx1(tmp_path_factory):
    """A real InfluxDB 1.8.10."""
    try:
        server = Influx1(tmp_path_factory.mktemp("influx1"))
    except Missing as error:
        unavailable(f"InfluxDB 1.8.10: {error}")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def influx2(tmp_path_factory):
    """A real InfluxDB 2.9.1."""
    try:
        server = Influx2(tmp_path_factory.mktemp("influx2"))
    except Missing as error:
        unavailable(f"InfluxDB 2.9.1: {error}")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium."""
    path = shutil.which("chromium")
    if path is None:
        unavailable("chromium is not on the PATH")
    return path


@pytest.fixture
def keyset():
    """A private key, and a Tink keyset with its public half under the id 77, as Google would publish it."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    x, y = (b"\x00" + n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
    # EcdsaPublicKey: version 0 is left out; params (2) hold SHA256, P-256, DER; then x (3) and y (4).
    value = b"\x12\x06\x08\x03\x10\x02\x18\x02" + b"\x1a\x21" + x + b"\x22\x21" + y
    entry = {"keyId": 77, "status": "ENABLED", "outputPrefixType": "TINK", "keyData": {
        "typeUrl": "type.googleapis.com/google.crypto.tink.EcdsaPublicKey", "keyMaterialType": "ASYMMETRIC_PUBLIC",
        "value": base64.b64encode(value).decode()}}  # fmt: skip
    return key, json.dumps({"primaryKeyId": 77, "key": [entry]}).encode()


@pytest.fixture
def shared():
    """The folder with the studies' data; only where the project is developed."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.exists():
        pytest.skip("../shared/data is not here: real data of the studies are not part of the project")
    return path


def pytest_terminal_summary(terminalreporter):
    for line in SAID:
        terminalreporter.write_line(line)
    if MISSING:
        terminalreporter.write_line(
            f"{len(MISSING)} tests skipped for want of services: {'; '.join(sorted(set(MISSING)))}"
        )
