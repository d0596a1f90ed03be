"""Tokens of operators as stored: by their hashes."""

from __future__ import annotations

from datetime import datetime

from huanxin.store.database import Tx


def add(tx: Tx, operator_id: int, token_hash: bytes, *, by: str, at: datetime) -> None:
    """Record a token."""
    tx.execute(
        "INSERT INTO operator_token (operator_id, token_hash, made_by, made_at) VALUES (%s, %s, %s, %s)",
        (operator_id, token_hash, by, at),
    )


def end_all(tx: Tx, operator_id: int, *, by: str, at: datetime) -> int:
    """End the tokens of an operator; how many were good until now."""
    return tx.execute(
        "INSERT INTO operator_token_end (token_id, ended_by, ended_at)"
        " SELECT id, %s, %s FROM operator_token WHERE operator_id = %s ON CONFLICT DO NOTHING",
        (by, at, operator_id),
    ).rowcount


def holder(tx: Tx, token_hash: bytes) -> int | None:
    """The operator whose token has this hash, if it is good."""
    row = tx.execute(
        "SELECT t.operator_id FROM operator_token t WHERE t.token_hash = %s"
        " AND NOT EXISTS (SELECT FROM operator_token_end e WHERE e.token_id = t.id)",
        (token_hash,),
    ).fetchone()
    return int(row[0]) if row else None
