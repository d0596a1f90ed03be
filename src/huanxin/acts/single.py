"""Receipts for owners' orders, over HTTP and by files: one number of one notice, or the notices of many in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.answer.receiving import CONFIRMATION
from huanxin.answer.single import Line, read
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import random_id
from huanxin.numbersets import tables
from huanxin.signing.keys import Signer
from huanxin.store.database import Tx
from huanxin.store.request import requests
from huanxin.store.request.requests import Asked
from huanxin.words.sentences import Sentence


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A receipt that was taken: what the partner is told of it, its confirmation included, and whether any answer in it is
    new."""

    told: dict[str, Any]
    new: bool


def file_single(
    platform: Platform, signer: Signer, partner: Partner, source: tables.Source, *, notice_id: str | None, complete: bool,
    key: str = "", check: Callable[[int], None] = lambda _lines: None,
) -> Taken:  # fmt: skip
    """Take a receipt for the notice that is named, or for those that its lines name. `check` is told how many lines it has
    before any of it is taken, and may raise."""
    told = None
    if notice_id:
        with platform.read() as seen:
            told = asked(seen.tx, partner, notice_id)
    lines = read(source)
    check(len(lines))
    if told and complete and not lines:
        lines = [Line(line=0, notice="", number=written(told.number), outcome="absent", reason="", until="")]
    if not lines:
        raise BadInput(Sentence("the receipt has no lines; write one line for each notice that it answers"))
    answered = platform.answer_requests(partner, lines, notice=notice_id, key=key)
    accepted = dict(Counter(line.outcome for line in lines))
    taken: dict[str, Any] = {"receipts": answered.receipts, "accepted": accepted}
    if notice_id:
        receipt = answered.receipts[notice_id]
        taken = {"receipt": receipt, "accepted": accepted, "complete": complete, "outstanding": 0}
    now = platform.now()
    claims = taken | {
        "aud": partner.client_id, "iat": int(now.timestamp()), "jti": random_id("cf"), "sha256": source.sha256.hex(),
        "lines": len(lines), "received_at": now.isoformat(),
    } | ({"notice": notice_id} if notice_id else {})  # fmt: skip
    return Taken(told=taken | {"confirmation": signer.signed(CONFIRMATION, claims)}, new=answered.new > 0)


def asked(tx: Tx, partner: Partner, notice_id: str) -> Asked:
    """What a notice of this partner asks. Raises NotFound for another's as for none (rule 5)."""
    found = requests.asked(tx, partner.id, [notice_id]).get(notice_id)
    if found is None:
        raise NotFound(Sentence("there is no notice %(notice)s for this partner", notice=notice_id))
    return found
