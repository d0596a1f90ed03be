"""A person admits an account, and it goes live: both need a self-test that passed on the endpoint that is there now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from huanxin.connect.todo import what_to_do
from huanxin.domain.accounts import BEFORE_ADMISSION, Account, Happened, Item, Known, ToDo, checklist, missing
from huanxin.domain.errors import BadInput, Conflict
from huanxin.store.acting import Act
from huanxin.store.connect import accounts
from huanxin.words.sentences import N_, Sentence

_NOT_ADMITTED = N_("%(name)s can't be admitted yet: %(todo)s")
_NOT_LIVE = N_("%(name)s can't go live yet: %(todo)s")


def admit(act: Act, known: Known, *, required: bool) -> None:
    """Record that an operator lets an account go live, and whether its answers will be required. Again with something
    else supersedes it. Raises Conflict if something is missing, or the account is live.
    """
    account = known.account
    if known.last(Happened.LIVE):
        raise Conflict(Sentence("%(name)s is live already", name=account.name))
    if known.last(Happened.NAME_FREED):
        raise Conflict(Sentence("%(name)s is closed; the company registers anew", name=account.name))
    _refuse_missing(
        account, missing(checklist(known, act.now), *BEFORE_ADMISSION), N_("%(name)s can't be admitted yet: %(todo)s")
    )
    accounts.note(act.tx, account.id, Happened.ADMITTED, detail={"required": required}, by=act.by, at=act.now)


def withdraw(act: Act, known: Known, *, reason: str) -> None:
    """Record that an operator takes an admission back. Raises Conflict if there is none, BadInput without a reason."""
    account = known.account
    if known.last(Happened.ADMITTED) is None:
        raise Conflict(Sentence("%(name)s is not admitted, so there is nothing to withdraw", name=account.name))
    accounts.note(act.tx, account.id, Happened.WITHDRAWN, detail={"reason": _given(reason)}, by=act.by, at=act.now)


def free_name(act: Act, known: Known, *, reason: str) -> None:
    """Record that an account is closed and its name free. Raises Conflict while it is admitted, BadInput without a
    reason."""
    account = known.account
    if known.last(Happened.ADMITTED):
        raise Conflict(Sentence("%(name)s is admitted; withdraw that first", name=account.name))
    if known.last(Happened.NAME_FREED):
        raise Conflict(Sentence("the name of %(name)s was freed before", name=account.name))
    accounts.note(act.tx, account.id, Happened.NAME_FREED, detail={"reason": _given(reason)}, by=act.by, at=act.now)


def _given(reason: str) -> str:
    if not reason.strip():
        raise BadInput(Sentence("write the reason; it is recorded"))
    return reason.strip()


def may_go_live(known: Known, now: datetime) -> bool:
    """Whether an admitted account may go live, and if so, whether its answers are required. Raises Conflict if not."""
    account = known.account
    if live := known.last(Happened.LIVE):
        raise Conflict(
            Sentence(
                "%(name)s is live since %(day)s, and its secret was shown once. If it is lost, the operator makes another:"
                " `huanxin partner rotate-key`",
                name=account.name,
                day=f"{live.at:%Y-%m-%d}",
            )
        )
    _refuse_missing(
        account,
        missing(checklist(known, now), *BEFORE_ADMISSION, ToDo.ADMITTED),
        N_("%(name)s can't go live yet: %(todo)s"),
    )
    admitted = known.last(Happened.ADMITTED)
    assert admitted is not None
    return bool(admitted.detail["required"])


def record_live(act: Act, account: Account, *, client_id: str, required: bool) -> None:
    """Record that an account has its live credentials."""
    detail = {"client_id": client_id, "required": required}
    accounts.note(act.tx, account.id, Happened.LIVE, detail=detail, by=act.by, at=act.now)


def _refuse_missing(account: Account, items: Sequence[Item], what: str) -> None:
    if items:
        todo = [Sentence("%(step)s: %(todo)s", step=one.step.value, todo=what_to_do(one)) for one in items]
        raise Conflict(Sentence(what, name=account.name, todo=reduce(_and_then, todo)))


def _and_then(first: Sentence, then: Sentence) -> Sentence:
    return Sentence("%(first)s; %(then)s", first=first, then=then)
