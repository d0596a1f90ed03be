"""Taking an uploaded body into a file: unpacked as it comes, limited in size and time, and checked against its digest."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import re
import shutil
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import zstandard
from starlette.requests import ClientDisconnect

from huanxin.domain.errors import BadInput, BadRequest, TooLarge, TooSlow, UnsupportedForm

UPLOADS = "uploads"
"""The folder in HUANXIN_HOME where bodies and files lie while they come in."""
_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]+):\s*")
_SLICE = 512  # bytes unpacked at once: even a bomb of zeros (1 : 32,000 with zstd) then takes 16 MB
_WINDOW = 1 << 23  # bytes; what a zstd body may ask for at most (RFC 9659)
_GRACE = 30.0  # seconds that a body may take whatever its size
_LAST_WORDS = 5.0  # seconds in which a client that is refused may finish sending, so that it reads why


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large (bytes, unpacked), long (seconds) and slow (bytes a second, after half a minute) an upload may be."""

    most_bytes: int
    most_seconds: float
    least_rate: float
    grace: float = _GRACE


class _Unpacker(Protocol):
    def decompress(self, data: bytes) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def _unpacker(encoding: str) -> _Unpacker | None:
    """What unpacks one member of a body; None if it comes plain."""
    if encoding in ("", "identity"):
        return None
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    if encoding == "zstd":
        found: _Unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        return found
    raise UnsupportedForm(f"Content-Encoding {encoding} is not read here; use gzip or zstd")


class _Unpacking:
    """A body unpacked in small pieces; one of several members (`cat a.gz b.gz`) is unpacked whole."""

    def __init__(self, encoding: str) -> None:
        self._encoding, self._unpacker = encoding, _unpacker(encoding)

    def pieces(self, block: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            yield block
            return
        for start in range(0, len(block), _SLICE):
            data = block[start : start + _SLICE]
            while data:
                if self._unpacker.eof:
                    self._unpacker = _unpacker(self._encoding)
                    assert self._unpacker is not None
                try:
                    yield self._unpacker.decompress(data)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise BadRequest(f"the body is not {self._encoding}: {error}") from error
                data = self._unpacker.unused_data if self._unpacker.eof else b""

    def finish(self) -> None:
        """Raises BadRequest if the last member isn't whole."""
        if self._unpacker is not None and not self._unpacker.eof:
            raise BadRequest(f"the {self._encoding} body ends too early; nothing was taken, send it again")


async def receive(
    body: AsyncIterator[bytes], file: IO[bytes], *, encoding: str, digest: str, announced: str | None, limits: Limits
) -> int:
    """Write a body to a file, unpacked; its length so. Raises BadRequest, BadInput, TooLarge, TooSlow or UnsupportedForm."""
    try:
        return await _receive(body, file, encoding=encoding, digest=digest, announced=announced, limits=limits)
    except ClientDisconnect as error:
        raise BadRequest("the connection was closed before the body ended; nothing was taken, send it again") from error
    except TooSlow:
        raise
    except (BadRequest, TooLarge, UnsupportedForm):
        with contextlib.suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(_LAST_WORDS):
                async for _ in body:
                    pass
        raise


async def _receive(
    body: AsyncIterator[bytes], file: IO[bytes], *, encoding: str, digest: str, announced: str | None, limits: Limits
) -> int:
    unpacking, seen, length, unpacked = _Unpacking(encoding), hashlib.sha256(), 0, 0
    too_large = TooLarge(f"the receipt is longer than {limits.most_bytes:,} bytes; file it in parts")
    if announced is not None and announced.isdecimal() and int(announced) > limits.most_bytes:
        raise too_large
    async for block in _in_time(body, limits):
        seen.update(block)
        length += len(block)
        for data in unpacking.pieces(block):
            unpacked += len(data)
            if unpacked > limits.most_bytes:
                raise too_large
            file.write(data)
    unpacking.finish()
    if announced is not None and announced.isdecimal() and int(announced) != length:
        raise BadRequest("the body is shorter than its Content-Length; nothing was taken, send it again")
    if digest and _sha256_of(digest) != seen.digest():
        raise BadInput("the body does not match its Content-Digest, so it was damaged on the way; send it again")
    return unpacked


async def _in_time(body: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[bytes]:
    """A body's blocks, for as long as it comes fast enough: the more has come, the longer it may take."""
    start, length = asyncio.get_running_loop().time(), 0
    blocks = aiter(body)
    while True:
        allowed = min(limits.most_seconds, limits.grace + length / limits.least_rate)
        try:
            async with asyncio.timeout_at(start + allowed):
                block = await anext(blocks, None)
        except TimeoutError as error:
            raise TooSlow(
                f"only {length:,} bytes came in {allowed:.0f} seconds; send at least {limits.least_rate / 1000:,.0f} kB a "
                f"second and no longer than {limits.most_seconds / 60:,.0f} minutes, in parts if need be"
            ) from error
        if block is None:
            return
        length += len(block)
        yield block


async def limited(body: AsyncIterator[bytes], limits: Limits, announced: str | None) -> AsyncIterator[bytes]:
    """The blocks of a form with a file, within the limits. Raises TooLarge or TooSlow; a browser that is refused may go on
    sending for some seconds, so that it reads why."""
    length = int(announced) if announced is not None and announced.isdecimal() else 0
    seen, blocks = 0, _in_time(body, limits)
    if length <= limits.most_bytes:
        async for block in blocks:
            seen += len(block)
            if seen > limits.most_bytes:
                break
            yield block
        else:
            return
    with contextlib.suppress(TimeoutError, TooSlow, ClientDisconnect):
        async with asyncio.timeout(_LAST_WORDS):
            async for _ in blocks:
                pass
    raise TooLarge(f"the file is longer than {limits.most_bytes:,} bytes; send it in parts, or as gzip or Parquet")


def sweep(folder: Path, older_than: float) -> None:
    """Remove uploads that a killed server left behind: those that no server can be working on any more (seconds)."""
    if folder.is_dir():
        for left in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - older_than:
                    shutil.rmtree(left, ignore_errors=True)


def _sha256_of(digest: str) -> bytes:
    for part in digest.split(","):
        if found := _DIGEST.fullmatch(part):
            try:
                return base64.b64decode(found[1], validate=True)
            except binascii.Error:
                break
    raise BadRequest("Content-Digest can't be read; write sha-256=:BASE64: (RFC 9530)")
