"""The lines of a receipt as sets of places: `number,outcome,reason,until`, checked against the notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from huanxin.domain.answers import OUTCOMES_OF, Answer, Outcome, Purpose, Reason
from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.numbers import masked
from huanxin.numbersets import columns, moments, phones, tables
from huanxin.numbersets.arrow import pc
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import Numbers, bitmap_of
from huanxin.words.sentences import Sentence

COLUMNS = tables.Columns(names=("number", "outcome", "reason", "until"), optional=frozenset({"reason", "until"}))
SHOWN_FAULTS = 100
MOST_ANSWERS = 1000  # ways of answering in one receipt: each is a set on record, and what differs is the day of `until`
_OUTCOMES = list(Outcome)
_REASONS = ["", *Reason]
_EPOCH = date(1970, 1, 1)
_NO_DAY = -1
_SPARE_LINES, _LINE = 100_000, 256  # bytes
_Key = int
"""An answer as one integer: day of `until`, index of the reason, index of the outcome, from the high bits to the low."""
_PLACE_BITS, _BYTE, _LOW = 32, 0xFF, 0xFFFF
FIRST_UNTIL = date(2000, 1, 1)
"""An answer that stood until an earlier day is a slip of the pen."""
_FIRST_DAY, _LAST_DAY = ((day - _EPOCH).days for day in (FIRST_UNTIL, date.max))


@dataclass(frozen=True, kw_only=True)
class ParsedReceipt:
    """Places by answer, and how many lines said so."""

    answers: Mapping[Answer, BitMap]
    lines: int


class RefusedReceipt(BadInput):
    """A receipt of a notice of which nothing was taken. `named`: the places of the numbers that it named, as far as it was
    read."""

    def __init__(self, refusal: BadInput, named: BitMap) -> None:
        super().__init__(refusal.said, refusal.faults, refusal.total)
        self.named = named


@dataclass(kw_only=True)
class _Taken:
    """What was read so far. The first faults are kept and all are counted: a file may have ten million."""

    answers: dict[_Key, BitMap] = field(default_factory=dict)
    unclear: BitMap = field(default_factory=BitMap)
    """places that bad lines name"""
    lines: int = 0
    faults: list[Fault] = field(default_factory=list)
    bad: int = 0

    def refuse(self, faults: list[Fault], count: int) -> None:
        self.faults += faults[: SHOWN_FAULTS - len(self.faults)]
        self.bad += count

    def refusal(self, error: BadInput) -> RefusedReceipt:
        return RefusedReceipt(error, BitMap.union(self.unclear, *self.answers.values()))


def parse_receipt(source: tables.Source, roster: Roster, purpose: Purpose, zone: str) -> ParsedReceipt:
    """Read a receipt. Raises RefusedReceipt, with the lines, if any number is not in the notice, is answered twice
    differently, or any outcome or reason is not one that the notice may be answered with."""
    taken = _Taken()
    try:
        with tables.read(source, COLUMNS, keep_ragged=SHOWN_FAULTS) as table:
            for chunk in table.chunks:
                _take(chunk, roster, purpose, zone, taken)
                _refuse_too_many(taken.lines + table.ragged_count, roster)
        ragged = [Fault(line=line, reason=reason) for line, reason, _ in table.ragged]
        taken.faults = sorted([*taken.faults, *ragged], key=lambda fault: fault.line)[:SHOWN_FAULTS]
        taken.bad += table.ragged_count
        if not taken.bad:
            _refuse_contradictions(source, roster, taken)
    except tables.BadTable as error:
        raise taken.refusal(unreadable(error)) from error
    if taken.bad:
        raise taken.refusal(refused_whole(taken.faults, taken.bad))
    return ParsedReceipt(answers={_answer(key): places for key, places in taken.answers.items()}, lines=taken.lines)


def _answer(key: _Key) -> Answer:
    until = key >> 16
    day = None if until == _NO_DAY else _EPOCH + timedelta(days=until)
    return Answer(outcome=_OUTCOMES[key & _BYTE], reason=_REASONS[key >> 8 & _BYTE], until=day)


def longest(count: int) -> int:
    """Bytes that a receipt may have, unpacked, of a notice of so many numbers: as many lines as are read, with room for
    columns of the partner's own."""
    return (_SPARE_LINES + 2 * count) * _LINE


def _refuse_too_many(lines: int, roster: Roster) -> None:
    if lines > _SPARE_LINES + 2 * len(roster):  # a few KB of packed file can hold a billion lines
        raise tables.BadTable(
            Sentence(
                "the receipt has more than twice as many lines as the notice has numbers (%(count)s)",
                count=f"{len(roster):,}",
            )
        )


def _take(chunk: tables.Chunk, roster: Roster, purpose: Purpose, zone: str, taken: _Taken) -> None:
    """Add a chunk's good lines to the answers and its bad ones to the faults."""
    numbers = columns.numbers(chunk.columns["number"], phones.E164)
    outcome = columns.words(chunk.columns["outcome"], {word.value: code for code, word in enumerate(_OUTCOMES)})
    places, known = roster.places(numbers.value)
    allowed = np.zeros(len(_OUTCOMES) + 1, np.bool_)
    allowed[[_OUTCOMES.index(one) for one in OUTCOMES_OF[purpose]]] = True
    reason = _reasons(chunk)
    refused = outcome == _OUTCOMES.index(Outcome.REFUSED)
    until, days, good_until = _days(chunk, zone)
    good = numbers.good & known & allowed[outcome] & (reason >= 0) & (refused <= (reason > 0)) & good_until
    taken.lines += len(numbers.good)
    if not good.all():
        taken.unclear |= bitmap_of(np.sort(places[numbers.good & known & ~good]))
        bad = np.flatnonzero(~(good | _blank(chunk)))
        shown = bad[: SHOWN_FAULTS - len(taken.faults)]
        taken.refuse(
            _faults(chunk, shown, _Checked(numbers, known, allowed[outcome], good_until, reason), purpose), len(bad)
        )
    key = until[good] << 16 | np.where(refused, reason, 0)[good].astype(np.int64) << 8 | outcome[good]
    _sort_in(taken, key, places[good], days)


def _sort_in(taken: _Taken, key: npt.NDArray[np.int64], places: npt.NDArray[np.uint32], days: npt.NDArray[np.int64]) -> None:
    """Add places to the answers that their keys stand for: one sort brings each answer's places together, in order. In the
    keys stands which of `days` it is, since a day itself may need more bits than a key has."""
    both = np.sort(key << _PLACE_BITS | places)
    key = both >> _PLACE_BITS
    starts = np.flatnonzero(np.diff(key)) + 1
    ascending = both.astype(np.uint32)
    for first, part in zip([0, *starts.tolist()], np.split(ascending, starts), strict=True):
        if len(part):
            found = bitmap_of(part)
            said = int(days[key[first] >> 16]) << 16 | int(key[first]) & _LOW
            known = taken.answers.setdefault(said, found)
            if known is not found:
                known |= found
    if len(taken.answers) > MOST_ANSWERS:
        raise _many_days()


def _many_days() -> tables.BadTable:
    many = f"{MOST_ANSWERS:,}"
    return tables.BadTable(
        Sentence("the receipt names more than %(most)s different days in until; round them to months", most=many)
    )


def _reasons(chunk: tables.Chunk) -> npt.NDArray[np.int8]:
    if "reason" not in chunk.columns:
        return np.zeros(len(chunk.lines), np.int8)
    return columns.words(chunk.columns["reason"], {word: code for code, word in enumerate(_REASONS)})


def _days(chunk: tables.Chunk, zone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], columns.Mask]:
    """Until when answers stand: for each line which of the days it is, the days since 1970 (-1 where none is given), and
    which lines can be read."""
    column = chunk.columns.get("until")
    if column is None:
        return np.zeros(len(chunk.lines), np.int64), np.array([_NO_DAY]), np.ones(len(chunk.lines), np.bool_)
    # Each day is read once: a file says the same few many times, and reading text as a time is slow.
    encoded = column.dictionary_encode()
    given = columns.given(encoded.dictionary)
    read = moments.instants(encoded.dictionary, zone)
    days, good = read.day, read.good & (read.day >= _FIRST_DAY) & (read.day <= _LAST_DAY)
    days = np.append(np.where(given & good, days, _NO_DAY), _NO_DAY)
    good = np.append(good | ~given, True)
    rows = pc.fill_null(encoded.indices, len(days) - 1).to_numpy(zero_copy_only=False)
    distinct, which = np.unique(days, return_inverse=True)
    if len(distinct) > MOST_ANSWERS + 1:
        raise _many_days()
    return which[rows].astype(np.int64), distinct, good[rows]


def _blank(chunk: tables.Chunk) -> columns.Mask:
    """Lines that say nothing."""
    return ~(columns.given(chunk.columns["number"]) | columns.given(chunk.columns["outcome"]))


class _Checked(NamedTuple):
    """What was found of each line, one mask for each thing that can be wrong with it; `reason` is below zero if it is
    unknown."""

    numbers: columns.Phones
    known: columns.Mask
    allowed: columns.Mask
    good_until: columns.Mask
    reason: npt.NDArray[np.int8]


def _faults(
    chunk: tables.Chunk, rows: npt.NDArray[np.int64], checked: _Checked, purpose: Purpose
) -> list[Fault]:  # fmt: skip
    found = []
    outcomes = columns.texts(chunk.columns["outcome"], rows)
    for row, outcome in zip(rows.tolist(), outcomes, strict=True):
        if not checked.numbers.good[row]:
            [why] = checked.numbers.why_not(row)
        elif not checked.known[row]:
            why = Sentence(
                "%(number)s is not in this notice; answer only for the numbers that the notice names",
                number=masked(int(checked.numbers.value[row])),
            )
        elif not checked.allowed[row]:
            why = cant_answer(outcome, _ASKED[purpose], OUTCOMES_OF[purpose])
        elif not checked.good_until[row]:
            why = no_day()
        elif checked.reason[row] < 0:
            why = Sentence("the reason is unknown; it is one of %(known)s", known=", ".join(Reason))
        else:
            why = needs_reason()
        found.append(Fault(line=int(chunk.lines[row]), reason=why))
    return found


_ASKED = {Purpose.RENEWAL: Sentence("a renewal"), Purpose.RETRACTION: Sentence("a retraction")}


def cant_answer(outcome: str, what: Sentence, known: Iterable[str]) -> Sentence:
    """Why an outcome is not taken as the answer to what was asked."""
    return Sentence(
        "outcome %(outcome)s can't answer %(what)s; it is one of %(known)s", outcome=repr(outcome.strip()), what=what,
        known=", ".join(known),
    )  # fmt: skip


def needs_reason() -> Sentence:
    """Why a refusal is not taken."""
    return Sentence("a refusal needs its reason: one of %(known)s", known=", ".join(Reason))


def no_day() -> Sentence:
    """Why an `until` is not taken."""
    return Sentence("until can't be read; write a date like 2026-03-01 or RFC 3339, from 2000-01-01 on")


def refused_whole(faults: Sequence[Fault], total: int) -> BadInput:
    """A receipt of which nothing was taken."""
    why = Sentence("the receipt was refused whole: %(count)s of its lines can't be taken", count=f"{total:,}")
    return BadInput(why, faults, total)


def unreadable(error: tables.BadTable) -> BadInput:
    """A receipt that can't be read."""
    why: str = error.args[0]
    return BadInput(why, [Fault(line=error.line, reason=why)])


def _refuse_contradictions(source: tables.Source, roster: Roster, taken: _Taken) -> None:
    """Numbers that one receipt answers in two ways: which of them holds can't be known."""
    seen, twice = BitMap(), BitMap()
    for places in taken.answers.values():
        twice |= seen & places
        seen |= places
    if twice:
        found = _lines_of(source, roster.at(twice[:SHOWN_FAULTS]))
        faults = [Fault(line=lines[-1], reason=_in_two_ways(number, lines[0])) for number, lines in found.items()]
        taken.refuse(sorted(faults, key=lambda fault: fault.line), len(twice))


def _in_two_ways(number: int, line: int) -> Sentence:
    return Sentence(
        "%(number)s is answered in two ways, here and on line %(line)s; send one answer", number=masked(number), line=line
    )


def _lines_of(source: tables.Source, wanted: Numbers) -> dict[int, list[int]]:
    """The lines on which some numbers stand, found by reading the file once more."""
    found: dict[int, list[int]] = {}
    with tables.read(source, COLUMNS, keep_ragged=0) as table:
        for chunk in table.chunks:
            numbers = columns.numbers(chunk.columns["number"], phones.E164).value
            for row in np.flatnonzero(np.isin(numbers, wanted)).tolist():
                found.setdefault(int(numbers[row]), []).append(int(chunk.lines[row]))
    return found
