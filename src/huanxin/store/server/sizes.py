"""Figures of the database itself."""

from __future__ import annotations

from huanxin.store.database import Tx


def ping(tx: Tx) -> None:
    """Ask the database for a sign of life; raises what psycopg raises."""
    tx.execute("SELECT 1")


def bytes_on_disk(tx: Tx, *tables: str) -> int:
    """What some tables take with their indexes, or the whole database, in bytes."""
    if tables:
        row = tx.execute(
            "SELECT sum(pg_total_relation_size(name::regclass))::int8 FROM unnest(%s::text[]) name", (list(tables),)
        ).fetchone()
    else:
        row = tx.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])
