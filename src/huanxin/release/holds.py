"""Holds: an authority's order that keeps numbers frozen longer (FACTS: numbers at high risk)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from huanxin.domain import doors
from huanxin.domain.errors import MOST_FAULTS, BadInput, Conflict, Fault, NotFound, stop_at, unreadable
from huanxin.domain.numbers import NumberingPlan, masked, why_not_ours, written
from huanxin.numbersets import columns, tables
from huanxin.numbersets.files import name_of
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.acting import Act
from huanxin.store.database import Tx, one_name_at_a_time
from huanxin.store.plan import holds
from huanxin.store.plan.holds import Hold
from huanxin.store.release import stops
from huanxin.store.release.stops import Stop
from huanxin.words.sentences import Sentence

_NAMES = ("number",)
_SHOWN = 100


def read_numbers(path: Path, plan: NumberingPlan, most_bytes: int | None = None, *, allotted: bool = True) -> NumberSet:
    """The numbers of a file with a column `number`, refused whole with every bad line. Where `allotted`, each must lie in
    some carrier's range, else a slip of the pen would hold nothing and nobody would know. `most_bytes`: what it may have
    once unpacked."""
    parts: list[npt.NDArray[np.int64]] = []
    faults: list[Fault] = []
    wanted = tables.Columns(names=_NAMES, aliases=plan.words.aliases(_NAMES), whole=True)
    try:
        source = tables.inspect(path, most=most_bytes)
        with tables.read(source, wanted, keep_ragged=MOST_FAULTS + 1) as table:
            for chunk in table.chunks:
                numbers, bad = _checked(chunk, plan, allotted=allotted)
                parts.append(numbers)
                faults += bad
                faults += [Fault(line=line, reason=reason, text=text) for line, reason, text in table.ragged]
                table.ragged.clear()
                stop_at(MOST_FAULTS, faults, name=name_of(path))
    except tables.BadTable as error:
        raise unreadable(name_of(path), error.reason, error.line) from error
    if faults:
        raise BadInput(
            Sentence(
                "%(name)s: lines that can't be read: %(count)s; none was taken", name=name_of(path), count=f"{len(faults):,}"
            ),
            faults,
        )
    return NumberSet.of(np.concatenate(parts) if parts else [])


def _checked(chunk: tables.Chunk, plan: NumberingPlan, *, allotted: bool) -> tuple[npt.NDArray[np.int64], list[Fault]]:
    """A chunk's good numbers, and its bad lines, no more than are read for."""
    found = columns.numbers(chunk.columns["number"], doors.LIST.home(plan))
    outside = found.good & ~plan.covers(found.value) if allotted else np.zeros(len(found.good), np.bool_)
    rows = np.flatnonzero((~found.good | outside) & chunk.said)[: MOST_FAULTS + 1]
    texts = columns.texts(chunk.columns["number"], rows)
    faults = [
        Fault(line=int(chunk.lines[row]), reason=why_not_ours(int(found.value[row])) if outside[row] else why, text=text)
        for row, why, text in zip(rows.tolist(), found.why(rows), texts, strict=True)
    ]
    return found.value[found.good], faults


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A hold that was asked for. `new`: not placed before; a duplicate changes nothing (rule 7). `stopped`: what of it stood
    on release lists when it was placed, and nobody had bought: the carriers have to take it off their shelves."""

    id: int
    new: bool
    stopped: list[Stop]

    @property
    def released(self) -> int:
        return sum(one.count for one in self.stopped)


def add_hold(act: Act, numbers: NumberSet, *, source: str, order: str, reason: str, until: date, review_on: date) -> Placed:
    """Record an authority's hold on some numbers, or find the same one that binds already. It binds from now to the end of
    `until`. `order`: the number that the authority gave its order. Raises BadInput for what an order can't be without, or
    days that have passed."""
    source, order, reason = source.strip(), order.strip(), reason.strip()
    if not numbers:
        raise BadInput(Sentence("the hold names no number; give a file with a column number"))
    if not source or not order or not reason:
        raise BadInput(Sentence("a hold needs its source, the number of the authority's order and its reason"))
    if until < act.today:
        raise BadInput(Sentence("the last day lies before today, so the hold would keep nothing frozen"))
    if not act.today <= review_on <= until:
        raise BadInput(Sentence("the day of review has to lie between today and the last day"))
    act = act.in_turn()
    one_name_at_a_time(act.tx, f"hold {source} {order}")
    for hold_id in holds.in_force(act.tx, source=source, order=order, until=until, count=len(numbers)):
        if holds.numbers_of(act.tx, hold_id) == numbers:
            return Placed(id=hold_id, new=False, stopped=stops.known(act.tx, hold_id=hold_id))
    made = facts.hold(
        act.tx, source=source, order=order, reason=reason, until=until, review_on=review_on, numbers=numbers, by=act.by,
        at=act.now,
    )  # fmt: skip
    stops.add(act.tx, stops.listed(act.tx, numbers), hold_id=made, at=act.now)
    return Placed(id=made, new=True, stopped=stops.known(act.tx, hold_id=made))


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """A hold that no longer binds its numbers, or some. `goes_on`: the hold that binds the others, None if none is."""

    hold: Hold
    count: int
    goes_on: int | None = None


def lift_hold(act: Act, hold_id: int, *, reason: str, only: Iterable[int] | None = None) -> Lifted:
    """Record that a hold no longer binds, or `only` some of its numbers: then it is lifted, and the same order goes on for
    the others as a hold of its own, without a moment between. Raises NotFound, Conflict for one that was lifted before,
    BadInput without a reason or with numbers that it doesn't name."""
    act = act.in_turn()
    one_name_at_a_time(act.tx, f"hold {hold_id}")
    hold = binding(act.tx, hold_id)
    if not reason.strip():
        raise BadInput(Sentence("say why the hold is lifted"))
    free = let_go(act.tx, hold_id, only)
    facts.hold_lift(act.tx, hold_id, reason=reason, by=act.by, at=act.now)
    if not (rest := holds.numbers_of(act.tx, hold_id) - free):
        return Lifted(hold=hold, count=len(free))
    goes_on = facts.hold(
        act.tx, source=hold.source, order=hold.order_number, reason=hold.reason, until=hold.until_day,
        review_on=hold.review_on, numbers=rest, by=act.by, at=act.now, replaces=hold_id,
    )  # fmt: skip
    stops.add(act.tx, stops.listed(act.tx, rest), hold_id=goes_on, at=act.now)
    return Lifted(hold=hold, count=len(free), goes_on=goes_on)


def binding(tx: Tx, hold_id: int) -> Hold:
    """A hold that was not lifted. Raises NotFound, Conflict."""
    hold = holds.get(tx, hold_id)
    if hold is None:
        raise NotFound(Sentence("there is no hold %(hold)s; `huanxin hold list` shows them", hold=hold_id))
    if hold.lifted_at:
        raise Conflict(
            Sentence(
                "hold %(hold)s was lifted by %(lifted_by)s on %(lifted_at)s already",
                hold=hold_id,
                lifted_by=hold.lifted_by,
                lifted_at=f"{hold.lifted_at:%Y-%m-%d}",
            )
        )
    return hold


def let_go(tx: Tx, hold_id: int, only: Iterable[int] | None) -> NumberSet:
    """The numbers that a lift lets go: all of a hold, or `only` some. Raises BadInput for others, or none."""
    every = holds.numbers_of(tx, hold_id)
    some = every if only is None else NumberSet.of(list(only))
    if not some:
        raise BadInput(Sentence("what you gave names no number, so none was let go"))
    if others := (some - every).numbers()[:_SHOWN].tolist():
        raise BadInput(
            Sentence("%(count)s of the numbers are not in hold %(hold)s, so none was let go",
                     count=f"{len(some - every):,}", hold=hold_id),
            [Fault(line=0, reason=Sentence("%(number)s is not in hold %(hold)s", number=masked(written(one)), hold=hold_id))
             for one in others],
        )  # fmt: skip
    return some
