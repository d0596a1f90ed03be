"""Codes by SMS: who types the six digits that were sent to a number holds it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.domain.errors import TooMany
from huanxin.domain.rules import NewId, random_id
from huanxin.store.acting import Act
from huanxin.store.request import codes

DIGITS = 6
_KEPT = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class CodeRules:
    """How long a code is good, how often it may be typed wrong, and how many may be asked for: by a number in an hour and
    in a day, from an address in an hour, by everybody in a minute."""

    life: timedelta = timedelta(minutes=5)
    tries: int = 5
    per_number_hour: int = 5
    per_number_day: int = 10
    per_address_hour: int = 30
    overall_minute: int = 600
    pause: timedelta = timedelta(seconds=60)
    """between two codes for one number"""


def ask(
    act: Act, number: int, *, address: str, secret: str, rules: CodeRules, new_id: NewId = random_id,
    choose: Callable[[int], int] = secrets.randbelow,
) -> str:  # fmt: skip
    """Make a code for a number; the caller sends it, and it is stored nowhere. Raises TooMany beyond a limit."""
    codes.one_at_a_time(act.tx)
    asked_from = _keyed(secret, f"address/{address}")
    limits: list[tuple[timedelta, int, int | None, bytes | None]] = [
        (rules.pause, 1, number, None),
        (timedelta(hours=1), rules.per_number_hour, number, None),
        (timedelta(days=1), rules.per_number_day, number, None),
        (timedelta(hours=1), rules.per_address_hour, None, asked_from),
        (timedelta(minutes=1), rules.overall_minute, None, None),
    ]
    for span, most, of_number, of_address in limits:
        asked, oldest = codes.asked_within(act.tx, span, act.now, number=of_number, asked_from=of_address)
        if asked >= most:
            wait = max(1, int(((oldest or act.now) + span - act.now).total_seconds()) + 1)
            raise TooMany(f"too many codes were asked for; wait {wait} seconds, then ask again", retry_after=wait)
    code = f"{choose(10**DIGITS):0{DIGITS}}"
    code_id = new_id("sc")
    codes.add(
        act.tx, code_id=code_id, number=number, code_hash=_keyed(secret, f"{code_id}/{code}"), asked_from=asked_from,
        at=act.now, expires_at=act.now + rules.life,
    )  # fmt: skip
    codes.forget(act.tx, act.now - _KEPT)
    return code


@dataclass(frozen=True, kw_only=True)
class CodeTried:
    """What came of a typed code: right, or how many tries are left; `gone` if there is no good code to try. A right one
    shows whose the number was when it was asked for (`asked_at`), and not when it was typed."""

    right: bool
    left: int = 0
    gone: bool = False
    asked_at: datetime | None = None


def check(act: Act, number: int, typed: str, *, secret: str, rules: CodeRules) -> CodeTried:
    """Try a code. A right one is used up; after too many wrong ones, the code is good no more. The caller keeps the
    transaction whatever the result, or wrong tries would not count."""
    good = codes.good_code(act.tx, number, act.now)
    if good is None:
        return CodeTried(right=False, gone=True)
    if hmac.compare_digest(good.code_hash, _keyed(secret, f"{good.id}/{typed.strip()}")):
        codes.use(act.tx, good.id, act.now)
        return CodeTried(right=True, asked_at=good.asked_at)
    codes.count_try(act.tx, good.id)
    left = rules.tries - good.tries - 1
    if left <= 0:
        codes.use(act.tx, good.id, act.now)
    return CodeTried(right=False, left=max(0, left), gone=left <= 0)


def _keyed(secret: str, text: str) -> bytes:
    """Six digits are soon guessed from a plain hash, so it is keyed with the platform's passphrase."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
