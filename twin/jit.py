"""The one place where numba is configured.

Two decorators: `equation` for plain scalar functions, inlined wherever they are called, which is what lets LLVM turn
a loop over the sigma points into SIMD; `kernel` for functions over arrays, compiled once and cached on disk under a
digest of the sources, since numba's own cache does not see an edit in another file.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba
from numba.core import config

P = ParamSpec("P")
R = TypeVar("R")

# Safe for bad numbers: `nnan` and `ninf` would let LLVM assume that none exist.
FASTMATH = {"contract", "nsz", "arcp"}


def source_digest() -> str:
    """Fingerprint of every file a kernel can have been inlined from."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_folder() -> Path:
    """Where the compiled kernels of exactly these sources lie."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "wearable-twin" / "kernels" / source_digest()


if not os.environ.get("NUMBA_CACHE_DIR"):
    config.CACHE_DIR = str(cache_folder())


def equation(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a scalar function of floats and inline it into every kernel that calls it."""
    compiled = numba.njit(error_model="numpy", fastmath=FASTMATH, forceinline=True)(function)
    return cast("Callable[P, R]", compiled)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function over float64 arrays; kept on disk between processes."""
    compiled = numba.njit(cache=True, error_model="numpy", fastmath=FASTMATH, nogil=True)(function)
    return cast("Callable[P, R]", compiled)
