"""Everything together: the bodies of the summaries that /watch and /console/watch read. The console's counts are exact; the
public's summary holds what may be published of them, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.domain.partners import Partner
from huanxin.domain.punctuality import quantile
from huanxin.figures.watch.batch import keep_batches
from huanxin.figures.watch.facts import Facts
from huanxin.figures.watch.opendata import DAYS, Publication, publish
from huanxin.figures.watch.orders import keep_orders
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.figures import summaries

KIND = "bulletin"
_TOOK = "took"
AT_MOST_EVERY, _REST = timedelta(minutes=1), 20
"""While answers pour in, a batch of a million numbers would otherwise be counted again every few seconds. However much there
is to count, it takes no more than a twentieth of the time."""

FIGURES = ("noticed", "renewed", "released", "ties_cut", "people", "orders", "order_ties_cut")
"""What is counted by month, carrier and region, in the order of the cells. The last three are of owners' orders."""

_BATCH, _ORDERS = slice(0, 4), slice(4, 7)
Cells = Mapping[tuple[str, str, str], list[int]]
"""(month, carrier, region) -> counts in the order of FIGURES."""


def public_key(platform: Platform) -> str:
    """The key of the public's summary: another threshold publishes something else."""
    return f"public:{platform.rules.watch_threshold}"


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


@dataclass(frozen=True, kw_only=True)
class Counted:
    """All figures, exactly, as the facts are at `now`: of each batch that was sent, of each month's orders."""

    batches: Sequence[Mapping[str, Any]]
    orders: Mapping[str, Mapping[str, Any]]
    partners: Sequence[Partner]
    facts: Facts
    now: datetime


def count(tx: Tx, platform: Platform) -> Counted:
    """Count what has changed, and put it together."""
    counted = keep_batches(tx, platform)
    return Counted(
        batches=counted, orders=keep_orders(tx, platform), partners=partners.all_partners(tx),
        facts=Facts(tx, platform, counted), now=platform.now(),
    )  # fmt: skip


def make_now(tx: Tx, platform: Platform) -> dict[str, dict[str, Any]]:
    """The public figures, and those for the console by scope, as the facts are now."""
    counted, threshold = count(tx, platform), platform.rules.watch_threshold
    cells = _cells(counted.batches, counted.orders)
    bodies = {public_key(platform): publish(public_counts(counted), platform.plan.carriers, threshold).packed()}
    for carrier in (None, *platform.plan.carriers):
        mine = {key: counts for key, counts in cells.items() if carrier in (None, key[1])}
        seen = [one for one in counted.batches if carrier is None or one["carriers"] == [carrier]]
        lines = _partner_lines(counted.partners, seen, {} if carrier else counted.orders, counted.now)
        bodies[scope_key(carrier)] = {
            "partners": lines, "months": _by(mine, lambda month, _c, _r: (month,)),
            "carriers": _by(mine, lambda month, one, _r: (month, one)),
            "breaches": counted.facts.breaches(carrier), "holds": counted.facts.holds(carrier),
            "held": counted.facts.held(carrier),
        }  # fmt: skip
    return bodies


def published(tx: Tx, platform: Platform) -> tuple[Publication, datetime]:
    """What the public sees, and when it was counted: as a worker kept it, or made now where there is nothing yet."""
    key = public_key(platform)
    found = summaries.shown(tx, KIND, key, now=platform.now(), make=lambda tx: make_now(tx, platform)[key])
    return Publication.unpacked(found.body), found.made_at


def _cells(counted: Iterable[Mapping[str, Any]], orders: Mapping[str, Mapping[str, Any]]) -> Cells:
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    lines = [(one["month"], line, _BATCH) for one in counted for line in one["cells"]]
    lines += [(month, line[:5], _ORDERS) for month, body in orders.items() for line in body["cells"]]
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


def public_counts(counted: Counted) -> dict[str, Any]:
    """What the public figures are made of, exactly: `batches` [month, carrier, region, batch, noticed, renewed, released,
    ties cut], `orders` [month, carrier, region, people, orders, ties cut, owners who ordered] and the rest."""
    connected = Counter((one.kind.value, one.required) for one in counted.partners)
    return {
        "batches": [[one["month"], carrier, region, one["batch"], *counts]
                    for one in counted.batches for carrier, region, *counts in one["cells"]],
        "orders": [[month, *line] for month, body in counted.orders.items() for line in body["cells"]],
        "partners": [[kind, required, count] for (kind, required), count in sorted(connected.items())],
        "answers": _answers(counted.batches, counted.now), "breaches": counted.facts.breaches(None),
        "holds": counted.facts.held_by_month(),
    }  # fmt: skip


def _answers(counted: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Notices of batches by month, however they were answered, over all partners; partners asked."""
    months: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for one in counted:
        months[one["month"]] += [
            (line, line.get("answer_by", one["answer_by"])) for line in one["partners"] if line["asked"]
        ]
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
                asked[line["id"]].append((line, line.get("answer_by", one["answer_by"])))
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
