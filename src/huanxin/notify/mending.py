"""Batches whose numbers stood on a report that was wrong: some stay, some are taken back from whoever was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pyroaring import BitMap

from huanxin.domain.lifecycle import Cancellation
from huanxin.domain.mended import Changed, Consequence, What
from huanxin.notify.retractions import (
    retract_mended,
    retract_returned,
    taken_back_by_reports,
    taken_back_for_good,
)
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.plan import batches
from huanxin.store.release.stops import Listed


def mend_batches(act: Act, changed: Changed, on_lists: Iterable[Listed]) -> Iterator[Consequence]:
    """Set batches right after a mend, by what is on record now, whichever mend made it so. on_lists: what releases had given
    back of the numbers and nobody had bought."""
    every = batches.holding(act.tx, changed.numbers)
    stands = _by_batch(act, changed.stands())
    back: dict[int, NumberSet] = {}
    for batch_id, numbers in every.items():
        for_good = taken_back_for_good(act.tx, batch_id)
        stays, out = _of_batch(act, changed, batch_id, numbers - stands.get(batch_id, NumberSet()) - for_good.mended)
        if told := stays - for_good.ordered:
            yield Consequence(what=What.STANDS, batch_id=batch_id, numbers=told)
        back[batch_id] = out - for_good.ordered
    rests = _by_batch(act, changed.rests())
    listed = list(on_lists)
    for batch_id in every:
        again = rests.get(batch_id, NumberSet()) & taken_back_by_reports(act.tx, batch_id)
        out = back[batch_id] | again - taken_back_for_good(act.tx, batch_id).all
        yield from _take_back(act, changed, batch_id, out, [one for one in listed if one.batch_id == batch_id])
    for batch_id, numbers in _by_batch(act, changed.returned()).items():
        if made := retract_returned(act, batch_id, numbers):
            yield Consequence(what=What.RETRACTED, batch_id=batch_id, numbers=made)


def _by_batch(act: Act, named: Mapping[Cancellation, NumberSet]) -> dict[int, NumberSet]:
    """Those of some numbers, given by cancellation, that batches hold which stand on it."""
    found: dict[int, NumberSet] = {}
    for one in batches.renewed_since(act.tx, named):
        found[one.batch_id] = found.get(one.batch_id, NumberSet()) | NumberSet.of(one.numbers)
    return found


def _of_batch(act: Act, changed: Changed, batch_id: int, gone: NumberSet) -> tuple[NumberSet, NumberSet]:
    """Of numbers whose cancellation is on record no more, those that stay in the batch, and those that are taken back.

    A number that was frozen before the batch was planned, by the cancellation that corrects the old one, stays: the batch
    stands on that one too. What another owner has had since is given back to nobody.
    """
    batch = batches.get(act.tx, batch_id)
    assert batch is not None
    stays, out = NumberSet(), NumberSet()
    for carrier, numbers in _by_carrier(act, batch_id, gone):
        day = act.plan.carriers[carrier].today(batch.planned_at)
        corrected = changed.corrected(carrier, numbers, day)
        if corrected:
            spans = {one: batches.places_of(act.tx, batch_id, some) for one, some in corrected.items()}
            facts.batch_spans(act.tx, batch_id, spans)
        still = union(corrected.values())
        stays, out = stays | still, out | (numbers - still - changed.begun_since(numbers, day))
    return stays, out


def _by_carrier(act: Act, batch_id: int, numbers: NumberSet) -> Iterator[tuple[str, NumberSet]]:
    """Some numbers of a batch, by the carrier that cancelled them."""
    places = batches.places_of(act.tx, batch_id, numbers) if numbers else BitMap()
    found: dict[str, BitMap] = {}
    for (carrier, _), here in batches.spans(act.tx, batch_id).items() if places else ():
        found[carrier] = found.get(carrier, BitMap()) | (here & places)
    for carrier, here in sorted(found.items()):
        if here:
            yield carrier, NumberSet.of(batches.numbers_at(act.tx, batch_id, here))


def _take_back(act: Act, changed: Changed, batch_id: int, out: NumberSet, listed: list[Listed]) -> Iterator[Consequence]:
    if not out:
        return
    on_lists = [
        Listed(release_id=one.release_id, batch_id=batch_id, carrier=one.carrier, numbers=both)
        for one in listed
        if (both := one.numbers & out)
    ]
    retract_mended(act, batch_id, out, reason=changed.reason, report_id=changed.report_id, on_lists=on_lists)
    yield Consequence(what=What.RETRACTED, batch_id=batch_id, numbers=out)
    if stopped := union(one.numbers for one in on_lists):
        yield Consequence(what=What.STOPPED, batch_id=batch_id, numbers=stopped)
