"""A partner changes: its answers are required from now on or not, it has another name, or it leaves.

None of it frees a number: a notice keeps what was so when it was sent, and who leaves is waited for until somebody waives
(docs/decisions/0007). What is planned from then on no longer waits for an optional partner: in the console that takes two
people.
"""

from __future__ import annotations

from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.partners import Partner
from huanxin.domain.streams import Status
from huanxin.notify.streams import set_status
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.notify import streams
from huanxin.words.sentences import Sentence


def set_required(act: Act, partner: Partner, *, required: bool, reason: str) -> None:
    """Record that a partner's answers are waited for from the next notice on, or not. Raises Conflict if that is so already
    or it is withdrawn, BadInput without a reason."""
    refuse_same(_there(act, partner), required=required)
    why = _given(reason)
    partners.change(act.tx, partner.id, required=required)
    kind = "made-required" if required else "made-optional"
    partners.note(act.tx, partner.id, kind, by=act.by, at=act.now, detail={"reason": why})


def refuse_same(partner: Partner, *, required: bool) -> None:
    """Raise Conflict if a partner's answers are required, or not, as is wanted."""
    if partner.required is required:
        word = Sentence("required") if required else Sentence("optional")
        raise Conflict(Sentence("%(name)s is %(what)s already; nothing changes", name=partner.name, what=word))


def rename(act: Act, partner: Partner, name: str, *, reason: str) -> None:
    """Record another name of a partner. Raises BadInput for none, or without a reason, Conflict for one that is taken."""
    before, name = _there(act, partner).name, name.strip()
    if not name:
        raise BadInput(Sentence("a partner needs a name"))
    partners.refuse_taken(act.tx, name)
    why = _given(reason)
    partners.change(act.tx, partner.id, name=name)
    partners.note(act.tx, partner.id, "renamed", by=act.by, at=act.now, detail={"from": before, "to": name, "reason": why})


def off_board(act: Act, partner: Partner, *, reason: str) -> None:
    """Record that a partner leaves: what is on its way is given up, it is told nothing more and not let in, its name is
    free. What it has to answer is waited for until it is waived."""
    _there(act, partner)
    why = _given(reason)
    if streams.of_partner(act.tx, partner.id):
        set_status(act, partner, status=Status.DISABLED, reason=why)
    partners.withdraw(act.tx, partner.id, reason=why, by=act.by, at=act.now)
    partners.note(act.tx, partner.id, "off-boarded", by=act.by, at=act.now, detail={"reason": why})


def _there(act: Act, partner: Partner) -> Partner:
    """The partner as it is once nobody else changes it. Raises Conflict for one that is withdrawn."""
    streams.one_at_a_time(act.tx, partner.id)
    now = partners.get(act.tx, partner.id)
    if now is None or partner.id in partners.withdrawn(act.tx):
        raise Conflict(Sentence("%(name)s is withdrawn already", name=partner.name))
    return now


def _given(reason: str) -> str:
    if not reason.strip():
        raise BadInput(Sentence("write the reason; it is recorded"))
    return reason.strip()
