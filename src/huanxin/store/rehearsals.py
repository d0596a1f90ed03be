"""What is made to go wrong in a rehearsal, so that a partner can be seen to notice. In the sandbox's schema."""

from __future__ import annotations

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
