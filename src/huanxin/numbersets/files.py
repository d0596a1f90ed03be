"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LONGEST = 8 << 30  # bytes that a pipe may bring
_PIPED = "huanxin-pipe-"


def name_of(path: Path) -> str:
    """What a file is called, as it can be shown and kept: a name need not be text, and then what is none of it is marked."""
    return os.fsencode(path.name).decode("utf-8", "replace")


@contextmanager
def read_twice(path: Path) -> Iterator[Path]:
    """A file that can be read more than once, for the length of a block: what comes through a pipe (`-`: from standard
    input) is kept in one first. Raises OSError for one that never ends."""
    if path.is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix=_PIPED) as folder:
        kept = Path(folder) / ("stdin" if str(path) in ("-", "/dev/stdin") else "pipe")
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as pipe, kept.open("wb") as file:
            while piece := pipe.read(1 << 20):
                if file.tell() > _LONGEST:
                    raise OSError(errno.EFBIG, f"more than {_LONGEST >> 30} GB came in; write it into a file", kept.name)
                file.write(piece)
        yield kept


def is_of_a_pipe(path: Path) -> bool:
    """Whether a file is what `read_twice` kept of a pipe."""
    return path.parent.name.startswith(_PIPED)


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
