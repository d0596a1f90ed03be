"""What every kind of figures is: a type of body, what each stands on, and how those are made whose facts have changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Generic

from huanxin.acts.platform import Platform
from huanxin.store.database import Tx
from huanxin.store.figures import summaries
from huanxin.store.figures.summaries import Body, Summary, SummaryKind


@dataclass(frozen=True, kw_only=True)
class Looked:
    """How long it took to make a kind the last time."""

    seconds: float


LOOKED = SummaryKind("looked", Looked)
"""By name of a kind, with the facts for which it was made last: there may be nothing to keep of them."""


def everything(tx: Tx, platform: Platform) -> str:
    """What changes with every fact, with the day, and with the settings by which figures are counted."""
    rules = platform.rules
    return f"{summaries.stamp(tx)}@{platform.today()}/{rules.freeze_days}/{rules.lead_days} {platform.zone}"


@dataclass(frozen=True, kw_only=True)
class Projection(Generic[Body]):
    """One kind of figures, kept by key.

    facts: by key, what each stands on now. make: the bodies of some keys, from the facts as they are now. rest, share: it is
    not made again before it has rested so long, and so many times as long as it took.
    """

    kind: SummaryKind[Body]
    facts: Callable[[Tx, Platform], Mapping[str, str]]
    make: Callable[[Tx, Platform, Collection[str]], Mapping[str, Body]]
    rest: timedelta = timedelta()
    share: int = 0

    def fresh(self, tx: Tx, facts: str) -> bool:
        """Whether a worker has made them all for these facts (`everything`)."""
        last = summaries.get(tx, LOOKED, self.kind.name)
        return bool(last and last.stamp == f"{self.kind.shape} {facts}")

    def keep_fresh(self, tx: Tx, platform: Platform, facts: str) -> bool:
        """Make those again whose facts have changed, unless nothing has (`everything` is as it was) or it is too early;
        whether it was done."""
        now, last = platform.now(), summaries.get(tx, LOOKED, self.kind.name)
        if last and (self.fresh(tx, facts) or timedelta() <= now - last.made_at < self._rest(last.body.seconds)):
            return False
        started = perf_counter()
        self.refresh(tx, platform)
        summaries.confirm(tx, self.kind, at=now)
        looked = Looked(seconds=perf_counter() - started)
        summaries.put(tx, LOOKED, self.kind.name, stamp=f"{self.kind.shape} {facts}", body=looked, at=now)
        return True

    def _rest(self, seconds: float) -> timedelta:
        return max(self.rest, timedelta(seconds=self.share * seconds))

    def refresh(self, tx: Tx, platform: Platform) -> Mapping[str, str]:
        """Make those again whose facts have changed; what all stand on now. The facts are asked for first: one that comes
        while they are counted is counted again the next time."""
        facts, known = self.facts(tx, platform), summaries.stamps(tx, self.kind)
        self.again(tx, platform, {key: of for key, of in facts.items() if known.get(key) != of})
        return facts

    def again(self, tx: Tx, platform: Platform, stale: Mapping[str, str]) -> dict[str, Summary[Body]]:
        """Make some, given with what they stand on, and keep them."""
        made = self.make(tx, platform, stale) if stale else {}
        return {
            key: summaries.put(tx, self.kind, key, stamp=stale[key], body=body, at=platform.now())
            for key, body in made.items()
        }

    def now(self, tx: Tx, platform: Platform) -> dict[str, Body]:
        """All of them, as the facts are now, in their order."""
        facts = self.refresh(tx, platform)
        kept = {one.key: one.body for one in summaries.all_of(tx, self.kind)}
        return {key: kept[key] for key in facts if key in kept}

    def shown(self, tx: Tx, platform: Platform, key: str = "") -> Summary[Body]:
        """The one to show: as a worker made it last, or made now where there is none yet."""
        found = summaries.get(tx, self.kind, key)
        return found or self.again(tx, platform, {key: self.facts(tx, platform)[key]})[key]
