"""Breaches and holds, for whom they concern: counted once, since what was recorded never changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from huanxin.acts.platform import Platform
from huanxin.numbersets.sharded import NumberSet, union
from huanxin.store.database import Tx
from huanxin.store.figures import summaries
from huanxin.store.plan import holds
from huanxin.store.release import releases

BREACH_KIND, HOLD_KIND = "watch-breach", "watch-holds"
EVERYONE = ""
"""In place of a carrier's code."""


class Facts:
    """Breaches and holds as they are now. `counted`: the figures of batches, for their carriers."""

    def __init__(self, tx: Tx, platform: Platform, counted: Iterable[Mapping[str, Any]]) -> None:
        self._breaches = _breaches(tx, platform, {one["batch"]: one["carriers"] for one in counted})
        self._holds = _holds(tx, platform)

    def breaches(self, carrier: str | None) -> list[list[Any]]:
        """Numbers by month in which it was found, and kind of breach."""
        found: Counter[tuple[str, str]] = Counter()
        for month, kind, by_carrier in self._breaches:
            if count := by_carrier.get(carrier or EVERYONE, 0):
                found[month, kind] += count
        return [[*key, count] for key, count in sorted(found.items())]

    def holds(self, carrier: str | None) -> list[dict[str, Any]]:
        """Orders and numbers by the authority that gave them: all there were, and those that bind today. A number that
        several orders of one source name is one."""
        found: list[dict[str, Any]] = self._holds["sources"].get(carrier or EVERYONE, [])
        return found

    def held(self, carrier: str | None) -> int:
        """Numbers that are held today, however many orders name them."""
        return int(self._holds["held"].get(carrier or EVERYONE, 0))

    def held_by_month(self) -> list[list[Any]]:
        """Orders and numbers by the month in which they were placed."""
        found: list[list[Any]] = self._holds["months"]
        return found


def _breaches(tx: Tx, platform: Platform, carriers: Mapping[int, list[str]]) -> list[tuple[str, str, dict[str, int]]]:
    """Month, kind, and numbers by carrier, of every breach: in a report they are its carrier's, of a batch each is whose it
    was when frozen."""
    known = {one.key: one.body for one in summaries.all_of(tx, BREACH_KIND)}
    found = []
    for one in releases.breaches(tx):
        whose = [one.carrier] if one.batch_id is None else carriers.get(one.batch_id, [])
        if len(whose) == 1 and whose[0]:
            by_carrier = {whose[0]: one.count}
        elif (by_carrier := known.get(str(one.id), {})) == {}:
            by_carrier = {carrier: len(places) for carrier, places in releases.breach_spans(tx, one.id).items()}
            summaries.put(tx, BREACH_KIND, str(one.id), stamp="", body=by_carrier, at=platform.now())
        found.append((f"{one.found_at.astimezone(platform.zone):%Y-%m}", one.kind, by_carrier | {EVERYONE: one.count}))
    return found


def _holds(tx: Tx, platform: Platform) -> Mapping[str, Any]:
    """What is said of holds, counted again when one came, was lifted or ended: `sources` and `held` by carrier, `months`."""
    known, today = holds.all_holds(tx), platform.today()
    stamp = ",".join(f"{one.id}{'+' if one.binds(today) else ''}" for one in known) + f" {platform.zone}"
    kept = summaries.get(tx, HOLD_KIND)
    if kept and kept.stamp == stamp:
        return kept.body
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
    sources: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for carrier, source, key in sorted(orders):
        if key == "orders":
            sources[carrier].append({
                "source": source, "orders": orders[carrier, source, "orders"],
                "numbers": counts["numbers", source].get(carrier, 0), "binding": orders[carrier, source, "binding"],
                "held": counts.get(("held", source), {}).get(carrier, 0),
            })  # fmt: skip
    body = {
        "sources": sources, "held": counts.get(("held-by-any", ""), {}),
        "months": [[month, many, counts["month", month][EVERYONE]] for month, many in sorted(months.items())],
    }  # fmt: skip
    return summaries.put(tx, HOLD_KIND, "", stamp=stamp, body=body, at=platform.now()).body


def _by_carrier(numbers: NumberSet, platform: Platform) -> dict[str, int]:
    """How many of some numbers there are by the carrier that their range is allotted to, and for EVERYONE."""
    found: Counter[str] = Counter({EVERYONE: len(numbers)})
    for shard, some in numbers.shards.items():
        if carrier := platform.plan.owner(shard):
            found[carrier] += len(some)
    return dict(found)
