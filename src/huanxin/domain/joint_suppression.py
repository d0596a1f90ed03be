"""Several tables of the same counts, published side by side: of carriers, of provinces, of batches, and the total.

A reader is taken to know which carrier has numbers in which province and batch, and to add and subtract whatever is shown,
of all tables together. What they can then compute is linear algebra: a set of cells (a carrier is one, a province another)
can be had from the sets that are shown if and only if it is a sum of multiples of them. So after each table is protected by
itself, more is withheld until nothing small is such a sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from huanxin.domain.suppression import THRESHOLD, Hidden, Shown, free, protect

Cell = tuple[str, ...]
"""A code in each table: carrier, province ..."""
Key = tuple[int, str]
"""Which table, and a code of it."""
TOTAL: Key = (-1, "")
Part = tuple[Key, ...]
"""The cells that some codes of different tables have in common: a carrier's in a province. A key alone is one, too."""
Floats = npt.NDArray[np.float64]
_NOTHING = 1e-6
"""Below it a squared length is nothing: lengths of sets of cells that can't be had are far above."""


def small_parts(cells: Mapping[Cell, int], threshold: int) -> set[Part]:
    """The parts, of any number of tables, whose sum is small, be it above or below nought."""
    if all(count >= threshold for count in cells.values()):
        return set()
    sums: Counter[Part] = Counter()
    for cell, count in cells.items():
        keys = tuple(enumerate(cell))
        sums[TOTAL,] += count
        for size in range(1, len(keys) + 1):
            for part in combinations(keys, size):
                sums[part] += count
    return {part for part, count in sums.items() if 0 < abs(count) < threshold}


def protect_together(
    cells: Mapping[Cell, int], tables: Sequence[Sequence[str]], *, threshold: int = THRESHOLD, turn: int = 0,
    hidden: Collection[Key] = (), secret: Collection[Part] = (),
) -> dict[Key, Shown]:  # fmt: skip
    """The sums of some cells by the codes of each table, and their TOTAL, as they may be published.

    hidden: keys that are withheld whatever their count. secret: parts that must not be had from what is shown though their
    own count may be large, since it would tell of a small one elsewhere; those that are a key are withheld. turn: as in
    suppression.protect. Where there is a choice, the last table is withheld first.
    """
    sums = {(at, code): 0 for at, table in enumerate(tables) for code in table} | {TOTAL: sum(cells.values())}
    for cell, count in cells.items():
        for at, code in enumerate(cell):
            sums[at, code] += count
    shown: dict[Key, Shown] = {TOTAL: sums[TOTAL]}
    for at, table in enumerate(tables):
        one = protect({code: sums[at, code] for code in table}, threshold=threshold, turn=turn)
        shown |= {(at, code): count for code, count in one.cells.items()} | {TOTAL: one.total}
    for key in {*hidden, *(part[0] for part in secret if len(part) == 1)}:
        shown[key] = shown[key] if isinstance(shown[key], Hidden) else Hidden.WITHHELD
    counts = [count for count in cells.values() if count]
    if counts and (min(counts) < threshold or any(isinstance(one, Hidden) for one in shown.values())):
        reader = _Reader(cells, sums, threshold, turn, {*secret, *small_parts(cells, threshold)})
        while (found := reader.finds(shown)) is not None:
            shown |= found
    # The only code of a table is the total under another name.
    return shown | {(at, code): shown[TOTAL] for at, table in enumerate(tables) if len(table) == 1 for code in table}


@dataclass(frozen=True)
class _Within:
    """What can be had from the shown sets: `pseudo` inverts their inner products."""

    shown: list[int]
    pseudo: Floats


class _Reader:
    """Somebody who knows which cells there are, and subtracts."""

    def __init__(
        self, cells: Mapping[Cell, int], sums: Mapping[Key, int], threshold: int, turn: int, secret: set[Part]
    ) -> None:
        self._cells = [cell for cell, count in cells.items() if count]
        self._keys = [key for key, count in sums.items() if count]
        self._sums, self._threshold, self._secret = sums, threshold, secret
        self._first = {key: (at - turn) % len(self._keys) for at, key in enumerate(self._keys)}
        codes = np.array(self._cells).T
        self._sets = np.array(
            [np.full(len(self._cells), 1.0) if key == TOTAL else codes[key[0]] == key[1] for key in self._keys], np.float64
        ).reshape(len(self._keys), len(self._cells))
        self._products = self._sets @ self._sets.T
        parts = [self._cells_of(part) for part in sorted(secret) if len(part) > 1]
        self._small = np.array([one for one in parts if one.any()]).reshape(-1, len(self._cells))

    def _cells_of(self, part: Part) -> Floats:
        return np.array([all(cell[at] == code for at, code in part) for cell in self._cells], np.float64)

    def finds(self, shown: Mapping[Key, Shown]) -> dict[Key, Shown] | None:
        """What else to hide, and how; None if nothing small can be had."""
        hidden = [at for at, key in enumerate(self._keys) if isinstance(shown[key], Hidden)]
        if not hidden and not len(self._small):
            return None
        seen = [at for at, key in enumerate(self._keys) if not isinstance(shown[key], Hidden)]
        pseudo = np.linalg.pinv(self._products[np.ix_(seen, seen)], rcond=1e-9, hermitian=True)
        within = _Within(seen, pseudo.astype(np.float64))
        left = self._left(self._sets[hidden], within)
        for group in self._groups(hidden, left):
            members = [hidden[at] for at in group]
            if left[np.ix_(group, group)].sum() > _NOTHING:
                continue
            if self._tells(members):
                return self._withhold(self._sets[members].sum(axis=0), within)
            if again := self._marks(members, shown):
                return again
        if len(self._small):
            lengths = self._small.sum(axis=1)
            common = self._small @ self._sets[seen].T
            rest = lengths - np.einsum("ij,jk,ik->i", common, within.pseudo, common)
            if (rest < _NOTHING).any():
                return self._withhold(self._small[int(np.argmax(rest < _NOTHING))], within)
        return None

    def _left(self, sets: Floats, within: _Within) -> Floats:
        """Inner products of what remains of some sets when all that can be had is taken away."""
        common = sets @ self._sets[within.shown].T
        found: Floats = sets @ sets.T - common @ within.pseudo @ common.T
        return found

    def _groups(self, hidden: list[int], left: Floats) -> Iterator[list[int]]:
        """The hidden codes of one table that can only be had together: places among the hidden ones."""
        open_places = dict.fromkeys(range(len(hidden)))
        while open_places:
            group = [next(iter(open_places))]
            del open_places[group[0]]
            for at in group:
                near = [
                    other for other in open_places
                    if self._keys[hidden[other]][0] == self._keys[hidden[at]][0] and abs(left[at, other]) > _NOTHING
                ]  # fmt: skip
                group += near
                for other in near:
                    del open_places[other]
            yield group

    def _tells(self, members: list[int]) -> bool:
        """Whether the sum of some hidden codes, once it can be had, tells a small count."""
        keys = [self._keys[at] for at in members]
        alone = len(keys) == 1 and (keys[0],) in self._secret
        return alone or 0 < sum(self._sums[key] for key in keys) < self._threshold

    def _marks(self, members: list[int], shown: Mapping[Key, Shown]) -> dict[Key, Shown] | None:
        """Where even the marks of small counts would tell them, as `two below ten that make eighteen`, other marks."""
        keys = [self._keys[at] for at in members]
        small = [key for key in keys if shown[key] is Hidden.SMALL]
        large = any(self._sums[key] >= 2 * self._threshold for key in keys)
        if not small or large:
            return None
        if len(small) == len(keys) and free(sum(self._sums[key] for key in keys), len(keys), self._threshold):
            return None
        return dict.fromkeys(keys, Hidden.WITHHELD)

    def _withhold(self, wanted: Floats, within: _Within) -> dict[Key, Shown]:
        """One more set to withhold of those by which a set of cells can be had: of the last table that is among them, one
        that isn't nearly as small itself, in turn."""
        shares = within.pseudo @ (self._sets[within.shown] @ wanted)
        used = [self._keys[at] for at, share in zip(within.shown, shares, strict=True) if abs(share) > _NOTHING]
        large = [key for key in used if self._sums[key] >= 2 * self._threshold and key != TOTAL]
        chosen = max(large or used, key=lambda key: (key[0], -self._first[key]))
        return {chosen: Hidden.WITHHELD}
