"""A tie store on a Django model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, router, transaction
from django.db.models.functions import Cast
from django.utils import timezone

from huanxin_partner.rows import BadTable, EndSessions, Refuse, RowTies, Tie
from huanxin_partner.ties import as_text

_INSERT = "INSERT INTO {} ({}, {}, {}, {}, {}) {}"
_UPDATE = "UPDATE {} SET {} = %s WHERE {} = %s"
# All numbers in one value, since it takes longer to read them as rows than to find them.
_CUT_OLDER = """WITH old (tie, number, older) AS ({select}),
cut AS (UPDATE {table} SET {number} = NULL FROM old WHERE {table}.{key} = old.tie AND old.older IS TRUE),
record AS (INSERT INTO {cuts} (number, cutoff, source, tie, restored)
    SELECT number, %s, %s, CAST(tie AS varchar(64)), false FROM old WHERE older IS TRUE)
SELECT CAST(json_agg(CAST(number AS text)) FILTER (WHERE older IS TRUE) AS text),
    CAST(json_agg(CAST(number AS text)) FILTER (WHERE older IS NOT TRUE) AS text) FROM old"""


class DjangoTies(RowTies[str]):
    """Detaches numbers by setting them to NULL (rows.RowTies, where `refuse`, `end_sessions` and `spell` are).

        DjangoTies(Account, number="phone", bound_at="phone_bound_at")

    `ties`: a model, or a QuerySet of it that says which rows count as ties. `number`, `bound_at`: names of its fields; the
    number's needs an index, and must allow NULL. `using`: the database, if not the one that is written to by default; it is
    what the hooks get as their session. A time without a zone is in TIME_ZONE unless `zone` is given. Rows are changed by
    `QuerySet.update`: neither `save` nor signals are called.
    """

    def __init__(
        self, ties: type[models.Model] | models.QuerySet[Any], *, number: str, bound_at: str, using: str | None = None,
        zone: tzinfo | None = None, refuse: Refuse[str] | None = None, end_sessions: EndSessions[str] | None = None,
        spell: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """Raises BadTable if the number may not be NULL."""
        zone = timezone.get_default_timezone() if zone is None else zone
        super().__init__(zone=zone, refuse=refuse, end_sessions=end_sessions, spell=spell)
        self._ties = ties.all() if isinstance(ties, models.QuerySet) else ties._default_manager.all()
        self._model, self._number, self._bound_at = self._ties.model, number, bound_at
        if not self._model._meta.get_field(number).null and type(self).detach is DjangoTies.detach:
            label = self._model._meta.label
            raise BadTable(f"{label}.{number} is not null=True, so a number can't be detached; allow it, or override detach")
        self._model._meta.get_field(bound_at)  # raises FieldDoesNotExist, with the field's name
        self._source = self._model._meta.label_lower
        self._using = using or router.db_for_write(self._model)

    @property
    def _rows(self) -> models.QuerySet[Any]:
        return self._model._base_manager.using(self._using)

    def _cuts(self, *wanted: models.Lookup[Any], **where: Any) -> models.QuerySet[Any]:
        record: type[models.Model] = apps.get_model("huanxin_partner", "Cut")
        return record._base_manager.using(self._using).filter(*wanted, source=self._source, **where)

    @contextmanager
    def transaction(self) -> Iterator[str]:
        with transaction.atomic(using=self._using):
            # Changes nothing. On SQLite it takes the lock to write, without which what is read next could change.
            self._cuts(tie="").update(restored=False)
            yield self._using

    def found(self, session: str, numbers: list[str]) -> list[Tie]:
        rows = self._locked(session, numbers).values_list("pk", self._number, self._bound_at)
        return [Tie(key=key, number=str(number), bound_at=bound_at) for key, number, bound_at in rows]

    def _locked(self, session: str, numbers: list[str]) -> models.QuerySet[Any]:
        # In order, so that two that lock the same rows wait for each other in one order.
        return self._ties.using(session).select_for_update().filter(among(self._number, numbers)).order_by("pk")

    def cuts_at_once(self, session: str) -> bool:
        kind, own = type(self), DjangoTies
        as_here = (kind.found, kind.record, kind.detach) == (own.found, own.record, own.detach)
        on_postgresql = connections[session].vendor == "postgresql"
        return as_here and on_postgresql and isinstance(self._model._meta.get_field(self._bound_at), models.DateField)

    def cut_older(self, session: str, numbers: list[str], cutoff: datetime, than: datetime) -> tuple[list[str], list[str]]:
        field = self._model._meta.get_field(self._bound_at)
        timed = isinstance(field, models.DateTimeField)
        limit = than.date() if not timed else than if settings.USE_TZ else than.replace(tzinfo=None)
        older = models.ExpressionWrapper(models.Q(**{f"{self._bound_at}__lt": limit}), models.BooleanField())
        old = self._locked(session, numbers).values_list("pk", self._number, older)
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
        rows = self._cuts(among("number", numbers), cutoff=as_text(cutoff)).values_list("number", "tie", "restored")
        key = self._model._meta.pk
        return {(number, key.to_python(tie)): restored for number, tie, restored in rows}

    def record(self, session: str, ties: list[Tie], cutoff: datetime) -> None:
        columns: dict[str, Any] = {
            "number": models.F(self._number), "cutoff": models.Value(as_text(cutoff)), "source": models.Value(self._source),
            "tie": Cast("pk", models.CharField(max_length=64)), "restored": models.Value(False),
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
        numbers = self._rows.filter(among(self._number, [tie.number for tie in ties]))
        taken = {str(number) for number in numbers.values_list(self._number, flat=True)}
        rows = self._rows.select_for_update().filter(among("pk", [tie.key for tie in ties]), **{self._number: None})
        free = set(rows.values_list("pk", flat=True))
        back = [tie for tie in ties if tie.key in free and tie.number not in taken]
        connection, key = connections[session], self._model._meta.pk
        with connection.cursor() as cursor:
            values = [(tie.number, key.get_db_prep_value(tie.key, connection)) for tie in back]
            cursor.executemany(_UPDATE.format(*self._place(session)), values)
        return back


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
