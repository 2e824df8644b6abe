"""SIGTERM while a service still imports, compiles or loads: nothing was acknowledged, so it ends at once, with exit code 0.

Later the service's own loop takes the signal. An exception from a handler could be lost inside an import or a callback of
the compiler, so the process is ended here.
"""

import os
import signal
import subprocess
from typing import Any

CHILDREN: list[subprocess.Popen[str]] = []  # compilers that this process waits for


def _end(_number: int, _frame: Any) -> None:
    for child in CHILDREN:
        child.terminate()
    os._exit(0)


def stop_at_once() -> None:
    """From now on, until somebody else takes the signals."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
