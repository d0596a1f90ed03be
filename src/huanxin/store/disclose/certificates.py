"""Certificates as stored: the signed statements that were given out, and which of them were revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.rows import class_row

from huanxin.domain.clock import APART
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A signed statement on one tenure. `token` is the JWS, empty for as long as it is not signed; `before` says whom
    the number belonged to before `opened_on`."""

    id: str
    number: int
    carrier: str
    opened_on: date
    before: str
    token: str
    issued_at: datetime
    expires_at: datetime
    issued_by: str


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """That a certificate is no longer good. `note` is for operators; `reason` is shown to whoever verifies."""

    certificate_id: str
    reason: str
    note: str
    revoked_by: str
    revoked_at: datetime


_CERTIFICATE = "id, number, carrier, opened_on, before, token, issued_at, expires_at, issued_by"
_REVOCATION = "certificate_id, reason, note, revoked_by, revoked_at"


def one_per_number(tx: Tx, number: int) -> None:
    """Make certificates of the same number wait for each other, until this transaction ends."""
    tx.execute("SELECT pg_advisory_xact_lock(%s, %s)", (7_308, number % 2_147_483_647))


def add(tx: Tx, one: Certificate) -> None:
    """Record a certificate."""
    tx.execute(
        f"INSERT INTO certificate ({_CERTIFICATE}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (one.id, one.number, one.carrier, one.opened_on, one.before, one.token, one.issued_at, one.expires_at,
         one.issued_by),
    )  # fmt: skip


def get(tx: Tx, certificate_id: str) -> Certificate | None:
    with tx.cursor(row_factory=class_row(Certificate)) as cursor:
        return cursor.execute(f"SELECT {_CERTIFICATE} FROM certificate WHERE id = %s", (certificate_id,)).fetchone()


def of_tenure(tx: Tx, number: int, opened_on: date) -> list[Certificate]:
    """The certificates of a number's tenure, newest first."""
    with tx.cursor(row_factory=class_row(Certificate)) as cursor:
        return cursor.execute(
            f"SELECT {_CERTIFICATE} FROM certificate WHERE number = %s AND opened_on = %s ORDER BY issued_at DESC, id",
            (number, opened_on),
        ).fetchall()


def of_number(tx: Tx, number: int) -> list[Certificate]:
    """Every certificate of a number, oldest first."""
    with tx.cursor(row_factory=class_row(Certificate)) as cursor:
        return cursor.execute(
            f"SELECT {_CERTIFICATE} FROM certificate WHERE number = %s ORDER BY issued_at, id", (number,)
        ).fetchall()


_GOOD_OF = f"""
SELECT {_CERTIFICATE}
FROM certificate c
WHERE number = ANY(%s) AND expires_at > %s AND NOT EXISTS (
    SELECT FROM certificate_revocation r
    WHERE r.certificate_id = c.id
)
ORDER BY number, issued_at, id
"""


def good_of(tx: Tx, numbers: list[int], now: datetime) -> list[Certificate]:
    """The certificates of some numbers that are neither revoked nor expired."""
    with tx.cursor(row_factory=class_row(Certificate)) as cursor:
        return cursor.execute(_GOOD_OF, (numbers, now)).fetchall()


def revoke(tx: Tx, one: Revocation) -> bool:
    """Record that a certificate is revoked; False if it was before."""
    done = tx.execute(
        f"INSERT INTO certificate_revocation ({_REVOCATION}) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (one.certificate_id, one.reason, one.note, one.revoked_by, one.revoked_at),
    )
    return done.rowcount == 1


def revocation(tx: Tx, certificate_id: str) -> Revocation | None:
    with tx.cursor(row_factory=class_row(Revocation)) as cursor:
        return cursor.execute(
            f"SELECT {_REVOCATION} FROM certificate_revocation WHERE certificate_id = %s", (certificate_id,)
        ).fetchone()


def misses(tx: Tx, certificate_id: str, span: timedelta, now: datetime) -> int:
    """How many numbers that were not a certificate's own it was compared with within a span before now. Whoever compares
    with the same certificate waits until this transaction ends."""
    tx.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (7_309, certificate_id))
    row = tx.execute(
        "SELECT count(*) FROM certificate_miss WHERE certificate_id = %s AND at > %s AND at <= %s",
        (certificate_id, now - span, now + APART),
    ).fetchone()
    assert row is not None
    return int(row[0])


def add_miss(tx: Tx, certificate_id: str, at: datetime) -> None:
    """Note that a certificate was compared with a number that is not its own."""
    tx.execute("INSERT INTO certificate_miss (certificate_id, at) VALUES (%s, %s)", (certificate_id, at))
