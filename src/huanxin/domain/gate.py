"""The gate: which numbers of a batch may be released. This file is the seven rules as set algebra; read it whole.

open(p) = (outstanding | pending | refused of partner p) - waived(p)
clear   = batch - held - retracted - open(each required partner)          and only once the freeze has ended
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pyroaring import BitMap

from huanxin.domain.answers import Standing
from huanxin.domain.lifecycle import Event, sellable_from


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Everything that decides on one batch, as sets of places.

    everyone: the batch. spans: places by carrier that froze them and the day they were cancelled. held: places by
    hold. retracted: places by the event that took them out of the freeze after the batch was planned. ordered: places by
    the retraction with which an operator took them back, for good. standings: by partner. required: partners whose
    answer is waited for. sent: whether any partner was told at all. released: places given back before.
    """

    everyone: BitMap
    spans: Mapping[tuple[str, date], BitMap]
    standings: Mapping[int, Standing]
    required: frozenset[int]
    sent: bool
    held: Mapping[int, BitMap] = field(default_factory=dict)
    retracted: Mapping[Event, BitMap] = field(default_factory=dict)
    ordered: Mapping[int, BitMap] = field(default_factory=dict)
    released: BitMap = field(default_factory=BitMap)
    today: Mapping[str, date]
    """by carrier, in the carrier's zone"""
    freeze_days: int
    """that bind what is not released yet"""

    def open(self) -> BitMap:
        """Places that some required partner keeps open (rules 1 and 4: no answer is not a "no")."""
        if not self.sent:
            return self.everyone
        return BitMap.union(BitMap(), *(self.standings[partner].open(self.everyone) for partner in self.required))

    def refused(self) -> BitMap:
        """Places that some required partner refused and nobody has waived (rule 1)."""
        if not self.sent:
            return BitMap()
        return BitMap.union(BitMap(), *(self.standings[partner].refused() for partner in self.required))

    def frozen_still(self) -> BitMap:
        """Places whose freeze has not ended today (rule 1)."""
        early = [places for (carrier, day), places in self.spans.items()
                 if self.today[carrier] < sellable_from(day, self.freeze_days)]  # fmt: skip
        return BitMap.union(BitMap(), *early) - self.released

    def held_places(self) -> BitMap:
        return BitMap.union(BitMap(), *self.held.values())

    def retracted_places(self) -> BitMap:
        return BitMap.union(BitMap(), *self.retracted.values(), *self.ordered.values())

    def renewed(self) -> BitMap:
        """Places that nothing but the freeze keeps back: clear = batch - held - retracted - open."""
        return self.everyone - self.held_places() - self.retracted_places() - self.open()

    def clear(self) -> BitMap:
        """Places that may be released today, or have been."""
        return self.renewed() - self.frozen_still()

    def releasable(self) -> BitMap:
        """Places to release now: clear and not released before."""
        return self.clear() - self.released
