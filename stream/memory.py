"""Memory that twins left behind goes back to the system.

glibc keeps what was freed, in pieces between what still lives: 12,000 people of whom 250 are resident took 34 kB each, and
12 kB after `malloc_trim`. Where there is no glibc nothing is done.
"""

import ctypes
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim


def give_back() -> None:
    """Return free memory to the system; some milliseconds for a hundred megabytes."""
    if trim := _trim():
        trim(0)
