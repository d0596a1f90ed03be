"""What may be published of counts of people's numbers, so that nobody can be picked out.

A month's counts are published with their exact total. A count from 1 to below the threshold is not shown. One hidden count
could be had by subtracting the shown ones from the total, so more is hidden until every value from 1 to the threshold fits
what is published. Each month is protected by itself: a closed month never changes because of a later one. No total over
months of one region or carrier is published; whoever adds up what is shown learns nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

THRESHOLD = 10


class Hidden(StrEnum):
    """Why a count is not shown: it is small, or a small one could be had from it."""

    SMALL = "small"
    WITHHELD = "withheld"


Shown = int | Hidden
"""A count as it is published."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A month's total and its counts, as published."""

    total: Shown
    cells: Mapping[str, Shown]


def protect(counts: Mapping[str, int], *, threshold: int = THRESHOLD, turn: int = 0) -> Published:
    """A month's counts as they may be published.

    turn: where in the order of the counts the search for one to withhold begins. It must not depend on the counts, or what
    is withheld would say something of how large it is; months take turns, so that it isn't always the same region.
    """
    total = sum(counts.values())
    if 0 < total < threshold:
        return Published(total=Hidden.SMALL, cells=dict.fromkeys(counts, Hidden.WITHHELD))
    small = {key for key, count in counts.items() if 0 < count < threshold}
    cells: dict[str, Shown] = {key: Hidden.SMALL if key in small else count for key, count in counts.items()}
    if small and not free(sum(counts[key] for key in small), len(small), threshold):
        keys = list(counts)
        start = turn % len(keys)
        large = [key for key in keys[start:] + keys[:start] if counts[key] >= 2 * threshold]
        # Without a large one, any other that is withheld would be nearly as telling as the small one itself.
        for key in large[:1] or keys:
            cells[key] = Hidden.WITHHELD
    return Published(total=total, cells=cells)


def free(total: int, many: int, threshold: int) -> bool:
    """Whether each of `many` small counts may have any value from 1 to below the threshold, though their total is known."""
    most, others = threshold - 1, many - 1
    return total - 1 <= others * most and total - most >= others


def at_least(shown: list[Shown]) -> tuple[int, bool]:
    """What is shown, added up, and whether something is missing from it."""
    return sum(one for one in shown if not isinstance(one, Hidden)), any(isinstance(one, Hidden) for one in shown)
