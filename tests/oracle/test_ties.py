"""The ready stores against the oracle of `ties`: what a partner's tables hold, and what is answered, in any history.

Accounts are bound, moved, closed, deleted and bound anew, with times written in a dozen ways; two tables stand in one file;
renewals and retractions come in any order, again, and to two workers at once. After each step the tables must hold, and the
stores have said, what the oracle says.
"""

from __future__ import annotations

import ast
import atexit
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import sqlalchemy as sa
from django.core.management import call_command
from django.db import connections, models
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.rows import RowTies
from huanxin_partner.sqlalchemy import SqlAlchemyTies, record_table
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event
from oracle import ties as judge
from oracle.soaking import run, wanted
from oracle.ties import SHANGHAI, WRITTEN, Row, Table, precise
from ready_stores import django_account

STEPS = 25
NUMBERS = [f"+861380013800{place}" for place in range(4)]
TABLES = ["users", "couriers"]
CUTOFFS = [datetime(2026, 11, 24, 5, 8, 0, 500_000, tzinfo=UTC) + timedelta(days=100 * place) for place in range(2)]
_DJANGO = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "TIME_ZONE": "UTC"}
_QUICK = "/dev/shm"  # memory, where the machine has such a folder
RENEWAL, RETRACTION = "urn:huanxin:event:renewal", "urn:huanxin:event:retraction"


OFFSETS = st.one_of(
    st.integers(-2, 2).map(lambda steps: timedelta(microseconds=steps)),
    st.integers(-3, 3).map(lambda seconds: timedelta(seconds=seconds, microseconds=-500_000)),
    st.integers(-40, 40).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([timedelta(days=-400), timedelta(days=50), timedelta(days=300)]),
)
SOME = st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1).map(sorted)


# The stores, and those who use them -----------------------------------------------------------------------------------
class Platform:
    """Gives the numbers of a notice one by one, and lets something happen in between."""

    def __init__(self) -> None:
        self.notices: dict[str, list[str]] = {}
        self.between: dict[int, Callable[[], None]] = {}
        self.receipts: dict[str, dict[str, str]] = {}

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[Iterator[str]]:
        del sha256
        yield self._lines(self.notices[url.rpartition("/")[2]])

    def _lines(self, numbers: Sequence[str]) -> Iterator[str]:
        happen, self.between = self.between, {}
        yield "number\n"
        for place, number in enumerate(numbers):
            if place in happen:
                happen[place]()
            yield f"{number}\n"

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str) -> dict[str, Any]:
        assert complete
        assert key
        named = {answer.number: answer.outcome for answer in answers}
        self.receipts[notice] = {number: named.get(number, "absent") for number in self.notices[notice]}
        return {}


@cache
def _folder() -> Path:
    """Where each history has its files, new ones under the same names."""
    path = Path(mkdtemp(prefix="huanxin-ties-", dir=_QUICK if Path(_QUICK).is_dir() else None))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


class Ties(RuleBasedStateMachine):
    """Both tables in one file, with a store each; the stores are of the kind that a subclass makes."""

    def make(self, table: str) -> RowTies[Any]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.path = _folder() / "shop.db"
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.events = 0
        self.surveyed: dict[str, object] = {}
        """the rows of each table when they were last surveyed"""

    @initialize(unique=st.booleans())
    def open_shop(self, unique: bool) -> None:
        self.tables = {name: Table(unique=unique) for name in TABLES}
        for name in TABLES:
            once = "UNIQUE" if unique else ""
            self.db.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, phone TEXT {once}, since, open INTEGER)")
        self.stores = {name: self.make(name) for name in TABLES}
        self.platform = Platform()
        self.handlers = {name: [self._handler(name) for _ in range(2)] for name in TABLES}

    def _handler(self, table: str) -> Handler:
        journal = Journal(self.path.with_name(f"{table}.journal"))
        return Handler(self.make(table), self.platform, journal, chunk=1)  # type: ignore[arg-type]  # lines from no real file

    def teardown(self) -> None:
        for handlers in getattr(self, "handlers", {}).values():
            for handler in handlers:
                handler.journal.close()
        self.db.close()
        for file in self.path.parent.iterdir():
            file.unlink()

    # What people do ---------------------------------------------------------------------------------------------------
    @rule(
        name=st.sampled_from(TABLES), number=st.sampled_from(NUMBERS), near=st.sampled_from(CUTOFFS), offset=OFFSETS,
        written=st.sampled_from(list(WRITTEN)),
    )  # fmt: skip
    def sign_up(self, name: str, number: str, near: datetime, offset: timedelta, written: str) -> None:
        table = self.tables[name]
        if table.unique and table.holders(number):
            return
        write, until = WRITTEN[written]
        self._insert(name, Row(number=number, stored=write(near + offset), until=until(near + offset)))

    @rule(name=st.sampled_from(TABLES), time=st.sampled_from([None, "2030-01-01 00:00:00"]))
    def sign_up_without_a_number(self, name: str, time: str | None) -> None:
        until = datetime(2029, 12, 31, 16, 0, 0, 999_999, tzinfo=UTC) if time else None
        self._insert(name, Row(number=None, stored=time, until=until))

    def _insert(self, name: str, row: Row) -> None:
        values = (row.number, row.stored, int(row.open))
        key = self.db.execute(f"INSERT INTO {name} (phone, since, open) VALUES (?, ?, ?)", values).lastrowid
        assert key is not None
        self.tables[name].rows[key] = row

    def _some(self, name: str, place: int) -> int | None:
        keys = sorted(self.tables[name].rows)
        return keys[place % len(keys)] if keys else None

    @rule(name=st.sampled_from(TABLES), place=st.integers(0, 9))
    def leave(self, name: str, place: int) -> None:
        """The key is given to whoever comes next, if it was the last."""
        key = self._some(name, place)
        if key is not None:
            self.db.execute(f"DELETE FROM {name} WHERE id = ?", (key,))
            del self.tables[name].rows[key]

    @rule(name=st.sampled_from(TABLES), place=st.integers(0, 9), number=st.sampled_from(NUMBERS), renews=st.booleans())
    def bind_another_number(self, name: str, place: int, number: str, renews: bool) -> None:
        """Not every program renews the time."""
        key, table = self._some(name, place), self.tables[name]
        if key is None or (table.unique and table.holders(number)):
            return
        row = table.rows[key]
        row.number = number
        if renews:
            at = CUTOFFS[-1] + timedelta(days=1, microseconds=self.events * 1001 + 1)
            self.events += 1
            row.stored, row.until = at.isoformat(timespec="microseconds"), precise(at)
        self.db.execute(f"UPDATE {name} SET phone = ?, since = ? WHERE id = ?", (number, row.stored, key))

    @precondition(lambda self: self.has_where)
    @rule(name=st.sampled_from(TABLES), place=st.integers(0, 9))
    def close_or_open_again(self, name: str, place: int) -> None:
        key = self._some(name, place)
        if key is not None:
            row = self.tables[name].rows[key]
            row.open = not row.open
            self.db.execute(f"UPDATE {name} SET open = ? WHERE id = ?", (int(row.open), key))

    # What the platform asks -------------------------------------------------------------------------------------------
    @rule(name=st.sampled_from(TABLES), numbers=SOME, cutoff=st.sampled_from(CUTOFFS), again=st.booleans())
    def renew(self, name: str, numbers: list[str], cutoff: datetime, again: bool) -> None:
        for _ in range(1 + again):
            expected = {number: self.tables[name].unbind(number, cutoff) for number in numbers}
            assert self._said(self.stores[name].unbind(numbers, cutoff), numbers) == expected

    @rule(name=st.sampled_from(TABLES), numbers=SOME, cutoff=st.sampled_from(CUTOFFS), again=st.booleans())
    def retract(self, name: str, numbers: list[str], cutoff: datetime, again: bool) -> None:
        for _ in range(1 + again):
            expected = {number: self.tables[name].restore(number, cutoff) for number in numbers}
            assert self._said(self.stores[name].restore(numbers, cutoff), numbers) == expected

    @rule(
        name=st.sampled_from(TABLES), numbers=SOME, back=SOME, place=st.integers(0, 3), cutoff=st.sampled_from(CUTOFFS),
        crashes=st.booleans(),
    )  # fmt: skip
    def renew_while_another_worker_retracts(
        self, name: str, numbers: list[str], back: list[str], place: int, cutoff: datetime, crashes: bool
    ) -> None:
        """A retraction comes to the second worker while the first has done `place` numbers, or before it has begun. The
        first may do all of it again, as after a crash."""
        self.events += 1
        notice, of = f"r{self.events}", f"n{self.events}"
        self.platform.notices |= {notice: back, of: numbers}
        first, second = self.handlers[name]
        table, place = self.tables[name], min(place, len(numbers) - 1)
        self.platform.between = {place: lambda: self._handle(second, RETRACTION, notice, cutoff, of=of)}
        for _ in range(1 + crashes):
            self._handle(first, RENEWAL, of, cutoff)
        cut = {number: table.unbind(number, cutoff) for number in numbers[:place]}
        restored = {number: table.restore(number, cutoff) for number in back}
        cut |= {number: table.unbind(number, cutoff) for number in numbers[place:] if number not in back}
        if crashes:
            cut = {number: table.unbind(number, cutoff) for number in numbers if number not in back}
        assert self.platform.receipts[notice] == restored
        assert self.platform.receipts[of] == dict.fromkeys(numbers, "absent") | cut

    @staticmethod
    def _handle(handler: Handler, name: str, notice: str, cutoff: datetime, **more: str) -> None:
        file = {"url": f"http://x/{notice}", "sha256": {"text/csv": "a" * 64}}
        claims = {"notice": notice, "cutoff": cutoff.isoformat(), "numbers": file} | more
        handler.handle(Event(jti=f"j{notice}", name=name, claims=claims, subject={}, issued_at=1))

    @staticmethod
    def _said(answers: Sequence[Answer], numbers: Sequence[str]) -> dict[str, str]:
        named = {answer.number: answer.outcome for answer in answers}
        assert len(named) == len(answers)
        assert all(answer.reason == ("other" if answer.outcome == "refused" else "") for answer in answers)
        return {number: named.get(number, "absent") for number in numbers}

    @invariant()
    def every_row_is_as_the_oracle_says(self) -> None:
        for name, table in getattr(self, "tables", {}).items():
            found = {key: (phone, since) for key, phone, since in self.db.execute(f"SELECT id, phone, since FROM {name}")}
            assert found == {key: (row.number, row.stored) for key, row in table.rows.items()}

    @invariant()
    def the_doubtful_are_counted(self) -> None:
        for name, table in getattr(self, "tables", {}).items():
            rows = {key: (row.number, row.stored, row.open) for key, row in table.rows.items()}
            if self.surveyed.get(name) == rows:
                continue  # a survey looks at these rows and at nothing else
            self.surveyed[name] = rows
            ties = [row for row in table.rows.values() if row.number is not None and row.open]
            found = self.stores[name].survey()
            assert (found.rows, found.doubtful) == (len(ties), sum(row.until is None for row in ties))


class InSqlite(Ties):
    has_where = False

    def make(self, table: str) -> RowTies[Any]:
        return SqliteTies(self.path, table=table, number_column="phone", bound_at_column="since", zone=SHANGHAI)


class WithSqlAlchemy(Ties):
    has_where = True

    def make(self, table: str) -> RowTies[Any]:
        engine, rows, record = _alchemist(self.path, table)
        record.create(engine, checkfirst=True)
        return SqlAlchemyTies(
            engine, rows, number="phone", bound_at="since", where=rows.c.open == 1, record=record, zone=SHANGHAI
        )


@cache
def _alchemist(path: Path, table: str) -> tuple[sa.Engine, sa.Table, sa.Table]:
    """An engine that connects anew each time, and the tables: it keeps the statements that it made for them."""
    metadata = sa.MetaData()
    rows = sa.Table(
        table, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("phone", sa.String),
        sa.Column("since", sa.types.NullType), sa.Column("open", sa.Integer),
    )  # fmt: skip
    return sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool), rows, record_table(metadata)


class WithDjango(Ties):
    """Its connection is the same for all of a process, so that each history points it at its own file."""

    has_where = True

    def __init__(self) -> None:
        super().__init__()
        django_account()  # sets Django up
        connections.settings.setdefault("ties", connections.configure_settings({"default": {}, "ties": _DJANGO})["ties"])
        shutil.copy(_migrated(), self.path)
        connections["ties"].settings_dict["NAME"] = str(self.path)

    def teardown(self) -> None:
        connections["ties"].close()
        super().teardown()

    def make(self, table: str) -> RowTies[Any]:
        model, ties = _django_model(table)
        made: RowTies[Any] = ties(
            model._default_manager.filter(open=1), number="phone", bound_at="since", using="ties", zone=SHANGHAI
        )
        return made


@cache
def _migrated() -> Path:
    """A file with the record of what was cut, as the migrations make it: they would take longer than a history."""
    path = Path(mkdtemp(prefix="huanxin-ties-")) / "migrated.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    connections["ties"].settings_dict["NAME"] = str(path)
    call_command("migrate", database="ties", verbosity=0)
    connections["ties"].close()
    return path


@cache
def _django_model(table: str) -> tuple[type[models.Model], Callable[..., Any]]:
    fields = {
        "__module__": __name__, "phone": models.CharField(max_length=20, null=True), "since": models.TextField(null=True),
        "open": models.IntegerField(),
        "Meta": type("Meta", (), {"app_label": "shop", "managed": False, "db_table": table}),
    }  # fmt: skip
    return type(table.capitalize(), (models.Model,), fields), django_account()[1]


KINDS = [InSqlite, WithSqlAlchemy, WithDjango]
HISTORIES = wanted(40, kinds=len(KINDS))  # of each kind of store; what they do differs little


@pytest.mark.parametrize("machine", KINDS)
def test_tables_hold_and_stores_say_what_the_oracle_says(machine: type[Ties]) -> None:
    run(machine, HISTORIES, STEPS)


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    source = Path(judge.__file__).read_text(encoding="utf-8")
    named = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert named
    assert not any("huanxin" in ast.unparse(node) for node in named)


def test_the_oracle_itself_knows_a_stranger() -> None:
    table = Table(unique=False)
    table.rows[1] = Row(number=NUMBERS[0], stored="2020", until=CUTOFFS[0] - timedelta(days=1))
    assert table.unbind(NUMBERS[0], CUTOFFS[0]) == "unbound"
    table.rows[1] = Row(number=None, stored="2020", until=CUTOFFS[0] - timedelta(days=1))
    assert table.restore(NUMBERS[0], CUTOFFS[0]) == "irreversible"
