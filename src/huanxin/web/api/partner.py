"""`/partner/v1`: what a partner fetches and files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from huanxin.answer.receiving import Accepted, file_receipt, partners_notice
from huanxin.domain.errors import BadInput, BadRequest, Conflict, UnsupportedForm
from huanxin.domain.partners import Partner, Scope
from huanxin.numbersets import tables
from huanxin.numbersets.numberfile import CSV, PARQUET, number_file
from huanxin.store import batches, notices
from huanxin.web.api.rehearsals import note_refusal, spoiled_file
from huanxin.web.api.uploads import receive
from huanxin.web.context import Context, calling_partner

router = APIRouter(prefix="/partner/v1", tags=["Partners"])


def _reader(request: Request) -> Partner:
    return calling_partner(request, Scope.NOTICES)


def _answerer(request: Request) -> Partner:
    return calling_partner(request, Scope.RECEIPTS)


Reader = Annotated[Partner, Depends(_reader)]
Answerer = Annotated[Partner, Depends(_answerer)]


@router.get("/notices", summary="The caller's notices, newest first")
def list_notices(request: Request, partner: Reader) -> Response:
    """Each with its batch's cut-off, its answer-by and its count."""
    context: Context = request.app.state.context
    with context.platform.database.transaction() as tx:
        told = notices.of_partner(tx, partner.id)
        known = {batch.id: batch for batch in batches.all_batches(tx)}
    found = [
        {"notice": one.id, "purpose": known[one.batch_id].purpose, "count": known[one.batch_id].count,
         "cutoff": known[one.batch_id].cutoff.isoformat(), "answer_by": known[one.batch_id].answer_by.isoformat()}
        for one in told
    ]  # fmt: skip
    return JSONResponse({"notices": found})


@router.get(
    "/notices/{notice_id}/numbers", summary="The numbers of a notice, as CSV or Parquet", response_class=FileResponse
)
def numbers(request: Request, notice_id: str, partner: Reader, accept: Annotated[str, Header()] = CSV) -> Response:
    """One column, `number`, ascending. The bytes hash to what the notice says; ranges and ETag work."""
    context: Context = request.app.state.context
    with context.platform.database.transaction() as tx:
        notice = partners_notice(tx, notice_id, partner)
        batch = batches.get(tx, notice.batch_id)
    assert batch is not None
    media_type = PARQUET if PARQUET in accept else CSV
    if spoiled := spoiled_file(context, notice_id, batch.id, media_type):
        return spoiled
    sha256 = str(batch.files[media_type]["sha256"])
    path = context.files / sha256
    if not path.exists():
        content = number_file(context.rosters.get(batch.id).numbers, media_type)
        if len(content) != batch.files[media_type]["bytes"]:
            raise Conflict("the Parquet form of this notice can't be made again by this version; fetch text/csv")
        _keep(path, content)
    return FileResponse(path, media_type=media_type, headers={"ETag": f'"{sha256}"', "Vary": "Accept"})


def _keep(path: Path, content: bytes) -> None:
    """Put a file in its place whole: another request may be making the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(beside, path)


@router.post("/notices/{notice_id}/receipts", status_code=201, summary="File a receipt, whole or in parts")
async def receipts(
    request: Request,
    notice_id: str,
    partner: Answerer,
    complete: Annotated[bool, Query(description="Whatever no receipt of this notice lists is absent.")] = False,
    content_type: Annotated[str, Header()] = CSV,
    content_encoding: Annotated[str, Header()] = "",
    content_digest: Annotated[str, Header(description="sha-256=:BASE64: of the body as sent (RFC 9530)")] = "",
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """`number,outcome,reason,until` as CSV or Parquet; gzip or zstd. Refused whole with the lines and reasons."""
    context: Context = request.app.state.context
    if content_type.split(";")[0].strip().lower() not in (CSV, PARQUET):
        raise UnsupportedForm(f"a receipt is {CSV} or {PARQUET}, not {content_type}")
    with tempfile.TemporaryDirectory(prefix="receipt-") as folder:
        path = Path(folder) / "receipt"
        await receive(
            request.stream(), path, encoding=content_encoding.strip().lower(), digest=content_digest,
            announced=request.headers.get("content-length"), limit=context.max_receipt,
        )  # fmt: skip
        try:
            accepted = await run_in_threadpool(
                _file, context, notice_id, partner, path, complete=complete, idempotency_key=idempotency_key
            )
        except BadInput as error:
            await run_in_threadpool(note_refusal, context, partner, notice_id, error)
            raise
    body = {
        "receipt": accepted.receipt.id, "accepted": accepted.receipt.counts, "complete": accepted.receipt.complete,
        "outstanding": accepted.outstanding,
    }  # fmt: skip
    return JSONResponse(body, status_code=201 if accepted.new else 200)


def _file(
    context: Context, notice_id: str, partner: Partner, path: Path, *, complete: bool, idempotency_key: str
) -> Accepted:
    platform = context.platform
    with platform.database.transaction() as tx:
        notice = partners_notice(tx, notice_id, partner)
    roster = context.rosters.get(notice.batch_id)
    source = _inspected(path)
    with platform.database.transaction() as tx:
        return file_receipt(
            tx, source, notice=notice, roster=roster, zone=next(iter(platform.plan.carriers.values())).zone.key,
            complete=complete, idempotency_key=idempotency_key, now=platform.now(),
        )  # fmt: skip


def _inspected(path: Path) -> tables.Source:
    try:
        return tables.inspect(path)
    except tables.BadTable as error:
        raise BadRequest(str(error)) from error
