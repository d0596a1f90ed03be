"""What must be so after a storm, looked up in the database and in the partners' own, and judged by the record alone."""

from __future__ import annotations

from pyroaring import BitMap

from storms.rounds import FIRST, FREEZING, HELD, RECLAIMED, REFUSED, Record
from storms.site import OLDER, Site


def lost(site: Site, record: Record) -> list[str]:
    """What was acknowledged and is not there."""
    with site.database() as connection:
        names = {name for (name,) in connection.execute("SELECT file_name FROM report")}
        receipts = {key: bytes(digest) for key, digest in connection.execute("SELECT id, sha256 FROM receipt")}
        holds = {key for (key,) in connection.execute("SELECT id FROM hold")}
        batches = {key for (key,) in connection.execute("SELECT id FROM batch WHERE purpose = 'renewal'")}
    missing = [f"report {one}" for one in record.reports if one not in names]
    missing += [f"receipt {one}" for one in record.receipts if one not in receipts]
    missing += [f"hold {one}" for one in record.holds if one not in holds]
    return missing + [f"batch {one.batch}" for one in record.rounds if one.batch not in batches]


def wrongly_released(site: Site, record: Record) -> list[int]:
    """Numbers that were released though they were held, refused, reclaimed or still frozen."""
    never = {number for one in record.rounds for places in (HELD, REFUSED, RECLAIMED, FREEZING) for number in one.at(places)}
    return sorted(released(site) & never)


def released(site: Site) -> set[int]:
    """Every number that any release gave back."""
    found: set[int] = set()
    with site.database() as connection:
        rosters: dict[int, list[int]] = {}
        for batch_id, shard, numbers in connection.execute("SELECT batch_id, shard, numbers FROM batch_set ORDER BY 1, 2"):
            rosters.setdefault(batch_id, []).extend(shard * 1_000_000 + one for one in BitMap.deserialize(bytes(numbers)))
        query = "SELECT r.batch_id, s.places FROM release_set s JOIN release r ON r.id = s.release_id"
        for batch_id, places in connection.execute(query):
            found |= {rosters[batch_id][place] for place in BitMap.deserialize(bytes(places))}
    return found


def wrongly_cut(site: Site, record: Record) -> list[str]:
    """Ties that were cut though they belong to a new owner, or to somebody who took the number back, or are of no round that
    was sent; and ties of former owners that are left."""
    reclaimed = {number for one in record.rounds for number in one.at(RECLAIMED)}
    sent = {number for one in record.rounds for number in one.numbers}
    wrong = []
    for shop in site.shops:
        for row, (phone, bound_at) in shop.ties().items():
            number = FIRST + row
            keeps = bound_at != OLDER or number in reclaimed or number not in sent
            if keeps != (phone is not None):
                wrong.append(f"{shop.name}: row {row}, bound {bound_at}, {'cut' if phone is None else 'left'}")
    return wrong
