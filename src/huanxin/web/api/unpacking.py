"""Unpacking a body (`Content-Encoding`) in small pieces: once it is here, in a thread, and never beyond what it may have."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import zstandard

from huanxin.domain.errors import BadRequest, TooLarge, UnsupportedForm

_BLOCK = 1 << 18
_SLICE = 512  # bytes unpacked at once: even a bomb of zeros (1 : 32,000 with zstd) then takes 16 MB
_WINDOW = 1 << 23  # bytes; what a zstd body may ask for at most (RFC 9659)
_LOOK = 1 << 24  # bytes after which the room on disk is looked at again


class _Unpacker(Protocol):
    def decompress(self, data: bytes) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def is_packed(encoding: str) -> bool:
    """Whether a body of this Content-Encoding has to be unpacked. Raises UnsupportedForm for one that isn't read here."""
    if encoding not in ("", "identity", "gzip", "zstd"):
        raise UnsupportedForm(f"Content-Encoding {encoding} is not read here; use gzip or zstd")
    return encoding not in ("", "identity")


def unpack(path: Path, to: Path, *, encoding: str, most: int, look: Callable[[], None] = lambda: None) -> None:
    """Write a packed file unpacked; one of several members (`cat a.gz b.gz`) whole. `look` is called while it grows, and may
    raise. Raises BadRequest for one that is damaged, or cut short; TooLarge beyond `most` bytes."""
    written, looked = 0, 0
    with path.open("rb") as packed, to.open("wb") as file:
        for piece in _pieces(iter(lambda: packed.read(_BLOCK), b""), encoding):
            written += len(piece)
            if written > most:
                raise too_large(most)
            if written - looked > _LOOK:
                looked = written
                look()
            file.write(piece)


def too_large(most: int) -> TooLarge:
    """Why an upload isn't taken that is longer than it may be."""
    return TooLarge(f"the receipt is longer than {most:,} bytes; file it in parts")


def _pieces(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    unpacker = _unpacker(encoding)
    for block in blocks:
        for start in range(0, len(block), _SLICE):
            data = block[start : start + _SLICE]
            while data:
                if unpacker.eof:
                    unpacker = _unpacker(encoding)
                try:
                    yield unpacker.decompress(data)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise BadRequest(f"the body is not {encoding}: {error}") from error
                data = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise BadRequest(f"the {encoding} body ends too early; nothing was taken, send it again")


def _unpacker(encoding: str) -> _Unpacker:
    """What unpacks one member of a body."""
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    found: _Unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    return found
