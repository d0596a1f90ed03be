"""Forms that somebody sent after their sign-in had ended, kept for a while: one for each person in each room."""

from __future__ import annotations

from datetime import datetime, timedelta

from huanxin.store.database import Tx

KEPT = timedelta(days=1)


def put(tx: Tx, room: str, whose: str, sealed: bytes, at: datetime) -> None:
    """Keep what somebody sent, in place of what was kept of them before."""
    tx.execute(
        "INSERT INTO unsent_form (room, whose, sealed, kept_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (room, whose) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at",
        (room, whose, sealed, at),
    )


def get(tx: Tx, room: str, whose: str, since: datetime) -> bytes | None:
    """What is kept of somebody since an instant."""
    row = tx.execute(
        "SELECT sealed FROM unsent_form WHERE room = %s AND whose = %s AND kept_at >= %s", (room, whose, since)
    ).fetchone()
    return row[0] if row else None


def take(tx: Tx, room: str, whose: str, since: datetime) -> bytes | None:
    """The same, which is kept no more: nobody takes it twice."""
    row = tx.execute(
        "DELETE FROM unsent_form WHERE room = %s AND whose = %s AND kept_at >= %s RETURNING sealed", (room, whose, since)
    ).fetchone()
    return row[0] if row else None


def forget(tx: Tx, before: datetime) -> None:
    """Drop what was kept before an instant."""
    tx.execute("DELETE FROM unsent_form WHERE kept_at < %s", (before,))
