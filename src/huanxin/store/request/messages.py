"""SMS of the console gateway, kept for the page that shows them in development."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from huanxin.store.database import Tx

_KEPT = 100


@dataclass(frozen=True, kw_only=True)
class DevelopmentMessage:
    """A message that would have been sent."""

    number: int
    text: str
    sent_at: datetime


def add(tx: Tx, *, number: int, text: str, at: datetime) -> None:
    """Keep a message, and no more than the last hundred."""
    row = tx.execute(
        "INSERT INTO development_message (number, text, sent_at) VALUES (%s, %s, %s) RETURNING seq", (number, text, at)
    ).fetchone()
    assert row is not None
    tx.execute("DELETE FROM development_message WHERE seq <= %s", (row[0] - _KEPT,))


def latest(tx: Tx, limit: int = 20) -> list[DevelopmentMessage]:
    """The last messages, newest first."""
    with tx.cursor(row_factory=class_row(DevelopmentMessage)) as cursor:
        return cursor.execute(
            "SELECT number, text, sent_at FROM development_message ORDER BY seq DESC LIMIT %s", (limit,)
        ).fetchall()
