"""Receipts and waivers as stored, and the standing of every partner that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from psycopg.rows import class_row
from pyroaring import BitMap

from huanxin.domain.answers import Answer, Outcome, Receipt, Standing, Waiver, standing
from huanxin.numbersets.sharded import load
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class StoredReceipt:
    """A receipt that was taken. `counts` are its numbers by outcome."""

    id: str
    notice_id: str
    batch_id: int
    partner_id: int
    complete: bool
    lines: int
    counts: dict[str, int]
    received_at: datetime
    sha256: bytes


Entry: TypeAlias = tuple[int, Receipt | Waiver]
"""A receipt or a waiver, with its place in the order of answers."""

WAIVED_BY_ONE = """
NOT EXISTS (
    SELECT 1
    FROM decided_by_two d
    WHERE d.kind = 'waiver' AND d.batch_id = s.batch_id AND d.partner_id = s.partner_id
        AND d.decided_at = s.waived_at
)
"""
"""Of a waiver `s`: no two people decided on it."""
WAIVED_STILL = "NOT EXISTS (SELECT FROM waiver_withdrawal x WHERE x.waiver_id = s.id)"
"""Of a waiver `s`: it was not withdrawn."""
SETTLING = [outcome.value for outcome in Outcome if Answer(outcome=outcome).settles]
_COLUMNS = "id, notice_id, batch_id, partner_id, complete, lines, counts, received_at, sha256"


def of_content(tx: Tx, notice_id: str, *, sha256: bytes, complete: bool) -> list[StoredReceipt]:
    """The receipts of the same content that were filed for a notice, oldest first: the first of them says all of it."""
    with tx.cursor(row_factory=class_row(StoredReceipt)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM receipt WHERE notice_id = %s AND sha256 = %s AND complete = %s ORDER BY seq",
            (notice_id, sha256, complete),
        ).fetchall()


def of_key(tx: Tx, notice_id: str, key: str) -> list[StoredReceipt]:
    """The receipts that were filed for a notice under a key, newest first. More than one only if they are of a time in which
    a key could name several."""
    with tx.cursor(row_factory=class_row(StoredReceipt)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM receipt WHERE notice_id = %s AND idempotency_key = %s AND idempotency_key <> ''"
            " ORDER BY seq DESC",
            (notice_id, key),
        ).fetchall()


def closing(tx: Tx, receipt_id: str) -> dict[Answer, BitMap]:
    """What a receipt keeps open: its places by answer that doesn't settle them."""
    rows = tx.execute(
        "SELECT outcome, reason, until_day, places FROM receipt_set WHERE receipt_id = %s AND outcome <> ALL(%s)",
        (receipt_id, SETTLING), binary=True,
    )  # fmt: skip
    return {Answer(outcome=Outcome(outcome), reason=reason, until=until): load(places)
            for outcome, reason, until, places in rows}  # fmt: skip


def latest(tx: Tx, batch_id: int, partner_id: int) -> int:
    """The place of a partner's newest receipt for a batch in the order of answers; 0 before the first."""
    row = tx.execute(
        "SELECT coalesce(max(seq), 0) FROM receipt WHERE batch_id = %s AND partner_id = %s", (batch_id, partner_id)
    ).fetchone()
    assert row is not None
    return int(row[0])


def closed_since(tx: Tx, batch_id: int, partner_id: int, seq: int) -> BitMap:
    """The places that a partner named pending or refused after a place in the order of answers."""
    rows = tx.execute(
        "SELECT s.places FROM receipt r JOIN receipt_set s ON s.receipt_id = r.id WHERE r.batch_id = %s"
        " AND r.partner_id = %s AND r.seq > %s AND s.outcome <> ALL(%s)",
        (batch_id, partner_id, seq, SETTLING), binary=True,
    )  # fmt: skip
    return BitMap.union(BitMap(), *(load(places) for (places,) in rows))


def get(tx: Tx, receipt_id: str) -> StoredReceipt | None:
    with tx.cursor(row_factory=class_row(StoredReceipt)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM receipt WHERE id = %s", (receipt_id,)).fetchone()


def one_at_a_time(tx: Tx, notice_id: str) -> None:
    """Make the receipts and waivers of the same notice wait for each other, until this transaction ends: they are folded in
    the order of `seq`, which is that of their commits only so."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7305))", (notice_id,))


def waivers(tx: Tx, batch_id: int, only: BitMap | None = None) -> dict[int, list[tuple[int, Waiver]]]:
    """A batch's waivers that stand, by partner, each with its place in the order of answers; `only` some places of each."""
    rows = tx.execute(
        f"SELECT s.partner_id, s.seq, s.id, s.places, s.waived_by, s.reason, {WAIVED_BY_ONE} FROM waiver s"
        f" WHERE s.batch_id = %s AND {WAIVED_STILL} ORDER BY s.seq",
        (batch_id,), binary=True,
    )  # fmt: skip
    found: dict[int, list[tuple[int, Waiver]]] = {}
    for partner_id, seq, waiver_id, places, by, reason, alone in rows:
        waiver = Waiver(id=waiver_id, places=_part(places, only), by=by, reason=reason, alone=alone)
        found.setdefault(partner_id, []).append((seq, waiver))
    return found


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A waiver as it is on record, and its withdrawal, if there was one."""

    id: int
    batch_id: int
    partner_id: int
    partner: str
    count: int
    reason: str
    waived_by: str
    waived_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_why: str | None


_GRANTED = """
SELECT w.id, w.batch_id, w.partner_id, p.name AS partner, w.count, w.reason, w.waived_by, w.waived_at, x.withdrawn_by,
    x.withdrawn_at, x.reason AS withdrawn_why
FROM waiver w
JOIN partner p ON p.id = w.partner_id
LEFT JOIN waiver_withdrawal x ON x.waiver_id = w.id
"""


def granted(tx: Tx, *, batch_id: int | None = None, waiver_id: int | None = None) -> list[Granted]:
    """Waivers that were granted, withdrawn ones too, oldest first: all, of a batch, or one."""
    with tx.cursor(row_factory=class_row(Granted)) as cursor:
        return cursor.execute(
            f"{_GRANTED} WHERE w.batch_id = coalesce(%s, w.batch_id) AND w.id = coalesce(%s, w.id) ORDER BY w.id",
            (batch_id, waiver_id),
        ).fetchall()


def waived_places(tx: Tx, waiver_id: int) -> BitMap:
    """The places that a waiver covers."""
    row = tx.execute("SELECT places FROM waiver WHERE id = %s", (waiver_id,), binary=True).fetchone()
    return load(row[0]) if row else BitMap()


def _part(stored: bytes, only: BitMap | None) -> BitMap:
    places = load(stored)
    return places if only is None else places & only


_RECEIPTS = """
SELECT r.partner_id, r.seq, r.received_at, r.complete, s.outcome, s.reason, s.until_day, s.places
FROM receipt r
LEFT JOIN receipt_set s ON s.receipt_id = r.id
WHERE r.batch_id = %s AND (%s::int8 IS NULL OR r.partner_id = %s)
ORDER BY r.seq
"""


def _receipts(tx: Tx, batch_id: int, partner_id: int | None) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    sets: dict[Answer, BitMap] = {}
    last_seq = None
    rows = tx.execute(
        _RECEIPTS,
        (batch_id, partner_id, partner_id), binary=True,
    )  # fmt: skip
    for partner, seq, at, complete, outcome, reason, until, places in rows:
        if seq != last_seq:
            sets, last_seq = {}, seq
            found.setdefault(partner, []).append((seq, Receipt(answers=sets, complete=complete, received=at)))
        if outcome is not None:
            sets[Answer(outcome=Outcome(outcome), reason=reason, until=until)] = load(places)
    return found


def history(tx: Tx, batch_id: int, partner_id: int | None = None) -> dict[int, list[Receipt | Waiver]]:
    """The receipts and waivers of every partner (or one) of a batch, by partner, in the order in which they came."""
    found = _receipts(tx, batch_id, partner_id)
    for partner, granted in waivers(tx, batch_id).items():
        if partner_id in (None, partner):
            found[partner] = sorted([*found.get(partner, []), *granted], key=lambda entry: entry[0])
    return {partner: [said for _, said in entries] for partner, entries in found.items()}


def standings(tx: Tx, batch_id: int, everyone: BitMap, partner_id: int | None = None) -> dict[int, Standing]:
    """The standing of every partner (or one) that answered a batch or was waived, by partner."""
    return {partner: standing(said, everyone) for partner, said in history(tx, batch_id, partner_id).items()}


def all_of_batch(tx: Tx, batch_id: int) -> list[StoredReceipt]:
    """A batch's receipts, in the order in which they came."""
    with tx.cursor(row_factory=class_row(StoredReceipt)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM receipt WHERE batch_id = %s ORDER BY seq", (batch_id,)).fetchall()
