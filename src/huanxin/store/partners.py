"""Registered partners and the platform's signing keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import errors
from psycopg.rows import TupleRow

from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Kind, Partner
from huanxin.store.database import Tx

_COLUMNS = "id, name, kind, required, client_id, scopes, endpoint, events, added_at"


def _partner(row: TupleRow) -> Partner:
    id_, name, kind, required, client_id, scopes, endpoint, events, added_at = row
    return Partner(
        id=id_, name=name, kind=Kind(kind), required=required, client_id=client_id, scopes=tuple(scopes),
        endpoint=endpoint, events=tuple(events), added_at=added_at,
    )  # fmt: skip


def add(
    tx: Tx, *, name: str, kind: Kind, required: bool, client_id: str, secret_hash: bytes, scopes: Sequence[str],
    endpoint: str | None, events: Sequence[str], by: str, at: datetime,
) -> Partner:  # fmt: skip
    """Record a partner. Raises Conflict if the name is taken."""
    try:
        row = tx.execute(
            "INSERT INTO partner (name, kind, required, client_id, secret_hash, scopes, endpoint, events, added_by,"
            f" added_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            (name, kind.value, required, client_id, secret_hash, list(scopes), endpoint, list(events), by, at),
        ).fetchone()
    except errors.UniqueViolation as error:
        raise Conflict(f"a partner named {name} is registered already; choose another name") from error
    assert row is not None
    return _partner(row)


def all_partners(tx: Tx) -> list[Partner]:
    """Every partner, in the order in which they were registered."""
    return [_partner(row) for row in tx.execute(f"SELECT {_COLUMNS} FROM partner ORDER BY id")]


def by_name(tx: Tx, name: str) -> Partner | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM partner WHERE name = %s", (name,)).fetchone()
    return _partner(row) if row else None


def by_client_id(tx: Tx, client_id: str) -> tuple[Partner, bytes] | None:
    """The partner with this client_id, and the hash of its secret."""
    row = tx.execute(f"SELECT {_COLUMNS}, secret_hash FROM partner WHERE client_id = %s", (client_id,)).fetchone()
    return (_partner(row[:-1]), bytes(row[-1])) if row else None


def add_key(tx: Tx, *, kid: str, alg: str, pem: bytes, at: datetime) -> None:
    """Record a signing key, its private part encrypted by the caller."""
    tx.execute("INSERT INTO signing_key (kid, alg, pem, created_at) VALUES (%s, %s, %s, %s)", (kid, alg, pem, at))


def keys(tx: Tx) -> list[tuple[str, str, bytes]]:
    """(kid, alg, encrypted PEM) of every signing key, newest first; the lock keeps two processes from making the first."""
    tx.execute("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
    rows = tx.execute("SELECT kid, alg, pem FROM signing_key ORDER BY created_at DESC, kid")
    return [(kid, alg, bytes(pem)) for kid, alg, pem in rows]
