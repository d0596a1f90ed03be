"""Proposals as stored: what one operator wants done and another decides on."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.numbersets.sharded import NumberSet, dump, load
from huanxin.store.database import Tx, one_name_at_a_time


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A waiver or a release that somebody wants, a mend of reports, the lift of a hold or that a partner be optional;
    `outcome` None until it is decided on. Counts are numbers. Of a mend there is no batch, but a `carrier`, the report to
    withdraw or the name of the correction, and what it would have done when it was proposed (`shown`, by consequence)."""

    id: int
    kind: str
    batch_id: int | None
    partner_id: int | None
    partner: str | None
    count: int
    reason: str
    proposed_by: int
    proposer: str
    proposed_at: datetime
    outcome: str | None
    note: str | None
    freed: int | None
    decider: str | None
    decided_at: datetime | None
    seen: int
    """of a waiver: the last receipt that whoever proposed it could know of, in the order of answers"""
    carrier: str | None
    report_id: int | None
    file_name: str | None
    shown: dict[str, int] | None
    hold_id: int | None


_SELECT = """
SELECT p.id, p.kind, p.batch_id, p.partner_id, a.name AS partner, p.count, p.reason, p.proposed_by,
    o.login AS proposer, p.proposed_at, e.outcome, e.note, e.count AS freed, d.login AS decider, e.decided_at,
    p.seen, p.carrier, p.report_id, p.file_name, p.shown, p.hold_id
FROM proposal p
JOIN operator o ON o.id = p.proposed_by
LEFT JOIN partner a ON a.id = p.partner_id
LEFT JOIN proposal_end e ON e.proposal_id = p.id
LEFT JOIN operator d ON d.id = e.decided_by
"""


@dataclass(frozen=True, kw_only=True)
class NewProposal:
    """A proposal to record. `seen`: of a waiver, the partner's last receipt, in the order of answers."""

    kind: str
    batch_id: int | None = None
    partner_id: int | None = None
    places: BitMap | None = None
    count: int
    reason: str
    seen: int = 0
    carrier: str | None = None
    report_id: int | None = None
    file_name: str | None = None
    content: bytes | None = None
    shown: Mapping[str, int] | None = None
    hold_id: int | None = None
    numbers: NumberSet | None = None
    """of a lift: those that it lets go, None if all"""


_ADD = """
INSERT INTO proposal (kind, batch_id, partner_id, places, count, reason, proposed_by, proposed_at, seen, carrier, report_id,
    file_name, content, shown, hold_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
RETURNING id
"""


def add(tx: Tx, new: NewProposal, *, by: int, at: datetime) -> int:
    """Record a proposal; its id."""
    places = None if new.places is None else dump(new.places)
    content = new.content if new.numbers is None else _packed(new.numbers)
    row = tx.execute(
        _ADD,
        (new.kind, new.batch_id, new.partner_id, places, new.count, new.reason, by, at, new.seen, new.carrier,
         new.report_id, new.file_name, content, None if new.shown is None else Jsonb(dict(new.shown)), new.hold_id),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def content_of(tx: Tx, proposal_id: int) -> bytes | None:
    """The file of a correction, or the numbers of a lift if they are not all, in gzip."""
    row = tx.execute("SELECT content FROM proposal WHERE id = %s", (proposal_id,), binary=True).fetchone()
    assert row is not None
    return None if row[0] is None else bytes(row[0])


def numbers_of(tx: Tx, proposal_id: int) -> NumberSet | None:
    """The numbers that a proposed lift lets go; None if all."""
    content = content_of(tx, proposal_id)
    return None if content is None else NumberSet.of(np.frombuffer(gzip.decompress(content), np.int64))


def _packed(numbers: NumberSet) -> bytes:
    return gzip.compress(numbers.numbers().astype(np.int64).tobytes(), 5)


def one_at_a_time(tx: Tx, batch_id: int | None) -> None:
    """Make those who propose something about a batch (None: about reports) or decide on it wait for each other, until this
    transaction ends."""
    one_name_at_a_time(tx, f"proposals of batch {batch_id}")


def get(tx: Tx, proposal_id: int) -> Proposal | None:
    with tx.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE p.id = %s", (proposal_id,)).fetchone()


def places_of(tx: Tx, proposal_id: int) -> BitMap:
    """The places that a proposed waiver is for."""
    row = tx.execute("SELECT places FROM proposal WHERE id = %s", (proposal_id,), binary=True).fetchone()
    return load(row[0]) if row and row[0] is not None else BitMap()


def listed(tx: Tx, *, batch_id: int | None = None, open_only: bool = False) -> list[Proposal]:
    """Proposals, newest first: all, or those of one batch, or those that wait. None is left out: one that nobody sees would
    wait for ever."""
    with tx.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            f"{_SELECT} WHERE (%s::int8 IS NULL OR p.batch_id = %s) AND (NOT %s OR e.proposal_id IS NULL)"
            " ORDER BY p.id DESC",
            (batch_id, batch_id, open_only),
        ).fetchall()


def end(tx: Tx, proposal_id: int, *, outcome: str, note: str, count: int, by: int, at: datetime) -> None:
    """Record how a proposal ended."""
    tx.execute(
        "INSERT INTO proposal_end (proposal_id, outcome, note, count, decided_by, decided_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (proposal_id, outcome, note, count, by, at),
    )
