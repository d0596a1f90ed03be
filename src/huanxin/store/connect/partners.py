"""Registered partners and what happened at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.store.database import Tx, one_name_at_a_time
from huanxin.words.sentences import Sentence

RECEIPT_REFUSED = "receipt-refused"
"""Kind of event: a receipt was refused whole; the detail says why."""
RECEIPT_WAITS = "receipt-waits"
"""Kind of event: a receipt waits for ones with lower numbers."""

_THERE = "NOT EXISTS (SELECT 1 FROM partner_withdrawal w WHERE w.partner_id = partner.id)"
_COLUMNS = "id, name, kind, required, client_id, scopes, added_at"


def refuse_taken(tx: Tx, name: str) -> None:
    """Raise Conflict for a name that a partner has; keep it from being taken until this transaction ends."""
    one_name_at_a_time(tx, name)
    if tx.execute(f"SELECT 1 FROM partner WHERE name = %s AND {_THERE}", (name,)).fetchone():
        raise Conflict(Sentence("a partner named %(name)s is there already; choose another name", name=name))


def _partner(row: TupleRow) -> Partner:
    id_, name, kind, required, client_id, scopes, added_at = row
    return Partner(
        id=id_, name=name, kind=Kind(kind), required=required, client_id=client_id, scopes=tuple(scopes), added_at=added_at
    )


def add(tx: Tx, new: NewPartner, *, client_id: str, by: str, at: datetime) -> Partner:
    """Record a partner. Raises Conflict if another one that is not withdrawn has the name."""
    refuse_taken(tx, new.name)
    row = tx.execute(
        "INSERT INTO partner (name, kind, required, client_id, scopes, added_by, added_at)"
        f" VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
        (new.name, new.kind.value, new.required, client_id, list(new.scopes), by, at),
    ).fetchone()
    assert row is not None
    return _partner(row)


def change(tx: Tx, partner_id: int, *, name: str | None = None, required: bool | None = None) -> None:
    """Give a partner another name, or have its answers waited for from now on or not. What was before is in its events."""
    tx.execute(
        "UPDATE partner SET name = coalesce(%s, name), required = coalesce(%s, required) WHERE id = %s",
        (name, required, partner_id),
    )


def all_partners(tx: Tx) -> list[Partner]:
    """Every partner that is not withdrawn, in the order in which they were registered."""
    return [_partner(row) for row in tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE {_THERE} ORDER BY id")]


def get(tx: Tx, partner_id: int) -> Partner | None:
    """A partner, withdrawn or not."""
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE id = %s", (partner_id,)).fetchone()
    return _partner(row) if row else None


def client_ids(tx: Tx, partner_ids: Sequence[int]) -> dict[int, str]:
    """The client_id of each of some partners, withdrawn or not."""
    return dict(tx.execute("SELECT id, client_id FROM partner WHERE id = ANY(%s)", (list(partner_ids),)).fetchall())


def by_name(tx: Tx, name: str) -> Partner | None:
    """The partner of a name, or the last one that had it and was withdrawn: its notices may still be open."""
    row = tx.execute(
        f"SELECT {_COLUMNS} FROM partner WHERE name = %s ORDER BY ({_THERE}) DESC, id DESC LIMIT 1", (name,)
    ).fetchone()
    return _partner(row) if row else None


def told_as(tx: Tx, batch_id: int, name: str) -> list[Partner]:
    """The partners that were told of a batch and have, or had, a name or client_id, withdrawn or not."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM partner WHERE (name = %s OR client_id = %s)"
        " AND id IN (SELECT partner_id FROM notice WHERE batch_id = %s) ORDER BY id",
        (name, name, batch_id),
    )
    return [_partner(row) for row in rows]


def withdrawn(tx: Tx) -> frozenset[int]:
    """The ids of the partners that are withdrawn."""
    return frozenset(one for (one,) in tx.execute("SELECT partner_id FROM partner_withdrawal"))


def by_client_id(tx: Tx, client_id: str) -> Partner | None:
    """The partner of a client_id; None once it is withdrawn, so that nobody is let in by it."""
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE client_id = %s AND {_THERE}", (client_id,)).fetchone()
    return _partner(row) if row else None


def withdraw(tx: Tx, partner_id: int, *, reason: str, by: str, at: datetime) -> None:
    """Record that a partner is withdrawn: it is told nothing more and not let in, and its name is free."""
    tx.execute(
        "INSERT INTO partner_withdrawal (partner_id, reason, withdrawn_by, withdrawn_at) VALUES (%s, %s, %s, %s)",
        (partner_id, reason, by, at),
    )


@dataclass(frozen=True, kw_only=True)
class PartnerEvent:
    """Something that happened at a partner: what, to which notice if any, the details, who ordered it, when."""

    id: int
    partner_id: int
    notice_id: str | None
    kind: str
    detail: dict[str, Any]
    recorded_by: str
    at: datetime


def note(
    tx: Tx, partner_id: int, kind: str, *, by: str, at: datetime, notice_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Record that something happened at a partner."""
    tx.execute(
        "INSERT INTO partner_event (partner_id, notice_id, kind, detail, recorded_by, at) VALUES (%s, %s, %s, %s, %s, %s)",
        (partner_id, notice_id, kind, Jsonb(dict(detail or {})), by, at),
    )


def note_all(tx: Tx, kind: str, about: Sequence[tuple[int, str, Mapping[str, Any]]], *, by: str, at: datetime) -> None:
    """Record that the same happened at many partners: (partner, notice, details) of each."""
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO partner_event (partner_id, notice_id, kind, detail, recorded_by, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [(partner_id, notice_id, kind, Jsonb(dict(detail)), by, at) for partner_id, notice_id, detail in about],
        )


def events_of(tx: Tx, partner_id: int, *, kind: str | None = None, limit: int = 200) -> list[PartnerEvent]:
    """What happened at a partner, newest first."""
    with tx.cursor(row_factory=class_row(PartnerEvent)) as cursor:
        return cursor.execute(
            "SELECT id, partner_id, notice_id, kind, detail, recorded_by, at FROM partner_event"
            " WHERE partner_id = %s AND kind = coalesce(%s, kind) ORDER BY id DESC LIMIT %s",
            (partner_id, kind, limit),
        ).fetchall()


def events_of_notice(tx: Tx, notice_id: str) -> list[PartnerEvent]:
    """What happened about a notice, oldest first: reminders, escalations, events sent again."""
    with tx.cursor(row_factory=class_row(PartnerEvent)) as cursor:
        return cursor.execute(
            "SELECT id, partner_id, notice_id, kind, detail, recorded_by, at FROM partner_event"
            " WHERE notice_id = %s ORDER BY id",
            (notice_id,),
        ).fetchall()
