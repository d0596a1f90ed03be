"""A batch's numbers in order, so that a fact about some of them is a small set of places.

Within a batch a set holds places (ranks), not numbers: whatever the numbers are, their places are dense and start
at 0, and a Roaring bitmap of them takes about a byte a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.numbersets.sharded import SHARD_SIZE, Numbers, NumberSet, bitmap_of, values_of


@dataclass(frozen=True, eq=False)
class Roster:
    """The numbers of one batch, ascending, each once: shape (n,), int64. A number's place is its index."""

    numbers: Numbers

    @classmethod
    def of(cls, numbers: NumberSet) -> Roster:
        return cls(numbers.numbers())

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def everyone(self) -> BitMap:
        """All places; one value for all who ask, so never changed in place."""
        return BitMap(range(len(self)))

    def places(self, numbers: Numbers) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
        """The place of each number, and whether it is on the roster at all (where not, the place means nothing)."""
        if not len(self):
            return np.zeros(len(numbers), dtype=np.uint32), np.zeros(len(numbers), dtype=np.bool_)
        # Looked up in ascending order, neighbours share the cache: six times faster for ten million in any order.
        order = np.argsort(numbers)
        found = np.searchsorted(self.numbers, numbers[order])
        np.minimum(found, len(self) - 1, out=found)
        places = np.empty(len(numbers), dtype=np.uint32)
        places[order] = found
        return places, self.numbers[places] == numbers

    def places_in(self, numbers: NumberSet) -> BitMap:
        """The places of those numbers of a set that are on the roster. Reads only the shards that both have."""
        common = [shard for shard in numbers.shards if shard in self._shards]
        if not common:
            return BitMap()
        places, known = self.places(NumberSet({shard: numbers.shards[shard] for shard in common}).numbers())
        return bitmap_of(places[known])

    def at(self, places: BitMap) -> Numbers:
        """The numbers at some places, ascending."""
        return self.numbers[values_of(places)]

    def subset(self, places: BitMap) -> NumberSet:
        """The numbers at some places as a set."""
        return NumberSet.of(self.at(places))

    @cached_property
    def _shards(self) -> frozenset[int]:
        return frozenset(np.unique(self.numbers // SHARD_SIZE).tolist())
