"""What is made to go wrong in a rehearsal, so that a partner can be seen to notice. In the sandbox's schema."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from huanxin.store.database import Tx


def spoil(tx: Tx, notice_id: str, spoiled: bool, *, at: datetime) -> None:
    """Serve the number file of a notice broken from now on, or right again."""
    tx.execute("INSERT INTO spoiled_file (notice_id, spoiled, at) VALUES (%s, %s, %s)", (notice_id, spoiled, at))


def is_spoiled(tx: Tx, notice_id: str) -> bool:
    """Whether the number file of a notice is to be served broken."""
    row = tx.execute(
        "SELECT spoiled FROM spoiled_file WHERE notice_id = %s ORDER BY id DESC LIMIT 1", (notice_id,)
    ).fetchone()
    return bool(row and row[0])


def serve_as(tx: Tx, jti: str, token: str, *, at: datetime) -> None:
    """Let a poll answer an event with just this token. The same again changes nothing."""
    tx.execute(
        "INSERT INTO rehearsed_token (jti, token, at) VALUES (%s, %s, %s) ON CONFLICT (jti) DO NOTHING", (jti, token, at)
    )


def tokens(tx: Tx, jtis: Sequence[str]) -> dict[str, str]:
    """The tokens that some events are to be answered with, where there is one."""
    return dict(tx.execute("SELECT jti, token FROM rehearsed_token WHERE jti = ANY(%s)", (list(jtis),)).fetchall())
