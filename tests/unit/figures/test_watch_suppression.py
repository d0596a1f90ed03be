"""All that the public is shown together must not tell a small count, whoever subtracts across tables, figures and pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from huanxin.domain.regions import REGIONS
from huanxin.domain.suppression import Hidden
from huanxin.figures.watch.opendata import Exact, Publication, publish
from subtracting import Subtracting

CARRIERS = ("cmcc", "cucc", "ctcc")
PLACES = ("CN-BJ", "CN-SH", "CN-JS", "CN-XZ")
MONTH = "2026-11"
BATCH = ("noticed", "renewed", "released", "ties_cut")
ORDER = ("people", "orders", "order_ties_cut", "owners")
Cell = tuple[str, ...]
Counts = dict[Cell, dict[str, int]]
Key = tuple[str, str]

MANY = st.one_of(st.integers(1, 12), st.integers(1, 60), st.integers(20, 10**6))
FEW = st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 60))


@st.composite
def noticed(draw: st.DrawFn) -> Counts:
    """Numbers of a month's batches by carrier, province and batch; a few are not renewed, a few not released."""
    where = st.tuples(st.sampled_from(CARRIERS), st.sampled_from(PLACES), st.sampled_from(("1", "2")))
    found: Counts = {}
    for cell in draw(st.lists(where, min_size=1, max_size=10, unique=True)):
        numbers = draw(MANY)
        renewed = max(0, numbers - draw(FEW))
        released = min(numbers, max(0, renewed - draw(FEW) + draw(st.sampled_from((0, 0, 0, 2)))))
        cut = draw(st.integers(0, 3 * numbers))
        found[cell] = dict(zip(BATCH, (numbers, renewed, released, cut), strict=True))
    return found


@st.composite
def ordered(draw: st.DrawFn) -> Counts:
    """A month's orders by carrier and province; some owners were served in an earlier month."""
    where = st.tuples(st.sampled_from(CARRIERS), st.sampled_from(PLACES))
    found: Counts = {}
    for cell in draw(st.lists(where, min_size=1, max_size=8, unique=True)):
        owners = draw(st.one_of(st.integers(1, 12), st.integers(1, 60)))
        orders = owners * draw(st.integers(1, 239))
        people = draw(st.integers(0, owners))
        found[cell] = dict(zip(ORDER, (people, orders, draw(st.integers(0, orders)), owners), strict=True))
    return found


def published(batches: Counts, orders: Counts) -> Publication:
    sent, ordered = ([((MONTH, *cell), tuple(counts.values())) for cell, counts in of.items()] for of in (batches, orders))
    form = TypeAdapter(Publication)
    return form.validate_json(form.dump_json(publish(Exact(batches=sent, orders=ordered), CARRIERS, 10)))


def shown_counts(shown: Publication) -> Iterator[tuple[Key, str, Any]]:
    """Everything that is published of the month: which set, figure, count."""
    tables: list[tuple[str, Mapping[Any, Mapping[str, Any]]]] = [
        ("all", {"": shown.totals[MONTH]}), ("carrier", shown.carriers[MONTH]), ("region", shown.regions[MONTH]),
        ("batch", shown.batches),
    ]  # fmt: skip
    for table, lines in tables:
        for code, figures in lines.items():
            yield from (((table, str(code)), figure, count) for figure, count in figures.items())


def within(key: Key, cell: Cell) -> bool:
    names = ("carrier", "region", "batch")
    return key[0] == "all" or (key[0] in names and dict(zip(names, cell, strict=False)).get(key[0]) == key[1])


def parts(counts: Counts) -> Iterator[list[Cell]]:
    """Every set of cells that people would call one thing: a carrier, a province, a carrier in a province, all ..."""
    width = len(next(iter(counts)))
    seen = set()
    for cell in counts:
        for chosen in range(2**width):
            which = [at for at in range(width) if chosen >> at & 1]
            members = tuple(other for other in counts if all(other[at] == cell[at] for at in which))
            if members not in seen:
                seen.add(members)
                yield list(members)


def attacker(shown: Publication, counts: Counts, figures: tuple[str, ...]) -> Subtracting:
    """Knows of every figure in which cells there is anything, and adds and subtracts all that is shown."""
    return Subtracting(
        {(figure, cell): 1 for cell in counts if within(key, cell) and counts[cell][figure]}
        for key, figure, count in shown_counts(shown) if figure in figures and not isinstance(count, Hidden)
    )  # fmt: skip


def difference(counts: Counts, members: list[Cell], plus: str, minus: str = "") -> tuple[dict[Any, int], int]:
    """The sum of a figure over some cells, less that of another: as unknowns, and its value."""
    unknown = {(plus, cell): 1 for cell in members if counts[cell][plus]}
    unknown |= {(minus, cell): -1 for cell in members if minus and counts[cell][minus]}
    return unknown, sum(counts[cell][plus] - (counts[cell][minus] if minus else 0) for cell in members)


@settings(max_examples=100)
@given(noticed())
def test_no_small_count_of_numbers_can_be_had_from_all_tables_figures_and_pages_together(counts: Counts) -> None:
    reader = attacker(published(counts, {}), counts, BATCH)
    for members in parts(counts):
        for pair in (("noticed",), ("renewed",), ("released",), ("noticed", "renewed"), ("renewed", "released"),
                     ("noticed", "released")):  # fmt: skip
            unknown, value = difference(counts, members, *pair)
            assert not 0 < abs(value) < 10 or not unknown or not reader.finds(unknown), (members, pair, value)


@settings(max_examples=100)
@given(noticed(), ordered())
def test_what_a_few_people_had_cut_or_ordered_can_not_be_had_either(batches: Counts, orders: Counts) -> None:
    shown = published(batches, orders)
    for counts, figures, people, theirs in (
        (batches, BATCH, ("noticed",), ("renewed", "released", "ties_cut")),
        (orders, ORDER[:3], ("people", "owners"), ("orders", "order_ties_cut")),
    ):
        reader = attacker(shown, counts, figures)
        for key in {key for key, _, _ in shown_counts(shown)}:
            members = [cell for cell in counts if within(key, cell)]
            few = any(0 < sum(counts[cell][one] for cell in members) < 10 for one in people)
            for figure in theirs:
                unknown, value = difference(counts, members, figure)
                assert not few or not value or not reader.finds(unknown), (key, figure, value)
        for key, figure, count in shown_counts(shown):
            if figure in theirs and not isinstance(count, Hidden):
                members = [cell for cell in counts if within(key, cell)]
                assert not any(0 < sum(counts[cell][one] for cell in members) < 10 for one in people), (key, figure)


@given(noticed(), ordered())
def test_what_is_shown_is_true(batches: Counts, orders: Counts) -> None:
    for key, figure, count in shown_counts(published(batches, orders)):
        counts = batches if figure in BATCH else orders
        if not isinstance(count, Hidden):
            assert count == sum(counts[cell][figure] for cell in counts if within(key, cell))


def others_and(*counts: int) -> Counts:
    """The orders of seventy owners, and those of one carrier's customers in one province."""
    orders = {("cmcc", "CN-BJ"): (40, 9_560, 300, 40), ("cucc", "CN-SH"): (30, 7_170, 200, 30), ("ctcc", "CN-JS"): counts}
    return {cell: dict(zip(ORDER, line, strict=True)) for cell, line in orders.items()}


def test_one_owners_order_at_every_partner_does_not_say_how_many_accounts_he_had() -> None:
    shown = published({}, others_and(1, 239, 14, 1))
    for lines in (shown.carriers[MONTH]["ctcc"], shown.regions[MONTH]["CN-JS"]):
        assert all(isinstance(count, Hidden) for figure, count in lines.items() if figure in ORDER)


def test_somebody_who_comes_back_in_a_later_month_is_not_told_by_his_orders() -> None:
    """They were served, and counted, before: `people` is nought, and 239 orders would still be one person's."""
    shown = published({}, others_and(0, 239, 14, 1))
    assert shown.carriers[MONTH]["ctcc"]["people"] == 0
    assert isinstance(shown.carriers[MONTH]["ctcc"]["orders"], Hidden)
    assert isinstance(shown.carriers[MONTH]["ctcc"]["order_ties_cut"], Hidden)


def test_one_number_that_was_not_renewed_is_not_told_by_the_two_counts() -> None:
    shown = published({("cmcc", "CN-BJ", "1"): dict(zip(BATCH, (294, 293, 290, 500), strict=True))}, {})
    assert shown.totals[MONTH]["renewed"] == 293, "the figure that the bulletin is about stays"
    assert isinstance(shown.totals[MONTH]["noticed"], Hidden)
    assert isinstance(shown.totals[MONTH]["released"], Hidden)
    assert isinstance(shown.batches[1]["noticed"], Hidden), "the batch's page says no more than the month"


def test_a_carrier_with_a_province_of_its_own_hides_it_there_too() -> None:
    cells = {("cmcc", "CN-BJ", "1"): 500, ("cucc", "CN-SH", "1"): 400, ("ctcc", "CN-JS", "1"): 3}
    shown = published({cell: dict(zip(BATCH, (n, n, 0, n), strict=True)) for cell, n in cells.items()}, {})
    where = {carrier: region for carrier, region, _ in cells}
    hidden = {carrier for carrier in where if isinstance(shown.carriers[MONTH][carrier]["noticed"], Hidden)}
    assert "ctcc" in hidden
    assert len(hidden) > 1
    known = {c for c in where if c not in hidden or not isinstance(shown.regions[MONTH][where[c]]["noticed"], Hidden)}
    assert len(known) < 2, "one more of them, and the third could be had from the total"


def test_two_batches_of_a_month_are_not_told_apart_when_one_is_small() -> None:
    cells = {("cmcc", "CN-BJ", "1"): 500, ("cmcc", "CN-BJ", "2"): 4}
    shown = published({cell: dict(zip(BATCH, (n, n, n, n), strict=True)) for cell, n in cells.items()}, {})
    assert shown.totals[MONTH]["noticed"] == 504
    assert {one["noticed"] for one in shown.batches.values()} <= {Hidden.SMALL, Hidden.WITHHELD}


@pytest.mark.parametrize("many", [1, 25])
def test_a_country_is_published_whole_and_within_a_moment(many: int) -> None:
    lines = {(carrier, region, str(batch)): (8_000 + batch, 7_900, 7_000, 50_000)
             for carrier in CARRIERS for region in REGIONS for batch in range(many)}  # fmt: skip
    shown = published({cell: dict(zip(BATCH, counts, strict=True)) for cell, counts in lines.items()}, {})
    assert not [count for _, figure, count in shown_counts(shown) if figure in BATCH and isinstance(count, Hidden)]
