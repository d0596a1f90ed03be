"""Figures for pages, counted from the facts."""

from __future__ import annotations

from dataclasses import dataclass

from pyroaring import BitMap

from huanxin.store import receipts
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The platform's whole record: numbers in renewal batches, ties cut (pairs answered `unbound`), released numbers."""

    renewed: int
    ties_cut: int
    partners: int
    released: int


def totals(tx: Tx) -> Totals:
    row = tx.execute(
        "SELECT (SELECT coalesce(sum(count), 0) FROM batch WHERE purpose = 'renewal'),"
        " (SELECT count(*) FROM partner), (SELECT coalesce(sum(count), 0) FROM release)"
    ).fetchone()
    assert row is not None
    cut = sum(
        outcomes(tx, batch_id, count).by_outcome.get("unbound", 0)
        for batch_id, count in tx.execute("SELECT id, count FROM batch WHERE purpose = 'renewal'").fetchall()
    )
    return Totals(renewed=int(row[0]), ties_cut=cut, partners=int(row[1]), released=int(row[2]))


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """A batch's answers in (number, partner) pairs: by outcome, and without one; numbers released."""

    partners: int
    by_outcome: dict[str, int]
    unanswered: int
    released: int


def outcomes(tx: Tx, batch_id: int, count: int) -> Outcomes:
    """Fold a batch's answers into counts."""
    everyone = BitMap(range(count))
    told = [row[0] for row in tx.execute("SELECT partner_id FROM notice WHERE batch_id = %s", (batch_id,))]
    found: dict[str, int] = {}
    answered = 0
    for standing in receipts.standings(tx, batch_id, everyone).values():
        for answer, places in standing.answers.items():
            found[answer.outcome.value] = found.get(answer.outcome.value, 0) + len(places)
        answered += len(standing.answered())
    row = tx.execute("SELECT coalesce(sum(count), 0) FROM release WHERE batch_id = %s", (batch_id,)).fetchone()
    assert row is not None
    return Outcomes(partners=len(told), by_outcome=found, unanswered=len(told) * count - answered, released=int(row[0]))


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
