"""The schema, in numbered files that are applied once each, in order."""

from __future__ import annotations

from importlib.resources import files

from psycopg import IsolationLevel, sql

from huanxin.store.database import LIVE, Tx

_MIGRATING = 7_305_000  # any constant: the key of the lock that lets one process migrate at a time
_CLOCK = "0035_one_clock"


def migrations() -> list[tuple[str, str]]:
    """(name, SQL) of every migration, in order."""
    folder = files("huanxin.store") / "migrations"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8")) for entry in found]


def migrate(dsn: str, schema: str = LIVE, *, simulated: bool = False) -> list[str]:
    """Bring a schema of a database to the present form; the names of the migrations applied. Safe to call from many
    processes. `simulated`: a database that is made now is for simulated clocks; one that exists stays what it is."""
    applied: list[str] = []
    with Tx.connect(dsn) as connection:
        connection.isolation_level = IsolationLevel.READ_COMMITTED  # whoever waited sees what the other one applied
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        connection.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL)")
        done = {name for (name,) in connection.execute("SELECT name FROM migration")}
        for name, statements in migrations():
            if name in done:
                continue
            connection.execute(statements.encode())
            connection.execute("INSERT INTO migration (name, applied_at) VALUES (%s, now())", (name,))
            applied.append(name)
        if not done and _CLOCK in applied:
            _mark(connection, schema, simulated)
    return applied


def _mark(tx: Tx, schema: str, simulated: bool) -> None:
    """Say whether a schema that was just made is for simulated clocks: all of a database are, or none."""
    if schema != LIVE and tx.execute("SELECT to_regclass(%s)", (f"{LIVE}.clock",)).fetchone() != (None,):
        row = tx.execute(sql.SQL("SELECT simulated FROM {}.clock").format(sql.Identifier(LIVE))).fetchone()
        simulated = row == (True,)
    tx.execute("UPDATE clock SET simulated = %s", (simulated,))
