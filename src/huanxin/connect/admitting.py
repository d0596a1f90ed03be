"""A person admits an account, and it goes live: both need a self-test that passed on the endpoint that is there now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from huanxin.connect.todo import what_to_do
from huanxin.domain.accounts import BEFORE_ADMISSION, Account, Happened, Item, Known, Step, checklist, missing
from huanxin.domain.errors import Conflict
from huanxin.store import accounts
from huanxin.store.database import Tx


def admit(tx: Tx, known: Known, *, required: bool, by: str, now: datetime) -> None:
    """Record that an operator lets an account go live, and whether its answers will be required. Again with something
    else supersedes it. Raises Conflict if something is missing, or the account is live.
    """
    account = known.account
    if known.last(Happened.LIVE):
        raise Conflict(f"{account.name} is live already")
    _refuse_missing(account, missing(checklist(known, now), *BEFORE_ADMISSION), "can't be admitted")
    accounts.note(tx, account.id, Happened.ADMITTED, detail={"required": required}, by=by, at=now)


def may_go_live(known: Known, now: datetime) -> bool:
    """Whether an admitted account may go live, and if so, whether its answers are required. Raises Conflict if not."""
    account = known.account
    if live := known.last(Happened.LIVE):
        raise Conflict(
            f"{account.name} is live since {live.at:%Y-%m-%d}, and its secret was shown once. If it is lost, the operator"
            " makes another: `huanxin partner rotate-key`"
        )
    _refuse_missing(account, missing(checklist(known, now), *BEFORE_ADMISSION, Step.ADMITTED), "can't go live")
    admitted = known.last(Happened.ADMITTED)
    assert admitted is not None
    return bool(admitted.detail["required"])


def record_live(tx: Tx, account: Account, *, client_id: str, required: bool, by: str, now: datetime) -> None:
    """Record that an account has its live credentials."""
    detail = {"client_id": client_id, "required": required}
    accounts.note(tx, account.id, Happened.LIVE, detail=detail, by=by, at=now)


def _refuse_missing(account: Account, items: Sequence[Item], what: str) -> None:
    if items:
        raise Conflict(f"{account.name} {what} yet: {'; '.join(f'{one.step}: {what_to_do(one)}' for one in items)}")
