"""Receipts that come in numbered parts, as files do: which part may be taken when.

A part passes for the whole if a later one is taken first: what the earlier one refuses would count as absent (rules 1
and 7). So a part waits until each lower one was taken, or replaced by one that was taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Part:
    """One numbered receipt of a notice: the numbers that it replaces, and whether it says that it is the last."""

    number: int
    replaces: frozenset[int] = frozenset()
    complete: bool = False


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one notice so far: those taken, and those in whose place one was taken."""

    taken: frozenset[int] = frozenset()
    replaced: frozenset[int] = frozenset()

    def waits_for(self, part: Part) -> list[int]:
        """The first of the lower numbers that a part waits for; empty if its turn has come.

        One that replaces others takes the place of the lowest: they may be what those in between wait for.
        """
        return self._open(min({part.number, *part.replaces}), but=())

    def passes_over(self, part: Part) -> list[int]:
        """Lower numbers that a part which says that it is the last neither replaces nor waits for: they wait for it. Such a
        part can't be taken."""
        return self._open(part.number, but=part.replaces) if part.complete and not self.waits_for(part) else []

    def _open(self, below: int, *, but: Collection[int]) -> list[int]:
        done = self.taken | self.replaced
        return list(islice((number for number in range(1, below) if number not in done and number not in but), _SHOWN))
