"""Taking a partner's upload, within limits: to a file first unless it is small, then to whoever reads it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from anyio import to_thread
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import BadRequest, HuanxinError, TooMany, Unavailable, UnsupportedForm
from huanxin.domain.partners import Partner, Scope
from huanxin.numbersets import delimited, tables
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.web.api.unpacking import is_packed, unpack
from huanxin.web.api.uploads import Limits, announced, read_away, receive
from huanxin.web.bodies import has_its_own_limit
from huanxin.web.context import Context, calling_partner
from huanxin.work.room import Room

_SMALL = (
    64 * 1024
)  # bytes; most uploads are receipts for one owner's number, and a folder each would cost more than reading them


class Desk(Protocol):
    """Where uploads of one kind are filed, such as receipts."""

    @property
    def scope(self) -> Scope:
        """What a partner's token has to allow."""

    def most(self, partner: Partner) -> int:
        """Bytes that an upload of this partner may have here, unpacked, which is known before any of it is read. Raises
        NotFound."""

    def file(self, partner: Partner, content: tables.Content) -> tuple[dict[str, Any], bool]:
        """File an upload: the answer's body, and whether the upload is new."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What the headers say of a body: its media type, how it is packed, its digest, its length if it is told."""

    kind: str
    encoding: str
    digest: str
    announced: int | None

    @property
    def small(self) -> bool:
        """Whether it fits into memory, whatever it holds."""
        return self.announced is not None and self.announced <= _SMALL and not self.packed

    @property
    def packed(self) -> bool:
        return is_packed(self.encoding)

    def check(self) -> None:
        """Raise UnsupportedForm for what isn't read here."""
        if self.kind.split(";")[0].strip().lower() not in (CSV, PARQUET):
            raise UnsupportedForm(f"send {CSV} or {PARQUET}, not {self.kind}")
        is_packed(self.encoding)


def body_of(request: Request, kind: str, encoding: str, digest: str) -> Body:
    return Body(kind=kind, encoding=encoding.strip().lower(), digest=digest, announced=announced(request))


async def take(request: Request, desk: Desk, body: Body) -> Response:
    """Receive a body and file it, in a thread: 201 for what is new, 200 for what is known."""
    context: Context = request.app.state.context
    has_its_own_limit(request)
    try:
        body.check()
        taking = _take_small if body.small else _take_large
        told, new = await taking(request, desk, body, context)
    except UnsupportedForm:
        await to_thread.run_sync(calling_partner, request, desk.scope)  # who shows no good token is told that first
        raise
    return JSONResponse(told, status_code=201 if new else 200)


async def _take_small(request: Request, desk: Desk, body: Body, context: Context) -> tuple[dict[str, Any], bool]:
    held = io.BytesIO()
    try:
        await receive(request.stream(), held, digest=body.digest, announced=body.announced, limits=context.limits)
    except HuanxinError:
        await to_thread.run_sync(calling_partner, request, desk.scope)
        raise
    content = held.getvalue()
    limiter = context.large if tables.takes_long(content) else context.programs
    return await to_thread.run_sync(lambda: desk.file(calling_partner(request, desk.scope), content), limiter=limiter)


async def _take_large(request: Request, desk: Desk, body: Body, context: Context) -> tuple[dict[str, Any], bool]:
    partner = await to_thread.run_sync(calling_partner, request, desk.scope)  # before much is received from whoever it is
    limits = await to_thread.run_sync(_limits, context, desk, partner)
    with ExitStack() as held:
        try:
            held.enter_context(context.room.taking(partner.client_id, min(body.announced or 0, limits.most_bytes)))
        except (TooMany, Unavailable):
            await read_away(request.stream())
            raise
        path = held.enter_context(_folder(context)) / "upload"
        with path.open("wb") as file:
            length = await receive(request.stream(), file, digest=body.digest, announced=body.announced, limits=limits,
                                   look=context.room.check)  # fmt: skip
        slow = body.packed or length > delimited.BLOCK or tables.takes_long(path)
        limiter = context.large if slow else context.programs
        return await to_thread.run_sync(_file, desk, partner, path, body, limits, context.room, limiter=limiter)


@contextmanager
def _folder(context: Context) -> Iterator[Path]:
    context.uploads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=context.uploads) as folder:
        yield Path(folder)


def _file(desk: Desk, partner: Partner, path: Path, body: Body, limits: Limits, room: Room) -> tuple[dict[str, Any], bool]:
    if body.packed:
        packed, path = path, path.with_name("unpacked")
        unpack(packed, path, encoding=body.encoding, most=limits.most_bytes, look=room.check)
        packed.unlink()
    return desk.file(partner, path)


def _limits(context: Context, desk: Desk, partner: Partner) -> Limits:
    return replace(context.limits, most_bytes=min(context.limits.most_bytes, desk.most(partner)))


def inspected(content: tables.Content, context: Context, most: int) -> tables.Source:
    """A table that came, looked into. Raises BadRequest for one that is no table, or too long once unpacked."""
    try:
        return tables.inspect(content, workbooks=False, most=min(context.limits.most_bytes, most), count_rows=False)
    except tables.BadTable as error:
        raise BadRequest(str(error)) from error
