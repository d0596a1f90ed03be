"""What the pages of certificates show, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from huanxin.disclose.certificate import statement_of
from huanxin.disclose.printing import address, spaced
from huanxin.disclose.verifying import Finding
from huanxin.domain.numbers import NumberingPlan, masked
from huanxin.paper import qr
from huanxin.store.disclose.certificates import Certificate
from huanxin.web.pages.certificate.words import ANSWERS, VerdictWords
from huanxin.web.pages.labels import carrier_name
from huanxin.words.saying import Text, Words


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a certificate says. `number` is masked unless whoever looks has shown that they know it."""

    id: str
    number: str
    masked: bool
    opened_on: date
    before: str
    carrier: Text
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class ResultView:
    """The answer to whoever checks a certificate. `same`: whether the number that they entered is the certified one."""

    answer: VerdictWords
    checked_at: datetime
    stated: Stated | None
    revoked_at: datetime | None = None
    revoked_why: str = ""
    same: bool | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class HolderView:
    """A certificate as its holder sees it. `answer` is None as long as it is good."""

    answer: VerdictWords | None
    stated: Stated
    statement: Words
    address: str
    code: str
    text: str


def result_view(
    finding: Finding, plan: NumberingPlan, now: datetime, *, same: bool | None = None, problem: str = ""
) -> ResultView:
    """What is shown for a finding."""
    one, revoked = finding.certificate, finding.revocation
    return ResultView(
        answer=ANSWERS[finding.verdict], checked_at=now, same=same, problem=problem,
        stated=_stated(one, plan, hidden=not (finding.text_given or same)) if one else None,
        revoked_at=revoked.revoked_at if revoked else None, revoked_why=revoked.reason if revoked else "",
    )  # fmt: skip


def holder_view(finding: Finding, one: Certificate, plan: NumberingPlan, issuer: str, label: str) -> HolderView:
    """What its holder is shown."""
    where, said = address(issuer, one.id), statement_of(one)
    return HolderView(
        answer=None if finding.verdict == "valid" else ANSWERS[finding.verdict], stated=_stated(one, plan, hidden=False),
        statement=Words(zh=said.chinese(), en=said.english()), address=where, code=qr.svg(where, label), text=one.token,
    )  # fmt: skip


def _stated(one: Certificate, plan: NumberingPlan, *, hidden: bool) -> Stated:
    return Stated(
        id=one.id, number=masked(one.number) if hidden else spaced(one.number), masked=hidden,
        opened_on=one.opened_on, before=one.before, carrier=carrier_name(one.carrier, plan),
        issued_at=one.issued_at, expires_at=one.expires_at,
    )  # fmt: skip
