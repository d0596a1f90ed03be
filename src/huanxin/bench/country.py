"""A store of a large carrier's half year: a batch a week, every partner's answers, releases, and numbers sold meanwhile.

Whatever pages read stands in it as the platform records it, through the store's own functions. The answers are drawn once
and filed for each batch, so that making it takes minutes; the numbers of each batch are strewn over all blocks, as real
ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.bench import data
from huanxin.disclose.acknowledging import Method
from huanxin.disclose.breaches import OPENED_UNDISCLOSED
from huanxin.domain.answers import Answer, Outcome, Purpose, Reason
from huanxin.domain.disclosure import Grade
from huanxin.domain.lifecycle import Cancellation, Event, SetFact
from huanxin.domain.operators import Role
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.notices import tell_batch
from huanxin.notify.partners import add_partner
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import Numbers, NumberSet, bitmap_of
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.store.disclose import disclosures
from huanxin.store.notify import notices
from huanxin.store.release import releases

CARRIER = "cmcc"
_BLOCK, _WEEK, _PER_BLOCK = 10_000, 7, 200
_SOLD, _BACK = 100, 4  # numbers of each block that are opened, and taken back in the freeze, each week
_OPTIONAL = 20  # every so many partners, one that nothing waits for
_SILENT = 40  # every so many, one that answers no batch
_HELD = 500  # of so many numbers of a batch, one that an authority's order holds
_ON_RECORD, _UNTOLD = 100, 1_000  # of so many that are sold, one with its disclosure here, and one sold without a word


@dataclass(kw_only=True)
class Country:
    """The store while it is made. `strewn[block]`: the ends of its numbers in a random order, dealt out from the left."""

    platform: Platform
    starts: npt.NDArray[np.int64]
    strewn: npt.NDArray[np.uint16]
    clerk: int = 0
    answers: dict[int, dict[Answer, BitMap]] = field(default_factory=dict)
    """by the partner's place in the order of partners"""

    def take(self, first: int, count: int) -> Numbers:
        """`count` numbers of every block, from column `first` on, ascending."""
        return np.sort((self.starts[:, None] + self.strewn[:, first : first + count]).ravel())


def make(platform: Platform, *, weeks: int, numbers: int, partners: int, seed: int, say: Callable[[str], None]) -> None:
    """Fill an empty store with `weeks` batches of `numbers` numbers (whole blocks of them) and `partners` partners."""
    columns = weeks * (_PER_BLOCK + _SOLD + _BACK)
    if columns > _BLOCK or numbers < _PER_BLOCK:
        raise ValueError(f"at most {_BLOCK // (columns // weeks)} batches of {_PER_BLOCK} numbers or more fit")
    rng = np.random.default_rng(seed)
    strewn = rng.permuted(np.tile(np.arange(_BLOCK, dtype=np.uint16), (numbers // _PER_BLOCK, 1)), axis=1)[:, :columns]
    made = Country(platform=platform, starts=data.block_starts(platform.plan, numbers // _PER_BLOCK, rng), strewn=strewn)
    made.answers = dict(enumerate(_drawn(len(made.starts) * _PER_BLOCK, partners, seed)))
    with platform.act("bench") as act:
        long_ago = replace(act, now=act.now - timedelta(days=400))
        for place in range(partners):
            add_partner(
                long_ago,
                NewPartner(name=f"partner {place + 1}", kind=list(Kind)[place % len(Kind)], required=place % _OPTIONAL != 0),
                https_only=False,
            )  # fmt: skip
        made.clerk = people.add_operator(act, login="clerk", name="", roles=[Role.DESK], carrier=CARRIER).id
    for week in range(weeks):
        say(f"batch {week + 1} of {weeks}")
        with platform.act("bench") as act:
            _week(act, made, week, weeks)


def _drawn(numbers: int, partners: int, seed: int) -> Iterator[dict[Answer, BitMap]]:
    reasons = {Outcome.REFUSED.value: Reason.DEBT.value}
    for one in data.answers(numbers, partners, seed):
        yield {
            Answer(outcome=Outcome(word), reason=reasons.get(word, "")): bitmap_of(
                one.places[one.outcomes == code].astype(np.uint32)
            )
            for code, word in enumerate(data.OUTCOMES)
        }


def _week(act: Act, made: Country, week: int, weeks: int) -> None:
    """What was reported for a week's batch, the batch itself, its answers and its release."""
    tx, now = act.tx, act.now
    planned = now - timedelta(days=2 + _WEEK * (weeks - 1 - week))
    rules = made.platform.rules
    last = made.platform.plan.carriers[CARRIER].today(planned) + timedelta(days=rules.lead_days - rules.freeze_days - 1)
    days = [last - timedelta(days=back) for back in reversed(range(_WEEK))]
    numbers = made.take(week * _PER_BLOCK, _PER_BLOCK)
    by_day = np.arange(len(numbers)) % _WEEK
    cancelled = {day: NumberSet.of(numbers[by_day == place]) for place, day in enumerate(days)}
    dealt = made.strewn.shape[1] - (_SOLD + _BACK) * (week + 1)
    sold, back = made.take(dealt, _SOLD), made.take(dealt + _SOLD, _BACK)
    reported = cancelled | {days[0]: cancelled[days[0]] | NumberSet.of(back)}
    report = _report(
        tx, week, planned,
        [*((day, Event.CANCELLED, found) for day, found in reported.items()), (days[3], Event.OPENED, NumberSet.of(sold)),
         (days[5], Event.RECLAIMED, NumberSet.of(back))],
    )  # fmt: skip
    batch_id = facts.batch(
        tx, purpose=Purpose.RENEWAL, retracts=None, numbers=NumberSet.of(numbers), cutoff=planned,
        answer_by=planned + timedelta(days=7), freeze_days=rules.freeze_days, seen_report=report,
        files={kind: {"sha256": "0" * 64, "bytes": 0} for kind in (CSV, PARQUET)}, by="bench", at=planned,
    )  # fmt: skip
    places = np.arange(len(numbers), dtype=np.uint32)
    spans = {(CARRIER, day): bitmap_of(places[by_day == place]) for place, day in enumerate(days)}
    named = {Cancellation(carrier=CARRIER, day=day, report=report): found for (_, day), found in spans.items()}
    facts.batch_spans(tx, batch_id, named)
    tell_batch(replace(act, now=planned), batch_id)
    facts.hold(
        tx, source="bench", order=f"week {week + 1}", reason="fraud", until=(planned + timedelta(days=180)).date(),
        review_on=(planned + timedelta(days=60)).date(), numbers=NumberSet.of(numbers[1::_HELD]), by="bench", at=planned,
    )  # fmt: skip
    _answer(tx, made, batch_id, planned)
    ended = timedelta(days=rules.lead_days + 2)
    if planned + ended < now:
        clear = _waive(tx, made, batch_id, numbers, planned + ended)
        if planned + ended + timedelta(days=_WEEK) < now:  # of the newest that could be released, somebody has to approve it
            _release(tx, made, week, batch_id, numbers, spans, clear, planned + ended)


def _report(tx: Tx, week: int, at: datetime, said: list[tuple[date, Event, NumberSet]], *, more: str = "") -> int:
    counts = {event.value: sum(len(found) for _, other, found in said if other is event) for event in Event}
    lines = sum(counts.values())
    report = facts.report(
        tx, carrier=CARRIER, file_name=f"week-{week + 1}{more}.csv", sha256=f"{week}{more}".encode(), lines=lines,
        accepted=lines, known=0, rejected=0, counts={event: count for event, count in counts.items() if count}, by="bench",
        at=at,
    )  # fmt: skip
    facts.report_sets(
        tx, report,
        ((shard, SetFact(day=day, carrier=CARRIER, event=event, numbers=found.shards[shard]))
         for shard in sorted({shard for *_, found in said for shard in found.shards})  # as an import records them
         for day, event, found in said if shard in found.shards),
    )  # fmt: skip
    return report


def _answer(tx: Tx, made: Country, batch_id: int, planned: datetime) -> None:
    """Nearly every partner's receipt, one to six days after the notice; what lies in the future is not there yet."""
    for place, notice in enumerate(notices.of_batch(tx, batch_id)):
        came = planned + timedelta(hours=24 + place * 11 % 120)
        if place % _SILENT != _SILENT - 1 and came < made.platform.now():
            facts.receipt(
                tx, receipt_id=f"rc_{batch_id}_{place}", notice_id=notice.id, batch_id=batch_id,
                partner_id=notice.partner_id, sha256=bytes(32), complete=True, idempotency_key="",
                lines=sum(map(len, made.answers[place].values())), answers=made.answers[place], at=came,
            )  # fmt: skip


def _waive(tx: Tx, made: Country, batch_id: int, numbers: Numbers, at: datetime) -> BitMap:
    """Waive the silent partners; what is clear then."""
    everyone = BitMap(range(len(numbers)))
    unsettled = BitMap()
    for place, notice in enumerate(notices.of_batch(tx, batch_id)):
        if place % _SILENT == _SILENT - 1:
            facts.waiver(
                tx, batch_id=batch_id, partner_id=notice.partner_id, places=everyone, reason="silent", by="bench", at=at
            )
        elif notice.required:
            unsettled |= BitMap.union(
                BitMap(), *(found for answer, found in made.answers[place].items() if not answer.settles)
            )
    return everyone - unsettled - bitmap_of(np.arange(1, len(numbers), _HELD, dtype=np.uint32))


def _release(
    tx: Tx, made: Country, week: int, batch_id: int, numbers: Numbers, spans: dict[tuple[str, date], BitMap],
    clear: BitMap, at: datetime,
) -> None:  # fmt: skip
    """Release what is clear, and sell a third of it."""
    facts.release(
        tx,
        batch_id=batch_id,
        spans={span: places & clear for span, places in spans.items()},
        by="bench",
        alone=True,
        freeze_days=made.platform.rules.freeze_days,
        at=at,
    )
    sold = Roster(numbers).subset(bitmap_of(np.arange(0, len(numbers), 3, dtype=np.uint32)) & clear)
    report = _report(tx, week, at + timedelta(days=2), [(at.date() + timedelta(days=1), Event.OPENED, sold)], more="-sold")
    told, untold = sold.numbers()[::_ON_RECORD], NumberSet.of(sold.numbers()[1::_UNTOLD])
    releases.add_report_breach(tx, kind=OPENED_UNDISCLOSED, report_id=report, numbers=untold, at=at + timedelta(days=2))
    seen = disclosures.SeenText(version="bench", language="zh_CN", text="此号码曾被使用。")
    facts.disclosures(
        tx,
        (disclosures.NewDisclosure(
            id=f"dc_{batch_id}_{number}", number=int(number), carrier=CARRIER, closed_on=min(day for _, day in spans),
            grade=Grade.B, asked=len(made.answers), confirmed=len(made.answers), text_sha256=seen.sha256,
            method=Method.SIGNATURE, evidence="M10 10L80 12", acknowledged_at=at + timedelta(days=1), operator_id=made.clerk,
        ) for number in told),
        [seen],
    )  # fmt: skip
