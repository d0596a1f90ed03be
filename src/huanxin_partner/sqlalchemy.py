"""A tie store on a table or mapped model of SQLAlchemy 2 (the extra `sqlalchemy`), on any database that it speaks to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from huanxin_partner.rows import BadTable, EndSessions, Refuse, RowTies, Tie
from huanxin_partner.ties import as_text

_READ_BACK: dict[type[Any], Callable[[str], Any]] = {int: int, str: str, UUID: UUID}
_TEXT = frozenset({sa.String, sa.Text, sa.VARCHAR, sa.TEXT})  # compared as text; CHAR and CITEXT are not
_RECORD = ["number", "cutoff", "source", "tie", "restored"]


def record_table(metadata: sa.MetaData, name: str = "huanxin_cuts") -> sa.Table:
    """The table that keeps what was cut, for your own metadata, so that your migrations make it."""
    return sa.Table(
        name, metadata,
        sa.Column("number", sa.String(32), primary_key=True),
        sa.Column("cutoff", sa.String(32), primary_key=True),  # of the renewal that cut it; RFC 3339
        sa.Column("source", sa.String(128), primary_key=True),  # the table that the number was taken from
        sa.Column("tie", sa.String(64), primary_key=True),  # its primary key, as text
        sa.Column("restored", sa.Boolean, nullable=False, default=False),
    )  # fmt: skip


class SqlAlchemyTies(RowTies[Session]):
    """Detaches numbers by setting them to NULL (rows.RowTies, where `refuse`, `end_sessions` and `spell` are).

        SqlAlchemyTies(engine, Account, number=Account.phone, bound_at=Account.phone_bound_at)

    `ties`: a mapped model or a Table with one primary key column (integer, text or UUID). `number`, `bound_at`: its columns,
    or their names; the number's needs an index, and must allow NULL. `where`: which rows count as ties, if not all.
    `record`: from `record_table`; without it the store makes a table `huanxin_cuts` of its own.
    """

    def __init__(
        self, sessions: sessionmaker[Session] | sa.Engine, ties: type[Any] | sa.Table, *, number: Any, bound_at: Any,
        where: sa.ColumnElement[bool] | None = None, record: sa.Table | None = None, zone: tzinfo = UTC,
        refuse: Refuse[Session] | None = None, end_sessions: EndSessions[Session] | None = None,
        spell: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """Raises BadTable if the table lacks what is needed."""
        super().__init__(zone=zone, refuse=refuse, end_sessions=end_sessions, spell=spell)
        self._sessions = sessionmaker(sessions) if isinstance(sessions, sa.Engine) else sessions
        self._table: sa.Table = ties if isinstance(ties, sa.Table) else sa.inspect(ties).local_table
        self._number, self._bound_at = _column(self._table, number), _column(self._table, bound_at)
        self._key = _only_key(self._table)
        self._where = sa.true() if where is None else where
        if not self._number.nullable and type(self).detach is SqlAlchemyTies.detach:
            raise BadTable(f"{self._number} is NOT NULL, so a number can't be detached; allow NULL, or override detach")
        self._cuts = record_table(sa.MetaData()) if record is None else record
        if record is None:
            with self._sessions.begin() as session:
                self._cuts.create(session.connection(), checkfirst=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            # Changes nothing. On SQLite it takes the lock to write, without which what is read next could change.
            session.execute(sa.update(self._cuts).where(sa.false()).values(restored=False))
            yield session

    def found(self, session: Session, numbers: list[str]) -> list[Tie]:
        rows = session.execute(self._locked(session, numbers, self._key, self._number, self._bound_at)).all()
        return [Tie(key=key, number=number, bound_at=bound_at) for key, number, bound_at in rows]

    def _locked(self, session: Session, numbers: list[str], *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        return (
            sa.select(*columns)
            .where(_among(session, self._number, numbers), self._where)
            .order_by(self._key)  # so that two that lock the same rows wait for each other in one order
            .with_for_update(of=self._table)
        )

    def cuts_at_once(self, session: Session) -> bool:
        kind, own = type(self), SqlAlchemyTies
        as_here = (kind.found, kind.record, kind.detach) == (own.found, own.record, own.detach)
        return as_here and _on_postgresql(session) and isinstance(self._bound_at.type, sa.Date | sa.DateTime)

    def cut_older(
        self, session: Session, numbers: list[str], cutoff: datetime, than: datetime
    ) -> tuple[list[str], list[str]]:
        older = self._bound_at < _as_stored(than, self._bound_at.type)
        columns = self._key.label("tie"), self._number.label("number"), older.label("older")
        old = self._locked(session, numbers, *columns).cte("old")
        stale = old.c.older.is_(sa.true())
        cut = sa.update(self._table).where(self._key == old.c.tie, stale).values({self._number: None}).cte("cut")
        recorded = self._recorded(old.c.number, old.c.tie, cutoff).where(stale)
        record = sa.insert(self._cuts).from_select(_RECORD, recorded).cte("record")
        # All numbers in one value, since it takes longer to read them as rows than to find them.
        listed = sa.func.json_agg(old.c.number)
        found = sa.cast(listed.filter(stale), sa.Text)
        left = sa.cast(listed.filter(old.c.older.is_not(sa.true())), sa.Text)
        told = session.execute(sa.select(found, left).add_cte(cut, record)).one()
        return json.loads(told[0] or "[]"), json.loads(told[1] or "[]")

    def cuts(self, session: Session, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        cuts, read_back = self._cuts.c, _READ_BACK[self._key.type.python_type]
        rows = session.execute(
            sa.select(cuts.number, cuts.tie, cuts.restored).where(
                _among(session, cuts.number, numbers), cuts.cutoff == as_text(cutoff), cuts.source == self._table.fullname
            )
        ).all()
        return {(number, read_back(tie)): restored for number, tie, restored in rows}

    def record(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        chosen = _among(session, self._key, [tie.key for tie in ties])
        rows = self._recorded(self._number, self._key, cutoff).where(chosen)
        session.execute(sa.insert(self._cuts).from_select(_RECORD, rows))

    def _recorded(
        self, number: sa.ColumnElement[str], key: sa.ColumnElement[Any], cutoff: datetime
    ) -> sa.Select[*tuple[Any, ...]]:
        source, at = sa.literal(self._table.fullname), sa.literal(as_text(cutoff))
        return sa.select(number, at, source, sa.cast(key, sa.String(64)), sa.false())

    def record_restored(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        cuts = self._cuts.c
        key = sa.cast(sa.bindparam("its_key", type_=self._key.type), sa.String(64))  # as `record` wrote it
        if ties:
            session.connection().execute(
                sa.update(self._cuts).values(restored=True).where(
                    cuts.number == sa.bindparam("its_number"), cuts.tie == key,
                    cuts.cutoff == as_text(cutoff), cuts.source == self._table.fullname,
                ),
                [{"its_number": tie.number, "its_key": tie.key} for tie in ties],
            )  # fmt: skip

    def detach(self, session: Session, ties: list[Tie]) -> None:
        keys = [tie.key for tie in ties]
        session.execute(sa.update(self._table).where(_among(session, self._key, keys)).values({self._number: None}))

    def attach(self, session: Session, ties: list[Tie]) -> list[Tie]:
        numbers, keys = [tie.number for tie in ties], [tie.key for tie in ties]
        taken = set(session.scalars(sa.select(self._number).where(_among(session, self._number, numbers))))
        free = set(session.scalars(
            sa.select(self._key).where(_among(session, self._key, keys), self._number.is_(None)).with_for_update()
        ))  # fmt: skip
        back = [tie for tie in ties if tie.key in free and tie.number not in taken]
        if back:
            session.connection().execute(
                sa.update(self._table).where(self._key == sa.bindparam("its_key"))
                .values({self._number: sa.bindparam("its_number")}),
                [{"its_key": tie.key, "its_number": tie.number} for tie in back],
            )  # fmt: skip
        return back


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
