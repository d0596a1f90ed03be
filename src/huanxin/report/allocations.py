"""What a carrier was allotted: a file of ranges becomes the capacity of its pool, whole or not at all."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from huanxin.domain import doors, ranges
from huanxin.domain.errors import MOST_FAULTS, BadInput, Fault, NotFound, stop_at, unreadable
from huanxin.domain.numbers import NumberingPlan, masked, why_not_ours
from huanxin.domain.trade import Trade
from huanxin.numbersets import columns, tables
from huanxin.numbersets.files import name_of
from huanxin.numbersets.sharded import shard_of
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.report.allocations import Range
from huanxin.words.sentences import Sentence

NAMES = ("from", "to")
_MOST_SHARDS = 1000  # of one range: a billion numbers
_MOST_RANGES, _MOST_BYTES = 100_000, 16 << 20  # a country has some ten thousand ranges


def columns_in(words: Trade) -> tables.Columns:
    """What to look for, in the words of the trade."""
    return tables.Columns(names=NAMES, aliases=words.aliases(NAMES), ranges=True)


def import_allocation(act: Act, path: Path, *, carrier: str) -> int:
    """Record what a carrier was allotted, in place of any earlier file; how many numbers that are.

    Raises BadInput with every bad line; NotFound for a carrier that is not configured.
    """
    if carrier not in act.plan.carriers:
        raise NotFound(
            Sentence(
                "no carrier is named %(carrier)s; known are %(names)s", carrier=carrier, names=", ".join(act.plan.carriers)
            )
        )
    named, faults = [], []
    try:
        with tables.read(
            tables.inspect(path, most=_MOST_BYTES), columns_in(act.plan.words), keep_ragged=MOST_FAULTS + 1
        ) as table:
            for chunk in table.chunks:
                good, bad = _check(chunk, carrier, act.plan)
                named += good
                faults += bad
                faults += [Fault(line=line, reason=reason, text=text) for line, reason, text in table.ragged]
                table.ragged.clear()
                stop_at(MOST_FAULTS, faults, name=name_of(path))
                if len(named) > _MOST_RANGES:
                    raise tables.BadTable(
                        Sentence("more than %(most)s ranges; write those that touch as one", most=f"{_MOST_RANGES:,}")
                    )
    except tables.BadTable as error:
        raise unreadable(name_of(path), error.reason, error.line) from error
    faults += _overlapping(named)
    if faults or not named:
        why = Sentence("it names no range")
        if faults:
            why = Sentence("lines that can't be taken: %(count)s; none was", count=f"{len(faults):,}")
        raise BadInput(
            Sentence("%(name)s: %(why)s", name=name_of(path), why=why), sorted(faults, key=lambda fault: fault.line)
        )
    found = sorted(one for _, one in named)
    facts.allocation(act.tx, carrier=carrier, file_name=name_of(path), ranges=found, by=act.by, at=act.now)
    act.plan.learn({shard: carrier for first, last in found for shard in range(shard_of(first), shard_of(last) + 1)})
    return sum(last - first + 1 for first, last in found)


def _check(chunk: tables.Chunk, carrier: str, plan: NumberingPlan) -> tuple[list[tuple[int, Range]], list[Fault]]:
    """Ranges with their lines, and faults."""
    first, last = (
        columns.numbers(chunk.columns[name], doors.ALLOCATION.home(plan, plan.carriers[carrier]), spreadsheets=False)
        for name in NAMES
    )
    texts = zip(*(columns.texts(chunk.columns[name], np.arange(len(chunk.lines))) for name in NAMES), strict=True)
    good, faults = [], []
    for row, (from_text, to_text) in enumerate(texts):
        if not (from_text.strip() or to_text.strip()):
            continue  # a blank line says nothing
        line, one = int(chunk.lines[row]), (int(first.value[row]), int(last.value[row]))
        unread = [*first.why_not(row), *last.why_not(row)]
        reason = unread[0] if unread else _why_not(one, carrier, plan)
        if reason:
            faults.append(Fault(line=line, reason=reason, text=f"{from_text},{to_text}"))
        else:
            good.append((line, one))
    return good, faults


def _why_not(one: Range, carrier: str, plan: NumberingPlan) -> Sentence | None:
    first, last = one
    if last < first:
        return Sentence(
            "%(last)s comes before %(first)s; write the first number, then the last", last=masked(last), first=masked(first)
        )
    shards = range(shard_of(first), shard_of(last) + 1)
    if len(shards) > _MOST_SHARDS:
        return Sentence("more than a billion numbers; write the ranges one by one")
    other = next((shard for shard in shards if not _may_have(carrier, shard, plan)), None)
    if other is None:
        return None
    if ranges.of_machines(str(other)):
        return why_not_ours(first)
    return Sentence(
        "numbers that begin with +%(prefix)s are %(owner)s's by the numbering plan, not %(carrier)s's",
        prefix=other, owner=plan.owner(other) or Sentence("no carrier"), carrier=carrier,
    )  # fmt: skip


def _may_have(carrier: str, shard: int, plan: NumberingPlan) -> bool:
    """Whether a shard is a carrier's, or nobody's by the plan and of its country."""
    owner, home = plan.owner(shard), plan.carriers[carrier].home
    return owner == carrier or (
        owner is None and plan.may_be_allotted(shard) and any(str(shard).startswith(one.code) for one in home)
    )


def _overlapping(named: list[tuple[int, Range]]) -> list[Fault]:
    """Ranges that begin before another has ended."""
    ordered = sorted(named, key=lambda one: one[1])
    return [
        Fault(
            line=line,
            reason=Sentence("%(number)s is in the range of line %(before)s already", number=masked(first), before=before),
        )
        for (before, (_, end)), (line, (first, _)) in pairwise(ordered)
        if first <= end
    ]
