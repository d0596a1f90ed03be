"""The one rule of the ready stores: which rows of a table are cut, which are given back, and what is answered for each.

A store for a kind of database says how rows are found, detached, attached and recorded. What becomes of them is said here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Generic, TypeVar

from huanxin_partner.ties import Answer
from huanxin_partner.times import MOST_MEANT, latest_instant

REASONS = frozenset({"debt", "balance", "frozen", "banned", "legal_hold", "dispute", "other"})  # DESIGN: outcomes
_PART = 30_000  # rows in one statement: SQLite takes 32,766 values, PostgreSQL 65,535
_Item = TypeVar("_Item")
Session = TypeVar("Session")


class BadTable(ValueError):
    """The table can't be used as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tie:
    """A row with a number: its primary key, the number as it is stored, and when it was bound."""

    key: Any
    number: str
    bound_at: object = None


Refuse = Callable[[Session, list[Tie]], Mapping[Any, str]]
EndSessions = Callable[[Session, list[Tie]], None]


def _as_it_is(number: str) -> str:
    return number


class RowTies(ABC, Generic[Session]):
    """A `TieStore` on a table with a row per tie: the number, when it was bound, and whatever else the row holds.

    A row is cut if it was bound strictly before the cut-off, at the latest instant that its time may stand for; one whose
    time can't be read is refused. Cutting takes the number from the row and keeps the row: the account and its assets.
    What was cut is recorded in the same transaction, so that asked again the store answers the same, and can give it back.

    The hooks are called in that transaction with many rows at once, so that each can do with one query:

    - `refuse` gives the keys of rows that must not be cut, each with its reason (`REASONS`).
    - `end_sessions` ends the sessions of rows that are being cut.

    Without hooks nobody has to see a row before it is cut. A store may then cut in one statement (`cut_older`) the rows
    that are older than the cut-off however their time is read, which are nearly all, and leave the others to the rule.

    `spell` turns `+8613800138000` into what the column holds; numbers that share a spelling are not told apart. A store
    whose table shows by other means than NULL that a row has no number overrides `detach` and `attach`.
    """

    def __init__(
        self, *, zone: tzinfo = UTC, refuse: Refuse[Session] | None = None, end_sessions: EndSessions[Session] | None = None,
        spell: Callable[[str], str] = _as_it_is,
    ) -> None:  # fmt: skip
        self._zone, self._refuse, self._end_sessions, self._spell = zone, refuse, end_sessions, spell

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore."""
        with self.transaction() as session:
            return [answer for part in _parts(numbers) for answer in self._unbind(session, part, cutoff)]

    def unbind_many(self, wanted: Mapping[datetime, Sequence[str]]) -> list[Answer]:
        """See ties.ManyTies."""
        with self.transaction() as session:
            parts = ((part, cutoff) for cutoff, numbers in wanted.items() for part in _parts(numbers))
            return [answer for part, cutoff in parts for answer in self._unbind(session, part, cutoff)]

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore."""
        with self.transaction() as session:
            return [answer for part in _parts(numbers) for answer in self._restore(session, part, cutoff)]

    def bound(self, number: str) -> bool:
        """See ties.TieStore."""
        with self.transaction() as session:
            return bool(self.found(session, [self._spell(number)]))

    def _unbind(self, session: Session, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        asked = {self._spell(number): number for number in numbers}
        cut, rest = self._cut_at_once(session, list(asked), cutoff)
        outcomes: dict[str, set[str]] = defaultdict(set)
        ties = self.found(session, rest) if rest else []
        unsure = {tie.number for tie in ties} | (asked.keys() - cut)
        # After the rows are locked: another worker may have cut them.
        record = self.cuts(session, sorted(unsure), cutoff) if unsure else {}
        stale = []
        for tie in ties:
            latest = latest_instant(tie.bound_at, self._zone)
            if latest is None:
                outcomes[tie.number].add("other")
            elif latest >= cutoff or (tie.number, tie.key) in record:  # cut once, so it is back again since
                outcomes[tie.number].add("kept")
            else:
                stale.append(tie)
        refused = self._refusals(session, stale)
        for tie in stale:
            outcomes[tie.number].add(refused.get(tie.key, "unbound"))
        for part in _parts([tie for tie in stale if tie.key not in refused]):
            self._cut(session, part, cutoff)
        for (number, _), restored in record.items():
            if not restored:
                outcomes[number].add("unbound")
        for number in outcomes.keys() & cut:
            outcomes[number].add("unbound")
        unbound = [Answer(number=asked[number], outcome="unbound") for number in cut if number not in outcomes]
        return unbound + [_answer(asked[number], found) for number, found in outcomes.items()]

    def _cut_at_once(self, session: Session, numbers: list[str], cutoff: datetime) -> tuple[set[str], list[str]]:
        """Cut what needs no closer look: the numbers it was on, and those with ties left to look at. What was cut before
        may be back again, and needs a look."""
        if self._refuse or self._end_sessions or not self.cuts_at_once(session):
            return set(), numbers
        before = {number for number, _ in self.cuts(session, numbers, cutoff)}
        fresh = [number for number in numbers if number not in before] if before else numbers
        if not fresh:
            return set(), numbers
        cut, left = self.cut_older(session, fresh, cutoff, cutoff.astimezone(UTC) - MOST_MEANT)
        return set(cut), [*before, *left]

    def _refusals(self, session: Session, ties: list[Tie]) -> dict[Any, str]:
        refused: dict[Any, str] = {}
        if self._refuse:
            for part in _parts(ties):
                refused.update(self._refuse(session, part))
        if unknown := set(refused.values()) - REASONS:
            raise ValueError(f"a tie was refused for {unknown.pop()!r}; reasons are {', '.join(sorted(REASONS))}")
        return refused

    def _cut(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        self.record(session, ties, cutoff)
        if self._end_sessions:
            self._end_sessions(session, ties)
        self.detach(session, ties)

    def _restore(self, session: Session, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        asked = {self._spell(number): number for number in numbers}
        record = self.cuts(session, list(asked), cutoff)
        outcomes = {number: "irreversible" for number, _ in record}
        outcomes |= {number: "restored" for (number, _), restored in record.items() if restored}
        for part in _parts([Tie(key=key, number=number) for (number, key), restored in record.items() if not restored]):
            attached = self.attach(session, part)
            self.record_restored(session, attached, cutoff)
            outcomes |= {tie.number: "restored" for tie in attached}
        return [Answer(number=asked[number], outcome=outcome) for number, outcome in outcomes.items()]

    def cuts_at_once(self, session: Session) -> bool:
        """Whether this store, on this database and table, has a `cut_older`."""
        return False

    def cut_older(
        self, session: Session, numbers: list[str], cutoff: datetime, than: datetime
    ) -> tuple[list[str], list[str]]:
        """Record and detach in one statement the ties on these numbers whose time, read as UTC, is before `than`: their
        numbers, and the numbers that have other ties. It has to see a row as it is once it is locked."""
        raise NotImplementedError

    # What a kind of database does its own way. Lists have at most a few thousand rows.
    @abstractmethod
    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction, kept if the block ends well. Where rows can't be locked, no other may write in the meantime."""

    @abstractmethod
    def found(self, session: Session, numbers: list[str]) -> list[Tie]:
        """The ties on these numbers, locked against changes until the transaction ends."""

    @abstractmethod
    def cuts(self, session: Session, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], bool]:
        """What this cut-off has cut before: (number, key) -> whether it was given back."""

    @abstractmethod
    def record(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        """Record that these are being cut; their rows still have their numbers."""

    @abstractmethod
    def record_restored(self, session: Session, ties: list[Tie], cutoff: datetime) -> None:
        """Record that these were given back."""

    @abstractmethod
    def detach(self, session: Session, ties: list[Tie]) -> None:
        """Take the number from each row and keep everything else."""

    @abstractmethod
    def attach(self, session: Session, ties: list[Tie]) -> list[Tie]:
        """Give each row its number back where it has none now, and no other row has it; those that have it back."""


def _parts(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    for start in range(0, len(items), _PART):
        yield list(items[start : start + _PART])


def _answer(number: str, found: set[str]) -> Answer:
    """The one answer for a number with several ties: what is still to be done weighs most, then what was done."""
    if reasons := found & REASONS:
        return Answer(number=number, outcome="refused", reason=min(reasons))
    return Answer(number=number, outcome="unbound" if "unbound" in found else "kept")
