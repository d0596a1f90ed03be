"""Memory that was freed goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Hand freed memory back: glibc keeps it for later, which adds a large receipt's to the process for good."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library, which needs no asking
        ctypes.CDLL(None).malloc_trim(0)
