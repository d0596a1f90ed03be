"""Operators as stored: who they are and what happened as facts, how they sign in beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.domain.operators import Operator, Role
from huanxin.store.database import Tx

_OPERATOR = """
SELECT o.id, o.login, o.name, o.carrier,
    coalesce((SELECT e.detail -> 'roles' FROM operator_event e WHERE e.operator_id = o.id
    AND e.kind = 'roles' ORDER BY e.id DESC LIMIT 1), '[]'::jsonb),
    coalesce((SELECT e.kind = 'enabled' FROM operator_event e WHERE e.operator_id = o.id
    AND e.kind IN ('enabled', 'disabled') ORDER BY e.id DESC LIMIT 1), true), operator_confirmed(o.id)
FROM operator o
"""
_FORGOTTEN = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class SignInRecord:
    """How a person signs in. `totp_secret` is sealed; `sessions_after`: earlier sign-ins have ended."""

    operator_id: int
    password_hash: str | None
    must_change: bool
    totp_secret: str | None
    totp_step: int
    failures: int
    locked_until: datetime | None
    sessions_after: datetime


@dataclass(frozen=True, kw_only=True)
class OperatorEvent:
    """Something that happened to or was done by an operator."""

    id: int
    login: str
    kind: str
    detail: dict[str, Any]
    recorded_by: str
    at: datetime


def add(tx: Tx, *, login: str, name: str, carrier: str | None, by: str, at: datetime) -> int | None:
    """Record an operator; the id, or None if the login is taken."""
    row = tx.execute(
        "INSERT INTO operator (login, name, carrier, added_by, added_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (login) DO NOTHING RETURNING id",
        (login, name, carrier, by, at),
    ).fetchone()
    if row is None:
        return None
    tx.execute("INSERT INTO operator_login (operator_id, sessions_after) VALUES (%s, %s)", (row[0], at))
    return int(row[0])


def note(tx: Tx, operator_id: int, kind: str, *, by: str, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
    """Record something that happened."""
    tx.execute(
        "INSERT INTO operator_event (operator_id, kind, detail, recorded_by, at) VALUES (%s, %s, %s, %s, %s)",
        (operator_id, kind, Jsonb(dict(detail or {})), by, at),
    )


def by_login(tx: Tx, login: str) -> Operator | None:
    row = tx.execute(f"{_OPERATOR} WHERE o.login = %s", (login,)).fetchone()
    return _operator(row) if row else None


def get(tx: Tx, operator_id: int) -> Operator | None:
    row = tx.execute(f"{_OPERATOR} WHERE o.id = %s", (operator_id,)).fetchone()
    return _operator(row) if row else None


def everyone(tx: Tx) -> list[Operator]:
    """Every operator by login."""
    return [_operator(row) for row in tx.execute(f"{_OPERATOR} ORDER BY o.login").fetchall()]


def _operator(row: tuple[Any, ...]) -> Operator:
    known = frozenset(Role(role) for role in row[4])
    return Operator(id=row[0], login=row[1], name=row[2], carrier=row[3], roles=known, enabled=row[5], confirmed=row[6])


def tied(tx: Tx, one: int, other: int) -> bool:
    """Whether one of two people made, reset or confirmed the other."""
    row = tx.execute("SELECT operators_tied(%s, %s)", (one, other)).fetchone()
    return bool(row and row[0])


_MADE_BY = """
SELECT 1
FROM operator o
WHERE o.id = %(who)s AND (o.added_by = %(maker)s
    OR EXISTS (SELECT 1 FROM operator_event e WHERE e.operator_id = o.id AND e.recorded_by = %(maker)s
    AND e.kind IN ('roles', 'enabled', 'token-made') OR e.operator_id = o.id AND e.recorded_by = %(maker)s
    AND e.kind = 'password-set' AND (e.detail ->> 'must_change')::boolean))
"""


def made_by(tx: Tx, operator_id: int, maker: str) -> bool:
    """Whether a login added somebody, or ever gave them roles, a password or a way back in."""
    row = tx.execute(
        _MADE_BY,
        {"who": operator_id, "maker": maker},
    ).fetchone()
    return row is not None


_HAS_COME = """
SELECT 1
FROM operator_event e
WHERE e.operator_id = %(who)s
    AND e.id > coalesce((SELECT max(r.id) FROM operator_event r WHERE r.operator_id = %(who)s
    AND r.kind = 'password-set' AND (r.detail ->> 'must_change')::boolean), 0) AND (e.kind = 'password-set'
    OR (e.kind = 'signed-in' AND e.detail ->> 'how' NOT IN ('password', 'password and code')))
"""


def has_come(tx: Tx, operator_id: int) -> bool:
    """Whether somebody has chosen a password since the last one that was given to them, or came by another's word
    (OpenID Connect)."""
    row = tx.execute(
        _HAS_COME,
        {"who": operator_id},
    ).fetchone()
    return row is not None


def login_of(tx: Tx, operator_id: int, *, to_change: bool = True) -> SignInRecord:
    """How a person signs in; a row that is to be changed is locked, so that tries at the same time are counted one after
    another."""
    with tx.cursor(row_factory=class_row(SignInRecord)) as cursor:
        found = cursor.execute(
            "SELECT operator_id, password_hash, must_change, totp_secret, totp_step, failures, locked_until, sessions_after"
            " FROM operator_login WHERE operator_id = %s" + " FOR UPDATE" * to_change,
            (operator_id,),
        ).fetchone()
    assert found is not None
    return found


def sessions_after(tx: Tx, operator_id: int) -> datetime:
    row = tx.execute("SELECT sessions_after FROM operator_login WHERE operator_id = %s", (operator_id,)).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def set_password(tx: Tx, operator_id: int, password_hash: str | None, *, must_change: bool, at: datetime) -> None:
    """Replace the password; everybody who is signed in with the old one is signed out."""
    tx.execute(
        "UPDATE operator_login SET password_hash = %s, must_change = %s, failures = 0, locked_until = NULL,"
        " sessions_after = %s WHERE operator_id = %s",
        (password_hash, must_change, at, operator_id),
    )


def set_totp(tx: Tx, operator_id: int, sealed: str | None, *, step: int) -> None:
    """Set or remove the second factor; `step` is the time step whose code proved it."""
    tx.execute(
        "UPDATE operator_login SET totp_secret = %s, totp_step = %s WHERE operator_id = %s", (sealed, step, operator_id)
    )


def took_step(tx: Tx, operator_id: int, step: int) -> None:
    """Remember the time step of a code that was taken."""
    tx.execute("UPDATE operator_login SET totp_step = %s WHERE operator_id = %s", (step, operator_id))


def count_failure(tx: Tx, operator_id: int, *, failures: int, locked_until: datetime | None) -> None:
    tx.execute(
        "UPDATE operator_login SET failures = %s, locked_until = %s WHERE operator_id = %s",
        (failures, locked_until, operator_id),
    )


def unknown_login(tx: Tx, login: str, *, now: datetime) -> tuple[int, datetime | None]:
    """(failures, locked until) of a login that nobody signs in with; the row is locked, as a person's is by `login_of`. What
    was tried long ago is forgotten."""
    tx.execute("DELETE FROM unknown_login WHERE tried_at < %s AND login_sha256 <> %s", (now - _FORGOTTEN, _hash(login)))
    row = tx.execute(
        "INSERT INTO unknown_login (login_sha256, failures, tried_at) VALUES (%s, 0, %s)"
        " ON CONFLICT (login_sha256) DO UPDATE SET tried_at = excluded.tried_at RETURNING failures, locked_until",
        (_hash(login), now),
    ).fetchone()
    assert row is not None
    return int(row[0]), row[1]


def count_unknown(tx: Tx, login: str, *, failures: int, locked_until: datetime | None) -> None:
    tx.execute(
        "UPDATE unknown_login SET failures = %s, locked_until = %s WHERE login_sha256 = %s",
        (failures, locked_until, _hash(login)),
    )


def _hash(login: str) -> bytes:
    return hashlib.sha256(login.encode()).digest()


def happened_since(tx: Tx, operator_id: int, kind: str, since: datetime) -> bool:
    """Whether something of a kind happened to somebody since an instant."""
    return (
        tx.execute(
            "SELECT 1 FROM operator_event WHERE operator_id = %s AND kind = %s AND at >= %s LIMIT 1",
            (operator_id, kind, since),
        ).fetchone()
        is not None
    )


def end_sessions(tx: Tx, operator_id: int, at: datetime) -> None:
    """Sign a person out everywhere."""
    tx.execute("UPDATE operator_login SET sessions_after = %s WHERE operator_id = %s", (at, operator_id))


_EVENTS = """
SELECT e.id, o.login, e.kind, e.detail, e.recorded_by, e.at
FROM operator_event e
JOIN operator o ON o.id = e.operator_id
WHERE e.operator_id = coalesce(%(of)s, e.operator_id) AND (%(carrier)s::text IS NULL
    OR o.carrier = %(carrier)s) AND e.kind = coalesce(%(kind)s, e.kind) AND e.id < coalesce(%(before)s,
    9223372036854775807)
ORDER BY e.id DESC
LIMIT %(most)s
"""


def events(tx: Tx, *, operator_id: int | None = None, carrier: str | None = None, kind: str | None = None,
           before: int | None = None, most: int = 100) -> list[OperatorEvent]:  # fmt: skip
    """What happened, newest first; `before` an event to go on from it, `carrier` to the people limited to one."""
    with tx.cursor(row_factory=class_row(OperatorEvent)) as cursor:
        return cursor.execute(
            _EVENTS,
            {"of": operator_id, "carrier": carrier, "kind": kind, "before": before, "most": most},
        ).fetchall()
