"""Which counts of a month may be published beside each other (docs/watch.md): a figure says something of another one, and
tables of carriers, provinces and batches something of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from huanxin.domain.joint_suppression import Cell, Key, Part, protect_together, small_parts
from huanxin.domain.suppression import Hidden, Shown
from huanxin.figures.watch.batch import Line

Protected = Mapping[Key, Shown]
Lines = Sequence[Line]
Tables = Sequence[Sequence[str]]


def protect_batches(lines: Lines, tables: Tables, threshold: int, turn: int) -> dict[str, Protected]:
    """The figures of batches that were sent in a month. lines: of carrier, region and batch the numbers noticed, renewed,
    released, ties cut. tables: the codes of each."""
    cells = [_cells(lines, column) for column in range(4)]
    noticed, renewed, released, _ = cells
    together = partial(protect_together, tables=tables, threshold=threshold, turn=turn)

    def apart(one: Mapping[Cell, int], other: Mapping[Cell, int]) -> tuple[set[Key], set[Part]]:
        """Where the difference of two counts must not be had: keys to hide, and all parts in which it is small."""
        differences = {cell: one[cell] - other[cell] for cell in one}
        sizes = {cell: abs(count) for cell, count in differences.items()}
        small = small_parts(differences, threshold) | small_parts(sizes, threshold)
        return _hidden(together(sizes, secret=small)), small

    few = small_parts(noticed, threshold)
    hidden = _hidden(together(noticed))
    waiting, not_released, held = apart(noticed, renewed), apart(noticed, released), apart(renewed, released)
    return {
        "noticed": together(noticed, hidden=hidden | waiting[0] | not_released[0],
                            secret=few | waiting[1] | not_released[1]),
        "renewed": together(renewed, hidden=hidden, secret=few),
        "released": together(released, hidden=hidden | held[0], secret=few | held[1]),
        "ties_cut": together(cells[3], hidden=hidden, secret=few),
    }  # fmt: skip


def protect_orders(lines: Lines, tables: Tables, threshold: int, turn: int) -> dict[str, Protected]:
    """The figures of owners' orders of a month. lines: of carrier and region the people served, orders, ties cut, owners who
    ordered (not published: somebody may have been served before)."""
    people, orders, ties_cut, owners = (_cells(lines, column) for column in range(4))
    together = partial(protect_together, tables=tables, threshold=threshold, turn=turn)
    served = together(people)
    hidden = _hidden(served) | _hidden(together(owners))
    few = small_parts(people, threshold) | small_parts(owners, threshold)
    return {
        "people": served,
        "orders": together(orders, hidden=hidden, secret=few),
        "order_ties_cut": together(ties_cut, hidden=hidden, secret=few),
    }


def _cells(lines: Lines, column: int) -> dict[Cell, int]:
    return {codes: counts[column] for codes, counts in lines}


def _hidden(shown: Protected) -> set[Key]:
    return {key for key, count in shown.items() if isinstance(count, Hidden)}
