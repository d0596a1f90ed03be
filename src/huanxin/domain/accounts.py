"""Accounts: companies that connect by themselves, and what each still has to do. State follows from what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from huanxin.domain.partners import Kind

SELFTEST_HOLDS = timedelta(days=30)
"""How long a passed self-test counts: what passed a month ago may have been rebuilt since."""


class Happened(StrEnum):
    """What is recorded of an account."""

    REGISTERED = "registered"
    DOMAIN_PROVEN = "domain-proven"
    ADMITTED = "admitted"
    LIVE = "live"
    WITHDRAWN = "withdrawn"
    """The admission was taken back: what it led to counts no more."""
    NAME_FREED = "name-freed"
    """The account is closed, and another may have its name."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A company that connects. `challenge` is what it has to show at its domain; its sandbox partner is there from the
    start."""

    id: str
    name: str
    kind: Kind
    domain: str
    challenge: str
    sandbox_client_id: str
    registered_at: datetime


@dataclass(frozen=True, kw_only=True)
class AccountEvent:
    """Something that happened at an account: what, the details, who did it, when."""

    account_id: str
    kind: str
    detail: dict[str, Any]
    recorded_by: str
    at: datetime


class RunState(StrEnum):
    """Where a self-test stands."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """One run of the self-test against one endpoint. `ended_at` is None while it runs, or if it was cut short."""

    id: str
    account_id: str
    endpoint: str
    started_by: str
    started_at: datetime
    state: RunState
    ended_at: datetime | None


class ToDo(StrEnum):
    """The checklist, in order."""

    REGISTERED = "registered"
    DOMAIN = "domain"
    ENDPOINT = "endpoint"
    SELFTEST = "selftest"
    ADMITTED = "admitted"
    LIVE = "live"
    LIVE_ENDPOINT = "live-endpoint"


class NotDone(StrEnum):
    """NotDone a step is not done."""

    NOT_YET = "not-yet"
    RUNNING = "running"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    OTHER_ENDPOINT = "other-endpoint"
    TOO_OLD = "too-old"
    NOT_VERIFIED = "not-verified"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the checklist: done since `at`, or not and why; `note` is what a person wrote about it."""

    step: ToDo
    at: datetime | None = None
    why: NotDone | None = None
    note: str = ""

    @property
    def done(self) -> bool:
        return self.why is None


@dataclass(frozen=True, kw_only=True)
class Known:
    """The facts that an account's checklist follows from. Endpoints are ways (domain.streams.way_of), None where there is
    no stream; `selftests` are newest first; `live_verified_at`: when the live one last
    took a verification event."""

    account: Account
    events: Sequence[AccountEvent]
    sandbox_endpoint: str | None
    endpoint_since: datetime | None
    selftests: Sequence[SelfTest]
    live_endpoint: str | None = None
    live_verified_at: datetime | None = None

    def last(self, kind: Happened) -> AccountEvent | None:
        """The last event of a kind that still counts."""
        return last(self.events, kind)


def last(events: Sequence[AccountEvent], kind: Happened) -> AccountEvent | None:
    """The last event of a kind that still counts: an admission, and going live by it, do until it is withdrawn."""
    for event in reversed(events):
        if event.kind == kind:
            return event
        if event.kind == Happened.WITHDRAWN and kind in (Happened.ADMITTED, Happened.LIVE):
            return None
    return None


def checklist(known: Known, now: datetime) -> list[Item]:
    """What is done and what is missing, in the order in which it is done best."""
    items = [
        Item(step=ToDo.REGISTERED, at=known.account.registered_at),
        _happened(known, ToDo.DOMAIN, Happened.DOMAIN_PROVEN),
    ]
    if known.sandbox_endpoint:
        items.append(Item(step=ToDo.ENDPOINT, at=known.endpoint_since))
    else:
        items.append(Item(step=ToDo.ENDPOINT, why=NotDone.NOT_YET))
    items.append(_selftest(known, now))
    items.append(_admitted(known))
    items.append(_happened(known, ToDo.LIVE, Happened.LIVE))
    items.append(_live_endpoint(known))
    return items


def missing(items: Sequence[Item], *steps: ToDo) -> list[Item]:
    """Those of some steps that are not done."""
    return [item for item in items if item.step in steps and not item.done]


BEFORE_ADMISSION = (ToDo.REGISTERED, ToDo.DOMAIN, ToDo.ENDPOINT, ToDo.SELFTEST)
"""Only who has done these may be admitted, and only who has done them still may go live."""


def state(known: Known) -> str:
    """`sandbox`, `admitted`, `live`, `withdrawn` or `closed`."""
    if known.last(Happened.NAME_FREED):
        return "closed"
    if known.last(Happened.LIVE):
        return "live"
    if known.last(Happened.ADMITTED):
        return "admitted"
    return "withdrawn" if known.last(Happened.WITHDRAWN) else "sandbox"


def _admitted(known: Known) -> Item:
    item = _happened(known, ToDo.ADMITTED, Happened.ADMITTED)
    withdrawn = None if item.done else known.last(Happened.WITHDRAWN)
    if withdrawn is None:
        return item
    return Item(step=ToDo.ADMITTED, at=withdrawn.at, why=NotDone.WITHDRAWN, note=str(withdrawn.detail["reason"]))


def _happened(known: Known, step: ToDo, kind: Happened) -> Item:
    event = known.last(kind)
    return Item(step=step, at=event.at) if event else Item(step=step, why=NotDone.NOT_YET)


def _selftest(known: Known, now: datetime) -> Item:
    """A run that passed on the present endpoint counts for a month, whatever came after it on another; a later run on the
    same endpoint that failed undoes it."""
    step, runs = ToDo.SELFTEST, known.selftests
    here = [run for run in runs if run.endpoint == known.sandbox_endpoint]
    decided = next((run for run in here if run.state in (RunState.PASSED, RunState.FAILED)), None)
    if decided and decided.state is RunState.PASSED:
        at = decided.ended_at or decided.started_at
        return Item(step=step, at=at) if now - at <= SELFTEST_HOLDS else Item(step=step, at=at, why=NotDone.TOO_OLD)
    if runs and runs[0].state is RunState.RUNNING:
        return Item(step=step, why=NotDone.RUNNING)
    if decided:
        return Item(step=step, at=decided.ended_at, why=NotDone.FAILED)
    if here:
        return Item(step=step, at=here[0].started_at, why=NotDone.INTERRUPTED)
    return Item(step=step, why=NotDone.OTHER_ENDPOINT if runs else NotDone.NOT_YET)


def _live_endpoint(known: Known) -> Item:
    if not known.live_endpoint:
        return Item(step=ToDo.LIVE_ENDPOINT, why=NotDone.NOT_YET)
    if known.live_verified_at is None:
        return Item(step=ToDo.LIVE_ENDPOINT, why=NotDone.NOT_VERIFIED)
    return Item(step=ToDo.LIVE_ENDPOINT, at=known.live_verified_at)
