"""Codes sent by SMS, as stored: their hashes, how often each was tried, how many were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from huanxin.domain.clock import APART
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Code:
    """A code that is still good: the hash, how many wrong ones were tried against it, when it was asked for."""

    id: str
    code_hash: bytes
    tries: int
    asked_at: datetime


def add(
    tx: Tx, *, code_id: str, number: int, code_hash: bytes, asked_from: bytes, at: datetime, expires_at: datetime
) -> None:
    """Record that a code was made for a number; the codes before it are good no more."""
    tx.execute("UPDATE sms_code SET used_at = %s WHERE number = %s AND used_at IS NULL", (at, number))
    tx.execute(
        "INSERT INTO sms_code (id, number, code_hash, asked_from, asked_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (code_id, number, code_hash, asked_from, at, expires_at),
    )


def asked_within(
    tx: Tx, span: timedelta, now: datetime, *, number: int | None = None, asked_from: bytes | None = None
) -> tuple[int, datetime | None]:
    """How many codes were asked for within a span before now, and when the oldest of them: for a number, from an address,
    or at all."""
    row = tx.execute(
        "SELECT count(*), min(asked_at) FROM sms_code WHERE asked_at > %s AND asked_at <= %s"
        " AND (%s::int8 IS NULL OR number = %s) AND (%s::bytea IS NULL OR asked_from = %s)",
        (now - span, now + APART, number, number, asked_from, asked_from),
    ).fetchone()
    assert row is not None
    return int(row[0]), row[1]


def good_code(tx: Tx, number: int, now: datetime) -> Code | None:
    """The code of a number that is good now, locked until this transaction ends."""
    with tx.cursor(row_factory=class_row(Code)) as cursor:
        return cursor.execute(
            "SELECT id, code_hash, tries, asked_at FROM sms_code WHERE number = %s AND used_at IS NULL AND expires_at > %s"
            " AND asked_at <= %s ORDER BY asked_at DESC LIMIT 1 FOR UPDATE",
            (number, now, now + APART),
        ).fetchone()


def count_try(tx: Tx, code_id: str) -> None:
    """Record that a wrong code was tried."""
    tx.execute("UPDATE sms_code SET tries = tries + 1 WHERE id = %s", (code_id,))


def use(tx: Tx, code_id: str, at: datetime) -> None:
    """Record that a code was used, or is good no more."""
    tx.execute("UPDATE sms_code SET used_at = %s WHERE id = %s", (at, code_id))


def forget(tx: Tx, before: datetime) -> None:
    """Drop codes asked for before an instant: they limit nothing any more."""
    tx.execute("DELETE FROM sms_code WHERE asked_at < %s", (before,))


def one_at_a_time(tx: Tx) -> None:
    """Make all that ask for codes wait for each other, until this transaction ends: they are counted by number, by address
    and together, and who counts at the same time counts too few."""
    tx.execute("SELECT pg_advisory_xact_lock(%s, %s)", (7_308, 0))
