"""Holds: an authority's order that keeps numbers frozen longer (FACTS: numbers at high risk)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np

from huanxin.domain.errors import BadInput, Conflict, Fault, NotFound
from huanxin.domain.numbers import why_not_a_number
from huanxin.numbersets import columns, tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.sentences import Sentence
from huanxin.store import holds
from huanxin.store.database import Tx, recording_facts
from huanxin.store.holds import Hold

_COLUMNS = tables.Columns(names=("number",), aliases={"号码": "number", "手机号码": "number"})

_NATIONAL = (13_000_000_000, 19_999_999_999)
"""Chinese mobile numbers without 86, as integers."""


def read_numbers(path: Path) -> NumberSet:
    """The numbers of a file with a column `number`, refused whole with every bad line."""
    parts, faults = [], []
    try:
        table = tables.read(tables.inspect(path, workbooks=True), _COLUMNS)
        for chunk in table.chunks:
            numbers, good = columns.numbers(chunk.columns["number"])
            parts.append(numbers[good])
            # Without a country code a Chinese number reads as one of another country: it would hold the wrong one.
            national = (numbers >= _NATIONAL[0]) & (numbers <= _NATIONAL[1])
            rows = np.flatnonzero(~good | national)
            for row, text in zip(rows.tolist(), columns.texts(chunk.columns["number"], rows), strict=True):
                reason = why_not_a_number(text)
                if text.strip() and reason:
                    faults.append(Fault(line=int(chunk.lines[row]), reason=reason, text=text))
    except tables.BadTable as error:
        raise BadInput(error.reason, [Fault(line=error.line, reason=error.reason)]) from error
    faults += [Fault(line=line, reason=reason, text=text) for line, reason, text in table.ragged]
    if faults:
        raise BadInput(
            Sentence("%(name)s: %(count)s lines can't be read, so none was taken", name=path.name, count=f"{len(faults):,}"),
            faults,
        )
    return NumberSet.of(np.concatenate(parts) if parts else [])


def add_hold(
    tx: Tx, numbers: NumberSet, *, source: str, reason: str, until: date, review_on: date | None, now: datetime, by: str,
    order: str = "",
) -> int:  # fmt: skip
    """Record an authority's hold on some numbers; its id. It binds from now to the end of `until`. `order`: the number that
    the authority gave its order."""
    if not numbers:
        raise BadInput(Sentence("the hold names no number; give a file with a column number"))
    if not source.strip() or not reason.strip():
        raise BadInput(Sentence("a hold needs its source (the authority and its order) and its reason"))
    recording_facts(tx)
    return holds.add(
        tx, source=source.strip(), order=order.strip(), reason=reason.strip(), until=until, review_on=review_on,
        numbers=numbers, by=by, at=now,
    )  # fmt: skip


def lift_hold(tx: Tx, hold_id: int, *, reason: str, now: datetime, by: str) -> Hold:
    """Record that a hold no longer binds."""
    recording_facts(tx)
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
    if not reason.strip():
        raise BadInput(Sentence("say why the hold is lifted"))
    holds.lift(tx, hold_id, reason=reason, by=by, at=now)
    return hold
