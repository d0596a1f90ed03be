"""What was released and, by what is known since, should not have been: a breach that the carrier is told of at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from pyroaring import BitMap

from huanxin.domain.leaving import Left, rested
from huanxin.domain.lifecycle import Event
from huanxin.domain.mended import Changed, Consequence, What
from huanxin.numbersets.sharded import NumberSet, bitmap_of
from huanxin.release.early_sales import Lot
from huanxin.store.acting import Act
from huanxin.store.answer import few_numbers
from huanxin.store.plan import batches
from huanxin.store.release import releases

RELEASED_IN_ERROR = "released-in-error"


def find_released_in_error(act: Act, changed: Changed) -> list[Consequence]:
    """Record what releases gave back of the numbers that a mend touched, though by what is on record now they were not
    frozen then, or not for long enough."""
    found: dict[int, BitMap] = {}
    numbers: dict[int, NumberSet] = {}
    for renewed in batches.renewed_since(act.tx, changed.stood()):
        lot = Lot(renewed=renewed, given=[])
        seller = act.plan.carriers[renewed.since.carrier]
        for release, out in few_numbers.releases_among(act.tx, lot.batch_id, bitmap_of(renewed.places)):
            if bad := changed.wrong(lot.at(out), seller.today(release.released_at), release.freeze_days):
                found[lot.batch_id] = found.get(lot.batch_id, BitMap()) | lot.places(bad)
                numbers[lot.batch_id] = numbers.get(lot.batch_id, NumberSet()) | bad
    return _recorded(act, found, numbers)


def find_reclaimed_before(act: Act, left: Iterable[tuple[int, Left]], changed: Changed | None) -> list[Consequence]:
    """Record what releases gave back of numbers that had been back with their owners on an earlier day, as a report says
    only now. left: what it took out of the freeze, each with its shard. What it changed the past of is judged by that."""
    but = changed.numbers if changed else NumberSet()
    found: dict[int, BitMap] = {}
    numbers: dict[int, NumberSet] = {}
    days: dict[date, list[tuple[int, Left]]] = {}
    for shard, one in left:
        if one.fact.event is Event.RECLAIMED:
            days.setdefault(one.fact.day, []).append((shard, one))
    for day, of_day in days.items():
        for renewed in batches.renewed_since(act.tx, rested(of_day, Event.RECLAIMED)):
            lot, seller = Lot(renewed=renewed, given=[]), act.plan.carriers[renewed.since.carrier]
            for release, out in few_numbers.releases_among(act.tx, lot.batch_id, bitmap_of(renewed.places)):
                if day < seller.today(release.released_at) and (bad := lot.at(out) - but):
                    found[lot.batch_id] = found.get(lot.batch_id, BitMap()) | lot.places(bad)
                    numbers[lot.batch_id] = numbers.get(lot.batch_id, NumberSet()) | bad
    return _recorded(act, found, numbers)


def _recorded(act: Act, found: Mapping[int, BitMap], numbers: Mapping[int, NumberSet]) -> list[Consequence]:
    for batch_id, places in found.items():
        releases.add_breach(
            act.tx, kind=RELEASED_IN_ERROR, batch_id=batch_id, partner_id=None, receipt_id=None, places=places, at=act.now
        )
    return [Consequence(what=What.IN_ERROR, batch_id=key, numbers=some) for key, some in numbers.items()]
