"""Streams as stored: how each partner is told, and which numbers it took out of its stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from huanxin.domain.streams import Chosen, Stream
from huanxin.numbersets.sharded import NumberSet, dump, load
from huanxin.store.database import Tx

_COLUMNS = (
    'id, partner_id, method, endpoint, inbox, "authorization" AS sealed_authorization, events_requested, alg,'
    " description, status, status_reason, created_at, verified_at"
)


def add(tx: Tx, chosen: Chosen, *, stream_id: str, partner_id: int, at: datetime) -> Stream:
    """Record a partner's stream, enabled. A partner has one at most; the caller checks it."""
    tx.execute(
        'INSERT INTO stream (method, endpoint, inbox, "authorization", events_requested, alg, description, id, partner_id,'
        " status, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'enabled', %s)",
        (*_stored(chosen), stream_id, partner_id, at),
    )
    found = of_partner(tx, partner_id)
    assert found is not None
    return found


def of_partner(tx: Tx, partner_id: int) -> Stream | None:
    with tx.cursor(row_factory=class_row(Stream)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM stream WHERE partner_id = %s", (partner_id,)).fetchone()


def all_streams(tx: Tx) -> dict[int, Stream]:
    """Every stream by partner."""
    with tx.cursor(row_factory=class_row(Stream)) as cursor:
        return {one.partner_id: one for one in cursor.execute(f"SELECT {_COLUMNS} FROM stream")}


def of_method(tx: Tx, method: str) -> list[Stream]:
    """The streams of one method, but for partners that were withdrawn: nobody looks after theirs."""
    with tx.cursor(row_factory=class_row(Stream)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM stream WHERE method = %s AND NOT EXISTS (SELECT FROM partner_withdrawal w"
            " WHERE w.partner_id = stream.partner_id) ORDER BY partner_id",
            (method,),
        ).fetchall()


def change(tx: Tx, partner_id: int, chosen: Chosen) -> None:
    """Replace what a partner chose of its stream."""
    tx.execute(
        'UPDATE stream SET method = %s, endpoint = %s, inbox = %s, "authorization" = %s, events_requested = %s, alg = %s,'
        " description = %s WHERE partner_id = %s",
        (*_stored(chosen), partner_id),
    )


def _stored(one: Chosen) -> tuple[object, ...]:
    return (one.method, one.endpoint, one.inbox, one.sealed_authorization, list(one.events_requested), one.alg,
            one.description)  # fmt: skip


def set_status(tx: Tx, partner_id: int, *, status: str, reason: str) -> None:
    tx.execute("UPDATE stream SET status = %s, status_reason = %s WHERE partner_id = %s", (status, reason, partner_id))


def set_verified(tx: Tx, partner_id: int, at: datetime) -> None:
    """Note when a verification was asked for."""
    tx.execute("UPDATE stream SET verified_at = %s WHERE partner_id = %s", (at, partner_id))


def remove(tx: Tx, partner_id: int) -> None:
    """Take a partner's stream away, with the numbers that it had taken out of it."""
    tx.execute("DELETE FROM stream_excluded WHERE partner_id = %s", (partner_id,))
    tx.execute("DELETE FROM stream WHERE partner_id = %s", (partner_id,))


def excluded(tx: Tx, partner_id: int, shards: Sequence[int] | None = None) -> NumberSet:
    """Numbers that a partner took out of its stream, all or those of some shards."""
    rows = tx.execute(
        "SELECT shard, numbers FROM stream_excluded WHERE partner_id = %s AND (%s::int4[] IS NULL OR shard = ANY(%s))",
        (partner_id, shards, shards), binary=True,
    )  # fmt: skip
    return NumberSet({shard: load(numbers) for shard, numbers in rows})


def set_excluded(tx: Tx, partner_id: int, shard: int, numbers: NumberSet) -> None:
    """Replace one shard of the numbers that a partner took out of its stream."""
    kept = numbers.shards.get(shard)
    tx.execute("DELETE FROM stream_excluded WHERE partner_id = %s AND shard = %s", (partner_id, shard))
    if kept:
        tx.execute(
            "INSERT INTO stream_excluded (partner_id, shard, numbers) VALUES (%s, %s, %s)", (partner_id, shard, dump(kept))
        )


def one_at_a_time(tx: Tx, partner_id: int) -> None:
    """Make changes of one partner's stream wait for each other, until this transaction ends."""
    # Not against what only refers to the partner: a worker records events of it while it holds others that are changed here.
    tx.execute("SELECT 1 FROM partner WHERE id = %s FOR NO KEY UPDATE", (partner_id,))
