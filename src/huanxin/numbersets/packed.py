"""Files that came packed: gzip, bzip2, zstd, xz, or a ZIP archive with one file in it.

All are unpacked while they are read, a little at a time, and whoever reads stops at the bytes that a file may have: no
small file becomes a large one in memory or on the disk. What a library can't do in little memory (a ZIP of many names, xz
with a dictionary of gigabytes) is done apart.
"""

from __future__ import annotations

import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, TypeAlias

from huanxin.numbersets import apart
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.shape import BadTable, Content, damaged, opened, too_long
from huanxin.words.sentences import Sentence

Stream: TypeAlias = "IO[bytes] | pa.NativeFile"
Opens: TypeAlias = Callable[[], AbstractContextManager[Stream]]

ZIP = b"PK\x03\x04"
MAGICS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz", ZIP: "zip"}
MOST = 4 << 30
"""Bytes that a packed file may have once unpacked, where nobody said less: a hundred million lines."""
_OF_ARROW = ("gzip", "bz2", "zstd")
_PIECE = 1 << 20  # bytes
_MEMORY = 1 << 29  # bytes that unpacking apart may take; xz at its best takes 65 million
_NOT_MEANT = ("__MACOSX/",)
"""What macOS adds to each archive."""


def packing_of(head: bytes) -> str:
    """How a file is packed that begins so; empty if it is not."""
    return next((name for magic, name in MAGICS.items() if head.startswith(magic)), "")


@contextmanager
def unpacking(content: Content, packing: str) -> Iterator[Stream]:
    """What a file holds, as a stream; the file itself if it is not packed. Raises BadTable."""
    if packing in ("xz", "zip"):
        pieces = apart.frames(__name__, content, memory=_MEMORY, packing=packing)
        with io.BufferedReader(_Pieces(pieces), _PIECE) as stream:
            yield stream
        return
    with opened(content) as file:  # here, since Arrow opens no file whose name isn't UTF-8
        if packing in _OF_ARROW:
            with pa.input_stream(file, compression=packing) as unpacked:
                yield unpacked
        else:
            yield file


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        into = memoryview(buffer).cast("B")
        taken = self._left[: len(into)]
        into[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._pieces.close()  # type: ignore[attr-defined]  # a generator: with it ends the process
        super().close()


def within(stream: Stream, size: int, most: int | None) -> Iterator[bytes]:
    """A stream's blocks. Raises BadTable beyond `most` bytes."""
    seen = 0
    while block := stream.read(size):
        seen += len(block)
        if most is not None and seen > most:
            raise too_long(most)
        yield block


def frames(file: IO[bytes], *, packing: str) -> Iterator[bytes]:
    """What `unpacking` gives: what the reader apart makes of a file. Raises BadTable."""
    try:
        with lzma.open(file) if packing == "xz" else _only_one(file) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (lzma.LZMAError, zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, BadTable):
            raise
        raise damaged(error) from error


def _only_one(file: IO[bytes]) -> IO[bytes]:
    """The one file of an archive."""
    archive = zipfile.ZipFile(file)
    found = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith(_NOT_MEANT)]
    if len(found) != 1:
        raise BadTable(
            Sentence("the ZIP archive holds %(count)s files; send one with the list alone", count=f"{len(found):,}")
        )
    if found[0].flag_bits & 1:
        raise BadTable(Sentence("the ZIP archive is locked with a password; send it without"))
    return archive.open(found[0])
