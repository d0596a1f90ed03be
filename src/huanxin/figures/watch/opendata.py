"""The open data of /watch: what may be published of the figures, as tables with a fixed schema (docs/watch.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from huanxin.domain.joint_suppression import TOTAL
from huanxin.domain.regions import REGIONS
from huanxin.domain.suppression import Hidden, Shown, protect
from huanxin.figures.watch.batch import Line
from huanxin.figures.watch.protecting import Protected, protect_batches, protect_orders

SCHEMA = "huanxin-watch/1"
"""Changes with the meaning or the fields of a table, not with new months or codes."""

FEWEST_PARTNERS = 3
"""A month in which fewer were asked has no published answer times: they would be one company's."""

DAYS = 5
"""Working days that partners promise (FACTS); later answers are counted together."""

TIMES = ("partners", "notices", "in_time", "late", "overdue", "waiting",
         *(f"day_{day}" for day in range(DAYS + 1)), "later", "median_hours", "p90_hours")  # fmt: skip
"""The figures of answer times; `day_0` is the working day of the notice."""

Figures = Mapping[str, Shown]
"""figure -> count as published."""
Months = Mapping[str, Mapping[str, Figures]]
"""month -> carrier or region -> figure -> count as published."""


@dataclass(frozen=True, kw_only=True)
class AnswerTimes:
    """Notices of batches by what became of them; the answered ones by working day, later ones together; how long half and
    nine of ten of those took."""

    notices: int
    in_time: int
    late: int
    overdue: int
    waiting: int
    days: tuple[int, ...]
    median_hours: float | None
    p90_hours: float | None


@dataclass(frozen=True, kw_only=True)
class MonthTimes(AnswerTimes):
    """The notices of a month, over all partners that were asked."""

    month: str
    partners: int


@dataclass(frozen=True, kw_only=True)
class Exact:
    """What the public figures are made of, before anything is hidden."""

    batches: Sequence[Line] = ()
    """month, carrier, region, batch; numbers noticed, renewed, released, ties cut"""
    orders: Sequence[Line] = ()
    """month, carrier, region; people served, orders, ties cut, owners who ordered"""
    partners: Sequence[tuple[str, bool, int]] = ()
    """kind, required, how many"""
    answers: Sequence[MonthTimes] = ()
    breaches: Sequence[tuple[str, str, int]] = ()
    """month, kind, numbers"""
    holds: Sequence[tuple[str, int, int]] = ()
    """month, orders, numbers"""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Everything that the public sees, as published."""

    totals: Mapping[str, Figures]
    """by month"""
    carriers: Months
    regions: Months
    batches: Mapping[int, Figures]
    """by batch that was sent: the figures that are of batches"""
    partners: Sequence[tuple[str, bool, int]]
    """kind, required, how many"""
    answers: Mapping[str, Mapping[str, int | float | None]]
    """month -> figure of TIMES; all None where fewer than FEWEST_PARTNERS were asked"""
    breaches: Mapping[str, tuple[Shown, Mapping[str, Shown]]]
    """month -> numbers in all, numbers by kind"""
    holds: Mapping[str, tuple[int, Shown]]
    """month -> orders, numbers"""


def publish(exact: Exact, carriers: Iterable[str], threshold: int) -> Publication:
    """What may be published. carriers: codes of all there are, in their order."""
    codes = [list(carriers), list(REGIONS)]
    shown: dict[str, dict[str, Protected]] = {}
    batches: dict[int, Figures] = {}
    for month in sorted({of[0] for of, _ in [*exact.batches, *exact.orders]}):
        sent, ordered = ([(of[1:], counts) for of, counts in lines if of[0] == month and of[1] in codes[0]]
                         for lines in (exact.batches, exact.orders))  # fmt: skip
        known = sorted({int(of[2]) for of, _ in sent})
        of_batches = protect_batches(sent, [*codes, [str(one) for one in known]], threshold, _turn(month))
        shown[month] = of_batches | protect_orders(ordered, codes, threshold, _turn(month))
        batches |= {one: {name: found[2, str(one)] for name, found in of_batches.items()} for one in known}
    kinds = sorted({kind for _, kind, _ in exact.breaches})
    found: dict[str, dict[str, int]] = {}
    for month, kind, count in exact.breaches:
        found.setdefault(month, dict.fromkeys(kinds, 0))[kind] = count
    breaches = {month: protect(counts, threshold=threshold, turn=_turn(month)) for month, counts in found.items()}
    held = {month: (orders, protect({"": count}, threshold=threshold).total) for month, orders, count in exact.holds}
    by_carrier, by_region = ({month: _of(figures, at, codes[at]) for month, figures in shown.items()} for at in (0, 1))
    return Publication(
        totals={month: {name: found[TOTAL] for name, found in figures.items()} for month, figures in shown.items()},
        carriers=by_carrier, regions=by_region, batches=batches,
        partners=exact.partners, answers={one.month: _times(one) for one in exact.answers},
        breaches={month: (one.total, one.cells) for month, one in breaches.items()},
        holds=held,
    )  # fmt: skip


def _of(figures: Mapping[str, Protected], at: int, codes: Iterable[str]) -> dict[str, dict[str, Shown]]:
    return {code: {name: found[at, code] for name, found in figures.items()} for code in codes}


def _turn(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number)


def _times(line: MonthTimes) -> dict[str, int | float | None]:
    if line.partners < FEWEST_PARTNERS:
        return dict.fromkeys(TIMES)
    days = {f"day_{day}": count for day, count in enumerate(line.days[:-1])} | {"later": line.days[-1]}
    return {key: (days | vars(line))[key] for key in TIMES}


Type = Literal["text", "integer", "number", "boolean"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column: its name and type; what it holds stands in docs/watch.md."""

    name: str
    type: Type


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of open data. In `rows`, None is nothing shown; the column `note` then says why."""

    name: str
    fields: tuple[Field, ...]
    rows: list[tuple[Any, ...]]


def _fields(*names: str, value: Type = "integer") -> tuple[Field, ...]:
    types: dict[str, Type] = {"value": value, "partners": "integer", "required": "boolean"}
    return tuple(Field(name=name, type=types.get(name, "text")) for name in names)


def tables(shown: Publication, threshold: int, names: Mapping[str, tuple[str, str]]) -> dict[str, Table]:
    """The tables by name. names: of carriers, Chinese and English, by code."""

    def line(*key: Any, value: Shown) -> tuple[Any, ...]:
        if isinstance(value, Hidden):
            return (*key, None, f"<{threshold}" if value is Hidden.SMALL else "*")
        return (*key, value, "")

    def cells(months: Months) -> Iterator[tuple[Any, ...]]:
        for month, codes in months.items():
            for code, figures in codes.items():
                yield from (line(month, code, figure, value=value) for figure, value in figures.items())

    totals = [line(month, key, value=value) for month, found in shown.totals.items() for key, value in found.items()]
    breaches = [
        line(month, kind, value=value)
        for month, (total, kinds) in shown.breaches.items() for kind, value in (("all", total), *kinds.items())
    ]  # fmt: skip
    held = [
        line(month, key, value=value)
        for month, (orders, numbers) in shown.holds.items() for key, value in (("orders", orders), ("numbers", numbers))
    ]  # fmt: skip
    times = [(month, key, value, "*" if value is None else "") for month, found in shown.answers.items()
             for key, value in found.items()]  # fmt: skip
    codes = [("carrier", code, *both) for code, both in names.items()] + [
        ("region", c, *both) for c, both in REGIONS.items()
    ]
    made = (
        Table(name="totals", fields=_fields("month", "figure", "value", "note"), rows=totals),
        Table(name="carriers", fields=_fields("month", "carrier", "figure", "value", "note"), rows=[*cells(shown.carriers)]),
        Table(name="regions", fields=_fields("month", "region", "figure", "value", "note"), rows=[*cells(shown.regions)]),
        Table(name="partners", fields=_fields("kind", "required", "partners"), rows=[*shown.partners]),
        Table(name="answers", fields=_fields("month", "figure", "value", "note", value="number"), rows=times),
        Table(name="breaches", fields=_fields("month", "kind", "value", "note"), rows=breaches),
        Table(name="holds", fields=_fields("month", "figure", "value", "note"), rows=held),
        Table(name="codes", fields=_fields("list", "code", "zh", "en"), rows=codes),
    )
    return {one.name: one for one in made}
