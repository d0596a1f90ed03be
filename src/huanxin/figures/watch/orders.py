"""Owners' orders in figures, a month at a time: people served, orders, ties cut and owners who ordered, by carrier and
region; and by partner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from huanxin.acts.platform import Platform
from huanxin.domain.regions import CODES, regions_of_blocks
from huanxin.figures.watch.batch import Line
from huanxin.store.database import Tx
from huanxin.store.figures import summaries, watch
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.figures.watch import BlockCount, PartnerOrders

_DECEMBER, _COLUMNS = 12, 4


@dataclass(frozen=True, kw_only=True)
class MonthOrders:
    """A month's orders. `cells`: carrier and region with people, orders, ties cut, owners."""

    cells: tuple[Line, ...]
    partners: tuple[PartnerOrders, ...]


@dataclass(frozen=True, kw_only=True)
class OrdersSeen:
    """The last request and the last answer to one that are counted."""

    request: int = 0
    answer: int = 0


MONTHS, SEEN = SummaryKind("watch-owners", MonthOrders), SummaryKind("watch-owners-seen", OrdersSeen)
"""By zone and month; by zone. What a month stands on is looked for in what came since: no stamp of it is to be had without
reading all that ever did."""


def keep_orders(tx: Tx, platform: Platform) -> dict[str, MonthOrders]:
    """The figures of every month with orders, by month; those months are counted again of which an order came or was
    answered since."""
    now, zone = platform.now(), platform.zone
    mine = f"{zone} "  # counted in another zone, a month is another one
    known = {one.key.removeprefix(mine): one.body for one in summaries.all_of(tx, MONTHS) if one.key.startswith(mine)}
    last = summaries.get(tx, SEEN, zone.key)
    seen = last.body if last and known else OrdersSeen()
    request, answer = watch.last_orders(tx)
    changed = watch.months_changed(
        tx, after_request=seen.request - watch.SLACK, after_answer=seen.answer - watch.SLACK, zone=zone.key
    )
    for month in changed:
        known[month] = count_month(tx, month, zone)
        summaries.put(tx, MONTHS, mine + month, stamp=f"{request}/{answer}", body=known[month], at=now)
    summaries.put(tx, SEEN, zone.key, stamp="", body=OrdersSeen(request=request, answer=answer), at=now)
    return known


def count_month(tx: Tx, month: str, zone: ZoneInfo) -> MonthOrders:
    """Count a month's orders."""
    since = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    after = (since.year + 1, 1) if since.month == _DECEMBER else (since.year, since.month + 1)
    until = datetime(*after, 1, tzinfo=zone)
    people = watch.people(tx, since, until)
    orders, partners = watch.orders(tx, since, until)
    return MonthOrders(cells=_cells([*people, *orders]), partners=tuple(partners))


def _cells(counts: Iterable[BlockCount]) -> tuple[Line, ...]:
    found = list(counts)
    regions = regions_of_blocks(np.array([one.block for one in found], np.int64)).tolist() if found else []
    total: Counter[tuple[str, str, int]] = Counter()
    for one, region in zip(found, regions, strict=True):
        for column, count in enumerate((one.people, one.orders, one.ties_cut, one.owners)):
            total[one.carrier, CODES[region], column] += count
    places = sorted({(carrier, region) for carrier, region, _ in total})
    return tuple((place, tuple(total[*place, column] for column in range(_COLUMNS))) for place in places)
