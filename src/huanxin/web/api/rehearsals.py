"""What a rehearsal needs of the partner API: number files that are broken on purpose, and why receipts were refused."""

from __future__ import annotations

from fastapi.responses import Response

from huanxin.domain.errors import BadInput
from huanxin.domain.partners import Partner
from huanxin.numbersets.numberfile import number_file
from huanxin.store import partners, rehearsals
from huanxin.store.partners import RECEIPT_REFUSED
from huanxin.web.context import Context

_FAULTS_KEPT = 5
_LOST = 5  # bytes


def spoiled_file(context: Context, notice_id: str, batch_id: int, media_type: str) -> Response | None:
    """A file that lacks its end, where the sandbox wants to see whether its hash is checked; None where it doesn't."""
    if not context.platform.sandbox:
        return None
    with context.platform.database.transaction() as tx:
        if not rehearsals.is_spoiled(tx, notice_id):
            return None
    return Response(number_file(context.rosters.get(batch_id).numbers, media_type)[:-_LOST], media_type=media_type)


def note_refusal(context: Context, partner: Partner, notice_id: str, error: BadInput) -> None:
    """Keep why a receipt was refused, for the partner's own pages and for its self-test."""
    lines = [f"line {fault.line}: {fault.reason}" for fault in error.faults[:_FAULTS_KEPT]]
    detail = {"detail": "; ".join([str(error), *lines])}
    with context.platform.database.transaction() as tx:
        partners.note(
            tx, partner.id, RECEIPT_REFUSED, notice_id=notice_id, by=partner.client_id, at=context.platform.now(),
            detail=detail,
        )  # fmt: skip
