"""The number file of a notice over HTTP: made once, sent whole or in ranges, and not at all to whoever has it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from huanxin.domain.errors import Conflict
from huanxin.numbersets.numberfile import write_number_file
from huanxin.numbersets.roster import Roster
from huanxin.store.plan.batches import Batch
from huanxin.web.context import Context
from huanxin.web.problems import problem


def number_file_of(request: Request, context: Context, batch: Batch, media_type: str) -> Response:
    """The answer to GET and HEAD. Raises Conflict if this version can't make the bytes whose hash was told."""
    sha256 = str(batch.files[media_type]["sha256"])
    headers = {"ETag": f'"{sha256}"', "Vary": "Accept"}
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or sha256 in (one.strip().removeprefix("W/").strip('"') for one in asked.split(",")):
        return Response(status_code=304, headers=headers)
    path = context.files / sha256
    if not path.exists():
        _keep(path, context.rosters.get(batch.id), media_type, int(batch.files[media_type]["bytes"]))
    return _Ranged(path, media_type=media_type, headers=headers)


def _keep(path: Path, numbers: Roster, media_type: str, length: int) -> None:
    """Make the file beside its place and put it there whole: another request may be making the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write_number_file(numbers, media_type, file)
        if Path(beside).stat().st_size != length:
            raise Conflict("the Parquet form of this notice can't be made again by this version; fetch text/csv")
        os.replace(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)


class _Ranged(FileResponse):
    """A file in ranges (RFC 9110, section 14), whose refusals are problems like all others."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def answer(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] in (400, 416):
                refused = True
                length = dict(message["headers"]).get(b"content-range", b"").decode()
                await _refusal(message["status"], length)(scope, receive, send)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, answer)


def _refusal(status: int, content_range: str) -> Response:
    if status == 416:  # noqa: PLR2004  # Range Not Satisfiable
        return problem(416, "range", "the file has no such bytes; Content-Range says how long it is",
                       headers={"Content-Range": content_range})  # fmt: skip
    return problem(400, "bad-request", "the Range header can't be read; write bytes=FIRST-LAST")
