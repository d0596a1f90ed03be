"""A reader of published counts who adds and subtracts whatever is shown, and knows where there is anything to count."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

PRIME = 2**61 - 1
Sum = Mapping[Hashable, int]
"""How often each unknown count is in a sum."""


class Subtracting:
    """What sums can be had from some that are shown: those that are combinations of them (elimination modulo a prime)."""

    def __init__(self, shown: Iterable[Sum]) -> None:
        self._rows: dict[Hashable, dict[Hashable, int]] = {}
        for one in shown:
            left = self._reduced(one)
            if left:
                first = next(iter(left))
                inverse = pow(left[first], -1, PRIME)
                self._rows[first] = {key: count * inverse % PRIME for key, count in left.items()}

    def finds(self, wanted: Sum) -> bool:
        return not self._reduced(wanted)

    def _reduced(self, one: Sum) -> dict[Hashable, int]:
        left = {key: count % PRIME for key, count in one.items() if count}
        for first, row in self._rows.items():
            if times := left.get(first, 0):
                for key, count in row.items():
                    left[key] = (left.get(key, 0) - times * count) % PRIME
                left = {key: count for key, count in left.items() if count}
        return left
