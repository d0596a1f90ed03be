"""Receipts for requests over HTTP: one number of one notice, or the notices of many requests in one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huanxin.acts import single
from huanxin.answer.single import LONGEST
from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner
from huanxin.numbersets import tables
from huanxin.store.request.requests import RequestNotice
from huanxin.web.api.filing import inspected
from huanxin.web.context import Context

MOST_REQUESTS = 1_000


@dataclass(frozen=True)
class SingleDesk:
    """Where receipts are filed for the notice that the address names, or for those that its lines name."""

    context: Context
    notice_id: str | None
    complete: bool
    idempotency_key: str

    def most(self, partner: Partner) -> int:
        if self.notice_id:
            with self.context.platform.read() as seen:
                single.asked(seen.tx, partner, self.notice_id)
        return LONGEST

    def file(self, partner: Partner, content: tables.Content) -> tuple[dict[str, Any], bool]:
        platform, signer = self.context.platform, self.context.signer
        source = inspected(content, self.context, LONGEST)
        taken = single.file_single(
            platform, signer, partner, source, notice_id=self.notice_id, complete=self.complete, key=self.idempotency_key
        )
        return taken.told, taken.new


def request_item(one: RequestNotice) -> dict[str, Any]:
    """A request's notice in the list of notices."""
    return {
        "notice": one.id, "purpose": one.purpose, "count": 1, "number": written(one.number),
        "cutoff": one.cutoff.isoformat(), "answer_by": one.answer_by.isoformat(),
    }  # fmt: skip
