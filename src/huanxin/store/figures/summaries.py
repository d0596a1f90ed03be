"""Summaries: counts over millions of numbers, made beforehand from the facts so that pages need not count.

A summary is not a fact (rule 6): it can be made again from the facts at any time, and says when and of which facts it was
made (`stamp`). Pages show when that was. Bodies are read from JSON and written to it here alone; one that was kept when its
kind had other fields is not there for anybody, until it is made again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, LiteralString, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter

from huanxin.store.database import Tx

Body = TypeVar("Body")
Head = TypeVar("Head")


@dataclass(frozen=True)
class SummaryKind(Generic[Body]):
    """A name under which bodies of one type are kept, by key. What means something else is another field of the type."""

    name: str
    body: type[Body]

    @cached_property
    def shape(self) -> str:
        """A digest of the body's fields."""
        return sha256(_shape(self.body).encode()).hexdigest()[:12]

    @cached_property
    def members(self) -> frozenset[str]:
        """The names of the body's fields."""
        return frozenset(get_type_hints(self.body))

    @cached_property
    def form(self) -> TypeAdapter[Body]:
        """How bodies are read from JSON and written to it."""
        return TypeAdapter(self.body)


@dataclass(frozen=True, kw_only=True)
class Summary(Generic[Body]):
    """Counts as they were at `made_at`, of the facts of which the stamp tells."""

    key: str
    stamp: str
    body: Body
    made_at: datetime


def _shape(of: Any) -> str:
    """A type in words, with all that it is made of."""
    if isinstance(of, type) and is_dataclass(of):
        hints = get_type_hints(of, include_extras=True)
        return str({one.name: _shape(hints[one.name]) for one in fields(of)})
    return f"{of} {[_shape(one) for one in get_args(of)]}"


# Facts are numbered before they are committed, so a lower number may come after a higher one: they are counted. Of the
# tables that grow by the minute those of the last numbers are, since none comes later than so many others.
_STAMP = """
SELECT ROW((SELECT count(*) FROM report), (SELECT count(*) FROM batch),
    (SELECT count(*) FROM batch_call_off), (SELECT count(*) FROM hold),
    (SELECT count(*) FROM hold_lift), (SELECT count(*) FROM waiver),
    (SELECT count(*) FROM waiver_withdrawal), (SELECT count(*) FROM release),
    (SELECT count(*) FROM notice), (SELECT count(*) FROM allocation), (SELECT count(*) FROM breach),
    (SELECT count(*) FROM partner),
    (SELECT ROW(count(*), max(seq)) FROM receipt WHERE seq > (SELECT max(seq) FROM receipt) - %(last)s),
    (SELECT ROW(count(*), max(seq)) FROM request WHERE seq > (SELECT max(seq) FROM request) - %(last)s),
    (SELECT ROW(count(*), max(seq)) FROM request_answer WHERE seq > (SELECT max(seq) FROM request_answer) - %(last)s)
)::text
"""
_LAST = 10_000


def stamp(tx: Tx) -> str:
    """What changes whenever a fact that numbers' states depend on is recorded."""
    row = tx.execute(_STAMP, {"last": _LAST}).fetchone()
    assert row is not None
    return str(row[0])


_READ = """
SELECT key, substr(stamp, length(%(shape)s) + 2), (body - %(without)s::text[])::text, made_at
FROM summary
WHERE kind = %(kind)s AND starts_with(stamp, %(shape)s || ' ')
"""


def _read(
    tx: Tx, kind: SummaryKind[Body], head: SummaryKind[Head], more: LiteralString, **values: str
) -> list[Summary[Head]]:
    without = sorted(kind.members - head.members)
    rows = tx.execute(_READ + more, {"kind": kind.name, "shape": kind.shape, "without": without, **values})
    return [
        Summary(key=key, stamp=of, body=head.form.validate_json(text), made_at=made_at) for key, of, text, made_at in rows
    ]


def get(tx: Tx, kind: SummaryKind[Body], key: str = "") -> Summary[Body] | None:
    return next(iter(_read(tx, kind, kind, "AND key = %(key)s", key=key)), None)


def all_of(tx: Tx, kind: SummaryKind[Body]) -> list[Summary[Body]]:
    """Every summary of a kind, by key."""
    return _read(tx, kind, kind, "ORDER BY key")


def heads(tx: Tx, kind: SummaryKind[Body], head: SummaryKind[Head]) -> list[Summary[Head]]:
    """Every summary of a kind with no more of its body than another's has, for lists that need only that."""
    return _read(tx, kind, head, "ORDER BY key")


def stamps(tx: Tx, kind: SummaryKind[Body]) -> dict[str, str]:
    """The stamp of every summary of a kind, by key; the counts themselves may be large."""
    rows = tx.execute(
        "SELECT key, substr(stamp, length(%(shape)s) + 2) FROM summary"
        " WHERE kind = %(kind)s AND starts_with(stamp, %(shape)s || ' ')",
        {"kind": kind.name, "shape": kind.shape},
    )
    return dict(rows.fetchall())


def put(tx: Tx, kind: SummaryKind[Body], key: str, *, stamp: str, body: Body, at: datetime) -> Summary[Body]:
    """Keep a summary in place of the one before."""
    tx.execute(
        "INSERT INTO summary (kind, key, stamp, body, made_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (kind, key) DO UPDATE SET stamp = excluded.stamp, body = excluded.body, made_at = excluded.made_at",
        (kind.name, key, f"{kind.shape} {stamp}", kind.form.dump_json(body).decode(), at),
    )
    return Summary(key=key, stamp=stamp, body=body, made_at=at)


def confirm(tx: Tx, kind: SummaryKind[Body], *, at: datetime) -> None:
    """Say that the summaries of a kind hold at an instant too, though they were not counted again."""
    tx.execute("UPDATE summary SET made_at = %s WHERE kind = %s AND made_at <> %s", (at, kind.name, at))
