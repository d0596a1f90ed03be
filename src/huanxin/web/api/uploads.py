"""Taking an uploaded body into a file: as it comes, limited in size and time, and checked against its digest."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import IO

from starlette.requests import ClientDisconnect, Request

from huanxin.domain.errors import BadInput, BadRequest, TooLarge, TooSlow, Unavailable
from huanxin.web.api.unpacking import too_large

_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]+):\s*")
_GRACE = 30.0  # seconds that a body may take whatever its size
_DIGITS = 18
_LOOK = 1 << 22  # bytes after which the room on disk is looked at again
_LAST_WORDS = 5.0  # seconds in which a client that is refused may finish sending, so that it reads why


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large (bytes, unpacked too), long (seconds) and slow (bytes a second, after half a minute) an upload may be."""

    most_bytes: int
    most_seconds: float
    least_rate: float
    grace: float = _GRACE


def announced(request: Request) -> int | None:
    """The length that a body is said to have."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) <= _DIGITS else None


async def receive(
    body: AsyncIterator[bytes], file: IO[bytes], *, digest: str, announced: int | None, limits: Limits,
    look: Callable[[], None] = lambda: None,
) -> int:  # fmt: skip
    """Write a body to a file, as it comes; its length. `look` is called while it grows, and may raise. Raises BadRequest,
    BadInput, TooLarge or TooSlow."""
    try:
        return await _receive(body, file, digest=digest, announced=announced, limits=limits, look=look)
    except ClientDisconnect as error:
        raise BadRequest("the connection was closed before the body ended; nothing was taken, send it again") from error
    except (BadRequest, TooLarge, Unavailable):
        await read_away(body)
        raise


async def read_away(body: AsyncIterator[bytes]) -> None:
    """Let a client that is refused finish sending, for some seconds, so that it reads why."""
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_LAST_WORDS):
            async for _ in body:
                pass


async def _receive(
    body: AsyncIterator[bytes], file: IO[bytes], *, digest: str, announced: int | None, limits: Limits,
    look: Callable[[], None],
) -> int:  # fmt: skip
    wanted = _sha256_of(digest) if digest else b""
    seen, length, looked = hashlib.sha256(), 0, 0
    if announced is not None and announced > limits.most_bytes:
        raise too_large(limits.most_bytes)
    async for block in _in_time(body, limits):
        if wanted:
            seen.update(block)
        length += len(block)
        if length > limits.most_bytes:
            raise too_large(limits.most_bytes)
        if length - looked > _LOOK:
            looked = length
            look()
        file.write(block)
    if announced is not None and announced != length:
        raise BadRequest("the body is shorter than its Content-Length; nothing was taken, send it again")
    if wanted and wanted != seen.digest():
        raise BadInput("the body does not match its Content-Digest, so it was damaged on the way; send it again")
    return length


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


async def limited(
    body: AsyncIterator[bytes], limits: Limits, announced: int | None, look: Callable[[], None]
) -> AsyncIterator[bytes]:
    """The blocks of a form with a file, within the limits; `look` is called for each, and may raise. Raises TooLarge or
    TooSlow; a browser that is refused may go on sending for some seconds, so that it reads why."""
    seen = 0
    if (announced or 0) <= limits.most_bytes:
        async for block in _in_time(body, limits):
            seen += len(block)
            if seen > limits.most_bytes:
                break
            look()
            yield block
        else:
            return
    await read_away(body)
    raise TooLarge(f"the file is longer than {limits.most_bytes:,} bytes; send it in parts, or as gzip or Parquet")


def _sha256_of(digest: str) -> bytes:
    for part in digest.split(","):
        if found := _DIGEST.fullmatch(part):
            try:
                return base64.b64decode(found[1], validate=True)
            except binascii.Error:
                break
    raise BadRequest("Content-Digest can't be read; write sha-256=:BASE64: (RFC 9530)")
