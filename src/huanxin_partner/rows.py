"""The one rule of the ready stores: which rows of a table are cut, which are given back, and what is answered for each.

A store for a kind of database says how rows are found, detached, attached and recorded. What becomes of them is said here.
"""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Generic, TypeVar

from huanxin_partner.surveys import Survey, surveyed
from huanxin_partner.ties import Answer
from huanxin_partner.times import EARLIEST, MOST_MEANT, Times

log = logging.getLogger("huanxin_partner")
OLDEST = EARLIEST + MOST_MEANT  # what is before it, read as UTC, may be in doubt
REASONS = frozenset({"debt", "balance", "frozen", "banned", "legal_hold", "dispute", "other"})  # DESIGN: outcomes
_PART = 30_000  # rows in one statement: SQLite takes 32,766 values, PostgreSQL 65,535
_LONGEST_SOURCE = 128  # characters, as records have room for
_Item = TypeVar("_Item")
Session = TypeVar("Session")


class BadTable(ValueError):
    """The table can't be used as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tie:
    """A row with a number: its primary key, the number as it is stored, and when it was bound. `stored`: that time as the
    table has it, where a store reads it too, since a driver may read it as something else, or not at all."""

    key: Any
    number: str
    bound_at: object = None
    stored: str | None = None


Refuse = Callable[[Session, list[Tie]], Mapping[Any, str]]
EndSessions = Callable[[Session, list[Tie]], None]
Act = Callable[[Session, list[Tie]], list[Tie]]


def _as_it_is(number: str) -> str:
    return number


class RowTies(ABC, Generic[Session]):
    """A `TieStore` on a table with a row per tie: the number, when it was bound, and whatever else the row holds.

    A row is cut if it was bound strictly before the cut-off, at the latest instant that its time may stand for; one whose
    time is in doubt is refused (times.Times, where `form` and `zone` are; `survey` counts them). Cutting takes the number
    from the row and keeps the row: the account and its assets. What was cut is recorded in the same transaction, so that
    asked again the store answers the same, and can give it back. A number is given back to all rows that lost it, or to
    those that can have it, and then is not `restored`.

    The hooks are called in that transaction with many rows at once, so that each can do with one query:

    - `refuse` gives the keys of rows that must not be cut, as `Tie.key` has them, each with its reason (`REASONS`).
    - `end_sessions` ends the sessions of rows that are being cut.

    Without hooks nobody has to see a row before it is cut. A store may then cut in one statement (`cut_older`) the rows
    that are older than the cut-off however their time is read, which are nearly all, and leave the others to the rule.

    `spell` turns `+8613800138000` into what the column holds; numbers that share a spelling are not told apart. A store
    whose table shows by other means than NULL that a row has no number overrides `detach` and `attach`, and then judges in
    `attach` itself to which rows a number may return.
    """

    forbidden: ClassVar[tuple[type[Exception], ...]] = ()
    """What a constraint of the table raises."""
    attach_here: ClassVar[Any] = None
    """The `attach` of the class, which leaves it to the rule to which rows a number may return."""

    def __init__(
        self, *, zone: tzinfo = UTC, form: str = "", refuse: Refuse[Session] | None = None,
        end_sessions: EndSessions[Session] | None = None, spell: Callable[[str], str] = _as_it_is,
    ) -> None:  # fmt: skip
        """Raises times.BadForm."""
        self._times = self._stored_times = Times(zone=zone, form=form)
        self._refuse, self._end_sessions, self._spell = refuse, end_sessions, spell

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

    def survey(self) -> Survey:
        """Look at all rows that have a number; nothing is changed. To be done before going live."""
        told = ((tie.bound_at if tie.stored is None else tie.stored, self._latest(tie)) for tie in self.every())
        return surveyed(told)

    # The rule: what is cut --------------------------------------------------------------------------------------------
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
            latest = self._latest(tie)
            if latest is None:
                outcomes[tie.number].add("other")
            elif latest >= cutoff or (tie.number, tie.key) in record:  # cut once, so it is back again since
                outcomes[tie.number].add("kept")
            else:
                stale.append(tie)
        for number, outcome in self._cut_stale(session, stale, cutoff):
            outcomes[number].add(outcome)
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
        try:
            with self.savepoint(session):
                cut, left = self.cut_older(session, fresh, cutoff, cutoff.astimezone(UTC) - MOST_MEANT)
        except self.forbidden:
            return set(), numbers
        return set(cut), [*before, *left]

    def _cut_stale(self, session: Session, ties: list[Tie], cutoff: datetime) -> Iterator[tuple[str, str]]:
        """Cut these rows, but for those that are refused; of each its number, and what became of it."""
        refused = self._refusals(session, ties)

        def cut(session: Session, some: list[Tie]) -> list[Tie]:
            self.record(session, some, cutoff)
            if self._end_sessions:
                self._end_sessions(session, some)
            self.detach(session, some)
            return some

        allowed = [tie for tie in ties if tie.key not in refused]
        done = {tie.key for part in _parts(allowed) for tie in self._as_allowed(session, part, cut)}
        for tie in ties:
            yield tie.number, refused.get(tie.key, "unbound" if tie.key in done else "other")

    def _refusals(self, session: Session, ties: list[Tie]) -> dict[Any, str]:
        """Raises ValueError for a key of no such row, and for an unknown reason: the tie that was meant would be cut."""
        refused: dict[Any, str] = {}
        if self._refuse:
            for part in _parts(ties):
                refused.update(self._refuse(session, part))
        if unknown := refused.keys() - {tie.key for tie in ties}:
            raise ValueError(
                f"refuse gave {unknown.pop()!r}, the key of no tie that it was asked about; give Tie.key as it is"
            )
        if reasons := set(refused.values()) - REASONS:
            raise ValueError(f"a tie was refused for {reasons.pop()!r}; reasons are {', '.join(sorted(REASONS))}")
        return refused

    def _latest(self, tie: Tie) -> datetime | None:
        """The latest instant at which a row may have been bound; None if it is in doubt."""
        latest = self._times.latest(tie.bound_at)
        if tie.stored is None or latest is None:
            return latest
        stored = self._stored_times.latest(tie.stored)
        return stored and max(latest, stored)

    # The rule: what is given back -------------------------------------------------------------------------------------
    def _restore(self, session: Session, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        asked = {self._spell(number): number for number in numbers}
        record = self.cuts(session, list(asked), cutoff)
        lost = [place for place, restored in record.items() if not restored]
        back = self._given_back(session, lost, cutoff) if lost else set()
        left = {number for number, key in lost if (number, key) not in back}
        outcomes = {number: "irreversible" if number in left else "restored" for number, _ in record}
        return [Answer(number=asked[number], outcome=outcome) for number, outcome in outcomes.items()]

    def _given_back(self, session: Session, lost: list[tuple[str, Any]], cutoff: datetime) -> set[tuple[str, Any]]:
        """Give numbers back to the rows that lost them, given by number and key; to which that could be done."""
        judged = type(self).attach is type(self).attach_here
        ties = self._fit(session, lost, cutoff) if judged else [Tie(key=key, number=number) for number, key in lost]
        attached = self._as_allowed(session, ties, self.attach)
        self.record_restored(session, attached, cutoff)
        return {(tie.number, tie.key) for tie in attached}

    def _fit(self, session: Session, lost: list[tuple[str, Any]], cutoff: datetime) -> list[Tie]:
        """The rows that may have their number back: each is the row that lost it, and nobody has bound the number since.

        A row that has the key by now and was bound at another time is another row. Records of earlier versions have no time.
        """
        numbers = sorted({number for number, _ in lost})
        ties = {tie.key: tie for tie in self.found(session, numbers)}
        others = (tie for tie in self.holders(session, numbers) if tie.key not in ties)
        taken = {tie.number for tie in ties.values()} | {tie.number for tie in others if not self._is_older(tie, cutoff)}
        keys = [key for number, key in lost if number not in taken]
        rows = {tie.key: (tie, bound_at) for part in _parts(keys) for tie, bound_at in self.free(session, part)}
        recorded = self.cut_times(session, numbers, cutoff)
        fit: dict[Any, Tie] = {}
        for number, key in lost:
            if number in taken or key not in rows:
                continue
            (tie, bound_at), known = rows[key], recorded[number, key]
            if bound_at == known if known else self._is_older(tie, cutoff):
                fit.setdefault(key, replace(tie, number=number))  # a row has one number
        return list(fit.values())

    def _is_older(self, tie: Tie, cutoff: datetime) -> bool:
        latest = self._latest(tie)
        return latest is not None and latest < cutoff

    def _as_allowed(self, session: Session, ties: list[Tie], act: Act[Session]) -> list[Tie]:
        """Do something with these rows, or where a constraint of the table forbids it with as many as it allows, the rows of
        a number together as long as that can be, and else the one first that was bound last. Those that it was done with."""
        if not ties:
            return []
        try:
            with self.savepoint(session):
                return act(session, ties)
        except self.forbidden as error:
            if len(ties) == 1:
                log.warning("a row is left as it is, since its table forbids the change: %s", type(error).__name__)
                return []
        return [tie for part in self._halves(ties) for tie in self._as_allowed(session, part, act)]

    def _halves(self, ties: list[Tie]) -> tuple[list[Tie], list[Tie]]:
        numbers = sorted({tie.number for tie in ties})
        if len(numbers) > 1:
            first = set(numbers[: len(numbers) // 2])
            return [tie for tie in ties if tie.number in first], [tie for tie in ties if tie.number not in first]
        last, *others = sorted(ties, key=lambda tie: self._latest(tie) or datetime.min.replace(tzinfo=UTC), reverse=True)
        return [last], others

    # What a kind of database may do its own way -----------------------------------------------------------------------
    def cuts_at_once(self, session: Session) -> bool:
        """Whether this store, on this database and table, has a `cut_older`."""
        return False

    def cut_older(
        self, session: Session, numbers: list[str], cutoff: datetime, than: datetime
    ) -> tuple[list[str], list[str]]:
        """Record and detach in one statement the ties on these numbers whose time, read as UTC, is before `than`, but not
        before OLDEST: their numbers, and the numbers that have other ties. It has to see a row as it is once locked."""
        raise NotImplementedError

    def savepoint(self, session: Session) -> AbstractContextManager[Any]:
        """What is done in it is undone if it ends with an error, and what was done before it stays."""
        return nullcontext()

    def free(self, session: Session, keys: list[Any]) -> Iterable[tuple[Tie, str]]:
        """Those of these rows that count as ties and have no number now, locked, each with its time of binding as text."""
        raise NotImplementedError

    def holders(self, session: Session, numbers: list[str]) -> Iterable[Tie]:
        """All rows with these numbers, where some don't count as ties."""
        return ()

    def cut_times(self, session: Session, numbers: list[str], cutoff: datetime) -> dict[tuple[str, Any], str]:
        """When the rows were bound that this cut-off has cut, as text: (number, key) -> what `free` gave then; '' if that is
        not on record."""
        raise NotImplementedError

    def every(self) -> Iterable[Tie]:
        """All ties, one after another; nothing is locked."""
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
        """Give each row its number where it has none now; those that have it then."""


def named(*parts: str) -> str:
    """Under which name a store records what it cuts: where the numbers are, so that stores don't take each other's cuts for
    their own."""
    name = ".".join(parts)
    return name if len(name) <= _LONGEST_SOURCE else hashlib.sha256(name.encode()).hexdigest()


def _parts(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    for start in range(0, len(items), _PART):
        yield list(items[start : start + _PART])


def _answer(number: str, found: set[str]) -> Answer:
    """The one answer for a number with several ties: what is still to be done weighs most, then what was done."""
    if reasons := found & REASONS:
        return Answer(number=number, outcome="refused", reason=min(reasons))
    return Answer(number=number, outcome="unbound" if "unbound" in found else "kept")
