"""A form with one file, taken to a file of its own within the limits of uploads: lists are too long for memory."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from huanxin.domain.errors import BadRequest
from huanxin.web.api.uploads import Limits, announced, limited
from huanxin.web.bodies import has_its_own_limit
from huanxin.web.context import Context
from huanxin.words.sentences import Sentence

_FIELDS = 12
_LONGEST = 200  # bytes of a file's name, of which file systems take 255


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a form said. `path` has the name under which it was sent, and is gone after the request; None without a file."""

    fields: Mapping[str, str]
    path: Path | None
    length: int


async def multipart(request: Request, limits: Limits, *, fields: int) -> FormData:
    """A form with at most one file, taken within the limits. Close it. Raises TooLarge, TooSlow, Unavailable or
    BadRequest."""
    context: Context = request.app.state.context
    has_its_own_limit(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadRequest(Sentence("send the form of the page: multipart/form-data with one file"))
    context.room.check(min(announced(request) or 0, limits.most_bytes))
    body = limited(request.stream(), limits, announced(request), context.room.check)
    try:
        return await MultiPartParser(request.headers, body, max_files=1, max_fields=fields).parse()  # type: ignore[arg-type]
    except (MultiPartException, ClientDisconnect, ValueError) as error:
        raise BadRequest(Sentence("the form came in damaged or was cut short; nothing was taken, send it again")) from error


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Sent]:
    """The form of a request. Raises TooLarge, TooSlow, Unavailable or BadRequest."""
    context: Context = request.app.state.context
    form = await multipart(request, context.limits, fields=_FIELDS)
    context.uploads.mkdir(parents=True, exist_ok=True)
    try:
        fields = {key: value for key, value in form.items() if isinstance(value, str)}
        file = next((value for value in form.values() if isinstance(value, UploadFile) and value.filename), None)
        with tempfile.TemporaryDirectory(prefix="report-", dir=context.uploads) as folder:
            path = Path(folder) / file_name(file.filename or "") if file else None
            if file and path:
                await to_thread.run_sync(_copy, file, path)
            yield Sent(fields=fields, path=path, length=path.stat().st_size if path else 0)
    finally:
        await form.close()


def _copy(file: UploadFile, path: Path) -> None:
    file.file.seek(0)
    with path.open("wb") as out:
        shutil.copyfileobj(file.file, out, 1 << 20)


def file_name(sent: str) -> str:
    """The file's own name as one that may be written: without what could lead out of a folder, its end if it is long."""
    name = re.sub(r"[\x00-\x1f/\\:]+", "-", sent.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    return name.encode()[-_LONGEST:].decode(errors="ignore").strip(". ") or "file"
