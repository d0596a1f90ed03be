"""A tie store on a table or mapped model of SQLAlchemy 2 (the extra `sqlalchemy`), on any database that it speaks to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from huanxin_partner.rows import OLDEST, BadTable, EndSessions, Refuse, RowTies, Tie, named
from huanxin_partner.ties import as_text
from huanxin_partner.times import EARLIEST, LATEST

_READ_BACK: dict[type[Any], Callable[[str], Any]] = {int: int, str: str, UUID: UUID}
_TEXT = frozenset({sa.String, sa.Text, sa.VARCHAR, sa.TEXT})  # compared as text; CHAR and CITEXT are not
_RECORD = ["number", "cutoff", "source", "tie", "bound_at", "restored"]
_ROLES = "the key", "the number", "the time of binding"
_STREAMED = 5_000  # rows that are fetched at a time where all are looked at


def record_table(metadata: sa.MetaData, name: str = "huanxin_cuts") -> sa.Table:
    """The table that keeps what was cut, for your own metadata, so that your migrations make it."""
    return sa.Table(
        name, metadata,
        sa.Column("number", sa.String(32), primary_key=True),
        sa.Column("cutoff", sa.String(32), primary_key=True),  # of the renewal that cut it; RFC 3339
        sa.Column("source", sa.String(128), primary_key=True),  # where the number was taken from: table.column
        sa.Column("tie", sa.String(64), primary_key=True),  # its primary key, as text
        sa.Column("bound_at", sa.String(64), nullable=False, default="", server_default=""),  # of the row, as it was stored
        sa.Column("restored", sa.Boolean, nullable=False, default=False),
    )  # fmt: skip


class SqlAlchemyTies(RowTies[Session]):
    """Detaches numbers by setting them to NULL (rows.RowTies, where `refuse`, `end_sessions` and `spell` are).

        SqlAlchemyTies(engine, Account, number=Account.phone, bound_at=Account.phone_bound_at)

    `ties`: a mapped model or a Table with one primary key column (integer, text or UUID). `number`, `bound_at`: its columns,
    or their names; the number's needs an index, and must allow NULL. `where`: which rows count as ties, if not all.
    `record`: from `record_table`; without it the store makes a table `huanxin_cuts` of its own. `source`: the name that cuts
    are recorded under; it has to be given only where several stores with their own `where` share a table and column.
    """

    forbidden = (sa.exc.IntegrityError,)

    def __init__(
        self, sessions: sessionmaker[Session] | sa.Engine, ties: type[Any] | sa.Table, *, number: Any, bound_at: Any,
        where: sa.ColumnElement[bool] | None = None, record: sa.Table | None = None, zone: tzinfo = UTC, form: str = "",
        source: str = "", refuse: Refuse[Session] | None = None, end_sessions: EndSessions[Session] | None = None,
        spell: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """Raises BadTable if the table lacks what is needed, and times.BadForm."""
        super().__init__(zone=zone, form=form, refuse=refuse, end_sessions=end_sessions, spell=spell)
        self._sessions = sessionmaker(sessions) if isinstance(sessions, sa.Engine) else sessions
        self._table: sa.Table = ties if isinstance(ties, sa.Table) else sa.inspect(ties).local_table
        self._number, self._bound_at = _column(self._table, number), _column(self._table, bound_at)
        self._key = _only_key(self._table)
        self._where, self._all = (sa.true() if where is None else where), where is None
        if not self._number.nullable and type(self).detach is SqlAlchemyTies.detach:
            raise BadTable(f"{self._number} is NOT NULL, so a number can't be detached; allow NULL, or override detach")
        if len({self._key, self._number, self._bound_at}) != len(_ROLES):
            raise BadTable(f"table {self._table.fullname}: {', '.join(_ROLES)} have to be {len(_ROLES)} columns")
        self._cuts = record_table(sa.MetaData()) if record is None else record
        # Of an earlier version, which recorded the table alone, cuts are known by it.
        self._source = source or named(self._table.fullname, self._number.name)
        self._sources = [self._source] if source else [self._source, self._table.fullname]
        self._is_ready = False
        if record is None:
            with self._sessions.begin() as session:
                self._cuts.create(session.connection(), checkfirst=True)
                self._check_record(session, mend=True)

    def _check_record(self, session: Session, *, mend: bool) -> None:
        """Raises BadTable for a record that an earlier version made and nobody has brought into its present form."""
        kept = self._cuts
        if self._is_ready or self._has_times(session):
            self._is_ready = True
        elif mend:
            table = session.connection().dialect.identifier_preparer.format_table(kept)
            added = sa.text(f"ALTER TABLE {table} ADD COLUMN bound_at VARCHAR(64) DEFAULT '' NOT NULL")
            with suppress(sa.exc.DBAPIError), session.begin_nested():  # another process may just have done it
                session.execute(added)
            self._check_record(session, mend=False)
        else:
            raise BadTable(f"the record {kept.fullname} lacks the column bound_at: migrate it to what record_table says")

    def _has_times(self, session: Session) -> bool:
        columns = sa.inspect(session.connection()).get_columns(self._cuts.name, schema=self._cuts.schema)
        return "bound_at" in {column["name"] for column in columns}

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            # Changes nothing. On SQLite it takes the lock to write, without which what is read next could change.
            session.execute(sa.update(self._cuts).where(sa.false()).values(restored=False))
            self._check_record(session, mend=False)
            yield session

    def savepoint(self, session: Session) -> AbstractContextManager[Any]:
        return session.begin_nested()

    def found(self, session: Session, numbers: list[str]) -> list[Tie]:
        asked = self._locked(self._key, self._number, *self._time(session))
        return self._ties(session, asked.where(_among(session, self._number, numbers), self._where))

    def holders(self, session: Session, numbers: list[str]) -> list[Tie]:
        asked = sa.select(self._key, self._number, *self._time(session)).where(_among(session, self._number, numbers))
        return [] if self._all else self._ties(session, asked)

    def free(self, session: Session, keys: list[Any]) -> list[tuple[Tie, str]]:
        asked = self._locked(self._key, sa.literal(""), *self._time(session), self._time_as_text(session))
        asked = asked.where(_among(session, self._key, keys), self._where, self._number.is_(None))
        made = self._reader(session)
        return [(made(*row), text or "") for *row, text in session.execute(asked).all()]

    def every(self) -> Iterator[Tie]:
        with self._sessions() as session:
            asked = sa.select(self._key, self._number, *self._time(session)).where(self._number.is_not(None), self._where)
            made = self._reader(session)
            for row in session.execute(asked.execution_options(yield_per=_STREAMED)):
                yield made(*row)

    def _locked(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        # In order, so that two that lock the same rows wait for each other in one order.
        return sa.select(*columns).order_by(self._key).with_for_update(of=self._table)

    def _ties(self, session: Session, asked: sa.Select[Any]) -> list[Tie]:
        made = self._reader(session)
        return [made(*row) for row in session.execute(asked).all()]

    def _reader(self, session: Session) -> Callable[[Any, str, Any, str | None], Tie]:
        """Makes ties of rows whose time is as `_time` reads it. On SQLite a time's type reads texts, more than are beyond
        doubt, so that the text counts too; and what it can't read must stop no call."""
        dialect = session.get_bind().dialect
        read = self._bound_at.type.dialect_impl(dialect).result_processor(dialect, None)
        if dialect.name != "sqlite" or read is None or self._times.form:
            return lambda key, number, bound_at, stored: Tie(key=key, number=number, bound_at=bound_at, stored=stored)

        def made(key: Any, number: str, bound_at: Any, _: str | None) -> Tie:
            try:
                text = bound_at if isinstance(bound_at, str) else None
                return Tie(key=key, number=number, bound_at=read(bound_at), stored=text)
            except Exception:  # whatever it is that a type of the table's own raises
                return Tie(key=key, number=number, stored=str(bound_at))

        return made

    def _time(self, session: Session) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        """The time of binding as Python can read it, and as text what it can't read: infinities, and years without dates."""
        column, kind = self._bound_at, self._kind
        if session.get_bind().dialect.name == "sqlite":  # as an expression, which has no type to be read by
            return sa.func.coalesce(column, sa.null(), type_=sa.types.NullType()), sa.null()
        if not _on_postgresql(session) or not isinstance(kind, sa.Date | sa.DateTime):
            return column, sa.null()
        within = sa.type_coerce(column, kind).between(_as_stored(EARLIEST, kind), _as_stored(LATEST, kind))
        return sa.case((within, column)), sa.case((sa.not_(within), sa.cast(column, sa.Text)))

    def _time_as_text(self, session: Session) -> sa.ColumnElement[str]:
        """The time of binding as it is recorded: it doesn't depend on how a session shows times."""
        if _on_postgresql(session) and isinstance(self._kind, sa.Date | sa.DateTime):
            return sa.cast(sa.extract("epoch", sa.type_coerce(self._bound_at, self._kind)), sa.String(64))
        return sa.cast(self._bound_at, sa.String(64))

    @property
    def _kind(self) -> sa.types.TypeEngine[Any]:
        """The type of the time's column, behind one of the table's own."""
        kind = self._bound_at.type
        return kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind

    def cuts_at_once(self, session: Session) -> bool:
        kind, own = type(self), SqlAlchemyTies
        as_here = (kind.found, kind.record, kind.detach) == (own.found, own.record, own.detach)
        return as_here and _on_postgresql(session) and isinstance(self._bound_at.type, sa.Date | sa.DateTime)

    def cut_older(
        self, session: Session, numbers: list[str], cutoff: datetime, than: datetime
    ) -> tuple[list[str], list[str]]:
        first, end = (_as_stored(instant, self._bound_at.type) for instant in (OLDEST, than))
        older = sa.and_(self._bound_at >= first, self._bound_at < end)
        columns = (
            self._key.label("tie"), self._number.label("number"), older.label("older"),
            self._time_as_text(session).label("bound_at"),
        )  # fmt: skip
        old = self._locked(*columns).where(_among(session, self._number, numbers), self._where).cte("old")
        stale = old.c.older.is_(sa.true())
        cut = sa.update(self._table).where(self._key == old.c.tie, stale).values({self._number: None}).cte("cut")
        recorded = self._recorded(old.c.number, old.c.tie, old.c.bound_at, cutoff).where(stale)
        record = sa.insert(self._cuts).from_select(_RECORD, recorded).cte("record")
        # All numbers in one value, since it takes longer to read them as rows than to find them.
        listed = sa.func.json_agg(old.c.number)
        found = sa.cast(listed.filter(stale), sa.Text)
        left = sa.cast(listed.filter(old.c.older.is_not(sa.true())), sa.Text)
        told = session.execute(sa.select(found, left).add_cte(cut, record)).one()
        return json.loads(told[0] or "[]"), json.loads(told[1] or "[]")

    def cuts(self, session: Session, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        return self._on_record(session, self._cuts.c.restored, numbers, cutoff)

    def cut_times(self, session: Session, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], str]:
        return self._on_record(session, self._cuts.c.bound_at, numbers, cutoff)

    def _on_record(
        self, session: Session, column: sa.Column[Any], numbers: list[str], cutoff: datetime
    ) -> dict[tuple[str, Any], Any]:
        cuts, read_back = self._cuts.c, _READ_BACK[self._key.type.python_type]
        asked = sa.select(cuts.number, cuts.tie, column).where(_among(session, cuts.number, numbers), *self._of(cutoff))
        return {(number, read_back(tie)): found for number, tie, found in session.execute(asked).all()}

    def _of(self, cutoff: datetime) -> tuple[sa.ColumnElement[bool], ...]:
        source = self._cuts.c.source  # one by one, since a statement with many sets of parameters takes no list
        return self._cuts.c.cutoff == as_text(cutoff), sa.or_(*(source == one for one in self._sources))

    def record(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        chosen = _among(session, self._key, [tie.key for tie in ties])
        rows = self._recorded(self._number, self._key, self._time_as_text(session), cutoff).where(chosen)
        session.execute(sa.insert(self._cuts).from_select(_RECORD, rows))

    def _recorded(
        self, number: sa.ColumnElement[str], key: sa.ColumnElement[Any], bound_at: sa.ColumnElement[str], cutoff: datetime
    ) -> sa.Select[*tuple[Any, ...]]:
        source, at = sa.literal(self._source), sa.literal(as_text(cutoff))
        return sa.select(number, at, source, sa.cast(key, sa.String(64)), bound_at, sa.false())

    def record_restored(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        cuts = self._cuts.c
        key = sa.cast(sa.bindparam("its_key", type_=self._key.type), sa.String(64))  # as `record` wrote it
        if ties:
            session.connection().execute(
                sa.update(self._cuts).values(restored=True).where(
                    cuts.number == sa.bindparam("its_number"), cuts.tie == key, *self._of(cutoff)
                ),
                [{"its_number": tie.number, "its_key": tie.key} for tie in ties],
            )  # fmt: skip

    def detach(self, session: Session, ties: list[Tie]) -> None:
        keys = [tie.key for tie in ties]
        session.execute(sa.update(self._table).where(_among(session, self._key, keys)).values({self._number: None}))

    def attach(self, session: Session, ties: list[Tie]) -> list[Tie]:
        if ties:
            session.connection().execute(
                sa.update(self._table).where(self._key == sa.bindparam("its_key"), self._number.is_(None))
                .values({self._number: sa.bindparam("its_number")}),
                [{"its_key": tie.key, "its_number": tie.number} for tie in ties],
            )  # fmt: skip
        return ties  # `free` has locked them

    attach_here = attach


def _on_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _among(session: Session, column: sa.Column[Any], values: list[Any]) -> sa.ColumnElement[bool]:
    """Whether a column is one of many values: on PostgreSQL they go as one array, since thousands of parameters are slow,
    and texts as one JSON, since psycopg's array of texts is slow too."""
    if not _on_postgresql(session):
        return column.in_(values)
    if type(column.type) not in _TEXT:
        return column == sa.any_(sa.literal(values, sa.ARRAY(column.type)))
    texts = sa.func.json_array_elements_text(sa.cast(sa.literal(json.dumps(values), sa.Text), sa.JSON))
    return column == sa.any_(sa.func.array(sa.select(texts).scalar_subquery()))


def _as_stored(instant: datetime, kind: sa.types.TypeEngine[Any]) -> date:
    """A time as a column of this type has it; without a zone, in UTC."""
    if isinstance(kind, sa.Date):
        return instant.date()
    return instant if getattr(kind, "timezone", False) else instant.replace(tzinfo=None)


def _column(table: sa.Table, given: Any) -> sa.Column[Any]:
    """The table's column of a name or of a model's attribute."""
    name = given if isinstance(given, str) else sa.inspect(given).__clause_element__().name
    if name not in table.c:
        raise BadTable(f"table {table.fullname} has no column {name}")
    return table.c[name]


def _only_key(table: sa.Table) -> sa.Column[Any]:
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or keys[0].type.python_type not in _READ_BACK:
        raise BadTable(f"table {table.fullname} needs one primary key column, an integer, text or UUID, to find a row again")
    return keys[0]
