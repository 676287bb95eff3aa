"""Gives memory that nothing uses any more back to the operating system.

The C library keeps what threads free in their own arenas, for the next time as many of them want as much at once; what
a few reviews side by side took for a moment then stays with the process for good. It is *not* a garbage collection:
what Python still holds stays. Called by workers at rest, and by what measures growth.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Return free pages; blocks for some milliseconds, so call it in a thread. Of a C library without it, nothing."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """`malloc_trim` of glibc; macOS, musl and Windows have none."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
