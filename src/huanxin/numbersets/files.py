"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def name_of(path: Path) -> str:
    """What a file is called, as it can be shown and kept: a name need not be text, and then what is none of it is marked."""
    return os.fsencode(path.name).decode("utf-8", "replace")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes this place once the block has written all of it: nobody reads half of it. A link stays one, and what
    is no file (/dev/stdout, /dev/null, a pipe) is written into: it must not be replaced by one.

    Raises OSError naming the place, and leaves nothing beside it.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as file:
            yield file
        return
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
        os.replace(beside, place)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
