"""Summaries: counts over millions of numbers, made beforehand from the facts so that pages need not count.

A summary is not a fact (rule 6): it can be made again from the facts at any time, and says when and of which facts it was
made (`stamp`). Pages show when that was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts as they were at `made_at`."""

    kind: str
    key: str
    stamp: str
    body: dict[str, Any]
    made_at: datetime


# Facts are numbered before they are committed, so a lower number may come after a higher one: they are counted. Of the
# tables that grow by the minute those of the last numbers are, since none comes later than so many others.
_STAMP = """
SELECT ROW((SELECT count(*) FROM report), (SELECT count(*) FROM batch), (SELECT count(*) FROM hold),
    (SELECT count(*) FROM hold_lift), (SELECT count(*) FROM waiver), (SELECT count(*) FROM release),
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


def get(tx: Tx, kind: str, key: str = "") -> Summary | None:
    with tx.cursor(row_factory=class_row(Summary)) as cursor:
        return cursor.execute(
            "SELECT kind, key, stamp, body, made_at FROM summary WHERE kind = %s AND key = %s", (kind, key)
        ).fetchone()


def all_of(tx: Tx, kind: str) -> list[Summary]:
    """Every summary of a kind, by key."""
    with tx.cursor(row_factory=class_row(Summary)) as cursor:
        return cursor.execute(
            "SELECT kind, key, stamp, body, made_at FROM summary WHERE kind = %s ORDER BY key", (kind,)
        ).fetchall()


def stamps(tx: Tx, kind: str) -> list[tuple[str, datetime]]:
    """The stamp of every summary of a kind, and when it was made; the counts themselves may be large."""
    rows = tx.execute("SELECT stamp, made_at FROM summary WHERE kind = %s", (kind,)).fetchall()
    return [(str(stamp), made_at) for stamp, made_at in rows]


def heads(tx: Tx, kind: str, *, without: Sequence[str]) -> list[Summary]:
    """Every summary of a kind without some of its body's members, for lists that need only the rest."""
    with tx.cursor(row_factory=class_row(Summary)) as cursor:
        return cursor.execute(
            "SELECT kind, key, stamp, body - %s::text[] AS body, made_at FROM summary WHERE kind = %s ORDER BY key",
            (list(without), kind),
        ).fetchall()


def put(tx: Tx, kind: str, key: str, *, stamp: str, body: dict[str, Any], at: datetime) -> Summary:
    """Keep a summary in place of the one before."""
    tx.execute(
        "INSERT INTO summary (kind, key, stamp, body, made_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (kind, key) DO UPDATE SET stamp = excluded.stamp, body = excluded.body, made_at = excluded.made_at",
        (kind, key, stamp, Jsonb(body), at),
    )
    return Summary(kind=kind, key=key, stamp=stamp, body=body, made_at=at)


def confirm(tx: Tx, kind: str, *, stamp: str, at: datetime) -> None:
    """Say that the summaries of a kind hold for these facts too, though they were not counted again."""
    tx.execute("UPDATE summary SET stamp = %s, made_at = %s WHERE kind = %s AND stamp <> %s", (stamp, at, kind, stamp))


def shown(tx: Tx, kind: str, key: str, *, make: Callable[[Tx], dict[str, Any]], now: datetime) -> Summary:
    """The summary to show: the stored one, which a worker keeps fresh, or one made now where there is none yet."""
    return get(tx, kind, key) or put(tx, kind, key, stamp=stamp(tx), body=make(tx), at=now)
