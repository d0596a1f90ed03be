"""The pool's tables: sums filtered and added up by carrier, region, block and day."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from huanxin.domain.cells import Cells, day_number, day_of
from huanxin.domain.pool import CANCELLED, STATES, TO_COME, USED, PoolState
from huanxin.domain.regions import NOWHERE, PROVINCES
from huanxin.figures.pool_sums import REGIONS, Prefixes, Sums, cells_of
from huanxin.store.database import Tx

AHEAD = 120
"""Days for which the pages say what becomes sellable."""

SCARCE = 0.5
"""The share of numbers in use above which a pool counts as scarce (FACTS: a carrier's pool over 50 %)."""

_PREFIX = re.compile(r"1[0-9]{2,6}")
_PREFIX_DIGITS = 7
_COUNTRY = "86"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What of the pool is looked at; empty for all. `prefix`: 3 to 7 leading digits of Chinese numbers."""

    carrier: str = ""
    region: str | None = None
    """a province, "" for numbers whose region is not public; None for all"""
    prefix: str = ""
    state: PoolState | None = None

    def query(self, **changes: object) -> str:
        """The address's query with some of it changed."""
        asked = {"carrier": self.carrier, "region": self.region, "prefix": self.prefix, "state": self.state} | changes
        return urlencode({key: "none" if key == "region" and value == "" else value
                          for key, value in asked.items() if value or (key == "region" and value == "")})  # fmt: skip

    def span(self) -> tuple[int, int]:
        """The first and the last block of the prefix."""
        first, last = (int(_COUNTRY + self.prefix.ljust(_PREFIX_DIGITS, digit)) for digit in "09")
        return first, last


def read_filters(*, carrier: str, region: str, prefix: str, state: str, sums: Sums) -> tuple[Filters, str]:
    """Filters as an address says them, and which of them can't be used ("" if all can)."""
    digits = re.sub(r"\D", "", prefix)
    digits = digits.removeprefix(_COUNTRY) if digits.startswith(_COUNTRY) else digits
    known = {"carrier": carrier in ("", *sums.carriers), "region": region in ("", "none", *PROVINCES),
             "prefix": not prefix.strip() or bool(_PREFIX.fullmatch(digits)), "state": state in ("", *STATES)}  # fmt: skip
    wrong = next((name for name, fine in known.items() if not fine), "")
    return Filters(
        carrier=carrier if known["carrier"] else "", prefix=digits if known["prefix"] else "",
        region=None if not region or not known["region"] else "" if region == "none" else region,
        state=PoolState(state) if state and known["state"] else None,
    ), wrong  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """Numbers of one carrier, region or block, which `key` names; `counts` by STATES. A block has a carrier and a region."""

    key: str
    capacity: int
    counts: tuple[int, ...]
    owner: str = ""
    region: str = ""

    @property
    def used(self) -> int:
        return sum(self.counts[STATES.index(state)] for state in USED)

    @property
    def scarce(self) -> bool:
        return self.used > SCARCE * self.capacity

    def of(self, state: PoolState) -> int:
        return self.counts[STATES.index(state)]


@dataclass(frozen=True, kw_only=True)
class DayRow:
    """Numbers of one day, by the states of its table."""

    day: date
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What of the pool the filters leave. `days`: by day of cancellation, the latest first; `ahead`: by the first day on
    which numbers may be sold, today's being those whose freeze is over."""

    total: Row
    carriers: Sequence[Row]
    regions: Sequence[Row]
    blocks: Prefixes
    days: Sequence[DayRow]
    ahead: Sequence[DayRow]


def pool(tx: Tx, sums: Sums, filters: Filters) -> Pool:
    """The tables under some filters. With a prefix the shards that it covers are read, else only the sums."""
    rows = _rows(sums, filters)
    if filters.prefix:
        first, last = filters.span()
        cells = cells_of(tx, sums, first=first, last=last)
        cells = cells[np.isin(cells["place"], rows["prefix"])]
    else:
        cells = _of_regions(sums, filters)
    if filters.state:
        cells = cells[cells["kind"] == STATES.index(filters.state)]
    everything = _grouped(rows, np.zeros(len(rows), np.int64), lambda _: "")
    return Pool(
        total=everything[0] if everything else Row(key="", capacity=0, counts=(0,) * len(STATES)),
        carriers=_sorted(_grouped(rows, rows["owner"], lambda index: owner_name(sums, index)), filters),
        regions=_sorted(_grouped(rows, rows["region"], region_name), filters),
        blocks=_by_need(rows, filters), days=_days(cells), ahead=_ahead(cells, sums.today),
    )  # fmt: skip


def _rows(sums: Sums, filters: Filters) -> Prefixes:
    rows = sums.prefixes
    if filters.carrier:
        rows = rows[rows["owner"] == sums.carriers.index(filters.carrier)]
    if filters.region is not None:
        rows = rows[rows["region"] == _region_index(filters.region)]
    if filters.prefix:
        first, last = filters.span()
        rows = rows[(rows["prefix"] >= first) & (rows["prefix"] <= last)]
    return rows


def _region_index(region: str) -> int:
    return PROVINCES.index(region) if region else NOWHERE


def region_name(index: int) -> str:
    """A province, or "" if the region is not public."""
    return PROVINCES[index] if index < NOWHERE else ""


def _of_regions(sums: Sums, filters: Filters) -> Cells:
    """The sums' cells by day, of one carrier or region or all."""
    cells = sums.days
    if filters.carrier:
        cells = cells[cells["place"] // REGIONS == sums.carriers.index(filters.carrier)]
    if filters.region is not None:
        cells = cells[cells["place"] % REGIONS == _region_index(filters.region)]
    return cells


def _grouped(rows: Prefixes, by: Ints, name: Callable[[int], str]) -> list[Row]:
    """The blocks added up by a column."""
    groups, which = np.unique(by, return_inverse=True)
    counts = np.zeros((len(groups), len(STATES)), np.int64)
    np.add.at(counts, which, rows["counts"])
    capacity = np.bincount(which, weights=rows["capacity"], minlength=len(groups)).astype(np.int64)
    return [
        Row(key=name(group), capacity=of_all, counts=tuple(of_states))
        for group, of_all, of_states in zip(groups.tolist(), capacity.tolist(), counts.tolist(), strict=True)
    ]


def owner_name(sums: Sums, index: int) -> str:
    """A carrier's code, or "" for numbers of no known carrier's range."""
    return sums.carriers[index] if index >= 0 else ""


def _sorted(rows: list[Row], filters: Filters) -> list[Row]:
    """The most pressing first: the most numbers of the state that is looked at, or the largest share in use."""
    if filters.state:
        state = filters.state
        return sorted((row for row in rows if row.of(state)), key=lambda row: -row.of(state))
    return sorted(rows, key=lambda row: -(row.used / row.capacity if row.capacity else 0))


def _by_need(rows: Prefixes, filters: Filters) -> Prefixes:
    """Blocks in the same order; of the same share in use, by their digits."""
    if filters.state:
        counts = rows["counts"][:, STATES.index(filters.state)]
        rows, need = rows[counts > 0], counts[counts > 0].astype(np.float64)
    else:
        used = rows["counts"][:, [STATES.index(state) for state in USED]].sum(axis=1)
        need = used / np.maximum(rows["capacity"], 1)
    return rows[np.lexsort((rows["prefix"], -need))]


def block_rows(sums: Sums, blocks: Prefixes) -> list[Row]:
    """Some blocks as rows."""
    return [
        Row(key=national(prefix), capacity=capacity, counts=tuple(counts), owner=owner_name(sums, owner),
            region=region_name(region))
        for prefix, owner, region, capacity, counts in zip(
            *(blocks[name].tolist() for name in ("prefix", "owner", "region", "capacity", "counts")), strict=True
        )
    ]  # fmt: skip


def national(prefix: int) -> str:
    """A block as people name it: 1390000 in China, with + and the country code elsewhere."""
    text = str(prefix)
    return text[len(_COUNTRY) :] if text.startswith(_COUNTRY) and len(text) == len(_COUNTRY) + _PREFIX_DIGITS else f"+{text}"


def _days(cells: Cells) -> list[DayRow]:
    return _by_day(cells, cells["closed"].astype(np.int64), CANCELLED)[::-1]


def _ahead(cells: Cells, today: date) -> list[DayRow]:
    """A row for each of the days to come, nothing on it or not."""
    first = day_number(today)
    days = np.maximum(cells["closed"].astype(np.int64) + cells["freeze"] + 1, first)
    near = days <= first + AHEAD
    found = {row.day: row for row in _by_day(cells[near], days[near], TO_COME)}
    empty = DayRow(day=today, counts=(0,) * len(TO_COME))
    every = (today + timedelta(days=later) for later in range(AHEAD + 1))
    return [found.get(day) or replace(empty, day=day) for day in every]


def _by_day(cells: Cells, days: Ints, states: Sequence[PoolState]) -> list[DayRow]:
    """Cells added up by day and state, those of other states left out, ascending."""
    column = np.full(len(STATES), -1)
    column[[STATES.index(state) for state in states]] = np.arange(len(states))
    kept = column[cells["kind"]] >= 0
    cells, days = cells[kept], days[kept]
    found, which = np.unique(days, return_inverse=True)
    counts = np.bincount(
        which * len(states) + column[cells["kind"]], weights=cells["count"], minlength=len(found) * len(states)
    )
    table = counts.reshape(len(found), len(states)).astype(np.int64).tolist()
    return [DayRow(day=day_of(day), counts=tuple(row)) for day, row in zip(found.tolist(), table, strict=True)]
