"""Whether a certificate is good: against the record (the platform's own answer), or by the public keys alone (offline)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from huanxin.disclose.certificate import KIND
from huanxin.disclose.statement import Before, Statement
from huanxin.domain.errors import BadInput, TooMany
from huanxin.domain.numbers import parse
from huanxin.domain.shown import key_set, read_token, verified
from huanxin.domain.tenures import State
from huanxin.store.acting import Act, Reading
from huanxin.store.database import Tx
from huanxin.store.disclose import certificates
from huanxin.store.disclose.certificates import Certificate, Revocation
from huanxin.store.report import reports

LONGEST = 4096
"""Characters of the longest text that is looked at; a certificate has about 600."""
_TRIES, _TRIES_IN = 10, timedelta(days=1)
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_ID = r"ce_[\w-]{20}"
_ADDRESS = re.compile(rf"(?:\S*/verify/)?({_ID})/?", re.ASCII)


class Verdict(StrEnum):
    """What is said of a certificate. `ended`: the number has changed hands again or is out of service; `corrected`: the
    carrier's record says otherwise by now; `moved`: taken to another carrier, and nothing reported since (rule 4)."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED = "ended"
    CORRECTED = "corrected"
    MOVED = "moved"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict, and what it is about; without a certificate for `not_ours`. `text_given`: the signed text itself was
    shown, so its number is no secret to whoever asks."""

    verdict: Verdict
    certificate: Certificate | None = None
    revocation: Revocation | None = None
    text_given: bool = False


NOT_OURS = Finding(verdict=Verdict.NOT_OURS)


def verify(reading: Reading, given: str) -> Finding:
    """What the record says of a certificate, given as its text, its number (`ce_…`) or its address.

    A text has to be the recorded one, byte for byte, which says more than its signature: a statement that the platform did
    not record is not its own, even under its own key, and an old one is known when its key is long gone.
    """
    text = "".join(given.split()) if len(given) <= LONGEST else ""
    if named := _ADDRESS.fullmatch(text):
        found = certificates.get(reading.tx, named[1])
        return _judged(reading, found) if found else NOT_OURS
    found = certificates.get(reading.tx, _id_in(text)) if _TOKEN.fullmatch(text) else None
    return _judged(reading, found, text_given=True) if found and found.token == text else NOT_OURS


def _id_in(token: str) -> str:
    """The id that a token claims; nothing is believed of it yet."""
    try:
        claimed = str(read_token(token)[1].get("jti"))
    except ValueError:
        return ""
    return claimed if re.fullmatch(_ID, claimed, re.ASCII) else ""


def _judged(reading: Reading, one: Certificate, *, text_given: bool = False) -> Finding:
    revoked = certificates.revocation(reading.tx, one.id)
    if revoked:
        verdict = Verdict.REVOKED
    else:
        verdict = by_record(reading.tx, one)
        if verdict is Verdict.VALID and one.expires_at <= reading.now:
            verdict = Verdict.EXPIRED
    return Finding(verdict=verdict, certificate=one, revocation=revoked, text_given=text_given)


def by_record(tx: Tx, one: Certificate) -> Verdict:
    """Whether carriers' reports still say what the certificate says."""
    where = reports.standing_of(tx, one.number)
    mine = [tenure for tenure in where.tenures if tenure.opened_on == one.opened_on]
    if not mine:
        return Verdict.CORRECTED
    if where.state is State.PORTED_OUT and mine[-1] == where.tenures[-1]:
        return Verdict.MOVED
    if where.current is None or where.current.opened_on != one.opened_on:
        return Verdict.ENDED
    before = Before.ANOTHER if where.recycled else Before.NOBODY
    return Verdict.VALID if before == one.before else Verdict.CORRECTED


def same_number(act: Act, one: Certificate, written_on_it: str) -> bool:
    """Whether a number that somebody read on a certificate is the certified one, so that a changed paper shows.

    Raises BadInput for what is no number, TooMany after ten wrong ones in a day: nobody finds the number by trying.
    """
    try:
        number = act.plan.typed(written_on_it)
    except ValueError as error:
        raise BadInput(str(error)) from error
    if certificates.misses(act.tx, one.id, _TRIES_IN, act.now) >= _TRIES:
        raise TooMany("this certificate was compared with too many numbers today; try again tomorrow", 86_400)
    if number != one.number:
        certificates.add_miss(act.tx, one.id, act.now)
    return number == one.number


@dataclass(frozen=True, kw_only=True)
class Read:
    """A certificate as its text and the public keys alone say: who signed it, what it states, until when it is good."""

    id: str
    issuer: str
    carrier: str
    statement: Statement
    issued_at: datetime
    expires_at: datetime


def read_offline(given: str, jwks: Any) -> Read:
    """Verify a certificate's signature by public keys (RFC 7517), without the platform: whether it was revoked or the
    number has changed hands since is not known then. `jwks`: as read from JSON, whatever it is. Raises BadInput with the
    reason if it is not genuine."""
    token = "".join(given.split())
    try:
        header, _ = read_token(token)
        found = verified(token, key_set(jwks), ["ES256"])
    except ValueError as error:
        raise BadInput("this text was altered or cut off, or was not signed with one of these keys") from error
    if header.get("typ") != KIND:
        raise BadInput("this was signed with one of these keys, and is not a certificate")
    try:
        return _stated(found)
    except (KeyError, TypeError, ValueError, OverflowError, OSError, AttributeError) as error:
        raise BadInput("this was signed with one of these keys, and states nothing that certificates state") from error


def _stated(found: dict[str, Any]) -> Read:
    return Read(
        id=found["jti"], issuer=found["iss"], carrier=found["carrier"],
        issued_at=datetime.fromtimestamp(found["iat"], UTC), expires_at=datetime.fromtimestamp(found["exp"], UTC),
        statement=Statement(
            number=parse(found["sub_id"]["phone_number"]), opened_on=date.fromisoformat(found["opened_on"]),
            before=Before(found["before"]),
        ),
    )  # fmt: skip
