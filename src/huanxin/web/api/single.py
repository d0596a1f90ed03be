"""Receipts for requests over HTTP: one number of one notice, or the notices of many requests in one file."""

from __future__ import annotations

from collections import Counter
from typing import Any

from huanxin.answer.receiving import CONFIRMATION
from huanxin.answer.single import Line, read
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import random_id
from huanxin.numbersets import tables
from huanxin.store import requests
from huanxin.store.requests import Asked, RequestNotice
from huanxin.web.api.taking import inspected
from huanxin.web.context import Context

MOST_REQUESTS = 1_000


def file_single(
    context: Context, partner: Partner, content: tables.Content, *, notice_id: str | None, complete: bool
) -> tuple[dict[str, Any], bool]:
    """Take a receipt for the notice that the address names, or for those that its lines name."""
    told = _told(context, partner, notice_id) if notice_id else None
    source = inspected(content, context)
    lines = read(source)
    if told and complete and not lines:
        lines = [Line(line=0, notice="", number=written(told.number), outcome="absent", reason="", until="")]
    if not lines:
        raise BadInput("the receipt has no lines; write one line for each notice that it answers")
    answered = context.platform.answer_requests(partner, lines, notice=notice_id)
    accepted = dict(Counter(line.outcome for line in lines))
    taken: dict[str, Any] = {"receipts": answered.receipts, "accepted": accepted}
    if notice_id:
        receipt = answered.receipts[notice_id]
        taken = {"receipt": receipt, "accepted": accepted, "complete": complete, "outstanding": 0}
    now = context.platform.now()
    claims = taken | {
        "aud": partner.client_id, "iat": int(now.timestamp()), "jti": random_id("cf"), "sha256": source.sha256.hex(),
        "lines": len(lines), "received_at": now.isoformat(),
    } | ({"notice": notice_id} if notice_id else {})  # fmt: skip
    return taken | {"confirmation": context.signer.signed(CONFIRMATION, claims)}, answered.new > 0


def _told(context: Context, partner: Partner, notice_id: str) -> Asked:
    """A notice of this partner. Raises NotFound for another's as for none (rule 5)."""
    with context.platform.database.transaction() as tx:
        found = requests.asked(tx, partner.id, [notice_id]).get(notice_id)
    if found is None:
        raise NotFound(f"there is no notice {notice_id} for this partner")
    return found


def request_item(one: RequestNotice) -> dict[str, Any]:
    """A request's notice in the list of notices."""
    return {
        "notice": one.id, "purpose": one.purpose, "count": 1, "number": written(one.number),
        "cutoff": one.cutoff.isoformat(), "answer_by": one.answer_by.isoformat(),
    }  # fmt: skip
