"""Whole numbers for a stated purpose: which purposes there are, and the record of who saw what for which."""

from __future__ import annotations

from huanxin.domain.errors import BadInput
from huanxin.domain.operators import Right
from huanxin.store.access import operators
from huanxin.store.database import Tx
from huanxin.web.pages.console.forms import Posted
from huanxin.web.pages.console.signing import Working
from huanxin.words.sentences import N_, Sentence

PURPOSES = {
    "complaint": N_("a complaint"),
    "authority": N_("an authority's inquiry"),
    "before-sale": N_("a check before the sale"),
    "fault": N_("a search for a fault"),
}
LIST_PURPOSES = {
    "sale": N_("to the sale system"),
    "check": N_("a check of the release"),
}


def purpose_of(form: Posted, purposes: dict[str, str]) -> str:
    """The purpose that a form states, empty for none. Raises BadInput for an unknown one, or one without its ticket."""
    purpose = form["purpose"]
    if purpose and purpose not in purposes:
        raise BadInput(Sentence("choose a purpose of the list"))
    if purpose and not form["ticket"]:
        raise BadInput(Sentence("write the ticket or order that this is for; it is recorded"))
    return purpose


def note(tx: Tx, who: Working, form: Posted, **what: object) -> None:
    """Record that somebody sees whole numbers, before they do."""
    who.operator.require(Right.NUMBERS)
    detail = {**what, "purpose": form["purpose"], "ticket": form["ticket"][:200]}
    operators.note(tx, who.operator.id, "unmasked", by=who.operator.login, at=who.platform.now(), detail=detail)
