"""Sign-ins of browsers that were ended before their time, so that a copy of the cookie is worth nothing any more."""

from __future__ import annotations

import hashlib
from datetime import datetime

from huanxin.store.database import Tx


def end(tx: Tx, sign_in: str, *, until: datetime, now: datetime) -> None:
    """Note that a sign-in has ended; `until`: when it would have said nothing to anybody anyway. Those that are over are
    forgotten."""
    tx.execute("DELETE FROM ended_sign_in WHERE until < %s", (now,))
    tx.execute(
        "INSERT INTO ended_sign_in (sign_in_sha256, until) VALUES (%s, %s) ON CONFLICT DO NOTHING", (_hash(sign_in), until)
    )


def has_ended(tx: Tx, sign_in: str) -> bool:
    """Whether a sign-in was ended."""
    return tx.execute("SELECT 1 FROM ended_sign_in WHERE sign_in_sha256 = %s", (_hash(sign_in),)).fetchone() is not None


def _hash(sign_in: str) -> bytes:
    return hashlib.sha256(sign_in.encode()).digest()
