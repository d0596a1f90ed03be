"""What each carrier may sell, as its systems are told: what is on sale of each batch, and the changes in their order.

A change is numbered once nobody else is at it, and the next one only after it is committed (`one_at_a_time`): so whoever has
read up to one never misses another that comes before it. It follows from the facts (release.stopped) when it is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb
from pyroaring import BitMap

from huanxin.numbersets.sharded import dump, load
from huanxin.store.database import Tx, one_name_at_a_time
from huanxin.store.figures import stamps


@dataclass(frozen=True, kw_only=True)
class Change:
    """Places of a batch that a carrier may sell (`why` empty), or may not any more. `mark`: by which it is known again."""

    id: int
    batch_id: int
    why: str
    places: BitMap
    noted_at: datetime
    mark: str


def one_at_a_time(tx: Tx) -> None:
    """Make those who look for changes wait for each other, until this transaction ends."""
    one_name_at_a_time(tx, "inventory")


_BOUND = """
SELECT r.batch_id, (
    SELECT count(DISTINCT h.id)
    FROM batch_set s
    JOIN hold_set n ON n.shard = s.shard
    JOIN hold h ON h.id = n.hold_id
    WHERE s.batch_id = r.batch_id AND h.until_day >= %(today)s
), (
    SELECT count(*)
    FROM batch_span p
    JOIN report w ON w.id = p.report_id AND w.kind = 'correction'
    JOIN release g ON g.batch_id = p.batch_id
    JOIN jsonb_each_text(%(days)s) d ON d.key = p.carrier
    WHERE p.batch_id = r.batch_id AND p.closed_on + g.freeze_days >= d.value::date
)
FROM (SELECT DISTINCT batch_id FROM release WHERE batch_id = coalesce(%(batch)s, batch_id)) r
"""


def facts_of(
    tx: Tx, today: date, days: Mapping[str, date], batch_id: int | None = None
) -> dict[int, str]:  # fmt: skip
    """Of each batch of which anything was released (or of one), what changes whenever a fact comes that bears on what of it
    may be sold, or a hold ends, or a freeze that a correction made longer after the release. days: today, by carrier."""
    said = Jsonb({carrier: str(day) for carrier, day in days.items()})
    rows = tx.execute(_BOUND, {"today": today, "days": said, "batch": batch_id}).fetchall()
    bound = {batch: f"{held} {freezing}" if freezing else str(held) for batch, held, freezing in rows}
    return {batch: f"{one} {bound[batch]}" for batch, one in stamps.of_batches(tx, bound).items()}


def looked_at(tx: Tx, batch_id: int | None = None) -> dict[int, str]:
    """The same as it was when each batch (or one) was looked at last."""
    rows = tx.execute(
        "SELECT batch_id, max(stamp) FROM inventory WHERE batch_id = coalesce(%s, batch_id) GROUP BY batch_id", (batch_id,)
    )
    return dict(rows.fetchall())


def on_sale(tx: Tx, batch_id: int) -> dict[str, BitMap]:
    """What of a batch each carrier was told that it may sell."""
    rows = tx.execute("SELECT carrier, places FROM inventory WHERE batch_id = %s", (batch_id,), binary=True)
    return {carrier: load(places) for carrier, places in rows}


def keep(tx: Tx, batch_id: int, carrier: str, places: BitMap, *, stamp: str) -> None:
    """Keep what a carrier may sell of a batch, after the changes that were noted."""
    tx.execute(
        "INSERT INTO inventory (batch_id, carrier, places, stamp) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (batch_id, carrier) DO UPDATE SET places = excluded.places, stamp = excluded.stamp",
        (batch_id, carrier, dump(places), stamp),
    )


def note(tx: Tx, batch_id: int, carrier: str, *, why: str, places: BitMap, at: datetime) -> None:
    """Note a change, after all that were noted before."""
    tx.execute(
        "INSERT INTO inventory_change (carrier, batch_id, why, count, places, noted_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (carrier, batch_id, why, len(places), dump(places), at),
    )


_CHANGE = "SELECT id, batch_id, why, places, noted_at, mark FROM inventory_change"


def last_change(tx: Tx, carrier: str, change_id: int | None = None) -> Change | None:
    """A carrier's newest change, or the one of a number."""
    row = tx.execute(
        f"{_CHANGE} WHERE carrier = %s AND id = coalesce(%s, id) ORDER BY id DESC LIMIT 1", (carrier, change_id), binary=True
    ).fetchone()
    return _change(row) if row else None


def carriers(tx: Tx) -> list[str]:
    """The carriers to which anything was ever released, as far as that was looked at."""
    return [carrier for (carrier,) in tx.execute("SELECT DISTINCT carrier FROM inventory ORDER BY carrier")]


def changes(tx: Tx, carrier: str, *, since: int) -> Iterator[Change]:
    """A carrier's changes from one on, in their order."""
    with tx.cursor("changes", binary=True) as cursor:
        cursor.itersize = 20
        cursor.execute(f"{_CHANGE} WHERE carrier = %s AND id >= %s ORDER BY id", (carrier, since))
        for row in cursor:
            yield _change(row)


def _change(row: tuple[Any, ...]) -> Change:
    change_id, batch_id, why, places, at, mark = row
    return Change(id=change_id, batch_id=batch_id, why=why, places=load(places), noted_at=at, mark=mark)


def everything(tx: Tx, carrier: str, *, since: int) -> Iterator[tuple[int, BitMap]]:
    """What a carrier may sell: the places of each batch, from one on."""
    with tx.cursor("everything", binary=True) as cursor:
        cursor.itersize = 5
        cursor.execute(
            "SELECT batch_id, places FROM inventory WHERE carrier = %s AND batch_id >= %s ORDER BY batch_id",
            (carrier, since),
        )
        for batch_id, places in cursor:
            yield batch_id, load(places)
