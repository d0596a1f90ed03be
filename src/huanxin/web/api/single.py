"""Receipts for requests over HTTP: one number of one notice, or the notices of many requests in one file."""

from __future__ import annotations

from typing import Any

from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner
from huanxin.numbersets import tables
from huanxin.operations import single
from huanxin.store.requests import RequestNotice
from huanxin.web.api.taking import inspected
from huanxin.web.context import Context

MOST_REQUESTS = 1_000


def file_single(
    context: Context, partner: Partner, content: tables.Content, *, notice_id: str | None, complete: bool
) -> tuple[dict[str, Any], bool]:
    """Take a receipt for the notice that the address names, or for those that its lines name."""
    source = inspected(content, context)
    taken = single.file_single(context.platform, context.signer, partner, source, notice_id=notice_id, complete=complete)
    return taken.told, taken.new


def request_item(one: RequestNotice) -> dict[str, Any]:
    """A request's notice in the list of notices."""
    return {
        "notice": one.id, "purpose": one.purpose, "count": 1, "number": written(one.number),
        "cutoff": one.cutoff.isoformat(), "answer_by": one.answer_by.isoformat(),
    }  # fmt: skip
