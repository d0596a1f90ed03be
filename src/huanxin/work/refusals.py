"""Why a receipt was refused, kept in both languages: for the partner's own pages and for its self-test."""

from __future__ import annotations

from huanxin.acts import Platform
from huanxin.domain.errors import BadInput, HuanxinError
from huanxin.domain.partners import Partner
from huanxin.store.connect import partners
from huanxin.store.connect.partners import RECEIPT_REFUSED
from huanxin.words.saying import say
from huanxin.words.sentences import Sentence

_FAULTS_KEPT = 5


def note_refusal(platform: Platform, partner: Partner, notice_id: str, error: HuanxinError) -> None:
    """Record why a receipt of a notice was refused, with its first bad lines."""
    said = error.said
    if isinstance(error, BadInput):
        for fault in error.faults[:_FAULTS_KEPT]:
            line = (
                Sentence("line %(line)s: %(reason)s", line=fault.line, reason=fault.reason) if fault.line else fault.reason
            )
            # Of a file that can't be read at all, the one fault is what the error says.
            said = line if fault.reason == error.said else Sentence("%(first)s; %(then)s", first=said, then=line)
    detail = {"detail": str(said), "zh": say(said, "zh_CN")}
    with platform.act(partner.client_id) as act:
        partners.note(act.tx, partner.id, RECEIPT_REFUSED, notice_id=notice_id, by=act.by, at=act.now, detail=detail)
