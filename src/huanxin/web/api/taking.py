"""Taking the body of a receipt, within limits: to a file first unless it is small, then to whoever reads it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from anyio import to_thread
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import BadRequest, HuanxinError, UnsupportedForm
from huanxin.domain.partners import Partner, Scope
from huanxin.numbersets import tables
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.web.api.uploads import receive
from huanxin.web.bodies import has_its_own_limit
from huanxin.web.context import Context, calling_partner

Work = Callable[[Partner, tables.Content], tuple[dict[str, Any], bool]]
"""Files a partner's receipt: the answer's body, and whether the receipt is new."""
_SMALL = 64 * 1024  # bytes; most receipts answer for one owner's number, and a folder each would cost more than reading them


@dataclass(frozen=True, kw_only=True)
class Body:
    """What the headers say of a body: its media type, how it is packed, its digest."""

    kind: str
    encoding: str
    digest: str


async def take(request: Request, work: Work, body: Body) -> Response:
    """Receive a body and let `work` file it, in a thread: 201 for a new receipt, 200 for one that is known."""
    context: Context = request.app.state.context
    has_its_own_limit(request)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) <= _SMALL and not body.encoding:
        held = io.BytesIO()
        try:
            await _received(request, held, body, context)
        except HuanxinError:
            await to_thread.run_sync(_caller, request)  # who shows no good token is told that first
            raise
        told, new = await to_thread.run_sync(lambda: work(_caller(request), held.getvalue()), limiter=context.programs)
    else:
        partner = await to_thread.run_sync(_caller, request)  # before much is received from whoever it is
        context.uploads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="receipt-", dir=context.uploads) as folder:
            path = Path(folder) / "receipt"
            with path.open("wb") as file:
                length = await _received(request, file, body, context)
            limiter = context.large if length > tables.BLOCK else context.programs
            told, new = await to_thread.run_sync(work, partner, path, limiter=limiter)
    return JSONResponse(told, status_code=201 if new else 200)


def _caller(request: Request) -> Partner:
    return calling_partner(request, Scope.RECEIPTS)


async def _received(request: Request, file: IO[bytes], body: Body, context: Context) -> int:
    if body.kind.split(";")[0].strip().lower() not in (CSV, PARQUET):
        raise UnsupportedForm(f"a receipt is {CSV} or {PARQUET}, not {body.kind}")
    return await receive(
        request.stream(), file, encoding=body.encoding.strip().lower(), digest=body.digest,
        announced=request.headers.get("content-length"), limits=context.limits,
    )  # fmt: skip


def inspected(content: tables.Content, context: Context) -> tables.Source:
    """A receipt that came, looked into. Raises BadRequest for one that is no table, or too long once unpacked."""
    try:
        return tables.inspect(content, most=context.limits.most_bytes, count_rows=False)
    except tables.BadTable as error:
        raise BadRequest(str(error)) from error
