"""Taking the body of a receipt: to a file first, within limits, then to whoever reads it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.errors import BadRequest, UnsupportedForm
from huanxin.numbersets import tables
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.web.api.uploads import receive
from huanxin.web.context import Context

Work = Callable[[Path], tuple[dict[str, Any], bool]]
"""Files the receipt in a file: the answer's body, and whether the receipt is new."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What the headers say of a body: its media type, how it is packed, its digest."""

    kind: str
    encoding: str
    digest: str


async def take(request: Request, work: Work, body: Body) -> Response:
    """Receive a body and let `work` file it, in a thread: 201 for a new receipt, 200 for one that is known."""
    context: Context = request.app.state.context
    context.uploads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="receipt-", dir=context.uploads) as folder:
        path = Path(folder) / "receipt"
        if body.kind.split(";")[0].strip().lower() not in (CSV, PARQUET):
            raise UnsupportedForm(f"a receipt is {CSV} or {PARQUET}, not {body.kind}")
        length = await receive(
            request.stream(), path, encoding=body.encoding.strip().lower(), digest=body.digest,
            announced=request.headers.get("content-length"), limits=context.limits,
        )  # fmt: skip
        limiter = context.large if length > tables.BLOCK else context.programs
        told, new = await to_thread.run_sync(work, path, limiter=limiter)
    return JSONResponse(told, status_code=201 if new else 200)


def inspected(path: Path) -> tables.Source:
    """A received file, looked into. Raises BadRequest for one that is no table."""
    try:
        return tables.inspect(path)
    except tables.BadTable as error:
        raise BadRequest(str(error)) from error
