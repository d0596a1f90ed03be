"""Receipts that partners leave in their folders, by number: what became of each; and what refused receipts named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.domain.parts import Part, Parts
from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """What became of one numbered receipt: `receipt_id` if it was taken, `problem` (RFC 9457) if it was refused. `sha256`
    as its manifest said it (hex, None if that could not be read)."""

    sha256: str | None
    receipt_id: str | None
    problem: dict[str, Any] | None


def parts(tx: Tx, notice_id: str) -> Parts:
    """The numbered receipts of a notice that were taken, and those that they replace."""
    rows = tx.execute(
        "SELECT number, replaces FROM receipt_file WHERE notice_id = %s AND receipt_id IS NOT NULL", (notice_id,)
    ).fetchall()
    return Parts(
        taken=frozenset(number for number, _ in rows), replaced=frozenset(one for _, replaces in rows for one in replaces)
    )


def dealt(tx: Tx, notice_id: str, number: int) -> Dealt | None:
    """What became of a numbered receipt; None if nothing has yet."""
    with tx.cursor(row_factory=class_row(Dealt)) as cursor:
        return cursor.execute(
            "SELECT sha256, receipt_id, problem FROM receipt_file WHERE notice_id = %s AND number = %s", (notice_id, number)
        ).fetchone()


def take(tx: Tx, notice_id: str, part: Part, *, receipt_id: str, sha256: str, at: datetime) -> None:
    """Record that a numbered receipt was taken."""
    tx.execute(
        "INSERT INTO receipt_file (notice_id, number, replaces, sha256, receipt_id, dealt_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (notice_id, part.number, sorted(part.replaces), sha256, receipt_id, at),
    )


def refuse(tx: Tx, notice_id: str, number: int, *, sha256: str | None, problem: dict[str, Any], at: datetime) -> None:
    """Record that a numbered receipt was refused."""
    tx.execute(
        "INSERT INTO receipt_file (notice_id, number, sha256, problem, dealt_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (notice_id, number, sha256, Jsonb(problem), at),
    )


def note_named(tx: Tx, notice_id: str, named: BitMap, *, at: datetime) -> None:
    """Record which places a receipt named that was refused, those of them that no refused one named before."""
    if new := named - named_in_refused(tx, notice_id):
        tx.execute(
            "INSERT INTO receipt_refusal (notice_id, refused_at, places) VALUES (%s, %s, %s)", (notice_id, at, dump(new))
        )


def named_in_refused(tx: Tx, notice_id: str) -> BitMap:
    """Places that refused receipts of a notice named."""
    rows = tx.execute("SELECT places FROM receipt_refusal WHERE notice_id = %s", (notice_id,), binary=True)
    return BitMap.union(BitMap(), *(load(places) for (places,) in rows))
