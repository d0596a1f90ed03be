"""A tie store on a Django model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime, tzinfo
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connections, models, router, transaction
from django.db.models.functions import Cast
from django.utils import timezone

from huanxin_partner.rows import OLDEST, BadTable, EndSessions, Refuse, RowTies, Tie, named
from huanxin_partner.ties import as_text
from huanxin_partner.times import EARLIEST, LATEST, Times

_INSERT = "INSERT INTO {} ({}, {}, {}, {}, {}, {}) {}"
_UPDATE = "UPDATE {0} SET {1} = %s WHERE {2} = %s AND {1} IS NULL"
_STREAMED = 5_000  # rows that are fetched at a time where all are looked at
# All numbers in one value, since it takes longer to read them as rows than to find them.
_CUT_OLDER = """WITH old (tie, number, bound_at, older) AS ({select}),
cut AS (UPDATE {table} SET {number} = NULL FROM old WHERE {table}.{key} = old.tie AND old.older IS TRUE),
record AS (INSERT INTO {cuts} (number, cutoff, source, tie, bound_at, restored)
    SELECT number, %s, %s, CAST(tie AS varchar(64)), bound_at, false FROM old WHERE older IS TRUE)
SELECT CAST(json_agg(CAST(number AS text)) FILTER (WHERE older IS TRUE) AS text),
    CAST(json_agg(CAST(number AS text)) FILTER (WHERE older IS NOT TRUE) AS text) FROM old"""


class DjangoTies(RowTies[str]):
    """Detaches numbers by setting them to NULL (rows.RowTies, where `refuse`, `end_sessions` and `spell` are).

        DjangoTies(Account, number="phone", bound_at="phone_bound_at")

    `ties`: a model, or a QuerySet of it that says which rows count as ties. `number`, `bound_at`: names of its fields; the
    number's needs an index, and must allow NULL. `using`: the database, if not the one that is written to by default; it is
    what the hooks get as their session. A time without a zone is in TIME_ZONE unless `zone` is given. Rows are changed by
    `QuerySet.update`: neither `save` nor signals are called. `source`: the name that cuts are recorded under; it has to be
    given only where several stores with QuerySets of their own share a model and field.
    """

    forbidden = (IntegrityError,)

    def __init__(
        self, ties: type[models.Model] | models.QuerySet[Any], *, number: str, bound_at: str, using: str | None = None,
        zone: tzinfo | None = None, form: str = "", source: str = "", refuse: Refuse[str] | None = None,
        end_sessions: EndSessions[str] | None = None, spell: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """Raises BadTable if the number may not be NULL or the fields aren't of their own, and times.BadForm."""
        zone = timezone.get_default_timezone() if zone is None else zone
        super().__init__(zone=zone, form=form, refuse=refuse, end_sessions=end_sessions, spell=spell)
        self._ties = ties.all() if isinstance(ties, models.QuerySet) else ties._default_manager.all()
        self._model, self._number, self._bound_at = self._ties.model, number, bound_at
        if not self._model._meta.get_field(number).null and type(self).detach is DjangoTies.detach:
            label = self._model._meta.label
            raise BadTable(f"{label}.{number} is not null=True, so a number can't be detached; allow it, or override detach")
        self._time_field: Any = self._model._meta.get_field(bound_at)  # raises FieldDoesNotExist, with the field's name
        if len({self._model._meta.pk, self._model._meta.get_field(number), self._time_field}) != 3:  # noqa: PLR2004
            raise BadTable(f"{self._model._meta.label}: the key, the number and the time of binding have to be three fields")
        # Of an earlier version, which recorded the model alone, cuts are known by it.
        self._source = source or named(self._model._meta.label_lower, number)
        self._sources = [self._source] if source else [self._source, self._model._meta.label_lower]
        self._using = using or router.db_for_write(self._model)
        stored_in = connections[self._using].timezone
        if stored_in and connections[self._using].vendor == "sqlite" and self._is(models.DateTimeField):
            self._stored_times = Times(zone=stored_in, form=form)

    @property
    def _rows(self) -> models.QuerySet[Any]:
        return self._model._base_manager.using(self._using)

    def _cuts(self, *wanted: models.Lookup[Any], **where: Any) -> models.QuerySet[Any]:
        record: type[models.Model] = apps.get_model("huanxin_partner", "Cut")
        return record._base_manager.using(self._using).filter(*wanted, source__in=self._sources, **where)

    @contextmanager
    def transaction(self) -> Iterator[str]:
        with transaction.atomic(using=self._using):
            # Changes nothing. On SQLite it takes the lock to write, without which what is read next could change.
            self._cuts(tie="").update(restored=False)
            yield self._using

    def savepoint(self, session: str) -> AbstractContextManager[Any]:
        return transaction.atomic(using=session)

    def found(self, session: str, numbers: list[str]) -> list[Tie]:
        return self._made(session, self._locked(session).filter(among(self._number, numbers)))

    def holders(self, session: str, numbers: list[str]) -> list[Tie]:
        return self._made(session, self._rows.filter(among(self._number, numbers))) if self._ties.query.where else []

    def free(self, session: str, keys: list[Any]) -> list[tuple[Tie, str]]:
        rows = self._locked(session).filter(among("pk", keys), **{self._number: None})
        texts = dict(rows.values_list("pk", self._time_as_text(session)))
        return [(tie, texts[tie.key] or "") for tie in self._made(session, rows)]

    def every(self) -> Iterator[Tie]:
        rows = self._ties.using(self._using).filter(**{f"{self._number}__isnull": False})
        made = self._reader(self._using)
        for row in rows.values_list("pk", self._number, *self._time(self._using)).iterator(chunk_size=_STREAMED):
            yield made(*row)

    def _locked(self, session: str) -> models.QuerySet[Any]:
        # In order, so that two that lock the same rows wait for each other in one order.
        return self._ties.using(session).select_for_update().order_by("pk")

    def _made(self, session: str, rows: models.QuerySet[Any]) -> list[Tie]:
        made = self._reader(session)
        return [made(*row) for row in rows.values_list("pk", self._number, *self._time(session))]

    def _is(self, kind: type[models.Field[Any, Any]]) -> bool:
        return isinstance(self._time_field, kind)

    def _time(self, session: str) -> tuple[Any, Any]:
        """The time of binding as Python can read it, and as text what it can't read: infinities, and years without dates."""
        column, nothing = models.F(self._bound_at), models.Value(None, output_field=models.TextField())
        if connections[session].vendor == "sqlite":  # as an expression, which has no type to be read by
            return models.Func(column, template="COALESCE(%(expressions)s, NULL)", output_field=models.Field()), nothing
        if connections[session].vendor != "postgresql" or not self._is(models.DateField):
            return column, nothing
        within = models.Q(**{f"{self._bound_at}__range": (self._as_stored(EARLIEST), self._as_stored(LATEST))})
        readable = models.Case(models.When(within, then=column))
        return readable, models.Case(models.When(~within, then=Cast(column, models.TextField())))

    def _time_as_text(self, session: str) -> Any:
        """The time of binding as it is recorded: it doesn't depend on how a session shows times."""
        column: Any = models.F(self._bound_at)
        if connections[session].vendor == "postgresql" and self._is(models.DateField):
            column = models.Func(column, template="EXTRACT(EPOCH FROM %(expressions)s)", output_field=models.FloatField())
        return Cast(column, models.CharField(max_length=64))

    def _reader(self, session: str) -> Callable[[Any, Any, Any, str | None], Tie]:
        """Makes ties of rows whose time is as `_time` reads it. On SQLite Django reads texts as times, more than are beyond
        doubt, so that the text counts too; and what it can't read must stop no call."""
        connection = connections[session]
        column = self._time_field.get_col(self._time_field.model._meta.db_table)
        converters = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        if connection.vendor != "sqlite" or not converters or self._times.form:
            return lambda key, number, bound_at, stored: Tie(key=key, number=str(number), bound_at=bound_at, stored=stored)

        def made(key: Any, number: Any, bound_at: Any, _: str | None) -> Tie:
            text, read = bound_at if isinstance(bound_at, str) else None, bound_at
            try:
                for convert in converters:
                    read = convert(read, column, connection)
                return Tie(key=key, number=str(number), bound_at=read, stored=text)
            except Exception:  # whatever it is that a type of the table's own raises
                return Tie(key=key, number=str(number), stored=str(bound_at))

        return made

    def _as_stored(self, instant: datetime) -> date:
        """A time as the field has it; without a zone, in UTC."""
        if not self._is(models.DateTimeField):
            return instant.date()
        return instant if settings.USE_TZ else instant.replace(tzinfo=None)

    def cuts_at_once(self, session: str) -> bool:
        kind, own = type(self), DjangoTies
        as_here = (kind.found, kind.record, kind.detach) == (own.found, own.record, own.detach)
        return as_here and connections[session].vendor == "postgresql" and self._is(models.DateField)

    def cut_older(self, session: str, numbers: list[str], cutoff: datetime, than: datetime) -> tuple[list[str], list[str]]:
        limits = {f"{self._bound_at}__gte": self._as_stored(OLDEST), f"{self._bound_at}__lt": self._as_stored(than)}
        older = models.ExpressionWrapper(models.Q(**limits), models.BooleanField())
        rows = self._locked(session).filter(among(self._number, numbers))
        old = rows.values_list("pk", self._number, self._time_as_text(session), older)
        connection = connections[session]
        select, parameters = old.query.get_compiler(session).as_sql()
        table, number, key = self._place(session)
        cuts = connection.ops.quote_name(self._cuts().model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                _CUT_OLDER.format(select=select, table=table, number=number, key=key, cuts=cuts),
                [*parameters, as_text(cutoff), self._source],
            )
            ((found, left),) = cursor.fetchall()
        return json.loads(found or "[]"), json.loads(left or "[]")

    def _place(self, session: str) -> Iterator[str]:
        """Where the number is, as quoted names: the table, the column, and the table's key."""
        field: Any = self._model._meta.get_field(self._number)
        owner = field.model._meta  # a parent, if the model inherits the field: its keys are the same
        return map(connections[session].ops.quote_name, [owner.db_table, field.column, owner.pk.column])

    def cuts(self, session: str, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        return self._on_record("restored", numbers, cutoff)

    def cut_times(self, session: str, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], str]:
        return self._on_record("bound_at", numbers, cutoff)

    def _on_record(self, column: str, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], Any]:
        rows = self._cuts(among("number", numbers), cutoff=as_text(cutoff)).values_list("number", "tie", column)
        key = self._model._meta.pk
        return {(number, key.to_python(tie)): found for number, tie, found in rows}

    def record(self, session: str, ties: list[Tie], cutoff: datetime) -> None:
        columns: dict[str, Any] = {
            "number": models.F(self._number), "cutoff": models.Value(as_text(cutoff)), "source": models.Value(self._source),
            "tie": Cast("pk", models.CharField(max_length=64)), "bound_at": self._time_as_text(session),
            "restored": models.Value(False),
        }  # fmt: skip
        chosen = self._rows.filter(among("pk", [tie.key for tie in ties])).values_list(*columns.values())
        # The ORM has no INSERT ... SELECT, and is slow to make objects of a million rows.
        connection, record = connections[session], self._cuts().model._meta
        sql, parameters = chosen.query.get_compiler(session).as_sql()
        quoted = map(connection.ops.quote_name, [record.db_table, *columns])
        with connection.cursor() as cursor:
            cursor.execute(_INSERT.format(*quoted, sql), parameters)

    def record_restored(self, session: str, ties: list[Tie], cutoff: datetime) -> None:
        back, key = {(tie.number, tie.key) for tie in ties}, self._model._meta.pk
        rows = self._cuts(among("number", [tie.number for tie in ties]), cutoff=as_text(cutoff))
        cuts = [pk for pk, number, tie in rows.values_list("pk", "number", "tie") if (number, key.to_python(tie)) in back]
        self._cuts(among("pk", cuts)).update(restored=True)

    def detach(self, session: str, ties: list[Tie]) -> None:
        self._rows.filter(among("pk", [tie.key for tie in ties])).update(**{self._number: None})

    def attach(self, session: str, ties: list[Tie]) -> list[Tie]:
        connection, key = connections[session], self._model._meta.pk
        with connection.cursor() as cursor:
            values = [(tie.number, key.get_db_prep_value(tie.key, connection)) for tie in ties]
            cursor.executemany(_UPDATE.format(*self._place(session)), values)
        return ties  # `free` has locked them

    attach_here = attach


class among(models.lookups.In):
    """Whether a field is one of many values: on PostgreSQL they go as one array, since thousands of parameters are slow,
    and texts as one JSON, since psycopg's array of texts is slow too."""

    def __init__(self, field: str, values: list[Any]) -> None:
        super().__init__(models.F(field), values)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        kind = str(self.lhs.output_field.db_type(connection))
        if kind.startswith(("varchar", "text")):  # compared as text; citext is not
            texts = f"{left} = ANY(ARRAY(SELECT json_array_elements_text(CAST(%s AS json))))"
            return texts, [*parameters, json.dumps(list(self.rhs))]
        return f"{left} = ANY(%s)", [*parameters, list(self.rhs)]
