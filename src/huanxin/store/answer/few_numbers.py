"""What was answered for a few numbers of a batch: their places only are kept of each stored set, so that one number is
looked up without building the gate of a million."""

from __future__ import annotations

from pyroaring import BitMap

from huanxin.domain.answers import Answer, Outcome, Receipt, Standing, Waiver, standing
from huanxin.numbersets.sharded import load, values_of
from huanxin.store.answer import receipts
from huanxin.store.answer.parts_of_sets import BEGINNING, among
from huanxin.store.database import Tx
from huanxin.store.release.releases import RELEASE, Release

_STANDINGS_AT = f"""
SELECT r.partner_id, r.seq, r.complete, s.outcome, s.reason, s.until_day, {BEGINNING}
FROM (
    SELECT *, complete AND count(*) OVER (PARTITION BY partner_id) = 1 AS alone
    FROM receipt
    WHERE batch_id = %s
) r
LEFT JOIN receipt_set s ON s.receipt_id = r.id AND NOT (r.alone AND s.outcome = ANY(%s))
ORDER BY r.seq
"""


def standings_at(tx: Tx, batch_id: int, places: BitMap) -> dict[int, Standing]:
    """The standing of every partner that answered a batch or was waived, as far as some places go: what is settled and what
    is open. An answer that settles a number may stand as another that does.

    The fold of receipts and waivers (domain.answers) treats each place alone, so what is left out changes nothing. A
    partner's only receipt, if it is complete, settles whatever it doesn't name as pending or refused: its other sets, the
    large ones, are not read.
    """
    rows = tx.execute(
        _STANDINGS_AT,
        (batch_id, receipts.SETTLING), binary=True,
    ).fetchall()  # fmt: skip
    found: dict[int, list[tuple[int, Receipt | Waiver]]] = {}
    sets: dict[Answer, BitMap] = {}
    last = None
    named = among(tx, "receipt_set", [row[-3:] for row in rows], places)
    for (partner, seq, complete, outcome, reason, until, *_), here in zip(rows, named, strict=True):
        if seq != last:
            sets, last = {}, seq
            found.setdefault(partner, []).append((seq, Receipt(answers=sets, complete=complete)))
        if here:
            sets[Answer(outcome=Outcome(outcome), reason=reason, until=until)] = here
    for partner, granted in receipts.waivers(tx, batch_id, places).items():
        found[partner] = sorted([*found.get(partner, []), *granted], key=lambda entry: entry[0])
    return {partner: standing((said for _, said in entries), places) for partner, entries in found.items()}


def told(tx: Tx, batch_id: int) -> dict[int, bool]:
    """The partners that were told of a batch, each with whether its answer is required."""
    rows = tx.execute("SELECT partner_id, required FROM notice WHERE batch_id = %s ORDER BY partner_id", (batch_id,))
    return dict(rows.fetchall())


def released_in_shard(tx: Tx, shard: int) -> BitMap:
    """Offsets within a shard of the numbers that any release gave back for sale, whatever became of them since."""
    rows = tx.execute(
        "SELECT b.batch_id, b.first, b.numbers FROM batch_set b WHERE b.shard = %s"
        " AND EXISTS (SELECT FROM release r WHERE r.batch_id = b.batch_id)",
        (shard,), binary=True,
    ).fetchall()  # fmt: skip
    found = BitMap()
    for batch_id, first, stored in rows:
        offsets = values_of(load(stored))
        places = released_among(tx, batch_id, BitMap(range(first, first + len(offsets))))
        found |= BitMap(offsets[values_of(places) - first].tolist())
    return found


def released_among(tx: Tx, batch_id: int, places: BitMap) -> BitMap:
    """Those of some places of a batch that were released so far."""
    return BitMap.union(BitMap(), *released_under(tx, batch_id, places).values())


def released_under(tx: Tx, batch_id: int, places: BitMap) -> dict[int, BitMap]:
    """The same by the days of the freeze that had to have ended."""
    found: dict[int, BitMap] = {}
    for release, here in releases_among(tx, batch_id, places):
        found[release.freeze_days] = found.get(release.freeze_days, BitMap()) | here
    return found


def releases_among(tx: Tx, batch_id: int, places: BitMap) -> list[tuple[Release, BitMap]]:
    """The releases of a batch, oldest first, each with those of some places that it gave back of one day of cancellation."""
    rows = tx.execute(
        f"SELECT {BEGINNING}, {RELEASE} FROM release_set s JOIN release r ON r.id = s.release_id WHERE r.batch_id = %s"
        " ORDER BY r.id",
        (batch_id,), binary=True,
    ).fetchall()  # fmt: skip
    found = among(tx, "release_set", [row[:3] for row in rows], places)
    return [(Release.of(row[3:]), here) for row, here in zip(rows, found, strict=True) if here]
