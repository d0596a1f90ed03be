"""What a report sold: numbers with a history that it opened for a new owner, and when the tenure before ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from huanxin.domain.lifecycle import Cancellation, Event, SetFact
from huanxin.domain.numbers import NumberingPlan
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import reports
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Sale:
    """Numbers of a shard that were sold: `opening` says by whom, on which day and, where that was reported, when."""

    shard: int
    opening: SetFact
    closing: Cancellation

    @property
    def numbers(self) -> NumberSet:
        return NumberSet({self.shard: self.opening.numbers})


def sales_of(tx: Tx, report_id: int, recycled: Iterable[tuple[int, SetFact]], *, plan: NumberingPlan) -> list[Sale]:
    """The sales of a report. recycled: (shard, fact) of what it gave to new owners; a transfer is no sale. What was opened
    before the platform took its first report could neither be released here nor disclosed."""
    first = reports.first_recorded_at(tx)
    opened = {
        (shard, _key(fact)): fact
        for shard, fact in recycled
        if fact.event is Event.OPENED and first and fact.day >= plan.carriers[fact.carrier].today(first)
    }
    return list(_closed(tx, report_id, opened)) if opened else []


def _key(fact: SetFact) -> tuple[date, str, int]:
    return fact.day, fact.carrier, fact.layer


def _closed(tx: Tx, report_id: int, opened: dict[tuple[int, tuple[date, str, int]], SetFact]) -> Iterator[Sale]:
    """Walks each shard's facts in the order in which they happened: what was last cancelled when it was sold."""
    events = (Event.CANCELLED, Event.OPENED)
    shards = {shard for shard, _ in opened}
    for shard, facts in reports.facts_by_shard(tx, shards=shards, before_report=report_id + 1, events=events):
        closings: list[SetFact] = []
        for fact in facts:
            if fact.event is Event.CANCELLED:
                closings.append(fact)
            elif fact.report == report_id and (sold := opened.get((shard, _key(fact)))):
                left = sold.numbers
                for closing in reversed(closings):
                    if not left:
                        break
                    if here := left & closing.numbers:
                        yield Sale(shard=shard, opening=sold.part(here), closing=closing.cancellation)
                        left = left - here  # not in place: it is the sale's own set
