"""The kernels run as ordinary Python too, where shapes and indices are checked: a small selection, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

SELECTION = (
    "tests/twin/test_numerics.py", "tests/twin/test_movement.py", "tests/twin/test_schedule.py",
    "tests/twin/test_correct.py", "tests/twin/plain_tick.py",
)  # fmt: skip


def test_the_kernels_run_in_plain_python():
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SELECTION], check=False, text=True,
        capture_output=True, cwd=Path(__file__).parents[2], env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, timeout=300,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
    assert "skipped" not in result.stdout
