"""Batches whose numbers stood on a report that was wrong: some stay, some are taken back from whoever was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from huanxin.domain.mended import Changed, Consequence, What
from huanxin.notify.retractions import retract_mended, taken_back_by_reports
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Renewed
from huanxin.store.release.stops import Listed


def mend_batches(act: Act, changed: Changed, on_lists: Iterable[Listed]) -> Iterator[Consequence]:
    """Set batches right after a mend. on_lists: what releases had given back of the numbers and nobody had bought."""
    back: dict[int, NumberSet] = {}
    for renewed in list(batches.renewed_since(act.tx, changed.gone())):
        stays, out = _of_batch(act, changed, renewed)
        if stays:
            yield Consequence(what=What.STANDS, batch_id=renewed.batch_id, numbers=stays)
        back[renewed.batch_id] = back.get(renewed.batch_id, NumberSet()) | out
    for renewed in list(batches.renewed_since(act.tx, changed.resting_again())):
        again = NumberSet.of(renewed.numbers) & taken_back_by_reports(act.tx, renewed.batch_id)
        back[renewed.batch_id] = back.get(renewed.batch_id, NumberSet()) | again
    listed = list(on_lists)
    for batch_id, numbers in sorted(back.items()):
        yield from _take_back(act, changed, batch_id, numbers, [one for one in listed if one.batch_id == batch_id])


def _of_batch(act: Act, changed: Changed, renewed: Renewed) -> tuple[NumberSet, NumberSet]:
    """Of numbers whose cancellation is on record no more, those that stay in the batch, and those that are taken back.

    A number that was frozen before the batch was planned, by the cancellation that corrects the old one, stays: the batch
    stands on that one too. What another owner has had since is given back to nobody.
    """
    batch = batches.get(act.tx, renewed.batch_id)
    assert batch is not None
    numbers = NumberSet.of(renewed.numbers)
    day = act.plan.carriers[renewed.since.carrier].today(batch.planned_at)
    stays = changed.corrected(renewed.since.carrier, numbers, day)
    if stays:
        spans = {one: batches.places_of(act.tx, batch.id, some) for one, some in stays.items()}
        facts.batch_spans(act.tx, batch.id, spans)
    still = union(stays.values())
    return still, numbers - still - changed.begun_since(numbers, day)


def _take_back(act: Act, changed: Changed, batch_id: int, numbers: NumberSet, listed: list[Listed]) -> Iterator[Consequence]:
    ordered = (one.id for one in batches.retractions_of(act.tx, batch_id) if one.reason)
    out = numbers - union(batches.numbers_of(act.tx, one) for one in ordered)
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
