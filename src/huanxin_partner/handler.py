"""What a partner does with an event: cut or restore ties in its own store, and file the receipt."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import IO, Any, Protocol, runtime_checkable

from huanxin_partner.client import PlatformError, receipt_csv, receipts_csv
from huanxin_partner.events import (
    IDENTIFIER_RECYCLED,
    INQUIRY,
    RENEWAL,
    RETRACTION,
    cutoff_of,
    is_rehearsal,
    notice_of,
    number_file,
    number_of,
    retracted_notice,
)
from huanxin_partner.journal import Journal
from huanxin_partner.rehearsal.ties import RehearsalTies
from huanxin_partner.ties import RENEWED, TAKEN_BACK, Answer, ManyTies, TieStore
from huanxin_partner.tokens import Event

log = logging.getLogger("huanxin_partner")
_ABSENT = "absent"
_act: ContextVar[str] = ContextVar("the event that is being answered, by its jti", default="")


def _log(done: int, total: int) -> None:
    log.info("%s of %s numbers", f"{done:,}", f"{total:,}")


class BadAnswer(ValueError):
    """The store answered what can't be filed, a fault in the store. The platform would refuse the whole receipt."""


class Channel(Protocol):
    """How numbers come and receipts leave: over HTTP (client.Platform) or as files (filechannel.Exchange)."""

    def numbers(self, url: str, sha256: str) -> AbstractContextManager[IO[str]]:
        """The number file of a notice, once it hashed to what the notice says."""

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str) -> dict[str, Any]:
        """File a receipt, or the last part of one. A retry has the same `key`, news another; without one it is news."""


@runtime_checkable
class ManyReceipts(Protocol):
    """A channel on which one receipt may answer many notices (client.Platform)."""

    def file_receipts(self, answers: Mapping[str, Answer], *, key: str) -> dict[str, Any]:
        """Answer notices about one number each, given by notice, whole or not at all. `key` as in `file_receipt`."""


class Handler:
    """Handles events with a store and the platform. Numbers go through the store `chunk` at a time, receipts leave in
    parts of `part` lines; override `file` to answer in another way. `progress` is told (numbers done, numbers in all)."""

    def __init__(
        self, store: TieStore, platform: Channel, journal: Journal, *, chunk: int = 30_000, part: int = 100_000,
        clock: Callable[[], float] = time.time, progress: Callable[[int, int], None] = _log,
    ) -> None:  # fmt: skip
        if clock is not time.time and not journal.simulated:
            raise ValueError("this journal was not made for simulated clocks; use it without a clock, or make another")
        self.store, self.platform, self.journal = store, platform, journal
        self.chunk, self.part, self.clock, self.progress = chunk, part, clock, progress

    def handle(self, event: Event) -> str:
        """Do what an event asks; what came of it, in words. May be called again after a crash."""
        if event.name == RENEWAL:
            return self.renew(event)
        if event.name == RETRACTION:
            return self.retract(event)
        if event.name == IDENTIFIER_RECYCLED:
            return self.recycled(event)
        if event.name == INQUIRY:
            return self.inquire(event)
        return f"event {event.name} is not handled here"

    def handle_many(self, events: Sequence[Event]) -> dict[str, str]:
        """Do what the first of these events ask, as far as they are renewals of one number each, no number twice: in one
        transaction of the store, with one receipt for all. What came of each, by `jti`; empty if the first is another event
        or a subclass cuts or answers in its own way.

        May be called again after a crash. If it raises, `handle` does them one by one and finds the one that is to blame.
        """
        usual = type(self).renew is Handler.renew and type(self).file is Handler.file
        together = self._orders(events) if usual else {}
        if not together or not isinstance(self.platform, ManyReceipts):
            return {}
        with self.journal.alone():
            answers = self._renewed(together)
        said = {notice_of(event): answers[number] for number, event in together.items()}
        acts = [event.jti for event in together.values()]
        self.platform.file_receipts(said, key=self.journal.key_of(acts, 0, _hash(receipts_csv(said))))
        return {event.jti: answers[number].outcome for number, event in together.items()}

    def _orders(self, events: Sequence[Event]) -> dict[str, Event]:
        """The first of these events that can be done together, by number. What one receipt answered before a crash is
        answered in one again, so that it is the same receipt."""
        before = self.journal.filed_together(events[0].jti) if events else frozenset()
        together: dict[str, Event] = {}
        for event in events:
            if not _is_order(event) or (number := number_of(event)) in together or (before and event.jti not in before):
                break
            together[number] = event
        return together

    def _renewed(self, events: Mapping[str, Event]) -> dict[str, Answer]:
        """Cut what these events name, given by number; the answer for each number."""
        wanted: dict[datetime, list[str]] = defaultdict(list)
        for number, event in events.items():
            if number not in self.journal.taken_back(notice_of(event)):
                wanted[cutoff_of(event)].append(number)
        if isinstance(self.store, ManyTies):
            found = list(self.store.unbind_many(wanted))
        else:
            found = [answer for cutoff, numbers in wanted.items() for answer in self.store.unbind(numbers, cutoff)]
        asked = [number for numbers in wanted.values() for number in numbers]
        named = {answer.number: answer for answer in _checked(found, asked, RENEWED)}
        return {number: named.get(number) or Answer(number=number, outcome=_ABSENT) for number in events}

    def renew(self, event: Event) -> str:
        """Cut every tie bound before the notice's cut-off, and answer for each number of the notice.

        Numbers that were taken back from the notice are left alone, also if the retraction overtook it, or another worker
        handles it meanwhile: what is taken back is read, and the rest cut, in one turn.
        """
        cutoff, notice, store = cutoff_of(event), notice_of(event), self.store_for(event)
        answers = []
        for chunk in self.chunks(event):
            with self.journal.alone():
                spared = self.journal.taken_back(notice)
                asked = [number for number in chunk if number not in spared]
                answers += _checked(store.unbind(asked, cutoff), asked, RENEWED)
        said = self._filed(event, answers)
        if any(answer.outcome == "pending" for answer in answers):
            self._again_if_rehearsed(event)
        return said

    def retract(self, event: Event) -> str:
        """Give back what was cut since the cut-off of the notice that is taken back in part."""
        cutoff, of, store = cutoff_of(event), retracted_notice(event), self.store_for(event)
        answers = []
        for chunk in self.chunks(event):
            with self.journal.alone():
                self.journal.take_back(of, chunk)  # before anything is restored: the renewal may be half done, or come later
                answers += _checked(store.restore(chunk, cutoff), chunk, TAKEN_BACK)
        return self._filed(event, answers)

    def recycled(self, event: Event) -> str:
        """RISC: the number has a new owner since `event_timestamp`; older ties are stale. Nobody waits for an answer."""
        with self.journal.alone():
            answers = list(self.store_for(event).unbind([number_of(event)], cutoff_of(event)))
        return answers[0].outcome if answers else _ABSENT

    def inquire(self, event: Event) -> str:
        """Say of which numbers there is a tie now."""
        store = self.store_for(event)
        bound = (number for chunk in self.chunks(event) for number in chunk if store.bound(number))
        answers = [Answer(number=number, outcome="bound") for number in bound]
        return self._filed(event, answers)

    def store_for(self, event: Event) -> TieStore:
        """The partner's store; in a rehearsal one that reaches made-up numbers only, and plays the magic ones."""
        if not is_rehearsal(event):
            return self.store
        return RehearsalTies(self.store, issued_at=event.issued_at, clock=self.clock)

    def _again_if_rehearsed(self, event: Event) -> None:
        """What a rehearsal answered with pending is answered once more, when its minute is over."""
        rest = RehearsalTies.pending_for(event.issued_at, self.clock())
        if is_rehearsal(event) and rest > 0:
            later = replace(event, jti=f"{event.jti}/later")
            self.journal.take(later)
            self.journal.put_off(later.jti, rest, "pending, as rehearsed")

    def _filed(self, event: Event, answers: list[Answer]) -> str:
        if not answers and number_file(event) is None:
            answers = [Answer(number=number_of(event), outcome=_ABSENT)]  # one number is answered by its name
        # Of what a receipt named that was refused, silence would not be taken for absent.
        unsaid = self.journal.named(notice_of(event)) - {answer.number for answer in answers}
        answers += [Answer(number=number, outcome=_ABSENT) for number in sorted(unsaid)]
        token = _act.set(event.jti)
        try:
            self.file(notice_of(event), answers)
        finally:
            _act.reset(token)
        return f"{len(answers)} of {event.claims.get('count', 1)} numbers answered by name"

    def file(self, notice: str, answers: list[Answer]) -> None:
        """File the answers, in parts; the last says complete, so that every number without an answer is absent."""
        for place, start in enumerate(range(0, max(1, len(answers)), self.part)):
            part, last = answers[start : start + self.part], start + self.part >= len(answers)
            key = self.journal.key_of([act], place, _hash(receipt_csv(part), last)) if (act := _act.get()) else ""
            try:
                self.platform.file_receipt(notice, part, complete=last, key=key)
            except PlatformError:
                self.journal.note_named(notice, (answer.number for answer in part))
                raise

    def chunks(self, event: Event) -> Iterator[list[str]]:
        """The numbers that an event names, a chunk at a time."""
        file = number_file(event)
        if file is None:
            yield [number_of(event)]
            return
        done, count = 0, event.claims.get("count")
        total = count if isinstance(count, int) else 0
        with self.platform.numbers(*file) as lines:
            for chunk in _chunked(lines, self.chunk):
                yield chunk
                done += len(chunk)
                self.progress(done, max(done, total))


def _is_order(event: Event) -> bool:
    """Whether an event is a renewal of one number, and no rehearsal."""
    return event.name == RENEWAL and number_file(event) is None and not is_rehearsal(event)


def _hash(receipt: bytes, complete: bool = False) -> str:
    """What tells a receipt from one that says something else."""
    return hashlib.sha256(receipt + bytes([complete])).hexdigest()


def _checked(answers: Iterable[Answer], asked: Sequence[str], allowed: frozenset[str]) -> list[Answer]:
    """The answers but for absent ones, in the order asked: after a crash the receipt is the same. Raises BadAnswer."""
    found: dict[str, Answer] = {}
    known = set(asked)
    for answer in answers:
        if answer.number not in known:
            raise BadAnswer("the store answered for a number that it was not asked about")
        if answer.number in found:
            raise BadAnswer("the store answered twice for one number")
        if answer.outcome not in allowed:
            raise BadAnswer(f"the store answered {answer.outcome!r}; here it may be {', '.join(sorted(allowed))}")
        found[answer.number] = answer
    return [found[number] for number in asked if number in found and found[number].outcome != _ABSENT]


def _chunked(lines: IO[str], size: int) -> Iterator[list[str]]:
    next(lines)  # the heading
    while chunk := [line.strip() for line in islice(lines, size)]:
        yield chunk
