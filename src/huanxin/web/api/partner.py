"""`/partner/v1`: what a partner fetches and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from huanxin.answer import single
from huanxin.answer.lines import longest
from huanxin.answer.receiving import (
    CONFIRMATION,
    Accepted,
    Filing,
    confirmation,
    file_receipt,
    note_named,
    partners_notice,
    zone_of,
)
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.partners import Partner, Scope
from huanxin.numbersets import delimited, tables
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.request import requests
from huanxin.web.api import schemas
from huanxin.web.api.files import number_file_of
from huanxin.web.api.filing import Desk, body_of, inspected, take
from huanxin.web.api.rehearsals import spoiled_file
from huanxin.web.api.single import MOST_REQUESTS, SingleDesk, request_item
from huanxin.web.context import Context, calling_partner
from huanxin.web.freed_memory import give_back
from huanxin.work.refusals import note_refusal

TAG = {"name": "Notices and receipts", "description": "What a partner is told, and what it answers."}
router = APIRouter(prefix="/partner/v1", tags=[TAG["name"]])


def _reader(request: Request) -> Partner:
    return calling_partner(request, Scope.NOTICES)


Reader = Annotated[Partner, Depends(_reader)]
Key = Annotated[
    str,
    Header(
        max_length=200,
        description="Names this receipt: sent again, it is the same receipt; other content under it is a conflict (409). "
        "Choose a new one for each receipt, and the same one to try it again.",
    ),
]


@router.get(
    "/notices", summary="The caller's notices, newest first", response_model=schemas.NoticeList,
    responses=schemas.problems(401, 403), openapi_extra=schemas.needs(Scope.NOTICES),
)  # fmt: skip
def list_notices(request: Request, partner: Reader) -> Response:
    """Each with its purpose, its cut-off, its answer-by and its count; first those of requests (the latest thousand), with
    their one `number`, then those of batches. A notice is pushed too; whoever missed the push finds it here. Needs the
    scope `notices`."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        told = notices.of_partner(seen.tx, partner.id)
        known = {batch.id: batch for batch in batches.all_batches(seen.tx)}
        asked = requests.of_partner(seen.tx, partner.id, MOST_REQUESTS)
    found = [
        {"notice": one.id, "purpose": known[one.batch_id].purpose, "count": known[one.batch_id].count,
         "cutoff": known[one.batch_id].cutoff.isoformat(), "answer_by": one.answer_by.isoformat()}
        for one in told
    ]  # fmt: skip
    return JSONResponse({"notices": [*map(request_item, asked), *found]})


@router.head(
    "/notices/{notice_id}/numbers", summary="Length and ETag of a notice's number file", response_class=Response,
    operation_id="head_numbers", responses=schemas.NUMBERS, openapi_extra=schemas.needs(Scope.NOTICES),
)  # fmt: skip
@router.get(
    "/notices/{notice_id}/numbers", summary="The numbers of a notice, as CSV or Parquet", response_class=Response,
    operation_id="get_numbers", responses=schemas.NUMBERS, openapi_extra=schemas.needs(Scope.NOTICES),
)  # fmt: skip
def numbers(request: Request, notice_id: str, partner: Reader, accept: Annotated[str, Header()] = CSV) -> Response:
    """One column, `number`, ascending. `Accept` chooses CSV or Parquet. The bytes hash to the SHA-256 that the notice
    says, which is the ETag too. A download that broke off goes on with `Range` (and `If-Range`); `If-None-Match`
    saves one that is here already. Needs the scope `notices`."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        notice = partners_notice(seen.tx, notice_id, partner)
        batch = batches.get(seen.tx, notice.batch_id)
    assert batch is not None
    media_type = PARQUET if PARQUET in accept else CSV
    return spoiled_file(context, notice_id, batch.id, media_type) or number_file_of(request, context, batch, media_type)


@router.post(
    "/notices/{notice_id}/receipts", status_code=201, summary="File a receipt, whole or in parts",
    response_description="The receipt was taken.",
    response_model=schemas.ReceiptTaken, responses=schemas.RECEIPTS,
    openapi_extra=schemas.RECEIPT_BODY | schemas.needs(Scope.RECEIPTS),
)  # fmt: skip
async def receipts(
    request: Request,
    notice_id: str,
    complete: Annotated[bool, Query(description="Whatever no receipt of this notice lists is absent.")] = False,
    content_type: Annotated[str, Header(description=f"{CSV} or {PARQUET}")] = CSV,
    content_encoding: Annotated[str, Header(description="gzip or zstd, if the body is packed")] = "",
    content_digest: Annotated[str, Header(description="sha-256=:BASE64: of the body as sent (RFC 9530)")] = "",
    idempotency_key: Key = "",
) -> Response:
    """`number,outcome,reason,until` as CSV or Parquet, plain or packed with gzip or zstd. A receipt is taken whole, or
    refused whole with the lines and reasons. The same `Idempotency-Key` again is the same receipt, answered with 200.
    Without a key the same content is, but for what it refuses or puts off and another receipt has changed since. A later
    receipt supersedes an earlier one for the numbers that it names. `confirmation` is the platform's signature under
    what it took: keep it. Needs the scope `receipts`."""
    context: Context = request.app.state.context
    desk: Desk = BatchDesk(context, notice_id, complete, idempotency_key)
    if notice_id.startswith(single.PREFIX):
        desk = SingleDesk(context, notice_id, complete, idempotency_key)
    return await take(request, desk, body_of(request, content_type, content_encoding, content_digest))


@router.post(
    "/receipts", status_code=201, summary="Answer the notices of many requests in one receipt",
    response_description="The receipt was taken.", response_model=schemas.ReceiptsTaken, responses=schemas.MANY_RECEIPTS,
    openapi_extra=schemas.MANY_BODY | schemas.needs(Scope.RECEIPTS),
)  # fmt: skip
async def many_receipts(
    request: Request,
    content_type: Annotated[str, Header(description=f"{CSV} or {PARQUET}")] = CSV,
    content_encoding: Annotated[str, Header(description="gzip or zstd, if the body is packed")] = "",
    content_digest: Annotated[str, Header(description="sha-256=:BASE64: of the body as sent (RFC 9530)")] = "",
    idempotency_key: Key = "",
) -> Response:
    """`notice,number,outcome,reason,until`: one line for each notice of a request (ids that begin with `nr_`), at most
    10,000. Taken whole or refused whole. A key names one answer to each notice; without one, what was answered before
    is a repeat, unless it refuses or puts off what another answer has settled since. Needs the scope `receipts`."""
    desk = SingleDesk(request.app.state.context, None, False, idempotency_key)
    return await take(request, desk, body_of(request, content_type, content_encoding, content_digest))


@dataclass(frozen=True)
class BatchDesk:
    """Where receipts for a notice of a batch are filed."""

    scope = Scope.RECEIPTS
    context: Context
    notice_id: str
    complete: bool
    idempotency_key: str

    def most(self, partner: Partner) -> int:
        with self.context.platform.read() as seen:
            batch = batches.get(seen.tx, partners_notice(seen.tx, self.notice_id, partner).batch_id)
        assert batch is not None
        return longest(batch.count)

    def file(self, partner: Partner, content: tables.Content) -> tuple[dict[str, Any], bool]:
        context, platform = self.context, self.context.platform
        with platform.read() as seen:
            notice = partners_notice(seen.tx, self.notice_id, partner)
        roster = context.rosters.get(notice.batch_id)
        source = inspected(content, context, longest(len(roster)))
        try:
            with platform.act(partner.client_id) as act:
                accepted = file_receipt(
                    act,
                    source,
                    Filing(
                        notice=notice, roster=roster, zone=zone_of(act, notice, platform.zone).key, complete=self.complete,
                        key=self.idempotency_key,
                    ),
                )  # fmt: skip
        except (BadInput, Conflict) as error:
            with platform.act(partner.client_id) as act:
                note_named(act, notice, error)
            note_refusal(platform, partner, self.notice_id, error)
            raise
        if isinstance(content, Path) and content.stat().st_size > delimited.BLOCK:
            give_back()
        return _answer(context, partner, accepted), accepted.new


def _answer(context: Context, partner: Partner, accepted: Accepted) -> dict[str, Any]:
    """What a partner is told of its receipt: only after the transaction ended, since it is signed."""
    claims = confirmation(accepted, audience=partner.client_id, now=context.platform.now())
    told = {name: claims[name] for name in ("receipt", "accepted", "complete", "outstanding")}
    return told | {"confirmation": context.signer.signed(CONFIRMATION, claims)}
