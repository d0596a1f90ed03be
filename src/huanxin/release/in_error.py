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
from huanxin.store.release.stops import Listed

RELEASED_IN_ERROR = "released-in-error"


def find_released_in_error(
    act: Act, changed: Changed, on_lists: Iterable[Listed], done: Iterable[Consequence]
) -> list[Consequence]:
    """Record what releases gave back of the numbers that a mend touched, though by what is on record now they were not
    frozen then, or not for long enough. on_lists: what of it nobody has bought; it stays off sale while its freeze runs, and
    is said to, but for what is said so among `done`."""
    found: dict[int, BitMap] = {}
    numbers: dict[int, NumberSet] = {}
    stopped: dict[int, NumberSet] = {}
    listed: dict[int, NumberSet] = {}
    for one in on_lists:
        listed[one.batch_id] = listed.get(one.batch_id, NumberSet()) | one.numbers
    for said in done:
        if said.what is What.STOPPED and said.batch_id in listed:
            listed[said.batch_id] -= said.numbers
    for renewed in batches.renewed_since(act.tx, changed.stood()):
        lot = Lot(renewed=renewed, given=[])
        seller = act.plan.carriers[renewed.since.carrier]
        for release, out in few_numbers.releases_among(act.tx, lot.batch_id, bitmap_of(renewed.places)):
            if bad := changed.wrong(lot.at(out), seller.today(release.released_at), release.freeze_days):
                found[lot.batch_id] = found.get(lot.batch_id, BitMap()) | lot.places(bad)
                numbers[lot.batch_id] = numbers.get(lot.batch_id, NumberSet()) | bad
                early = bad & listed.get(lot.batch_id, NumberSet())
                early -= changed.sellable(early, seller.today(act.now), release.freeze_days)
                stopped[lot.batch_id] = stopped.get(lot.batch_id, NumberSet()) | early
    off = (Consequence(what=What.STOPPED, batch_id=key, numbers=some) for key, some in stopped.items() if some)
    return [*_recorded(act, found, numbers), *off]


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
