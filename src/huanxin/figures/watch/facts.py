"""Breaches and holds, for whom they concern: counted once, since what was recorded never changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from huanxin.acts.platform import Platform
from huanxin.figures.projection import Projection
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store.database import Tx
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.plan import batches, holds
from huanxin.store.release import releases

EVERYONE = ""
"""In place of a carrier's code."""


@dataclass(frozen=True, kw_only=True)
class SourceHolds:
    """Orders and numbers of one authority: all there were, and those that bind today. A number that several of its orders
    name is one."""

    source: str
    orders: int
    numbers: int
    binding: int
    held: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is said of holds. `sources` and `held`, the numbers that are held today, however many orders name them: by
    carrier; `months`: orders and numbers by the month in which they were placed."""

    sources: dict[str, list[SourceHolds]]
    held: dict[str, int]
    months: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class BreachNumbers:
    """The numbers of a breach by the carrier whose they were when frozen."""

    by_carrier: dict[str, int]


Breaches = Sequence[tuple[str, str, Mapping[str, int]]]
"""Month in which one was found, kind, and numbers by carrier."""


def breaches(tx: Tx, platform: Platform) -> Breaches:
    """Every breach: in a report its numbers are its carrier's, of a batch each is whose it was when frozen."""
    found, of, shared = [], batches.carriers(tx), BREACHES.now(tx, platform)
    for one in releases.breaches(tx):
        whose = [one.carrier] if one.batch_id is None else of.get(one.batch_id, ())
        among = shared.get(str(one.id))
        by_carrier = among.by_carrier if among else {carrier: one.count for carrier in whose if carrier}
        found.append((f"{one.found_at.astimezone(platform.zone):%Y-%m}", one.kind, by_carrier | {EVERYONE: one.count}))
    return found


def breaches_of(found: Breaches, carrier: str) -> tuple[tuple[str, str, int], ...]:
    """A carrier's numbers, or EVERYONE's, by month and kind of breach."""
    counted: Counter[tuple[str, str]] = Counter()
    for month, kind, by_carrier in found:
        if count := by_carrier.get(carrier, 0):
            counted[month, kind] += count
    return tuple((*key, count) for key, count in sorted(counted.items()))


def _shared(tx: Tx, _: Platform) -> Mapping[str, str]:
    of = batches.carriers(tx)
    return {str(one.id): "" for one in releases.breaches(tx) if one.batch_id and len(of.get(one.batch_id, ())) > 1}


def _spans(tx: Tx, _: Platform, keys: Collection[str]) -> Mapping[str, BreachNumbers]:
    spans = {key: releases.breach_spans(tx, int(key)) for key in keys}
    return {key: BreachNumbers(by_carrier={one: len(places) for one, places in of.items()}) for key, of in spans.items()}


BREACHES = Projection(kind=SummaryKind("watch-breach", BreachNumbers), facts=_shared, make=_spans)
"""By breach of a batch of several carriers. What was recorded of one never changes."""


def _hold_facts(tx: Tx, platform: Platform) -> Mapping[str, str]:
    binds = ",".join(f"{one.id}{'+' if one.binds(platform.today()) else ''}" for one in holds.all_holds(tx))
    return {"": f"{binds} {platform.zone}"}


def _holds(tx: Tx, platform: Platform, keys: Collection[str]) -> Mapping[str, Held]:
    known, today = holds.all_holds(tx), platform.today()
    named: dict[tuple[str, str], list[NumberSet]] = defaultdict(list)
    orders: Counter[tuple[str, str, str]] = Counter()
    months: Counter[str] = Counter()
    for one in known:
        numbers, month = holds.numbers_of(tx, one.id), f"{one.placed_at.astimezone(platform.zone):%Y-%m}"
        months[month] += 1
        groups = [("numbers", one.source), ("month", month)]
        if one.binds(today):
            groups += [("held", one.source), ("held-by-any", "")]
        for group in groups:
            named[group].append(numbers)
        for carrier in _by_carrier(numbers, platform):
            orders.update({(carrier, one.source, "orders"): 1, (carrier, one.source, "binding"): int(one.binds(today))})
    counts = {group: _by_carrier(union(sets), platform) for group, sets in named.items()}
    sources: dict[str, list[SourceHolds]] = defaultdict(list)
    for carrier, source, key in sorted(orders):
        if key == "orders":
            sources[carrier].append(SourceHolds(
                source=source, orders=orders[carrier, source, "orders"],
                numbers=counts["numbers", source].get(carrier, 0), binding=orders[carrier, source, "binding"],
                held=counts.get(("held", source), {}).get(carrier, 0),
            ))  # fmt: skip
    found = Held(
        sources=sources, held=counts.get(("held-by-any", ""), {}),
        months=tuple((month, many, counts["month", month][EVERYONE]) for month, many in sorted(months.items())),
    )  # fmt: skip
    return dict.fromkeys(keys, found)


HOLDS = Projection(kind=SummaryKind("watch-holds", Held), facts=_hold_facts, make=_holds)
"""Counted again when one came, was lifted or ended."""


def _by_carrier(numbers: NumberSet, platform: Platform) -> dict[str, int]:
    """How many of some numbers there are by the carrier that their range is allotted to, and for EVERYONE."""
    found: Counter[str] = Counter({EVERYONE: len(numbers)})
    for shard, some in numbers.shards.items():
        if carrier := platform.plan.owner(shard):
            found[carrier] += len(some)
    return dict(found)
