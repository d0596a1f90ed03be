"""What must be so after a storm, looked up in the database and in the partners' own, and judged by the record alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from pyroaring import BitMap

from storms.rounds import FIRST, FREEZING, HELD, RECLAIMED, REFUSED, Record
from storms.site import OLDER, Site


def lost(site: Site, record: Record, receipts: Mapping[str, tuple[str, bytes]]) -> list[str]:
    """What was acknowledged and is not there."""
    with site.database() as connection:
        names = {name for (name,) in connection.execute("SELECT file_name FROM report")}
        taken = {key: (notice, bytes(digest))
                 for key, notice, digest in connection.execute("SELECT id, notice_id, sha256 FROM receipt")}  # fmt: skip
        holds = {key for (key,) in connection.execute("SELECT id FROM hold")}
        batches = {key for (key,) in connection.execute("SELECT id FROM batch WHERE purpose = 'renewal'")}
    missing = [f"report {one}" for one in record.reports if one not in names]
    missing += [f"receipt {key}" for key, (notice, content) in receipts.items()
                if taken.get(key) != (notice, sha256(content).digest())]  # fmt: skip
    missing += [f"hold {one}" for one in record.holds if one not in holds]
    return missing + [f"batch {one.batch}" for one in record.rounds if one.batch not in batches]


def wrongly_released(site: Site, record: Record) -> list[str]:
    """What was released though it was held, refused, reclaimed or still frozen, or before everybody had answered."""
    never = {number for one in record.rounds for places in (HELD, REFUSED, RECLAIMED, FREEZING) for number in one.at(places)}
    with site.database() as connection:
        first = dict(connection.execute("SELECT batch_id, min(released_at) FROM release GROUP BY batch_id"))
    early = [one for one in record.rounds
             if one.batch in first and (one.answered_from is None or first[one.batch] < one.answered_from)]  # fmt: skip
    return [f"number {number}" for number in sorted(released(site) & never)] + [f"early: batch {one.batch}" for one in early]


def doubled(site: Site) -> list[str]:
    """What was done once and is there twice, since its answer got lost: receipts with the same key, and
    numbers in two batches."""
    with site.database() as connection:
        twice = connection.execute(
            "SELECT notice_id, count(*) FROM receipt GROUP BY notice_id, idempotency_key HAVING count(*) > 1"
        )
        found = [f"{count} receipts to notice {notice}" for notice, count in twice]
    seen: set[int] = set()
    for batch, numbers in rosters(site).items():
        found += [f"number {number}, also in batch {batch}" for number in seen.intersection(numbers)]
        seen.update(numbers)
    return found


def released(site: Site) -> set[int]:
    """Every number that any release gave back."""
    of, found = rosters(site), set()
    with site.database() as connection:
        query = "SELECT r.batch_id, s.places FROM release_set s JOIN release r ON r.id = s.release_id"
        for batch_id, places in connection.execute(query):
            found |= {of[batch_id][place] for place in BitMap.deserialize(bytes(places))}
    return found


def rosters(site: Site) -> dict[int, list[int]]:
    """The numbers of each batch that is to be released, in the order of their places."""
    found: dict[int, list[int]] = {}
    query = (
        "SELECT s.batch_id, s.shard, s.numbers FROM batch_set s JOIN batch b ON b.id = s.batch_id"
        " WHERE b.purpose = 'renewal' ORDER BY 1, 2"
    )
    with site.database() as connection:
        for batch_id, shard, numbers in connection.execute(query):
            found.setdefault(batch_id, []).extend(shard * 1_000_000 + one for one in BitMap.deserialize(bytes(numbers)))
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


def in_the_end(look: Callable[[], list[str]], seconds: float = 120) -> list[str]:
    """What is still wrong after a while, in which whoever was told of it may put it right."""
    end = time.monotonic() + seconds
    while (wrong := look()) and time.monotonic() < end:
        time.sleep(0.5)
    return wrong
