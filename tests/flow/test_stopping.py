"""SIGTERM at any time before a worker is at work: it ends at once, cleanly, and leaves no compiler behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def children(pid):
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(text) for text in found.stdout.split()]


@pytest.mark.parametrize("moment", ["importing", "compiling"])
def test_a_worker_that_is_told_to_stop_before_it_works_ends_with_0(tmp_path, moment):
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path),
        "TWIN_BROKER": "127.0.0.1:1",
        "TWIN_DATA_DIR": str(tmp_path),
    }
    environment.pop("NUMBA_DISABLE_JIT", None)
    code = (
        "import sys, stream.commands as c\n"
        "import builtins\n"
        "held = builtins.__import__\n"
        "def slowly(name, *rest, **named):\n"
        "    if name == 'stream.worker': print('importing', flush=True); import time; time.sleep(30)\n"
        "    return held(name, *rest, **named)\n"
        f"builtins.__import__ = slowly if {moment == 'importing'} else held\n"
        "sys.argv = ['twin', 'worker']; c.main()\n"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=log, stderr=log, cwd=tmp_path
        )
    try:
        begun, end = False, time.monotonic() + 120
        while not begun and time.monotonic() < end:
            time.sleep(0.2)
            begun = (
                bool(children(process.pid))
                if moment == "compiling"
                else b"importing" in (tmp_path / "log").read_bytes()
            )
        compilers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        code = process.wait(20)
        seconds = time.monotonic() - began
        time.sleep(1)
        left = [pid for pid in compilers if Path(f"/proc/{pid}").exists() and "defunct" not in state(pid)]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)

    assert begun, (tmp_path / "log").read_text()[-2000:]
    assert (code, left) == (0, [])
    assert seconds < 10
    assert moment == "importing" or compilers


def state(pid):
    return subprocess.run(
        ["ps", "-o", "cmd=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
