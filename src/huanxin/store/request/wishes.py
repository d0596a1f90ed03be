"""Apps that people named and that are not connected; hand-overs that were used."""

from __future__ import annotations

from datetime import datetime

from huanxin.store.database import Tx


def add(tx: Tx, name: str, number_hash: bytes, at: datetime) -> None:
    """Count a wish; the same number's second wish for the same name changes nothing."""
    tx.execute(
        "INSERT INTO wished_partner (name, number_hash, wished_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (name, number_hash, at),
    )


def of_number(tx: Tx, number_hash: bytes) -> list[str]:
    """What was wished for with a number, newest first."""
    rows = tx.execute("SELECT name FROM wished_partner WHERE number_hash = %s ORDER BY wished_at DESC", (number_hash,))
    return [name for (name,) in rows]


def ranked(tx: Tx, limit: int) -> list[tuple[str, int, datetime]]:
    """(name, how many numbers wished for it, when last), the most wanted first."""
    return tx.execute(
        "SELECT name, count(*), max(wished_at) FROM wished_partner GROUP BY name ORDER BY count(*) DESC, name LIMIT %s",
        (limit,),
    ).fetchall()


def use_handover(tx: Tx, jti: str, *, expires_at: datetime, now: datetime) -> bool:
    """Note that a hand-over was shown; False if it was shown before. Those that ended are forgotten."""
    tx.execute("DELETE FROM used_handover WHERE expires_at < %s", (now,))
    done = tx.execute(
        "INSERT INTO used_handover (jti, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", (jti, expires_at)
    )
    return done.rowcount == 1
