"""Taking numbers back from notices (rule 3): since their former owners reclaimed them, or since an operator says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyroaring import BitMap

from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.errors import BadInput, Conflict, Fault, NotFound
from huanxin.domain.leaving import Left, rested
from huanxin.domain.lifecycle import Event
from huanxin.domain.numbers import masked, written
from huanxin.domain.rules import NewId, random_id
from huanxin.notify.notices import tell_partners
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.database import Tx, deciding
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch, refuse_called_off
from huanxin.store.plan.left import left_since
from huanxin.store.release import stops
from huanxin.store.release.stops import Listed
from huanxin.store.report import reports, settled
from huanxin.words.sentences import Sentence

_SHOWN = 100


def retract_reclaimed(act: Act, left: Iterable[tuple[int, Left]], *, new_id: NewId = random_id) -> list[Batch]:
    """Take numbers that their former owners reclaimed back from every notice they are in.

    left: what a report took out of the freeze, each with its shard. Of each renewal batch that was sent and holds some of
    those that were reclaimed, they become a retraction, told to every partner that had the notice; but for those that
    somebody else got since, as the same report or an older one says: the former owner's ties are not theirs.
    """
    deciding(act.tx)
    left = list(left)
    days = [one.fact.day for _, one in left if one.fact.event is Event.RECLAIMED]
    back: dict[int, list[NumberSet]] = {}
    for renewed in batches.renewed_since(act.tx, rested(left, Event.RECLAIMED)):
        back.setdefault(renewed.batch_id, []).append(NumberSet.of(renewed.numbers))
    made = (_retract(act, batch_id, union(sets), min(days), new_id) for batch_id, sets in sorted(back.items()))
    return [one for one in made if one]


def retract_reclaimed_before(act: Act, batch_id: int, *, new_id: NewId = random_id) -> Batch | None:
    """The same for one batch that is sent now, with what was reclaimed of it since it was planned."""
    deciding(act.tx)
    batch = batches.get(act.tx, batch_id)
    assert batch is not None  # it was sent
    return _retract(act, batch_id, *_reclaimed_of(act.tx, batch), new_id)


def _retract(act: Act, batch_id: int, numbers: NumberSet, since: date, new_id: NewId) -> Batch | None:
    """since: the day of the first reclaim."""
    batch = batches.get(act.tx, batch_id)
    if batch is None or not numbers or not notices.of_batch(act.tx, batch_id):
        return None
    again = numbers - _taken_back(act.tx, batch)
    if not (again := again - reports.passed_on(act.tx, again, since)):
        return None
    made = _record(act, batch, again, reason="")
    tell_retractions(act, batch_id, new_id=new_id)
    return made


def retract_ordered(act: Act, batch_id: int, numbers: NumberSet, *, reason: str, new_id: NewId = random_id) -> Batch:
    """Take numbers back from a batch since an operator says so; the gate never releases them from this batch again.

    Those that were taken back before are left out. Raises BadInput if any number is not in the batch, Conflict if all were
    taken back before. A batch that was not sent yet tells its partners of the retraction right after their notices.
    """
    if not reason.strip() or not act.by.strip():
        raise BadInput(Sentence("a retraction needs who orders it and why; both are recorded"))
    if not numbers:
        raise BadInput(Sentence("what you gave names no number, so none was taken back"))
    act = act.alone()
    batch = batches.get(act.tx, batch_id)
    if batch is None or batch.purpose != Purpose.RENEWAL:
        raise NotFound(Sentence("there is no renewal batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    refuse_called_off(batch)
    strangers = (numbers - batches.numbers_of(act.tx, batch_id, numbers.shards)).numbers()
    if len(strangers):
        faults = [
            Fault(
                line=0, reason=Sentence("%(number)s is not in batch %(batch)s", number=masked(written(one)), batch=batch_id)
            )
            for one in strangers[:_SHOWN].tolist()
        ]
        raise BadInput(
            Sentence(
                "%(count)s of the numbers are not in batch %(batch)s, so none was taken back",
                count=f"{len(strangers):,}",
                batch=batch_id,
            ),
            faults,
            len(strangers),
        )
    again = numbers - _taken_back(act.tx, batch)
    if not again:
        raise Conflict(
            Sentence("all of these numbers were taken back from batch %(batch)s before; nothing changes", batch=batch_id)
        )
    made = _record(act, batch, again, reason=reason.strip())
    on_lists = stops.listed(act.tx, again)
    stops.add(act.tx, [one for one in on_lists if one.batch_id == batch_id], retraction_id=made.id, at=act.now)
    tell_retractions(act, batch_id, new_id=new_id)
    return made


def retract_mended(
    act: Act, batch_id: int, numbers: NumberSet, *, reason: str, report_id: int, on_lists: Iterable[Listed],
    new_id: NewId = random_id,
) -> Batch:  # fmt: skip
    """Take numbers back from a batch for good, since a report mended what the batch stood on: partners are told as of any
    retraction, and what rests is planned again. on_lists: what releases gave back of them that nobody had bought."""
    batch = batches.get(act.tx, batch_id)
    assert batch is not None
    made = _record(act, batch, numbers, reason=reason, mended_by=report_id)
    settled.plan_anew(act.tx)
    stops.add(act.tx, on_lists, retraction_id=made.id, at=act.now)
    tell_retractions(act, batch_id, new_id=new_id)
    return made


def retract_returned(act: Act, batch_id: int, numbers: NumberSet, *, new_id: NewId = random_id) -> NumberSet:
    """Take numbers back from a batch that was sent, since by a mended report their former owners have them again; those that
    were not taken back before."""
    batch = batches.get(act.tx, batch_id)
    again = numbers - _taken_back(act.tx, batch) if batch and notices.of_batch(act.tx, batch_id) else NumberSet()
    if batch and again:
        _record(act, batch, again, reason="")
        tell_retractions(act, batch_id, new_id=new_id)
    return again


@dataclass(frozen=True, kw_only=True)
class ForGood:
    """Numbers that were taken back from a batch for good: since somebody ordered it, and since what it stood on was
    mended."""

    ordered: NumberSet
    mended: NumberSet

    @property
    def all(self) -> NumberSet:
        """Whyever they were."""
        return self.ordered | self.mended


def taken_back_for_good(tx: Tx, batch_id: int) -> ForGood:
    """The numbers that were taken back from a batch for good."""
    every = batches.retractions_of(tx, batch_id)
    return ForGood(
        ordered=union(batches.numbers_of(tx, one.id) for one in every if one.reason and not one.mended_by),
        mended=union(batches.numbers_of(tx, one.id) for one in every if one.mended_by),
    )


def taken_back_by_reports(tx: Tx, batch_id: int) -> NumberSet:
    """The numbers that were taken back from a batch since reports said that their owners reclaimed them."""
    return union(batches.numbers_of(tx, one.id) for one in batches.retractions_of(tx, batch_id) if not one.reason)


def tell_retractions(act: Act, batch_id: int, *, new_id: NewId = random_id) -> int:
    """Tell every partner that has a notice of a batch of each of its retractions, unless it has been told; how many
    notices that makes. A partner that is told of the batch late hears of what was taken back before, after it."""
    told = notices.of_batch(act.tx, batch_id)
    by_id = {partner.id: partner for partner in partners.all_partners(act.tx)}
    made = 0
    for retraction in batches.retractions_of(act.tx, batch_id):
        knowing = {notice.partner_id for notice in notices.of_batch(act.tx, retraction.id)}
        # A withdrawn partner is told nothing.
        new = [one for one in told if one.partner_id not in knowing and one.partner_id in by_id]
        which = [(by_id[one.partner_id], one) for one in new]
        tell_partners(act, retraction, which, new_id=new_id)
        made += len(new)
    return made


def _record(act: Act, batch: Batch, numbers: NumberSet, *, reason: str, mended_by: int | None = None) -> Batch:
    zones = {act.plan.carriers[code].zone for code, _ in batches.spans(act.tx, batch.id)}
    made = facts.batch(
        act.tx, purpose=Purpose.RETRACTION, retracts=batch.id, numbers=numbers, cutoff=batch.cutoff,
        answer_by=answer_by(act.now, zones, act.rules.answer_days), freeze_days=batch.freeze_days,
        seen_report=reports.latest(act.tx), files=described(numbers.numbers()), by=act.by, at=act.now, reason=reason,
        mended_by=mended_by,
    )  # fmt: skip
    found = batches.get(act.tx, made)
    assert found is not None
    return found


def _taken_back(tx: Tx, batch: Batch) -> NumberSet:
    return union(batches.numbers_of(tx, other.id) for other in batches.retractions_of(tx, batch.id))


def _reclaimed_of(tx: Tx, batch: Batch) -> tuple[NumberSet, date]:
    """The numbers of a batch that left the freeze by a reclaim, and the day of the first. One that was sold, cancelled and
    reclaimed since went back to somebody else: no tie of whoever held it before may be given back to it."""
    numbers, first = batches.numbers_of(tx, batch.id), date.max
    found: dict[int, BitMap] = {}
    for shard, of_shard in left_since(tx, batch, numbers):
        back, left = BitMap(), BitMap()
        for fact in of_shard:
            if fact.event is Event.RECLAIMED:
                back |= fact.numbers - left
                first = min(first, fact.day)
            left |= fact.numbers
        found[shard] = back
    return NumberSet(found), first
