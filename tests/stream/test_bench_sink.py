"""`twin bench sink` in short: everybody's rows arrive, and the server counts them."""

import json
import os
import subprocess
import sys

import pytest

COMMAND = [
    sys.executable,
    "-m",
    "stream.commands",
    "bench",
    "sink",
    "--documents",
    "1000",
    "--rounds",
    "1",
    "--json",
]


@pytest.fixture(scope="module")
def found(influx2):
    environment = os.environ | {
        "TWIN_INFLUX_URL": influx2.url, "TWIN_INFLUX_TOKEN": influx2.token, "TWIN_INFLUX_ORG": influx2.org,
        "TWIN_INFLUX_BUCKET": influx2.bucket,
    }  # fmt: skip
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ours_stands_beside_a_raw_post_and_the_client_on_a_real_server(found):
    names = [line["what"] for line in found["figures"]]

    assert names == [
        "ours",
        "raw post of ready bytes",
        "client's batching, ready lines",
        "client's batching, Points",
    ]
    assert "InfluxDB 2.9.1" in found["server"]
    assert all(line["points_per_s"] > 0 for line in found["figures"])


def test_no_row_was_lost(found):
    assert [line["lost"] for line in found["figures"]] == [0, 0, 0, 0]


def test_without_a_server_it_says_what_it_needs(tmp_path):
    environment = os.environ | {"TWIN_INFLUX_URL": "http://127.0.0.1:1", "TWIN_INFLUX_TOKEN": "x"}
    done = subprocess.run(
        COMMAND, env=environment, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path
    )

    assert done.returncode == 1
    assert "InfluxDB at http://127.0.0.1:1" in done.stderr
