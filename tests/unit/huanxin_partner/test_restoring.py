"""What is given back after a retraction: each number to the rows that lost it, to no other, and what can't be is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections

from huanxin_partner.rows import BadTable
from huanxin_partner.sqlalchemy import SqlAlchemyTies
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from ready_stores import ACCOUNTS, Shop, django_shop, sqlalchemy_shop, sqlite_url

CUTOFF = datetime(2026, 11, 24, 5, 8, 0, 500_000, tzinfo=UTC)
OLD = datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
NEW = CUTOFF + timedelta(days=1)
NUMBER, OTHER, NOBODY = "+8613800138000", "+8613800138001", "+8613800138002"


def said(answers: Sequence[Answer]) -> dict[str, str]:
    return {answer.number: answer.outcome for answer in answers}


def test_all_ties_of_a_number_come_back_however_many_rows_a_statement_takes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second tie of a number that stood on the other side of 30,000 rows was lost, and called restored."""
    numbers = [f"+86139{place:08}" for place in range(5)]
    for number in numbers * 2:
        shop.add(number, OLD)
    before = shop.phones()
    for rows in (1, 3, 4):
        monkeypatch.setattr("huanxin_partner.rows._PART", rows)
        ties, cutoff = shop.store(), CUTOFF + timedelta(days=rows)
        assert set(said(ties.unbind(numbers, cutoff)).values()) == {"unbound"}
        assert said(ties.restore(numbers, cutoff)) == dict.fromkeys(numbers, "restored")
        assert shop.phones() == before


@pytest.mark.parametrize("bound_at", [None, NEW, OLD - timedelta(days=1)], ids=["never", "since", "imported"])
def test_a_strangers_row_that_has_the_key_by_now_does_not_get_the_number(shop: Shop, bound_at: datetime | None) -> None:
    """SQLite gives the key of a deleted row to the next one."""
    key = shop.add(NUMBER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER], CUTOFF)
    shop.write("DELETE FROM accounts")
    with shop.engine.begin() as connection:
        stranger = {"id": key, "phone": None, "bound_at": bound_at, "country": "CN"}
        connection.execute(sa.insert(ACCOUNTS).values(stranger))
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "irreversible"}
    assert shop.phones() == [None]


def test_a_row_that_is_gone_keeps_no_other_of_its_number_from_it_but_is_said(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    gone = shop.add(NUMBER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER], CUTOFF)
    with shop.engine.begin() as connection:
        connection.execute(sa.delete(ACCOUNTS).where(ACCOUNTS.c.id == gone))
    for _ in range(2):
        assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "irreversible"}
        assert shop.phones() == [NUMBER]


def test_an_old_row_that_is_no_tie_keeps_nothing_from_its_owner(shop: Shop) -> None:
    """A closed account, say, that still shows the number: it made every restore irreversible."""
    shop.add(NUMBER, OLD, country="CN")
    shop.add(NUMBER, OLD, country="SG")
    ties = shop.store(country="CN")
    ties.unbind([NUMBER], CUTOFF)
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "restored"}
    assert shop.phones() == [NUMBER, NUMBER]


@pytest.mark.parametrize("bound_at", [CUTOFF, None], ids=["since", "in doubt"])
def test_a_row_that_is_no_tie_but_may_have_bound_the_number_since_keeps_it(shop: Shop, bound_at: datetime | None) -> None:
    shop.add(NUMBER, OLD, country="CN")
    ties = shop.store(country="CN")
    ties.unbind([NUMBER], CUTOFF)
    shop.add(NUMBER, bound_at, country="SG")
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "irreversible"}
    assert shop.phones() == [None, NUMBER]


def test_a_row_that_no_longer_counts_as_a_tie_does_not_get_its_number_back(shop: Shop) -> None:
    key = shop.add(NUMBER, OLD, country="CN")
    ties = shop.store(country="CN")
    ties.unbind([NUMBER], CUTOFF)
    shop.change(key, country="SG")
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "irreversible"}
    assert shop.phones() == [None]


def test_where_a_number_may_stand_once_it_returns_to_the_row_that_had_it_last(shop: Shop) -> None:
    """Two rows lost it, one after the other. Giving it to both raised, and so did each try after that."""
    shop.write("CREATE UNIQUE INDEX once ON accounts (phone)")
    shop.add(NUMBER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER], CUTOFF)
    shop.add(NUMBER, OLD + timedelta(days=1))
    shop.add(OTHER, OLD)
    ties.unbind([NUMBER, OTHER], CUTOFF)
    assert shop.phones() == [None, None, None]
    for _ in range(2):
        assert said(ties.restore([NUMBER, OTHER], CUTOFF)) == {NUMBER: "irreversible", OTHER: "restored"}
        assert shop.phones() == [None, NUMBER, OTHER]


@pytest.mark.parametrize("hooks", [{}, {"refuse": lambda *_: {}}], ids=["at once", "row by row"])
def test_a_row_that_its_table_forbids_to_change_is_refused_and_stops_no_other(shop: Shop, hooks: dict[str, Any]) -> None:
    if shop.engine.name != "postgresql":
        pytest.skip("SQLite adds no constraint to a table")
    shop.write("ALTER TABLE accounts ADD CHECK (phone IS NOT NULL OR country = 'CN')")
    shop.add(NUMBER, OLD, country="SG")
    shop.add(OTHER, OLD)
    ties = shop.store(**hooks)
    assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: "refused", OTHER: "unbound"}
    assert shop.phones() == [NUMBER, None]
    assert said(ties.restore([NUMBER, OTHER], CUTOFF)) == {OTHER: "restored"}


def test_a_row_that_lost_two_numbers_gets_the_one_back_that_it_had_when_it_was_bound(shop: Shop) -> None:
    key = shop.add(NUMBER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER], CUTOFF)
    shop.change(key, phone=OTHER, bound_at=OLD + timedelta(days=1))
    ties.unbind([OTHER], CUTOFF)
    assert said(ties.restore([NUMBER, OTHER], CUTOFF)) == {NUMBER: "irreversible", OTHER: "restored"}
    assert shop.phones() == [OTHER]


def test_a_row_that_lost_two_numbers_and_shows_one_time_for_both_gets_one_back_and_the_other_is_said(shop: Shop) -> None:
    key = shop.add(NUMBER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER], CUTOFF)
    shop.change(key, phone=OTHER)
    ties.unbind([OTHER], CUTOFF)
    found = said(ties.restore([NUMBER, OTHER], CUTOFF))
    assert sorted(found.values()) == ["irreversible", "restored"]
    assert found[str(shop.phones()[0])] == "restored"


# Stores that share a record -------------------------------------------------------------------------------------------
def test_two_columns_of_a_table_are_two_stores(shop: Shop) -> None:
    """The second answered `unbound`, since the first had cut that row, and kept its tie."""
    shop.add(NUMBER, OLD, spare=NUMBER)
    shop.add(OTHER, OLD)
    first, second = shop.store(), shop.store(number="spare")
    assert said(first.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: "unbound", OTHER: "unbound"}
    assert said(second.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: "unbound"}
    assert shop.phones("spare") == [None, None]
    assert said(second.restore([NUMBER, OTHER], CUTOFF)) == {NUMBER: "restored"}
    assert (shop.phones(), shop.phones("spare")) == ([None, None], [NUMBER, None])


def test_stores_that_divide_a_table_among_them_may_have_names_of_their_own(shop: Shop) -> None:
    shop.add(NUMBER, OLD, country="CN")
    shop.add(NUMBER, CUTOFF, country="SG")
    first, second = (shop.store(country=country, source=f"accounts of {country}") for country in ("CN", "SG"))
    assert said(first.unbind([NUMBER], CUTOFF)) == {NUMBER: "unbound"}
    assert said(second.unbind([NUMBER], CUTOFF)) == {NUMBER: "kept"}
    assert second.restore([NUMBER], CUTOFF) == []


def two_tables(path: Path) -> tuple[SqliteTies, SqliteTies]:
    with closing(sqlite3.connect(path)) as db, db:
        for table, numbers in (("users", [NUMBER]), ("couriers", [OTHER, NUMBER])):
            db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
            db.executemany(f"INSERT INTO {table} (phone, since) VALUES (?, '2020-01-01')", [(one,) for one in numbers])
    users, couriers = (
        SqliteTies(path, table=table, number_column="phone", bound_at_column="since") for table in ("users", "Couriers")
    )
    return users, couriers


def phones(path: Path, table: str) -> list[str | None]:
    with closing(sqlite3.connect(path)) as db:
        return [phone for (phone,) in db.execute(f"SELECT phone FROM {table} ORDER BY id")]


def test_two_tables_of_a_file_are_two_stores(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    users, couriers = two_tables(path)
    assert said(users.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: "unbound"}
    assert said(couriers.unbind([NUMBER], CUTOFF)) == {NUMBER: "unbound"}
    assert phones(path, "couriers") == [OTHER, None]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE couriers SET phone = NULL")  # the first has the key of the user that lost a number
    assert said(couriers.restore([NUMBER], CUTOFF)) == {NUMBER: "restored"}
    assert (phones(path, "users"), phones(path, "couriers")) == ([None], [None, NUMBER])


# Records that earlier versions made -----------------------------------------------------------------------------------
def test_what_an_earlier_version_cut_in_a_file_is_known_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        db.execute("INSERT INTO users (since) VALUES ('2020-01-01'), ('2026-12-01')")
        db.execute(
            "CREATE TABLE huanxin_cuts (tie INTEGER NOT NULL, number TEXT NOT NULL, cutoff TEXT NOT NULL,"
            " restored INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (number, cutoff, tie)) WITHOUT ROWID"
        )
        rows = [(place + 1, number, "2026-11-24T05:08:00.500000Z") for place, number in enumerate((NUMBER, OTHER))]
        db.executemany("INSERT INTO huanxin_cuts (tie, number, cutoff) VALUES (?, ?, ?)", rows)
    ties = SqliteTies(path, table="users", number_column="phone", bound_at_column="since")
    assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: "unbound", OTHER: "unbound"}
    assert said(ties.restore([NUMBER, OTHER], CUTOFF)) == {NUMBER: "restored", OTHER: "irreversible"}
    assert phones(path, "users") == [NUMBER, None], "the second is younger than the cut: another's row"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name LIKE '%before%'").fetchall() == []


_RECORD_BEFORE = """CREATE TABLE huanxin_cuts (number VARCHAR(32) NOT NULL, cutoff VARCHAR(32) NOT NULL,
    source VARCHAR(128) NOT NULL, tie VARCHAR(64) NOT NULL, restored BOOLEAN NOT NULL,
    PRIMARY KEY (number, cutoff, source, tie))"""


def test_the_record_of_an_earlier_version_is_mended_where_the_store_made_it_and_else_asked_for(tmp_path: Path) -> None:
    with sqlalchemy_shop(sqlite_url(tmp_path)) as shop:
        shop.add(NUMBER, OLD)
        for sql in ("DROP TABLE huanxin_cuts", _RECORD_BEFORE):
            shop.write(sql)
        cut = f"'{NUMBER}', '2026-11-24T05:08:00.500000Z', 'accounts', id, false"
        shop.write(f"INSERT INTO huanxin_cuts (number, cutoff, source, tie, restored) SELECT {cut} FROM accounts")
        shop.write("UPDATE accounts SET phone = NULL")
        with pytest.raises(BadTable, match="bound_at"):
            shop.store().unbind([NUMBER], CUTOFF)
        own = SqlAlchemyTies(shop.engine, ACCOUNTS, number="phone", bound_at="bound_at")
        for ties in (own, shop.store()):
            assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: "unbound"}
        assert said(own.restore([NUMBER], CUTOFF)) == {NUMBER: "restored"}
        assert shop.phones() == [NUMBER]


def test_what_an_earlier_version_cut_in_a_django_project_is_known_and_comes_back(tmp_path: Path) -> None:
    with django_shop(sqlite_url(tmp_path)) as shop:
        key = shop.add(None, OLD)
        call_command("migrate", "huanxin_partner", "0001", database="shop", verbosity=0)
        cut = f"'{NUMBER}', '2026-11-24T05:08:00.500000Z', 'shop.account', '{key}', false"
        shop.write(f"INSERT INTO huanxin_cuts (number, cutoff, source, tie, restored) VALUES ({cut})")
        connections["shop"].close()
        call_command("migrate", "huanxin_partner", database="shop", verbosity=0)
        ties = shop.store()
        assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: "unbound"}
        assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: "restored"}
        assert shop.phones() == [NUMBER]
