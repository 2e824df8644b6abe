"""Equations are compiled in a process of their own and then loaded, by whoever compiles them first too.

numba links what it has just compiled otherwise than what it loads from its cache: the same readings gave other last bits
in the process that compiled than in every one after it (measured: two loaders agree, a compiler does not). A twin must
not depend on who came first.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from numba.core import config

from twin.jit import cache_folder

COMPILE = (sys.executable, "-c", "from stream.warm import warm; warm()")
DONE = "complete"


def ensure(folder: Path | None = None, command: Sequence[str] = COMPILE) -> bool:
    """Compile into the cache before anything is compiled here; returns whether there was something to do.

    Raises:
        RuntimeError: the compiler failed; its words are in the message.

    """
    mark = (folder or cache_folder()) / DONE
    if config.DISABLE_JIT or mark.exists():
        return False
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    if done.returncode:
        raise RuntimeError(f"the equations cannot be compiled: {done.stderr[-500:]}")
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return True


def load() -> float:
    """Compile if need be, then load every kernel; returns the seconds of the loading."""
    from stream.warm import warm  # noqa: PLC0415 - imports the kernels

    ensure()
    return warm()
