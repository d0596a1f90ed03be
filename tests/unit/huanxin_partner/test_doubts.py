"""Times in tables that nobody can be sure of: they stop no call, their rows are not cut, and they can be counted before."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from huanxin_partner.rows import Tie
from huanxin_partner.sqlalchemy import SqlAlchemyTies
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from ready_stores import Shop, sqlite_url

CUTOFF = datetime(2026, 11, 24, 5, 8, 0, 500_000, tzinfo=UTC)
OLD = datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
NUMBER, DOUBTFUL, NEW = "+8613800138000", "+8613800138001", "+8613800138002"
POSTGRESQL = ["infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "20000-01-01", "1970-01-01 00:00:00"]
SQLITE = [*POSTGRESQL, "0000-00-00 00:00:00", "2026-W01", "2026-01-01T12", "20260101T12", "2026-13-45 00:00:00", "soon"]


def said(answers: Sequence[Answer]) -> dict[str, tuple[str, str]]:
    return {answer.number: (answer.outcome, answer.reason) for answer in answers}


@pytest.mark.parametrize("column", ["bound_at", "day"])
@pytest.mark.parametrize("hooks", [{}, {"refuse": lambda *_: {}}], ids=["at once", "row by row"])
def test_a_row_whose_time_is_in_doubt_is_refused_and_stops_no_other(shop: Shop, column: str, hooks: dict[str, Any]) -> None:
    """One such row ended the whole call each time, or was read as the beginning of the year and cut."""
    values = POSTGRESQL if shop.engine.name == "postgresql" else SQLITE
    shop.add(NUMBER, OLD, day=OLD.date())
    shop.add(NEW, CUTOFF, day=CUTOFF.date())
    numbers = [f"+861390000000{place:x}".replace("a", "70").replace("b", "71") for place in range(len(values))]
    for number, value in zip(numbers, values, strict=True):
        shop.add(number, OLD, day=OLD.date())
        shop.write(f"UPDATE accounts SET {column} = '{value}' WHERE phone = :number", number=number)
    before = shop.phones()
    ties = shop.store(bound_at=column, **hooks)
    told = ties.survey()
    assert (told.rows, told.doubtful) == (len(values) + 2, len(values))
    found = said(ties.unbind([NUMBER, NEW, *numbers], CUTOFF))
    assert found == dict.fromkeys(numbers, ("refused", "other")) | {NUMBER: ("unbound", ""), NEW: ("kept", "")}
    assert shop.phones() == [None, *before[1:]]
    assert said(ties.restore([NUMBER, *numbers], CUTOFF)) == {NUMBER: ("restored", "")}


def test_a_day_in_a_column_of_times_lasts_until_its_end(shop: Shop) -> None:
    """A driver reads it as the day's first instant, and the tie that was made in the evening was cut."""
    if shop.engine.name == "postgresql":
        pytest.skip("PostgreSQL has no days in columns of times")
    for number, value in ((NUMBER, "2026-11-23"), (NEW, "2026-11-24"), (DOUBTFUL, "20261124")):  # SQLite keeps an integer
        shop.add(number, OLD)
        shop.write("UPDATE accounts SET bound_at = :value WHERE phone = :number", value=value, number=number)
    found = said(shop.store().unbind([NUMBER, NEW, DOUBTFUL], CUTOFF))
    assert found == {NUMBER: ("unbound", ""), NEW: ("kept", ""), DOUBTFUL: ("refused", "other")}


def test_a_hook_sees_times_as_the_program_does(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    seen: list[Tie] = []
    shop.store(end_sessions=lambda _, ties: seen.extend(ties)).unbind([NUMBER], CUTOFF)
    at = seen[0].bound_at
    assert isinstance(at, datetime)
    assert at.replace(tzinfo=UTC) == OLD


class Beijing(sa.TypeDecorator[datetime]):
    """A type of a program's own: times as text of Beijing."""

    impl, cache_ok = sa.String, True

    def process_result_value(self, value: str | None, _: object) -> datetime | None:
        return datetime.fromisoformat(f"{value}+08:00") if value else None


def test_a_type_of_the_programs_own_reads_its_times_and_what_it_can_not_read_is_in_doubt(tmp_path: Path) -> None:
    engine = sa.create_engine(sqlite_url(tmp_path))
    users = sa.Table("users", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("phone", sa.String),
                     sa.Column("since", Beijing))  # fmt: skip
    users.create(engine)
    with engine.begin() as connection:
        for number, since in (
            (NUMBER, "2026-11-24 13:07:59"),
            (NEW, "2026-11-24 13:08:01"),
            (DOUBTFUL, "0000-00-00 00:00:00"),
        ):
            connection.execute(sa.text("INSERT INTO users (phone, since) VALUES (:n, :s)"), {"n": number, "s": since})
    ties = SqlAlchemyTies(engine, users, number="phone", bound_at="since")
    found = said(ties.unbind([NUMBER, NEW, DOUBTFUL], CUTOFF))
    assert found[NEW][0] == "kept"
    assert found[DOUBTFUL] == ("refused", "other")
    engine.dispose()


def sqlite(path: Path, rows: Sequence[tuple[str, object]], form: str = "") -> SqliteTies:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since)")
        db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", rows)
    return SqliteTies(path, table="users", number_column="phone", bound_at_column="since", form=form)


def test_a_form_that_the_settings_name_is_read_and_nothing_else(tmp_path: Path) -> None:
    rows = [(NUMBER, 20261123), (NEW, 20261124), (DOUBTFUL, 1795496879)]
    found = said(sqlite(tmp_path / "a.db", rows, "%Y%m%d").unbind([NUMBER, NEW, DOUBTFUL], CUTOFF))
    assert found == {NUMBER: ("unbound", ""), NEW: ("kept", ""), DOUBTFUL: ("refused", "other")}
    assert said(sqlite(tmp_path / "b.db", rows).unbind([NUMBER, NEW], CUTOFF)) == dict.fromkeys(
        [NUMBER, NEW], ("refused", "other")
    )


def test_the_doubtful_are_counted_by_how_they_are_written(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert not db.execute("SELECT 1 FROM sqlite_master").fetchall()
    rows: list[tuple[str, object]] = [(NUMBER, value) for value in ("2020-01-01", 20260601, 20260602, "2026-W01", None, "")]
    ties = sqlite(tmp_path / "a.db", rows)
    found = ties.survey()
    assert (found.rows, found.doubtful) == (6, 5)
    assert {form: (doubt.rows, doubt.example) for form, doubt in found.doubts.items()} == {
        "00000000 (int)": (2, "20260601 (int)"), "0000-W00": (1, "2026-W01"), "NULL (NoneType)": (1, "NULL (NoneType)"),
        "''": (1, "''"),
    }  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)], "looking writes nothing"


def test_text_that_is_none_stops_no_call(tmp_path: Path) -> None:
    ties = sqlite(tmp_path / "a.db", [(NUMBER, "2020-01-01"), (DOUBTFUL, "2020-01-01")])
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("UPDATE users SET since = CAST(x'ff32' AS TEXT) WHERE phone = ?", (DOUBTFUL,))
    assert said(ties.unbind([NUMBER, DOUBTFUL], CUTOFF)) == {NUMBER: ("unbound", ""), DOUBTFUL: ("refused", "other")}
