"""Receipts for requests over HTTP: one number of one notice, or the notices of many requests in one file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from huanxin.acts.requests import file_single
from huanxin.answer.receiving import CONFIRMATION
from huanxin.answer.single import LONGEST, asked, confirmation, read
from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner, Scope
from huanxin.numbersets import tables
from huanxin.store.request.requests import RequestNotice
from huanxin.web.api.filing import inspected
from huanxin.web.context import Context

MOST_REQUESTS = 1_000


@dataclass(frozen=True)
class SingleDesk:
    """Where receipts are filed for the notice that the address names, or for those that its lines name."""

    scope = Scope.RECEIPTS
    context: Context
    notice_id: str | None
    complete: bool
    idempotency_key: str

    def most(self, partner: Partner) -> int:
        if self.notice_id:
            with self.context.platform.read() as seen:
                asked(seen.tx, partner, self.notice_id)
        return LONGEST

    def file(self, partner: Partner, content: tables.Content) -> tuple[dict[str, Any], bool]:
        platform, source = self.context.platform, inspected(content, self.context, LONGEST)
        taken = file_single(
            platform, partner, partial(read, source), notice_id=self.notice_id, complete=self.complete,
            key=self.idempotency_key,
        )  # fmt: skip
        claims = confirmation(
            taken.told, audience=partner.client_id, sha256=source.sha256, lines=taken.lines, notice=self.notice_id,
            now=platform.now(),
        )  # fmt: skip
        return taken.told | {"confirmation": self.context.signer.signed(CONFIRMATION, claims)}, taken.new


def request_item(one: RequestNotice) -> dict[str, Any]:
    """A request's notice in the list of notices."""
    return {
        "notice": one.id, "purpose": one.purpose, "count": 1, "number": written(one.number),
        "cutoff": one.cutoff.isoformat(), "answer_by": one.answer_by.isoformat(),
    }  # fmt: skip
