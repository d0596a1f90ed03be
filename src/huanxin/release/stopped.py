"""What was released and may not be sold any more: which numbers of a list those are, and which were sold nevertheless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pyroaring import BitMap

from huanxin.domain.answers import Standing
from huanxin.domain.disclosure import NotForSale
from huanxin.domain.lifecycle import sellable_from
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.release.early_sales import Lot, Lots
from huanxin.release.gate import LoadedGate
from huanxin.store.acting import Act, Reading
from huanxin.store.answer import few_numbers
from huanxin.store.database import Tx
from huanxin.store.plan import batches, holds
from huanxin.store.release import releases
from huanxin.store.release.releases import Release
from huanxin.store.report.sales import Sale

OPENED_WHILE_HELD, OPENED_AFTER_STOP = "opened-while-held", "opened-after-stop"


def off_sale(tx: Tx, loaded: LoadedGate) -> dict[NotForSale, BitMap]:
    """The places of a batch that were released and may not be sold any more, by why, in the words of the desk: somebody has
    held the number since (it was sold, or is back with its owner), or it was held, taken back or refused, or its freeze runs
    after all, which read alike (domain.disclosure.NotForSale.WITHHELD)."""
    gate = loaded.gate
    refused = [
        gate.standings[one].open(gate.everyone) & releases.released_places(tx, loaded.batch.id, asked=one)
        for one in gate.required
    ]
    gone = BitMap.union(BitMap(), *gate.retracted.values()) & gate.released
    early = _freezing_after_all(tx, loaded)
    withheld = (BitMap.union(gate.held_places(), *gate.ordered.values(), *refused, early) & gate.released) - gone
    return {why: places for why, places in ((NotForSale.IN_SERVICE, gone), (NotForSale.WITHHELD, withheld)) if places}


def _freezing_after_all(tx: Tx, loaded: LoadedGate) -> BitMap:
    """Places that were released, and whose freeze runs still since the day of their cancellation was corrected."""
    gate, found = loaded.gate, BitMap()
    for release in releases.all_releases(tx, loaded.batch.id):
        early = [
            places for (carrier, day), places in gate.spans.items()
            if gate.today[carrier] < sellable_from(day, release.freeze_days) and places.intersect(gate.released)
        ]  # fmt: skip
        if early:  # mostly none: what was released was over
            found |= BitMap.union(*early) & BitMap.union(BitMap(), *releases.spans_of(tx, release.id).values())
    return found


def find_stopped_sales(act: Act, report_id: int, sales: Sequence[Sale], lots: Lots) -> int:
    """Record the numbers that a report sold while a hold bound them, whatever else there was, and those that were taken back
    or refused after their release; how many. Where only the day of a sale is known, what stops it on that day came after
    it."""
    held = union(_while_held(act, sales)) if sales else NumberSet()
    stopped = union(_after_stops(act.tx, sales, lots))
    for kind, numbers in ((OPENED_WHILE_HELD, held), (OPENED_AFTER_STOP, stopped)):
        if numbers:
            releases.add_report_breach(act.tx, kind=kind, report_id=report_id, numbers=numbers, at=act.now)
    return len(held) + len(stopped)


def _while_held(reading: Reading, sales: Sequence[Sale]) -> Iterator[NumberSet]:
    numbers, today = union(one.numbers for one in sales), reading.plan.today(reading.now)
    for hold, named in holds.naming(reading.tx, numbers, min(one.opening.day for one in sales)):
        ends = [hold.lifted_at] if hold.lifted_at else []
        ends += [reading.plan.end_of(hold.until_day)] if hold.until_day < today else []
        for sale in sales:
            if here := sale.numbers & named & sale.after(hold.placed_at):
                yield here & sale.before(min(ends)) if ends else here


def _after_stops(tx: Tx, sales: Sequence[Sale], lots: Lots) -> Iterator[NumberSet]:
    for closing, of_batches in lots.items():
        sold = [one for one in sales if one.closing == closing]
        for place, lot in enumerate(of_batches):
            given = union(numbers for _, numbers in lot.given)
            again = [one for later in of_batches[place + 1 :] for one in later.given]
            for at, stopped in _stops(tx, lot, given):
                yield from ((sale.after(at) & stopped) - _released(sale, again) for sale in sold)


def _released(sale: Sale, given: Iterable[tuple[Release, NumberSet]]) -> NumberSet:
    """Those of some numbers that releases had given back when they were sold."""
    return union(numbers - sale.before(release.released_at) for release, numbers in given)


def _stops(tx: Tx, lot: Lot, given: NumberSet) -> Iterable[tuple[datetime, NumberSet]]:
    """When something stopped the sale of what releases gave back of a lot, and of which numbers. An answer that reopened
    them counts as it stands when the report comes (decision 18)."""
    if not given:
        return
    for one in batches.retractions_of(tx, lot.batch_id):
        if one.reason:
            yield one.planned_at, batches.numbers_of(tx, one.id, given.shards) & given
    objections = releases.objections(tx, lot.batch_id)
    among = lot.places(given)
    standings = few_numbers.standings_at(tx, lot.batch_id, among) if objections else {}
    for at, partner, where in objections:
        yield at, lot.at(standings.get(partner, Standing()).open(among) & where)
