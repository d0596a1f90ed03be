"""Everything together: the bodies of the summaries that /watch and /console/watch read. Exact counts; what the public sees
of them is decided where they are published (domain.suppression)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from huanxin.domain.partners import Partner
from huanxin.domain.punctuality import quantile
from huanxin.operations.platform import Platform
from huanxin.operations.watch.batch import ZONE, keep_batches
from huanxin.operations.watch.orders import keep_orders
from huanxin.store import holds, partners, releases, summaries
from huanxin.store.database import Tx

KIND, PUBLIC, HOLD_KIND = "watch", "public", "watch-hold"
_TOOK = "took"
AT_MOST_EVERY, _REST = timedelta(minutes=1), 20
"""While answers pour in, a batch of a million numbers would otherwise be counted again every few seconds. However much there
is to count, it takes no more than a twentieth of the time."""

FIGURES = ("noticed", "renewed", "released", "ties_cut", "people", "orders", "order_ties_cut")
"""What is counted by month, carrier and region, in the order of the cells. The last three are of owners' orders."""

DAYS = 5
"""Working days that partners promise (FACTS); later answers are counted together."""

_BATCH, _ORDERS = slice(0, 4), slice(4, 7)
Cells = Mapping[tuple[str, str, str], list[int]]
"""(month, carrier, region) -> counts in the order of FIGURES."""


def scope_key(carrier: str | None) -> str:
    """The key of the summary for whoever works with one carrier's things, or with everything."""
    return f"partners:{carrier or ''}"


def make(tx: Tx, platform: Platform) -> Mapping[str, dict[str, Any]] | None:
    """The public figures, and those for the console by scope; None if they were made a moment ago."""
    last = summaries.get(tx, KIND, _TOOK)
    if last:
        rest = max(AT_MOST_EVERY, timedelta(seconds=_REST * last.body["seconds"]))
        if timedelta() <= platform.now() - last.made_at < rest:
            return None
    started = perf_counter()
    return make_now(tx, platform) | {_TOOK: {"seconds": perf_counter() - started}}


def make_now(tx: Tx, platform: Platform) -> dict[str, dict[str, Any]]:
    """The public figures, and those for the console by scope, as the facts are now."""
    counted, orders = keep_batches(tx, platform), keep_orders(tx, platform)
    cells, known = _cells(counted, orders), partners.all_partners(tx)
    facts = _Facts(tx, platform, counted)
    bodies = {PUBLIC: _public(cells, known, counted, facts, platform.now())}
    for carrier in (None, *platform.plan.carriers):
        mine = {key: counts for key, counts in cells.items() if carrier in (None, key[1])}
        seen = [one for one in counted if carrier is None or one["carriers"] == [carrier]]
        lines = _partner_lines(known, seen, {} if carrier else orders, platform.now())
        bodies[scope_key(carrier)] = {
            "partners": lines, "months": _by(mine, lambda month, _c, _r: (month,)),
            "carriers": _by(mine, lambda month, one, _r: (month, one)),
            "breaches": facts.breaches(carrier), "holds": facts.holds(carrier),
        }  # fmt: skip
    return bodies


def _cells(counted: Iterable[Mapping[str, Any]], orders: Mapping[str, Mapping[str, Any]]) -> Cells:
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    lines = [(one["month"], line, _BATCH) for one in counted for line in one["cells"]]
    lines += [(month, line, _ORDERS) for month, body in orders.items() for line in body["cells"]]
    for month, (carrier, region, *counts), columns in lines:
        cell = found[month, carrier, region]
        cell[columns] = [old + new for old, new in zip(cell[columns], counts, strict=True)]
    return found


def _by(cells: Cells, key: Any) -> list[list[Any]]:
    """The cells added up by a key, as lines [key ..., counts ...], in order."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    for cell, counts in cells.items():
        found[key(*cell)] = [old + new for old, new in zip(found[key(*cell)], counts, strict=True)]
    return [[*one, *found[one]] for one in sorted(found)]


def _public(
    cells: Cells, known: Iterable[Partner], counted: Iterable[Mapping[str, Any]], facts: _Facts, now: datetime
) -> dict[str, Any]:
    connected = Counter((one.kind.value, one.required) for one in known)
    return {
        "carriers": _by(cells, lambda month, carrier, _r: (month, carrier)),
        "regions": _by(cells, lambda month, _c, region: (month, region)),
        "partners": [[kind, required, count] for (kind, required), count in sorted(connected.items())],
        "answers": _answers(counted, now), "breaches": facts.breaches(None), "holds": facts.held_by_month(),
    }  # fmt: skip


def _answers(counted: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Notices of batches by month, however they were answered, over all partners; partners asked."""
    months: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for one in counted:
        months[one["month"]] += [(line, one["answer_by"]) for line in one["partners"] if line["asked"]]
    return [
        {"month": month, "partners": len({line["id"] for line, _ in lines}), **_timing(lines, now)}
        for month, lines in sorted(months.items())
    ]


def _timing(lines: list[tuple[dict[str, Any], str]], now: datetime) -> dict[str, Any]:
    """Notices by what became of them, and how long the answered ones took."""
    done = [line for line, _ in lines if line["hours"] is not None]
    hours = [line["hours"] for line in done]
    overdue = sum(line["hours"] is None and now >= datetime.fromisoformat(end) for line, end in lines)
    in_time = sum(line["in_time"] for line in done)
    days = Counter(min(line["days"], DAYS + 1) for line in done)
    return {
        "notices": len(lines), "in_time": in_time, "late": len(done) - in_time, "overdue": overdue,
        "waiting": len(lines) - len(done) - overdue, "days": [days[day] for day in range(DAYS + 2)],
        "median_hours": quantile(hours, 0.5), "p90_hours": quantile(hours, 0.9),
    }  # fmt: skip


def _partner_lines(
    known: Iterable[Partner], counted: Iterable[Mapping[str, Any]], orders: Mapping[str, Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """A line for each partner that is connected: answer times, numbers refused now, orders of owners."""
    asked: dict[int, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    refused: dict[int, Counter[str]] = defaultdict(Counter)
    for one in counted:
        for line in one["partners"]:
            if line["asked"]:
                asked[line["id"]].append((line, one["answer_by"]))
            refused[line["id"]].update(line["refused"])
    ordered: dict[int, Counter[str]] = defaultdict(Counter)
    for body in orders.values():
        for line in body["partners"]:
            ordered[line["id"]].update({key: count for key, count in line.items() if key != "id"})
    return [
        {"id": one.id, "name": one.name, "kind": one.kind.value, "required": one.required, **_timing(asked[one.id], now),
         "refused": refused[one.id].total(), "reasons": dict(refused[one.id].most_common()),
         "orders": {key: ordered[one.id][key] for key in ("asked", "answered", "in_time", "refused")}}
        for one in known
    ]  # fmt: skip


class _Facts:
    """Breaches and holds, for whom they concern."""

    def __init__(self, tx: Tx, platform: Platform, counted: Iterable[Mapping[str, Any]]) -> None:
        carriers = {one["batch"]: one["carriers"] for one in counted}
        self._breaches = [(one, carriers.get(one.batch_id, [])) for one in releases.breaches(tx)]
        self._holds = [(one, _held_by_carrier(tx, one.id, platform)) for one in holds.all_holds(tx)]
        self._today = platform.today()

    def breaches(self, carrier: str | None) -> list[list[Any]]:
        """Numbers by month in which it was found, and kind of breach."""
        found: Counter[tuple[str, str]] = Counter()
        for one, carriers in self._breaches:
            if carrier is None or carriers == [carrier]:
                found[f"{one.found_at.astimezone(ZONE):%Y-%m}", one.kind] += one.count
        return [[*key, count] for key, count in sorted(found.items())]

    def holds(self, carrier: str | None) -> list[dict[str, Any]]:
        """Orders and numbers by the authority that gave them: all there were, and those that bind today."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for one, by_carrier in self._holds:
            numbers = one.count if carrier is None else by_carrier.get(carrier, 0)
            if numbers:
                binds = one.binds(self._today)
                found[one.source].update(orders=1, numbers=numbers, binding=int(binds), held=numbers if binds else 0)
        return [{"source": source, **dict(counts)} for source, counts in sorted(found.items())]

    def held_by_month(self) -> list[list[Any]]:
        """Orders and numbers by the month in which they were placed."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for one, _ in self._holds:
            month = f"{one.placed_at.astimezone(ZONE):%Y-%m}"
            found[month] = [found[month][0] + 1, found[month][1] + one.count]
        return [[month, *counts] for month, counts in sorted(found.items())]


def _held_by_carrier(tx: Tx, hold_id: int, platform: Platform) -> dict[str, int]:
    """Numbers of a hold by the carrier that their range is allotted to. They never change, so they are counted once."""
    known = summaries.get(tx, HOLD_KIND, str(hold_id))
    if known is None:
        found: Counter[str] = Counter()
        for shard, numbers in holds.numbers_of(tx, hold_id).shards.items():
            found[platform.plan.owner(shard) or ""] += len(numbers)
        known = summaries.put(tx, HOLD_KIND, str(hold_id), stamp="", body=dict(found), at=platform.now())
    return known.body
