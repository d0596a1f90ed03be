"""Accounts and what happened at each. In the live schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from huanxin.domain.accounts import Account, AccountEvent
from huanxin.domain.errors import Conflict
from huanxin.domain.partners import Kind
from huanxin.store.database import Tx, one_name_at_a_time
from huanxin.words.sentences import Sentence

_COLUMNS = "id, name, kind, domain, challenge, sandbox_client_id, registered_at"


def refuse_taken(tx: Tx, name: str, name_key: str) -> None:
    """Raise Conflict for a name that an account has; keep it from being taken until this transaction ends."""
    one_name_at_a_time(tx, name_key)
    if by_name_key(tx, name_key):
        raise Conflict(Sentence("an account named %(name)s is registered already; choose another name", name=name))


def _account(row: TupleRow) -> Account:
    id_, name, kind, domain, challenge, sandbox_client_id, registered_at = row
    return Account(
        id=id_, name=name, kind=Kind(kind), domain=domain, challenge=challenge, sandbox_client_id=sandbox_client_id,
        registered_at=registered_at,
    )  # fmt: skip


def add(tx: Tx, account: Account, *, name_key: str) -> None:
    """Record an account; `name_key` is the name as it is compared. Raises Conflict if the name is taken."""
    refuse_taken(tx, account.name, name_key)
    tx.execute(
        "INSERT INTO account (id, name, name_key, kind, domain, challenge, sandbox_client_id, registered_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (account.id, account.name, name_key, account.kind.value, account.domain, account.challenge,
         account.sandbox_client_id, account.registered_at),
    )  # fmt: skip


def all_accounts(tx: Tx) -> list[Account]:
    """Every account, in the order in which they registered."""
    return [_account(row) for row in tx.execute(f"SELECT {_COLUMNS} FROM account ORDER BY registered_at, id")]


def get(tx: Tx, account_id: str) -> Account | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM account WHERE id = %s", (account_id,)).fetchone()
    return _account(row) if row else None


def by_name_key(tx: Tx, name_key: str) -> Account | None:
    """The account that has a name now."""
    row = tx.execute(
        f"SELECT {_COLUMNS} FROM account WHERE name_key = %s AND NOT EXISTS"
        " (SELECT 1 FROM account_event e WHERE e.account_id = account.id AND e.kind = 'name-freed')",
        (name_key,),
    ).fetchone()
    return _account(row) if row else None


def by_sandbox_client(tx: Tx, client_id: str) -> Account | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM account WHERE sandbox_client_id = %s", (client_id,)).fetchone()
    return _account(row) if row else None


def one_at_a_time(tx: Tx, account_id: str) -> None:
    """Make decisions about one account wait for each other, until this transaction ends."""
    tx.execute("SELECT 1 FROM account WHERE id = %s FOR UPDATE", (account_id,))


def note(tx: Tx, account_id: str, kind: str, *, by: str, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
    """Record that something happened at an account."""
    tx.execute(
        "INSERT INTO account_event (account_id, kind, detail, recorded_by, at) VALUES (%s, %s, %s, %s, %s)",
        (account_id, kind, Jsonb(dict(detail or {})), by, at),
    )


def events_of(tx: Tx, account_id: str) -> list[AccountEvent]:
    """What happened at an account, oldest first."""
    with tx.cursor(row_factory=class_row(AccountEvent)) as cursor:
        return cursor.execute(
            "SELECT account_id, kind, detail, recorded_by, at FROM account_event WHERE account_id = %s ORDER BY id",
            (account_id,),
        ).fetchall()


_TWIN_CLIENTS = """
SELECT a.sandbox_client_id, e.detail ->> 'client_id'
FROM account a
LEFT JOIN account_event e ON e.account_id = a.id AND e.kind = 'live'
WHERE a.sandbox_client_id = %s OR e.detail ->> 'client_id' = %s
ORDER BY e.id DESC NULLS LAST
"""


def twin_clients(tx: Tx, client_id: str) -> dict[str, str]:
    """The client_id in each environment (`sandbox`, `live`) of the account that a client_id belongs to; empty if none."""
    rows = tx.execute(
        _TWIN_CLIENTS,
        (client_id, client_id),
    ).fetchall()
    return {"sandbox": rows[0][0]} | ({"live": rows[0][1]} if rows[0][1] else {}) if rows else {}
