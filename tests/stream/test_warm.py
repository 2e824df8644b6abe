"""Nothing is compiled after `twin warm`, and what only asks for help does not wait for numbers."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from connectors.channels import CHANNELS
from twin.channels import CHANNELS as TOLD

COMMAND = [sys.executable, "-m", "stream.commands"]


def in_use(spec):
    """A value that a body can have."""
    return 0.5 * (spec.soft[0] + spec.soft[1])


@pytest.fixture
def every_channel(tmp_path):
    """Everything that a twin can be told, twice, eight hours apart, so that nights are settled too."""
    path = tmp_path / "every.csv"
    rows = [
        f"ada,{np.datetime64(1_795_392_000_000 + 60_000 * minute, 'ms')}Z,{name},{in_use(CHANNELS[name])}"
        for minute in (0, 1, 480, 485) for name in TOLD
    ]  # fmt: skip
    path.write_text("person,time,channel,value\n" + "\n".join(rows) + "\n")
    return path


def test_a_replay_of_every_channel_compiles_nothing_after_warming(every_channel, tmp_path):
    subprocess.run([*COMMAND, "warm"], check=True, capture_output=True, timeout=550)
    table, told = str(every_channel), {"env": os.environ | {"NUMBA_DEBUG_CACHE": "1"}}
    for command in (
        ["replay", table, "--out", str(tmp_path / "out"), "--smooth"],
        ["model", "run", table, "--out", str(tmp_path / "run.csv")],
    ):
        result = subprocess.run([*COMMAND, *command], capture_output=True, text=True, check=True, **told)
        heard = result.stdout + result.stderr

        assert "data loaded from" in heard
        assert "data saved to" not in heard


def seconds(*command):
    """The quickest of five, since others use the machine too."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_help_and_import_are_quick():
    assert seconds(*COMMAND, "--help") < 0.3
    assert seconds(sys.executable, "-c", "import twin") < 0.3
