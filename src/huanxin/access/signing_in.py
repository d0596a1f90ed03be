"""Signing in: a password (argon2id), a code from an authenticator (TOTP, RFC 6238), and a lock after wrong tries.

An unknown login, a wrong password and a disabled operator are told the same, are locked the same and take the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pyotp
from argon2.exceptions import VerifyMismatchError

from huanxin.access.people import HASHER
from huanxin.domain.clock import lasts
from huanxin.domain.errors import BadInput
from huanxin.domain.operators import Operator
from huanxin.store.access import operators
from huanxin.store.access.operators import SignInRecord
from huanxin.store.acting import Act
from huanxin.words.sentences import Sentence

TRIES = 5
LOCK = timedelta(minutes=15)
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$zTMpR9pZ3k+wBZzNupqHJg$JTVuPU5jmM6tYlhAS2QmLsUDzF+a6b9Mjz6dppjP2sc"
"""What a password is compared with where there is none: made once of 256 random bits that nobody kept, with HASHER. Written
down, since making it costs every process that starts more than most of its imports."""


class TryResult(StrEnum):
    """What came of a try."""

    IN = "in"
    CODE = "code"
    """the password is right; a code from the authenticator is still to come"""
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, kw_only=True)
class SignInTried:
    """A try; `operator` is set unless the result is WRONG or LOCKED."""

    result: TryResult
    operator: Operator | None = None
    must_change: bool = False


def try_password(act: Act, login: str, password: str) -> SignInTried:
    """Try a password; a wrong one counts, and after five the login is locked for a quarter of an hour."""
    tried, stored = _compare(act, login, password)
    if tried.result is TryResult.IN and tried.operator and stored:
        if stored.totp_secret:
            return SignInTried(result=TryResult.CODE, operator=tried.operator)
        return _signed_in(act, tried.operator, stored, how="password")
    return tried


def confirm_password(act: Act, person: Operator, password: str) -> TryResult:
    """Whether whoever is signed in knows the password; a wrong one counts as at the sign-in."""
    return _compare(act, person.login, password)[0].result


def _compare(act: Act, login: str, password: str) -> tuple[SignInTried, SignInRecord | None]:
    login = login.strip().casefold()
    person = operators.by_login(act.tx, login)
    stored = operators.login_of(act.tx, person.id) if person and person.enabled else None
    right = _matches(stored.password_hash if stored and stored.password_hash else NOBODYS, password)
    if person is None or stored is None or stored.password_hash is None:
        return _nobody(act, login), None
    if lasts(stored.locked_until, LOCK, act.now):
        return SignInTried(result=TryResult.LOCKED), stored
    if not right:
        return _failed(act, person, stored), stored
    return SignInTried(result=TryResult.IN, operator=person), stored


def try_code(act: Act, person: Operator, code: str, *, secret: str) -> SignInTried:
    """Try a code from the authenticator, after the password; a wrong one counts like a wrong password."""
    stored = operators.login_of(act.tx, person.id)
    if lasts(stored.locked_until, LOCK, act.now):
        return SignInTried(result=TryResult.LOCKED)
    step = step_of(secret, code, act.now)
    used = step is not None and step <= stored.totp_step <= step + 2  # beyond, a clock that ran ahead took it
    if step is None or used or not person.enabled:
        return _failed(act, person, stored)
    operators.took_step(act.tx, person.id, step)
    return _signed_in(act, person, stored, how="password and code")


def let_in(act: Act, person: Operator, *, how: str) -> SignInTried:
    """Record that somebody else vouched for a person, such as an OpenID provider."""
    if not person.enabled:
        return SignInTried(result=TryResult.WRONG)
    return _signed_in(act, person, operators.login_of(act.tx, person.id), how=how)


def new_secret() -> str:
    """A secret for an authenticator, base32."""
    return pyotp.random_base32()


def address_for_authenticator(person: Operator, secret: str, *, issuer: str) -> str:
    """The otpauth: address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name=issuer)


def prove_totp(act: Act, person: Operator, code: str, *, secret: str, sealed: str) -> None:
    """Take an authenticator into use once it has shown a right code; sign-ins without it have ended. Raises BadInput for a
    wrong one."""
    step = step_of(secret, code, act.now)
    if step is None:
        raise BadInput(Sentence("this code is not right; let the network set the clock of your phone, and try the next one"))
    operators.set_totp(act.tx, person.id, sealed, step=step)
    operators.end_sessions(act.tx, person.id, act.now)
    operators.note(act.tx, person.id, "totp-set", by=person.login, at=act.now)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, one before and after allowed for clocks; None for a wrong code."""
    totp = pyotp.TOTP(secret)
    typed = "".join(code.split())
    current = int(now.timestamp()) // totp.interval
    return next((step for step in (current, current - 1, current + 1) if totp.generate_otp(step) == typed), None)


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False


def _nobody(act: Act, login: str) -> SignInTried:
    """A try at a login that lets nobody in counts like anybody's."""
    failures, until = operators.unknown_login(act.tx, login, now=act.now)
    if lasts(until, LOCK, act.now):
        return SignInTried(result=TryResult.LOCKED)
    failures, locked = _counted(failures, act.now)
    operators.count_unknown(act.tx, login, failures=failures, locked_until=locked)
    return SignInTried(result=TryResult.LOCKED if locked else TryResult.WRONG)


def _counted(failures: int, now: datetime) -> tuple[int, datetime | None]:
    """Failures after one more, and until when the login is locked by it, if it is."""
    return (0, now + LOCK) if failures + 1 >= TRIES else (failures + 1, None)


def _failed(act: Act, person: Operator, stored: SignInRecord) -> SignInTried:
    failures, locked = _counted(stored.failures, act.now)
    operators.count_failure(act.tx, person.id, failures=failures, locked_until=locked)
    if locked:
        operators.note(act.tx, person.id, "locked-out", by="platform", at=act.now, detail={"until": locked.isoformat()})
    return SignInTried(result=TryResult.LOCKED if locked else TryResult.WRONG)


def _signed_in(act: Act, person: Operator, stored: SignInRecord, *, how: str) -> SignInTried:
    operators.count_failure(act.tx, person.id, failures=0, locked_until=None)
    if stored.sessions_after > act.now:  # set by a clock that ran ahead: this sign-in would be over before it begins
        operators.end_sessions(act.tx, person.id, act.now)
    operators.note(act.tx, person.id, "signed-in", by=person.login, at=act.now, detail={"how": how})
    return SignInTried(result=TryResult.IN, operator=person, must_change=stored.must_change)
