"""The lines of a receipt as sets of places: `number,outcome,reason,until`, checked against the notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.domain.answers import OUTCOMES_OF, Answer, Outcome, Purpose, Reason
from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.numbers import masked, why_not_a_number
from huanxin.numbersets import columns, tables
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import bitmap_of

COLUMNS = tables.Columns(names=("number", "outcome", "reason", "until"), optional=frozenset({"reason", "until"}))
SHOWN_FAULTS = 100
_OUTCOMES = list(Outcome)
_REASONS = ["", *Reason]
_EPOCH = date(1970, 1, 1)
_NO_DAY = -1


@dataclass(frozen=True, kw_only=True)
class ParsedReceipt:
    """Places by answer, and how many lines said so."""

    answers: Mapping[Answer, BitMap]
    lines: int


def parse_receipt(source: tables.Source, roster: Roster, purpose: Purpose, zone: str) -> ParsedReceipt:
    """Read a receipt. Raises BadInput, with the lines, if any number is not in the notice, is answered twice
    differently, or any outcome or reason is not one that the notice may be answered with."""
    faults: list[Fault] = []
    parts: dict[tuple[int, int, int], list[npt.NDArray[np.uint32]]] = {}
    lines = 0
    try:
        table = tables.read(source, COLUMNS)
        for chunk in table.chunks:
            lines += _take(chunk, roster, purpose, zone, parts, faults)
    except tables.BadTable as error:
        raise BadInput(str(error), [Fault(line=error.line, reason=str(error))]) from error
    faults += [Fault(line=line, reason=reason) for line, reason, _ in table.ragged]
    answers = {_answer(key): bitmap_of(np.concatenate(found)) for key, found in parts.items()}
    faults += _contradictions(answers, roster)
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise BadInput(
            f"the receipt was refused whole: {len(faults):,} of its lines can't be taken", faults[:SHOWN_FAULTS], len(faults)
        )
    return ParsedReceipt(answers=answers, lines=lines)


def _answer(key: tuple[int, int, int]) -> Answer:
    outcome, reason, until = key
    day = None if until == _NO_DAY else _EPOCH + timedelta(days=until)
    return Answer(outcome=_OUTCOMES[outcome], reason=_REASONS[reason], until=day)


def _take(
    chunk: tables.Chunk, roster: Roster, purpose: Purpose, zone: str,
    parts: dict[tuple[int, int, int], list[npt.NDArray[np.uint32]]], faults: list[Fault],
) -> int:  # fmt: skip
    """Add a chunk's good lines to `parts` and its bad ones to `faults`; how many lines it has."""
    numbers, good_number = columns.numbers(chunk.columns["number"])
    outcome = columns.words(chunk.columns["outcome"], {word.value: code for code, word in enumerate(_OUTCOMES)})
    places, known = roster.places(numbers)
    allowed = np.zeros(len(_OUTCOMES) + 1, np.bool_)
    allowed[[_OUTCOMES.index(one) for one in OUTCOMES_OF[purpose]]] = True
    reason = _reasons(chunk)
    refused = outcome == _OUTCOMES.index(Outcome.REFUSED)
    until, good_until = _days(chunk, zone)
    good = good_number & known & allowed[outcome] & (reason >= 0) & (refused <= (reason > 0)) & good_until
    if not good.all():
        faults.extend(
            _faults(chunk, np.flatnonzero(~good), good_number, known, allowed[outcome], reason, good_until, purpose)
        )
    reason = np.where(refused, reason, 0)
    key = (until[good] << 16) | (reason[good].astype(np.int64) << 8) | outcome[good]
    kept = places[good]
    for value in np.unique(key).tolist():
        parts.setdefault((value & 0xFF, (value >> 8) & 0xFF, value >> 16), []).append(kept[key == value])
    return len(numbers)


def _reasons(chunk: tables.Chunk) -> npt.NDArray[np.int8]:
    if "reason" not in chunk.columns:
        return np.zeros(len(chunk.lines), np.int8)
    return columns.words(chunk.columns["reason"], {word: code for code, word in enumerate(_REASONS)})


def _days(chunk: tables.Chunk, zone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Days since 1970 until which answers stand, -1 where none is given."""
    none = np.full(len(chunk.lines), _NO_DAY, np.int64)
    column = chunk.columns.get("until")
    if column is None:
        return none, np.ones(len(none), np.bool_)
    given = columns.given(column)
    if not given.any():
        return none, np.ones(len(none), np.bool_)
    _, days, good = columns.instants(column, zone)
    return np.where(given & good, days, _NO_DAY), good | ~given


def _faults(  # one mask for each thing that can be wrong with a line
    chunk: tables.Chunk, rows: npt.NDArray[np.int64], good_number: columns.Mask, known: columns.Mask,
    allowed: columns.Mask, reason: npt.NDArray[np.int8], good_until: columns.Mask, purpose: Purpose,
) -> list[Fault]:  # fmt: skip
    found = []
    numbers = columns.texts(chunk.columns["number"], rows)
    outcomes = columns.texts(chunk.columns["outcome"], rows)
    for row, number, outcome in zip(rows.tolist(), numbers, outcomes, strict=True):
        if not number.strip() and not outcome.strip():
            continue  # a blank line says nothing
        if not good_number[row]:
            why = why_not_a_number(number) or "not an E.164 number"
        elif not known[row]:
            why = f"{masked(number.strip())} is not in this notice; answer only for the numbers that the notice names"
        elif not allowed[row]:
            why = f"outcome {outcome.strip()!r} can't answer a {purpose}; it is one of {', '.join(OUTCOMES_OF[purpose])}"
        elif not good_until[row]:
            why = "until can't be read; write a date like 2026-03-01 or RFC 3339"
        elif reason[row] < 0:
            why = f"the reason is unknown; it is one of {', '.join(Reason)}"
        else:
            why = f"a refusal needs its reason: one of {', '.join(Reason)}"
        found.append(Fault(line=int(chunk.lines[row]), reason=why))
    return found


def _contradictions(answers: Mapping[Answer, BitMap], roster: Roster) -> list[Fault]:
    """Numbers that one receipt answers in two ways: which of them holds can't be known."""
    seen, twice = BitMap(), BitMap()
    for places in answers.values():
        twice |= seen & places
        seen |= places
    return [Fault(line=0, reason=f"{masked(number)} is answered in two ways in one receipt; send one answer")
            for number in roster.at(twice).tolist()]  # fmt: skip
