"""Equations are compiled in processes of their own and then loaded, by whoever compiles them first too.

numba links what it has just compiled otherwise than what it loads from its cache: the same readings gave other last bits
in the process that compiled than in every one after it (measured: two loaders agree, a compiler does not). A twin must
not depend on who came first. Two processes share the work: from nothing on two cores 65 s for a worker, 19 s more for
the smoother and the open loop (one process: 97 s).
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from numba.core import config

import twin
from stream.stopping import CHILDREN
from twin.jit import cache_folder

SOURCES = Path(twin.__file__).parent

# Each stage is a list of functions of stream.warm that may run side by side.
WORKER = (("warm_fast", "warm_others"), ("warm_fold", "warm_open"))
OUTLOOK = (*WORKER, ("warm_outlook",))
EVERYTHING = (*WORKER, ("warm_outlook",), ("warm",))


def place_digest(sources: Path = SOURCES) -> str:
    """Where the sources lie and when they were written: numba looks for what it kept by these, not by their contents.

    Two checkouts of one version, or one that was copied into an image, share no kernels; a mark of the one must not tell
    the other that everything is compiled.
    """
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.py")):
        about = path.stat()
        digest.update(f"{path}|{about.st_mtime_ns}|{about.st_size}".encode())
    return digest.hexdigest()[:12]


def compiler(name: str) -> Sequence[str]:
    """The command that runs one function of stream.warm."""
    return (sys.executable, "-c", f"from stream.warm import {name}; {name}()")


def ensure(
    folder: Path | None = None,
    stages: Sequence[Sequence[str]] = EVERYTHING,
    command: Callable[[str], Sequence[str]] = compiler,
) -> bool:
    """Compile into the cache before anything is compiled here; returns whether there was something to do.

    Raises:
        RuntimeError: the compiler failed; its words are in the message.

    """
    place = folder or cache_folder()
    marks = {name: place / f"complete-{name}-{place_digest()}" for stage in stages for name in stage}
    if config.DISABLE_JIT or marks[stages[-1][-1]].exists():
        return False
    for stage in stages:
        if all(marks[name].exists() for name in stage):
            continue
        children = [
            subprocess.Popen(  # noqa: S603 - our own interpreter
                command(name),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in stage
        ]
        CHILDREN.extend(children)
        said = [child.communicate()[1] for child in children]
        CHILDREN.clear()
        for child, words in zip(children, said, strict=True):
            if child.returncode:
                raise RuntimeError(f"the equations cannot be compiled: {words[-500:]}")
        place.mkdir(parents=True, exist_ok=True)
        for name in stage:
            marks[name].touch()
    return True


def load() -> float:
    """Compile what a worker needs if need be, then load it; returns the seconds of the loading."""
    from stream.warm import warm_fold  # noqa: PLC0415 - imports the kernels

    ensure(stages=WORKER)
    began = time.perf_counter()
    warm_fold()
    return time.perf_counter() - began


def load_all() -> float:
    """The same for everything: replay with its smoother, the open loop."""
    from stream.warm import warm  # noqa: PLC0415

    ensure()
    return warm()
