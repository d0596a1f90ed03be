"""Figures for pages, counted from the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from huanxin.store import answered
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The platform's whole record: numbers put into renewal batches (answered or not: how many of them are renewed is
    counted for /watch), ties cut (pairs answered `unbound`), partners that are not withdrawn, released numbers."""

    planned: int
    ties_cut: int
    partners: int
    released: int


def totals(tx: Tx, *, now: datetime) -> Totals:
    row = tx.execute(
        "SELECT (SELECT coalesce(sum(count), 0) FROM batch WHERE purpose = 'renewal'),"
        " (SELECT count(*) FROM partner p WHERE NOT EXISTS (SELECT FROM partner_withdrawal w WHERE w.partner_id = p.id)),"
        " (SELECT coalesce(sum(count), 0) FROM release)"
    ).fetchone()
    assert row is not None
    cut = sum(counts.get("unbound", 0) for counts in answered.counted(tx, now=now).values())
    return Totals(planned=int(row[0]), ties_cut=cut, partners=int(row[1]), released=int(row[2]))


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
