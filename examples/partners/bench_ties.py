"""How long the ready stores take for a notice, on PostgreSQL: by default a million numbers against ten million accounts.

.venv/bin/python examples/partners/bench_ties.py
.venv/bin/python examples/partners/bench_ties.py --numbers 100000 --accounts 1000000 --bound 0.3
"""

from __future__ import annotations

import argparse
import json
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
from psycopg.conninfo import conninfo_to_dict

from huanxin.store.embedded import embedded_dsn
from huanxin_partner import TieStore
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
ANALYZE accounts;
"""


def numbers(count: int, accounts: int, bound: float) -> list[str]:
    """`count` numbers in order, as they come in a notice; the accounts hold this share of them."""
    with_account = range(1, int(count * bound) + 1)
    without = range(accounts + 1, accounts + 1 + count - len(with_account))
    places = [*(i * (accounts // max(1, len(with_account))) for i in with_account), *without]
    return sorted(f"+86138{i * 61803399 % PRIME:08}" for i in places)


def sqlalchemy_ties(dsn: str) -> TieStore:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    table = sa.Table("accounts", sa.MetaData(), autoload_with=engine)
    return SqlAlchemyTies(engine, table, number="phone", bound_at="bound_at")


def django_ties(dsn: str) -> TieStore:
    parts = conninfo_to_dict(dsn)
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts["dbname"], "USER": parts.get("user", ""),
        "HOST": parts.get("host", ""), "PORT": parts.get("port", ""), "PASSWORD": parts.get("password", ""),
    }  # fmt: skip
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["huanxin_partner.django"], USE_TZ=True)
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # once there are settings
    from django.db import models  # noqa: PLC0415

    from huanxin_partner.django import DjangoTies  # noqa: PLC0415

    class Account(models.Model):
        phone = models.CharField(max_length=20, null=True)
        bound_at = models.DateTimeField()

        class Meta:
            app_label, managed, db_table = "bench", False, "accounts"

    call_command("migrate", verbosity=0)
    return DjangoTies(Account, number="phone", bound_at="bound_at")


def timed(name: str, ties: TieStore, asked: list[str], chunk: int) -> Iterator[tuple[str, float, Counter[str]]]:
    for what, method in (("unbind", ties.unbind), ("the same again", ties.unbind), ("restore", ties.restore)):
        start, outcomes = time.perf_counter(), Counter[str]()
        for at in range(0, len(asked), chunk):
            outcomes.update(answer.outcome for answer in method(asked[at : at + chunk], CUTOFF))
            done = min(len(asked), at + chunk)
            print(f"\r{name}: {what}: {done:,} of {len(asked):,}", end="", file=sys.stderr, flush=True)
        seconds = time.perf_counter() - start
        print(f"\r{name}: {what}: {len(asked):,} numbers in {seconds:.1f} s: {dict(outcomes)}", file=sys.stderr)
        yield what, seconds, outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=10_000_000)
    parser.add_argument("--bound", type=float, default=1.0, help="share of the numbers that have an account")
    parser.add_argument("--chunk", type=int, default=10_000, help="numbers in one transaction")
    parser.add_argument("--stores", nargs="+", default=["sqlalchemy", "django"], choices=["sqlalchemy", "django"])
    parser.add_argument("--database", help="address of your own PostgreSQL; its table `accounts` is made anew")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="huanxin-bench-", ignore_cleanup_errors=True) as folder:
        dsn = given.database or embedded_dsn(Path(folder))
        asked = numbers(given.numbers, given.accounts, given.bound)
        for name in given.stores:
            with psycopg.connect(dsn, autocommit=True) as connection:
                print(f"Making {given.accounts:,} accounts ...", file=sys.stderr)
                connection.execute("DROP TABLE IF EXISTS huanxin_cuts, django_migrations")
                connection.execute(TABLE.replace("ACCOUNTS", str(given.accounts)))
            ties = sqlalchemy_ties(dsn) if name == "sqlalchemy" else django_ties(dsn)
            found[name] = {what: round(seconds, 1) for what, seconds, _ in timed(name, ties, asked, given.chunk)}
    print(json.dumps({"numbers": given.numbers, "accounts": given.accounts, "bound": given.bound, "seconds": found}))


if __name__ == "__main__":
    main()
