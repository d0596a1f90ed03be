"""Everything together: what /watch and /console/watch read. The console's counts are exact; the public's summary holds what
may be published of them, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.acts.platform import Platform
from huanxin.domain.partners import Partner
from huanxin.domain.punctuality import quantile
from huanxin.figures.projection import Projection, everything
from huanxin.figures.watch import batch
from huanxin.figures.watch.batch import BatchCounts, Line, NoticeCounts
from huanxin.figures.watch.facts import EVERYONE, HOLDS, Breaches, Held, SourceHolds, breaches, breaches_of
from huanxin.figures.watch.opendata import DAYS, AnswerTimes, Exact, MonthTimes, Publication, publish
from huanxin.figures.watch.orders import MonthOrders, keep_orders
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.figures.watch import PartnerOrders

AT_MOST_EVERY, _SHARE = timedelta(minutes=1), 40
"""While answers pour in, a batch of a million numbers would otherwise be counted again every few seconds. However much there
is to count, the two together take no more than a twentieth of the time."""

FIGURES = ("noticed", "renewed", "released", "ties_cut", "people", "orders", "order_ties_cut")
"""What is counted by month, carrier and region, in the order of the cells. The last three are of owners' orders."""

_BATCH, _ORDERS = slice(0, 4), slice(4, 7)
Cells = Mapping[tuple[str, str, str], list[int]]
"""(month, carrier, region) -> counts in the order of FIGURES."""


@dataclass(frozen=True, kw_only=True)
class PartnerLine(AnswerTimes):
    """A partner that is connected: answer times, numbers refused now, in all and by reason; orders of owners."""

    id: int
    name: str
    kind: str
    required: bool
    refused: int
    reasons: dict[str, int]
    orders: PartnerOrders


@dataclass(frozen=True, kw_only=True)
class Supervised:
    """What the console shows to whoever works with one carrier's things, or with everything. `carriers`: month and carrier
    with counts in the order of FIGURES; `breaches`: month, kind, numbers; `held`: numbers that are held today."""

    partners: tuple[PartnerLine, ...]
    carriers: tuple[Line, ...]
    breaches: tuple[tuple[str, str, int], ...]
    holds: list[SourceHolds]
    held: int


@dataclass(frozen=True, kw_only=True)
class Counted:
    """All figures, exactly, as the facts are at `now`: of each batch that was sent, of each month's orders."""

    batches: Sequence[BatchCounts]
    orders: Mapping[str, MonthOrders]
    partners: Sequence[Partner]
    breaches: Breaches
    held: Held
    now: datetime


def count(tx: Tx, platform: Platform) -> Counted:
    """Count what has changed, and put it together."""
    return Counted(
        batches=list(batch.BATCHES.now(tx, platform).values()), orders=keep_orders(tx, platform),
        partners=partners.all_partners(tx), breaches=breaches(tx, platform), held=HOLDS.now(tx, platform)[""],
        now=platform.now(),
    )  # fmt: skip


def _supervised(tx: Tx, platform: Platform, keys: Collection[str]) -> Mapping[str, Supervised]:
    counted, bodies = count(tx, platform), {}
    cells = _cells(counted.batches, counted.orders)
    for carrier in keys:
        mine = {key: counts for key, counts in cells.items() if carrier in ("", key[1])}
        seen = [one for one in counted.batches if not carrier or one.carriers == (carrier,)]
        lines = _partner_lines(counted.partners, seen, {} if carrier else counted.orders, counted.now)
        bodies[carrier] = Supervised(
            partners=tuple(lines), carriers=_by(mine, lambda month, one, _: (month, one)),
            breaches=breaches_of(counted.breaches, carrier), holds=counted.held.sources.get(carrier, []),
            held=counted.held.held.get(carrier, 0),
        )  # fmt: skip
    return bodies


SUPERVISION = Projection(
    kind=SummaryKind("supervision", Supervised), make=_supervised, rest=AT_MOST_EVERY, share=_SHARE,
    facts=lambda tx, platform: dict.fromkeys(["", *platform.plan.carriers], everything(tx, platform)),
)  # fmt: skip
"""By carrier; of everything under no key."""


def public_key(platform: Platform) -> str:
    """The key of what is published: another threshold publishes something else."""
    return str(platform.rules.watch_threshold)


def _published(tx: Tx, platform: Platform, keys: Collection[str]) -> Mapping[str, Publication]:
    exact = exactly(count(tx, platform))
    return {key: publish(exact, platform.plan.carriers, int(key)) for key in keys}


PUBLISHED = Projection(
    kind=SummaryKind("published", Publication), make=_published, rest=AT_MOST_EVERY, share=_SHARE,
    facts=lambda tx, platform: {public_key(platform): everything(tx, platform)},
)  # fmt: skip
"""By the threshold below which counts are hidden."""


def published(tx: Tx, platform: Platform) -> tuple[Publication, datetime]:
    """What the public sees, and when it was counted."""
    found = PUBLISHED.shown(tx, platform, public_key(platform))
    return found.body, found.made_at


def _cells(counted: Iterable[BatchCounts], orders: Mapping[str, MonthOrders]) -> Cells:
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    lines = [(one.month, cell, _BATCH) for one in counted for cell in one.cells]
    lines += [(month, (place, counts[:-1]), _ORDERS) for month, body in orders.items() for place, counts in body.cells]
    for month, ((carrier, region), counts), columns in lines:
        cell = found[month, carrier, region]
        cell[columns] = [old + new for old, new in zip(cell[columns], counts, strict=True)]
    return found


def _by(cells: Cells, key: Callable[[str, str, str], tuple[str, ...]]) -> tuple[Line, ...]:
    """The cells added up by a key, in order."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    for cell, counts in cells.items():
        found[key(*cell)] = [old + new for old, new in zip(found[key(*cell)], counts, strict=True)]
    return tuple((one, tuple(found[one])) for one in sorted(found))


def exactly(counted: Counted) -> Exact:
    """What the public figures are made of."""
    connected = Counter((one.kind.value, one.required) for one in counted.partners)
    return Exact(
        batches=[((one.month, *place, str(one.batch)), counts) for one in counted.batches for place, counts in one.cells],
        orders=[((month, *place), counts) for month, body in counted.orders.items() for place, counts in body.cells],
        partners=[(kind, required, count) for (kind, required), count in sorted(connected.items())],
        answers=_answers(counted.batches, counted.now), breaches=breaches_of(counted.breaches, EVERYONE),
        holds=counted.held.months,
    )  # fmt: skip


def _answers(counted: Iterable[BatchCounts], now: datetime) -> list[MonthTimes]:
    """Notices of batches by month, however they were answered, over all partners; partners asked."""
    months: dict[str, list[NoticeCounts]] = defaultdict(list)
    for one in counted:
        months[one.month] += [line for line in one.partners if line.asked]
    return [
        MonthTimes(**vars(_times(lines, now)), month=month, partners=len({line.partner for line in lines}))
        for month, lines in sorted(months.items())
    ]


def _times(lines: Sequence[NoticeCounts], now: datetime) -> AnswerTimes:
    """Notices by what became of them, and how long the answered ones took."""
    hours = [line.hours for line in lines if line.hours is not None]
    overdue = sum(line.hours is None and now >= line.answer_by for line in lines)
    in_time = sum(line.in_time for line in lines)
    days = Counter(min(line.days, DAYS + 1) for line in lines if line.days is not None)
    return AnswerTimes(
        notices=len(lines), in_time=in_time, late=len(hours) - in_time, overdue=overdue,
        waiting=len(lines) - len(hours) - overdue, days=tuple(days[day] for day in range(DAYS + 2)),
        median_hours=quantile(hours, 0.5), p90_hours=quantile(hours, 0.9),
    )  # fmt: skip


def _partner_lines(
    known: Iterable[Partner], counted: Iterable[BatchCounts], orders: Mapping[str, MonthOrders], now: datetime
) -> list[PartnerLine]:
    asked: dict[int, list[NoticeCounts]] = defaultdict(list)
    refused: dict[int, Counter[str]] = defaultdict(Counter)
    for line in (line for one in counted for line in one.partners):
        if line.asked:
            asked[line.partner].append(line)
        refused[line.partner].update(line.refused)
    ordered: dict[int, Counter[str]] = defaultdict(Counter)
    for one in (one for body in orders.values() for one in body.partners):
        ordered[one.partner_id].update({key: count for key, count in vars(one).items() if key != "partner_id"})
    return [
        PartnerLine(
            **vars(_times(asked[one.id], now)), id=one.id, name=one.name, kind=one.kind.value, required=one.required,
            refused=refused[one.id].total(), reasons=dict(refused[one.id].most_common()),
            orders=PartnerOrders(
                partner_id=one.id, **{key: ordered[one.id][key] for key in ("asked", "answered", "in_time", "refused")}
            ),
        )
        for one in known
    ]  # fmt: skip
