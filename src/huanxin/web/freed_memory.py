"""Memory that was freed goes back to the system; what stays is not looked through again."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Hand freed memory back: glibc keeps it for later, which adds a large receipt's to the process for good."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library, which needs no asking
        ctypes.CDLL(None).malloc_trim(0)


def settle() -> None:
    """Keep what is in memory now for good: to look through all that was imported took a collection 80 ms, and whoever asked
    for a page meanwhile waited for it."""
    gc.collect()
    gc.freeze()
