"""Registered partners and what happened at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import errors
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Kind, Partner
from huanxin.sentences import Sentence
from huanxin.store.database import Tx

RECEIPT_REFUSED = "receipt-refused"
"""Kind of event: a receipt was refused whole; the detail says why."""

_COLUMNS = "id, name, kind, required, client_id, scopes, added_at"


def taken(name: str) -> Sentence:
    """What is said of a name that a partner has."""
    return Sentence("a partner named %(name)s is there already; choose another name", name=name)


def _partner(row: TupleRow) -> Partner:
    id_, name, kind, required, client_id, scopes, added_at = row
    return Partner(
        id=id_, name=name, kind=Kind(kind), required=required, client_id=client_id, scopes=tuple(scopes), added_at=added_at
    )


def add(
    tx: Tx, *, name: str, kind: Kind, required: bool, client_id: str, scopes: Sequence[str], by: str, at: datetime
) -> Partner:
    """Record a partner. Raises Conflict if the name is taken."""
    try:
        row = tx.execute(
            "INSERT INTO partner (name, kind, required, client_id, scopes, added_by, added_at)"
            f" VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            (name, kind.value, required, client_id, list(scopes), by, at),
        ).fetchone()
    except errors.UniqueViolation as error:
        raise Conflict(taken(name)) from error
    assert row is not None
    return _partner(row)


def all_partners(tx: Tx) -> list[Partner]:
    """Every partner, in the order in which they were registered."""
    return [_partner(row) for row in tx.execute(f"SELECT {_COLUMNS} FROM partner ORDER BY id")]


def get(tx: Tx, partner_id: int) -> Partner | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE id = %s", (partner_id,)).fetchone()
    return _partner(row) if row else None


def by_name(tx: Tx, name: str) -> Partner | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE name = %s", (name,)).fetchone()
    return _partner(row) if row else None


def by_client_id(tx: Tx, client_id: str) -> Partner | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE client_id = %s", (client_id,)).fetchone()
    return _partner(row) if row else None


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
