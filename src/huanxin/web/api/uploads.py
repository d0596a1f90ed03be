"""Taking an uploaded body into a file: unpacked as it comes, limited, and checked against its digest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import zstandard

from huanxin.domain.errors import BadInput, BadRequest, UnsupportedForm

_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]+):\s*")


class _Unpacker(Protocol):
    def decompress(self, data: bytes) -> bytes: ...


class _Plain:
    def decompress(self, data: bytes) -> bytes:
        return data


def _unpacker(encoding: str) -> _Unpacker:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    raise UnsupportedForm(f"Content-Encoding {encoding} is not read here; use gzip or zstd")


async def receive(
    body: AsyncIterator[bytes], path: Path, *, encoding: str, digest: str, announced: str | None, limit: int
) -> None:
    """Write a body to `path`, unpacked. Raises BadInput if its digest or length is wrong, or it is longer than `limit`."""
    unpacker, seen, length, unpacked = _unpacker(encoding), hashlib.sha256(), 0, 0
    with path.open("wb") as file:
        async for block in body:
            seen.update(block)
            length += len(block)
            try:
                data = unpacker.decompress(block)
            except (zlib.error, zstandard.ZstdError) as error:
                raise BadRequest(f"the body is not {encoding}: {error}") from error
            unpacked += len(data)
            if unpacked > limit:
                raise BadInput(f"the receipt is longer than {limit:,} bytes; file it in parts")
            file.write(data)
    if not getattr(unpacker, "eof", True):
        raise BadRequest(f"the {encoding} body ends too early; nothing was taken, send it again")
    if announced is not None and announced.isdigit() and int(announced) != length:
        raise BadRequest("the body is shorter than its Content-Length; nothing was taken, send it again")
    if digest and _sha256_of(digest) != seen.digest():
        raise BadInput("the body does not match its Content-Digest, so it was damaged on the way; send it again")


def _sha256_of(digest: str) -> bytes:
    for part in digest.split(","):
        if found := _DIGEST.fullmatch(part):
            try:
                return base64.b64decode(found[1], validate=True)
            except binascii.Error:
                break
    raise BadRequest("Content-Digest can't be read; write sha-256=:BASE64: (RFC 9530)")
