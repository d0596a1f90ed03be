"""How long the ready stores take for a notice, on PostgreSQL: by default a million numbers against ten million accounts.

.venv/bin/python examples/partners/bench_ties.py
.venv/bin/python examples/partners/bench_ties.py --numbers 100000 --accounts 1000000 --bound 0.3

Beside the time it takes it prints the processor seconds of Python and of the server, which say more on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psycopg
import sqlalchemy as sa
from django.conf import settings
from django.core.management import call_command
from django.db import models
from psycopg.conninfo import conninfo_to_dict

from huanxin.store.server.embedded import embedded_dsn, leave
from huanxin_partner import TieStore
from huanxin_partner.django import DjangoTies
from huanxin_partner.rows import Tie
from huanxin_partner.sqlalchemy import SqlAlchemyTies

CUTOFF = datetime(2026, 11, 24, 5, 8, tzinfo=UTC)
PRIME = 99_999_989  # numbers are scattered over the table, as people come
TABLE = f"""
DROP TABLE IF EXISTS accounts;
CREATE TABLE accounts AS
    SELECT i AS id, '+86138' || lpad(mod(i * 61803399, {PRIME})::text, 8, '0') AS phone,
        timestamptz '2020-01-01' + mod(i, 1000) * interval '1 day' AS bound_at, 'account ' || i AS name, 7 AS coins
    FROM generate_series(1, ACCOUNTS::bigint) i;
ALTER TABLE accounts ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ON accounts (phone);
"""


def numbers(count: int, accounts: int, bound: float) -> list[str]:
    """`count` numbers in order, as they come in a notice; the accounts hold this share of them."""
    with_account = range(1, int(count * bound) + 1)
    without = range(accounts + 1, accounts + 1 + count - len(with_account))
    places = [*(i * (accounts // max(1, len(with_account))) for i in with_account), *without]
    return sorted(f"+86138{i * 61803399 % PRIME:08}" for i in places)


def tuned_server(folder: Path) -> str:
    """The embedded PostgreSQL with what a site of ten million accounts gives its database: memory, and room for its log."""
    with psycopg.connect(embedded_dsn(folder), autocommit=True) as connection:
        for setting in ("shared_buffers = '2GB'", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
    leave(folder)  # it starts again with them
    return embedded_dsn(folder)


def sqlalchemy_ties(dsn: str, hooks: dict[str, Any]) -> TieStore:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    table = sa.Table("accounts", sa.MetaData(), autoload_with=engine)
    return SqlAlchemyTies(engine, table, number="phone", bound_at="bound_at", **hooks)


def django_ties(dsn: str, hooks: dict[str, Any]) -> TieStore:
    parts = conninfo_to_dict(dsn)
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "USER": parts.get("user", ""),
        "HOST": parts.get("host", ""), "PORT": parts.get("port", ""), "PASSWORD": parts.get("password", ""),
    }  # fmt: skip
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["huanxin_partner.django"], USE_TZ=True)
    django.setup()

    class Account(models.Model):
        phone: models.CharField[str | None, str | None] = models.CharField(max_length=20, null=True)
        bound_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()

        class Meta:
            app_label, managed, db_table = "bench", False, "accounts"

    call_command("migrate", verbosity=0)
    return DjangoTies(Account, number="phone", bound_at="bound_at", **hooks)


def nobody(_: object, __: list[Tie]) -> dict[Any, str]:
    """Refuses no row, but has to see each."""
    return {}


class Server:
    """The processor time of a PostgreSQL server on this machine, as Linux tells it."""

    def __init__(self, dsn: str) -> None:
        with psycopg.connect(dsn) as connection:
            found = self._stat(str(connection.info.backend_pid))
        self._parent = found[1] if found else None

    def seconds(self) -> float | None:
        """Of its processes that are and that were; None if it runs elsewhere."""
        if self._parent is None:
            return None
        stats = [found for entry in Path("/proc").iterdir() if entry.name.isdigit() and (found := self._stat(entry.name))]
        mine = [*(stat[11:13] for stat in stats if stat[1] == self._parent), self._stat(self._parent)[13:15]]
        return sum(int(ticks) for stat in mine for ticks in stat) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _stat(pid: str) -> list[str]:
        """Its state, its parent, ... as in proc(5) from the third on; nothing if there is no such process of PostgreSQL."""
        try:
            name, _, rest = (Path("/proc") / pid / "stat").read_text().rpartition(")")
        except OSError:
            return []
        return rest.split() if name.partition("(")[2].startswith("postgres") else []


def timed(name: str, ties: TieStore, asked: list[str], chunk: int, server: Server) -> Iterator[tuple[str, dict[str, Any]]]:
    for what in ("unbind", "the same again"):
        start, python, postgres = time.perf_counter(), time.process_time(), server.seconds()
        outcomes = Counter[str]()
        for at in range(0, len(asked), chunk):
            outcomes.update(answer.outcome for answer in ties.unbind(asked[at : at + chunk], CUTOFF))
            done = min(len(asked), at + chunk)
            print(f"\r{name}: {what}: {done:,} of {len(asked):,}", end="", file=sys.stderr, flush=True)
        found: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 1)}
        found["python processor seconds"] = round(time.process_time() - python, 1)
        if postgres is not None:
            found["postgres processor seconds"] = round((server.seconds() or 0) - postgres, 1)
        found["outcomes"] = dict(outcomes)
        print(f"\r{name}: {what}: {len(asked):,} numbers: {found}", file=sys.stderr)
        yield what, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=10_000_000)
    parser.add_argument("--bound", type=float, default=1.0, help="share of the numbers that have an account")
    parser.add_argument("--chunk", type=int, default=30_000, help="numbers in one transaction")
    parser.add_argument("--stores", nargs="+", default=["sqlalchemy", "django"], choices=["sqlalchemy", "django"])
    parser.add_argument("--hooks", action="store_true", help="with a hook that has to see each row before it is cut")
    parser.add_argument("--database", help="address of your own PostgreSQL; its table `accounts` is made anew")
    given = parser.parse_args()
    hooks: dict[str, Any] = {"refuse": nobody} if given.hooks else {}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="huanxin-bench-", ignore_cleanup_errors=True) as folder:
        dsn = given.database or tuned_server(Path(folder))
        asked = numbers(given.numbers, given.accounts, given.bound)
        for name in given.stores:
            with psycopg.connect(dsn, autocommit=True) as connection:
                ((memory,),) = connection.execute("SHOW shared_buffers").fetchall()
                print(f"Making {given.accounts:,} accounts; shared_buffers is {memory} ...", file=sys.stderr)
                connection.execute("DROP TABLE IF EXISTS huanxin_cuts, django_migrations")
                connection.execute(TABLE.replace("ACCOUNTS", str(given.accounts)))
                connection.execute("VACUUM (ANALYZE) accounts")  # as autovacuum has done with a table that people came to
            ties = sqlalchemy_ties(dsn, hooks) if name == "sqlalchemy" else django_ties(dsn, hooks)
            found[name] = dict(timed(name, ties, asked, given.chunk, Server(dsn)))
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(vars(given) | {"found": found, "most memory of Python in MB": memory_mb}))


if __name__ == "__main__":
    main()
