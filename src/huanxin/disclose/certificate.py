"""Certificates (易主证明): a signed statement that a number was opened for its present subscriber on a day, and whether
it belonged to somebody else before. It names nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from huanxin.disclose.statement import VERSION, Before, Statement
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.domain.numbers import masked, written
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.tenures import NumberTenures, State
from huanxin.store.acting import Act, Reading
from huanxin.store.disclose import certificates
from huanxin.store.disclose.certificates import Certificate, Revocation
from huanxin.store.report import reports

KIND = "huanxin-certificate+jwt"
"""The `typ` of a certificate's JWS (RFC 8725 section 3.11: no other token of ours passes for one)."""


class Reason(StrEnum):
    """Why a certificate is revoked: its holder asked for it; it was issued by mistake; the number is in dispute."""

    HOLDER = "holder"
    MISTAKE = "mistake"
    DISPUTE = "dispute"


def draft(act: Act, number: int, *, new_id: NewId = random_id) -> Certificate:
    """The certificate of a number's present tenure: the one that is good already, else a new one to be signed (its
    `token` is empty). Raises Conflict, in words for whoever holds the number, if nothing can be certified."""
    where = reports.standing_of(act.tx, number)
    made = _stated(where, number)
    good = _good(act, made)
    if good:
        return good
    revoked = (certificates.revocation(act.tx, one.id) for one in certificates.of_tenure(act.tx, number, made.opened_on))
    if any(one and one.reason == Reason.DISPUTE for one in revoked):
        raise Conflict(f"the certificate of {masked(number)} was revoked in a dispute; ask your carrier to settle it")
    assert where.current is not None
    issued_at = act.now.replace(microsecond=0)
    return Certificate(
        id=new_id("ce"), number=number, carrier=where.current.opened_by, opened_on=made.opened_on, before=made.before,
        token="", issued_at=issued_at, expires_at=issued_at + timedelta(days=act.rules.certificate_days), issued_by=act.by,
    )  # fmt: skip


def claims(one: Certificate) -> dict[str, Any]:
    """What is signed (RFC 7519): the number as in the notices, the day and what was before; times in Unix seconds."""
    return {
        "jti": one.id, "iat": int(one.issued_at.timestamp()), "exp": int(one.expires_at.timestamp()),
        "sub_id": {"format": "phone_number", "phone_number": written(one.number)}, "carrier": one.carrier,
        "opened_on": one.opened_on.isoformat(), "before": one.before, "text": VERSION,
    }  # fmt: skip


def keep(act: Act, drafted: Certificate, token: str) -> Certificate:
    """Record a draft with its signature. If another was recorded in between, that one stands."""
    certificates.one_per_number(act.tx, drafted.number)
    good = _good(act, statement_of(drafted))
    if good:
        return good
    signed = replace(drafted, token=token)
    certificates.add(act.tx, signed)
    return signed


def revoke(act: Act, certificate_id: str, *, reason: Reason, note: str) -> Revocation:
    """Revoke a certificate for good; revoking it again changes nothing. Raises NotFound, or BadInput without a name."""
    if not act.by.strip():
        raise BadInput("say who revokes the certificate")
    if certificates.get(act.tx, certificate_id) is None:
        raise NotFound(f"there is no certificate {certificate_id}; its number stands on the paper, like ce_…")
    certificates.revoke(
        act.tx, Revocation(certificate_id=certificate_id, reason=reason, note=note, revoked_by=act.by, revoked_at=act.now)
    )
    found = certificates.revocation(act.tx, certificate_id)
    assert found is not None
    return found


def statement_of(one: Certificate) -> Statement:
    """What a certificate states."""
    return Statement(number=one.number, opened_on=one.opened_on, before=Before(one.before))


def _good(reading: Reading, stated: Statement) -> Certificate | None:
    """The certificate that says this already and is neither revoked nor expired."""
    for one in certificates.of_tenure(reading.tx, stated.number, stated.opened_on):
        if one.expires_at > reading.now and one.before == stated.before and not certificates.revocation(reading.tx, one.id):
            return one
    return None


def _stated(where: NumberTenures, number: int) -> Statement:
    """What can be stated of a number now. Raises Conflict if it is nothing."""
    tenure = where.current
    if tenure is None or tenure.opened_on is None:
        raise Conflict(_why_not(where, number))
    before = Before.ANOTHER if where.recycled else Before.NOBODY
    return Statement(number=number, opened_on=tenure.opened_on, before=before)


def _why_not(where: NumberTenures, number: int) -> str:
    if where.state is State.UNKNOWN:
        return (
            f"no carrier has reported {masked(number)} yet, so nothing can be certified; ask again later or ask your carrier"
        )
    if where.state is State.PORTED_OUT:
        return f"{masked(number)} was taken to another carrier, which has not reported it yet; ask that carrier"
    if where.state is State.FROZEN:
        return f"{masked(number)} is not in service, as the carrier reported, so it has no owner to certify"
    return f"when {masked(number)} was opened lies before the carrier's first report, so no day can be certified"
