"""The one place where numba is configured.

Three decorators: `equation` for plain scalar functions, inlined wherever they are called, which is what lets LLVM turn
a loop over the sigma points into SIMD; `kernel` for functions over arrays, compiled once and cached on disk under a
digest of the sources, since numba's own cache does not see an edit in another file; `summing` for linear algebra.

And three ways to give values names: `column` reads the states of one sigma point as a tuple, `put` writes one back,
`values_of` reads a whole array. With a NamedTuple around them an equation says `state.heart_drive`, and the compiled
loop is the same as with plain numbers (DECISIONS.md). With NUMBA_DISABLE_JIT=1 everything runs as ordinary Python.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from llvmlite import binding
from numba.core import config, types
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

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


def widest_features() -> str | None:
    """The processor's features, told to use AVX-512 at its full width where it has it; None: as LLVM chooses.

    LLVM keeps to half of the width on Intel's processors, for code that needs it now and then. A loop over the sigma
    points needs nothing else (DECISIONS.md 34).
    """
    features = binding.get_host_cpu_features()
    if not features.get("avx512f"):
        return None
    return f"{features.flatten()},-prefer-256-bit"


if config.CPU_FEATURES is None:  # neither NUMBA_CPU_FEATURES nor NUMBA_CPU_NAME=generic
    config.CPU_FEATURES = widest_features()


def equation(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a scalar function of floats and inline it into every kernel that calls it."""
    compiled = numba.njit(error_model="numpy", fastmath=FASTMATH, forceinline=True)(function)
    return cast("Callable[P, R]", compiled)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function over float64 arrays; kept on disk between processes."""
    compiled = numba.njit(cache=True, error_model="numpy", fastmath=FASTMATH, nogil=True)(function)
    return cast("Callable[P, R]", compiled)


def summing(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel whose sums may be taken in any order, which lets them use SIMD: linear algebra, never equations.

    The order is fixed when it is compiled, so that results stay the same bit for bit on one machine. `exp` and `log`
    of numerics.py would break under it: they add and subtract a large number to round.
    """
    compiled = numba.njit(cache=True, error_model="numpy", fastmath=FASTMATH | {"reassoc"}, nogil=True)(
        function
    )
    return cast("Callable[P, R]", compiled)


def _literal(*numbers: Any) -> list[int]:
    for number in numbers:
        if not isinstance(number, types.IntegerLiteral):
            raise RequireLiteralValue("stride and count must be constants of the module")
    return [number.literal_value for number in numbers]


def _places(
    context: Any, builder: Any, kind: Any, array: Any, first: Any, stride: int, n: int
) -> Iterator[Any]:
    """Addresses of array[first + i * stride], i < n."""
    data = context.make_array(kind)(context, builder, array).data
    for i in range(n):
        yield builder.gep(data, [builder.add(first, first.type(i * stride))], inbounds=True)


@intrinsic
def _column(_typing: Any, x: Any, _point: Any, stride: Any, n: Any) -> Any:
    step, count = _literal(stride, n)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = _places(context, builder, signature.args[0], arguments[0], arguments[1], step, count)
        return context.make_tuple(builder, signature.return_type, [builder.load(place) for place in places])

    return types.UniTuple(types.float64, count)(x, types.intp, stride, n), codegen  # type: ignore[attr-defined]


@intrinsic
def _put(_typing: Any, d: Any, _point: Any, stride: Any, values: Any) -> Any:
    (step,) = _literal(stride)
    count = len(values)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = _places(context, builder, signature.args[0], arguments[0], arguments[1], step, count)
        for i, place in enumerate(places):
            builder.store(builder.extract_value(arguments[3], i), place)
        return context.get_dummy_value()

    return types.void(d, types.intp, stride, values), codegen


@intrinsic
def _values_of(_typing: Any, x: Any, n: Any) -> Any:
    (count,) = _literal(n)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = context.get_constant(types.intp, 0)
        places = _places(context, builder, signature.args[0], arguments[0], zero, 1, count)
        return context.make_tuple(builder, signature.return_type, [builder.load(place) for place in places])

    return types.UniTuple(types.float64, count)(x, n), codegen  # type: ignore[attr-defined]


def column(x: Any, s: int, stride: int, n: int) -> tuple[float, ...]:
    """States 0 to n of sigma point s of a flat array: x[s], x[stride + s] ...; stride and n are module constants."""
    return tuple(x[s + i * stride] for i in range(n))


def put(d: Any, s: int, stride: int, values: Any) -> None:
    """Write a tuple as sigma point s of a flat array: d[s], d[stride + s] ..."""
    for i, value in enumerate(values):
        d[s + i * stride] = value


def values_of(x: Any, n: int) -> tuple[float, ...]:
    """The first n numbers of an array as a tuple; n is a module constant."""
    return tuple(x[i] for i in range(n))


if not config.DISABLE_JIT:
    column, put, values_of = _column, _put, _values_of
