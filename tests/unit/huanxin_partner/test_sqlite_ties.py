"""The ready store: rule 2 on whatever spelling of time a partner's table holds, and answers that can be asked for again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huanxin_partner.rows import BadTable, Tie
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from huanxin_partner.times import MOST_MEANT, latest_instant

CUTOFF = datetime(2026, 11, 24, 5, 8, 0, 500_000, tzinfo=UTC)
NUMBER = "+8613800138000"


def make(path: Path, rows: list[tuple[str | None, object]], zone: str = "UTC") -> SqliteTies:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since, wallet INTEGER DEFAULT 7)")
        db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", rows)
    return SqliteTies(path, table="users", number_column="phone", bound_at_column="since", zone=ZoneInfo(zone))


def phones(path: Path) -> list[str | None]:
    with closing(sqlite3.connect(path)) as db:
        return [phone for (phone,) in db.execute("SELECT phone FROM users ORDER BY id")]


def said(answers: list[Answer]) -> dict[str, tuple[str, str]]:
    return {answer.number: (answer.outcome, answer.reason) for answer in answers}


def test_cuts_the_older_tie_and_keeps_the_account(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01T00:00:00Z"), ("+8613800138001", "2026-11-25T00:00:00Z")])
    found = said(ties.unbind([NUMBER, "+8613800138001", "+8613800138002"], CUTOFF))
    assert found == {NUMBER: ("unbound", ""), "+8613800138001": ("kept", "")}
    assert phones(tmp_path / "a.db") == [None, "+8613800138001"]
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert db.execute("SELECT sum(wallet) FROM users").fetchone() == (14,)
    assert not ties.bound(NUMBER)
    assert ties.bound("+8613800138001")


@pytest.mark.parametrize(
    ("bound_at", "zone", "outcome"),
    [
        ("2026-11-24", "UTC", "kept"),
        ("20261124", "UTC", "kept"),
        ("2026-11-23", "UTC", "unbound"),
        ("2026-11-23", "America/Los_Angeles", "kept"),
        ("2026-11-24 05:08:00", "UTC", "kept"),  # in the boundary second: its fraction was left out
        ("2026-11-24 05:07:59", "UTC", "unbound"),
        ("2026-11-24 05:08", "UTC", "kept"),
        ("2026-11-24T05:08:00.4Z", "UTC", "unbound"),
        ("2026-11-24T05:08:00.5Z", "UTC", "kept"),
        ("2026-11-24T13:08:00.499999+08:00", "UTC", "unbound"),
        ("2026-11-24 13:07:59", "Asia/Shanghai", "unbound"),
        ("2026-11-24 13:08:01", "Asia/Shanghai", "kept"),
        (1795496880, "UTC", "kept"),
        (1795496879, "UTC", "unbound"),
        (1795496880.4, "UTC", "unbound"),
    ],
)
def test_a_time_counts_as_the_latest_instant_that_it_may_stand_for(
    tmp_path: Path, bound_at: object, zone: str, outcome: str
) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, bound_at)], zone)
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: (outcome, "")}


@pytest.mark.parametrize("bound_at", [None, "", "last year", b"2020", float("inf")])
def test_a_time_that_cannot_be_read_refuses_its_number(tmp_path: Path, bound_at: object) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, bound_at)])
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: ("refused", "other")}
    assert phones(tmp_path / "a.db") == [NUMBER]


def test_asked_again_it_answers_the_same(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    first = ties.unbind([NUMBER], CUTOFF)
    assert said(first) == {NUMBER: ("unbound", "")}
    assert ties.unbind([NUMBER], CUTOFF) == first
    assert ties.unbind([NUMBER], CUTOFF + timedelta(days=400)) == []
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("restored", "")}
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("restored", "")}
    assert phones(tmp_path / "a.db") == [NUMBER]
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: ("kept", "")}


def test_only_the_renewal_that_is_taken_back_is_undone(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    ties.unbind([NUMBER], CUTOFF)
    later = CUTOFF + timedelta(days=400)
    assert ties.unbind([NUMBER], later) == []
    assert ties.restore([NUMBER], later) == []
    assert phones(tmp_path / "a.db") == [None]


def test_a_number_that_was_bound_anew_is_not_given_back(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    ties.unbind([NUMBER], CUTOFF)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("INSERT INTO users (phone, since) VALUES (?, '2026-12-01')", (NUMBER,))
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("irreversible", "")}
    assert phones(tmp_path / "a.db") == [None, NUMBER]


def test_a_number_that_came_back_to_the_same_row_is_kept(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    ties.unbind([NUMBER], CUTOFF)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("UPDATE users SET phone = ?", (NUMBER,))  # an app that does not renew its time of binding
    ties.unbind([NUMBER], CUTOFF)
    assert phones(tmp_path / "a.db") == [NUMBER]


def test_a_strangers_row_that_was_given_the_key_does_not_get_the_number(tmp_path: Path) -> None:
    ties = make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    ties.unbind([NUMBER], CUTOFF)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("DELETE FROM users")
        db.execute("INSERT INTO users (phone, since) VALUES (NULL, '2020-01-02')")
        assert db.execute("SELECT id FROM users").fetchall() == [(1,)], "SQLite gives a free key again"
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("irreversible", "")}
    assert phones(tmp_path / "a.db") == [None]


def test_giving_back_looks_at_the_rows_that_are_asked_for_and_not_through_all_of_them_each_time(tmp_path: Path) -> None:
    """SQLite went through 5,000 rows without a number for each of 5,000 keys: 90,000 took more than ten minutes."""
    numbers = [f"+86139{place:08}" for place in range(5_000)]
    ties = make(tmp_path / "a.db", [(number, "2020-01-01") for number in numbers])
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("CREATE INDEX users_by_phone ON users (phone)")
    steps: list[int] = []

    def step() -> int:
        steps.append(1)
        return 0

    class Watched(SqliteTies):
        @contextmanager
        def transaction(self) -> Iterator[sqlite3.Connection]:
            with super().transaction() as session:
                session.set_progress_handler(step, 10_000)
                yield session

    ties = Watched(tmp_path / "a.db", table="users", number_column="phone", bound_at_column="since")
    assert {answer.outcome for answer in ties.unbind(numbers, CUTOFF)} == {"unbound"}
    assert {answer.outcome for answer in ties.restore(numbers, CUTOFF)} == {"restored"}
    assert len(steps) < 500  # times 10,000 instructions


@pytest.mark.parametrize("constraint", ["UNIQUE", "UNIQUE ON CONFLICT REPLACE", "UNIQUE ON CONFLICT IGNORE"])
def test_where_a_number_may_stand_once_no_account_is_lost_and_one_has_it_back(tmp_path: Path, constraint: str) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT {constraint}, since TEXT)")
    ties = SqliteTies(path, table="users", number_column="phone", bound_at_column="since")
    for since in ("2020-01-01", "2020-01-02"):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO users (phone, since) VALUES (?, ?)", (NUMBER, since))
        ties.unbind([NUMBER], CUTOFF)
    for _ in range(2):
        assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("irreversible", "")}
        assert phones(path) == [None, NUMBER]


def test_an_account_that_must_have_a_number_keeps_it_and_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        db.execute("CREATE TRIGGER t BEFORE UPDATE ON users WHEN new.phone IS NULL AND new.id = 1"
                   " BEGIN SELECT RAISE(ABORT, 'the first account needs a number'); END")  # fmt: skip
        db.executemany("INSERT INTO users (phone, since) VALUES (?, '2020-01-01')", [(NUMBER,), ("+8613800138001",)])
    ties = SqliteTies(path, table="users", number_column="phone", bound_at_column="since")
    found = said(ties.unbind([NUMBER, "+8613800138001"], CUTOFF))
    assert found == {NUMBER: ("refused", "other"), "+8613800138001": ("unbound", "")}
    assert phones(path) == [NUMBER, None]


def test_a_store_of_a_programs_own_judges_itself_to_which_rows_a_number_may_return(tmp_path: Path) -> None:
    """Where a row shows by other means than NULL that it has no number."""

    class Closed(SqliteTies):
        def detach(self, session: sqlite3.Connection, ties: list[Tie]) -> None:
            keys = [(tie.key,) for tie in ties]
            session.executemany("UPDATE users SET phone = '-' || phone WHERE id = ?", keys)

        def attach(self, session: sqlite3.Connection, ties: list[Tie]) -> list[Tie]:
            given = "UPDATE users SET phone = ? WHERE id = ? AND phone = ?"
            return [t for t in ties if session.execute(given, (t.number, t.key, f"-{t.number}")).rowcount]

    make(tmp_path / "a.db", [(NUMBER, "2020-01-01")])
    ties = Closed(tmp_path / "a.db", table="users", number_column="phone", bound_at_column="since")
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}
    assert phones(tmp_path / "a.db") == [f"-{NUMBER}"]
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("restored", "")}
    assert phones(tmp_path / "a.db") == [NUMBER]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT NOT NULL, since)", "NOT NULL"),
        ("CREATE TABLE users (phone TEXT, since)", "INTEGER PRIMARY KEY"),
        ("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT)", "since"),
        ("CREATE TABLE people (id INTEGER PRIMARY KEY)", "users"),
        ("CREATE TABLE users (phone INTEGER PRIMARY KEY, since)", "three columns"),
        ("CREATE TABLE users (id INTEGER, phone TEXT, since INTEGER PRIMARY KEY)", "three columns"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, sql: str, reason: str) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute(sql)
    with pytest.raises(BadTable, match=reason):
        SqliteTies(tmp_path / "a.db", table="users", number_column="phone", bound_at_column="since")


def test_names_are_quoted(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute('CREATE TABLE "the order" ("a ""key" INTEGER PRIMARY KEY, "group" TEXT, since TEXT)')
        db.execute('INSERT INTO "the order" ("group", since) VALUES (?, ?)', (NUMBER, "2020-01-01"))
    ties = SqliteTies(tmp_path / "a.db", table="the order", number_column="group", bound_at_column="since")
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}


NUMBERS = [f"+861380013800{digit}" for digit in range(4)]
OFFSETS = st.one_of(st.integers(-3_000_000, 3_000_000), st.sampled_from([-1, 0, 1, -500_000, 500_000]))
SOME_NUMBERS = st.lists(st.sampled_from(NUMBERS), unique=True)
SPELLINGS = st.sampled_from(["micro", "milli", "second", "minute", "day", "shanghai"])


def spelt(instant: datetime, spelling: str) -> str:
    """As a table may hold it: digits left out, never rounded up."""
    if spelling == "shanghai":
        return instant.astimezone(ZoneInfo("Asia/Shanghai")).isoformat(timespec="microseconds")
    if spelling == "day":
        return f"{instant:%Y-%m-%d}"
    steps = {"micro": "microseconds", "milli": "milliseconds", "second": "seconds", "minute": "minutes"}
    return instant.isoformat(timespec=steps[spelling])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(NUMBERS), OFFSETS, SPELLINGS), max_size=12),
    calls=st.lists(st.tuples(st.sampled_from(["unbind", "restore"]), SOME_NUMBERS), max_size=5),
)
def test_no_tie_at_or_after_the_cutoff_is_ever_cut(
    rows: list[tuple[str, int, str]], calls: list[tuple[str, list[str]]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        instants = [CUTOFF + timedelta(microseconds=offset) for _, offset, _ in rows]
        ties = make(path, [(number, spelt(at, how)) for (number, _, how), at in zip(rows, instants, strict=True)])
        for method, numbers in [*calls, ("unbind", NUMBERS)]:
            first = list(getattr(ties, method)(numbers, CUTOFF))
            assert first == list(getattr(ties, method)(numbers, CUTOFF))
            for (number, _, _), at, phone in zip(rows, instants, phones(path), strict=True):
                assert phone == number or at < CUTOFF
                assert phone in (number, None)


@given(offset=OFFSETS, spelling=SPELLINGS)
def test_the_latest_instant_is_never_before_the_real_one(offset: int, spelling: str) -> None:
    real = CUTOFF + timedelta(microseconds=offset)
    read = latest_instant(spelt(real, spelling), UTC)
    assert read is not None
    assert read >= real


def test_an_hour_that_a_clock_shows_twice_counts_as_the_later_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # 02:30 on October 25, 2026 is 00:30 and 01:30 UTC
    for value in ("2026-10-25 02:30:00", datetime(2026, 10, 25, 2, 30)):  # noqa: DTZ001  # as a table holds it
        assert latest_instant(value, berlin) == datetime(2026, 10, 25, 1, 30, 0, 999_999, tzinfo=UTC)
    assert latest_instant("2026-03-29 02:30:00", berlin) is not None  # the hour that is left out


@given(
    stored=st.dates(date(1990, 1, 1), date(2100, 1, 1)) | st.datetimes(*map(datetime, (1990, 2100), (1, 1), (1, 1))),
    zone=st.timezones() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_what_databases_call_older_the_rule_calls_older_too(stored: date, zone: tzinfo) -> None:
    """What is cut in one statement has a time, read as UTC, so long before the cut-off that no zone puts it after it."""
    as_utc = stored if isinstance(stored, datetime) else datetime.combine(stored, time.min)
    latest = latest_instant(stored, zone)
    assert latest is not None
    assert latest < as_utc.replace(tzinfo=UTC) + MOST_MEANT
