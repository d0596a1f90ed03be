"""What a partner does with an event: cut or restore ties in its own store, and file the receipt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO

from huanxin_partner.client import Platform
from huanxin_partner.events import (
    IDENTIFIER_RECYCLED,
    INQUIRY,
    RENEWAL,
    RETRACTION,
    cutoff_of,
    notice_of,
    number_file,
    number_of,
    retracted_notice,
)
from huanxin_partner.journal import Journal
from huanxin_partner.ties import Answer, TieStore
from huanxin_partner.tokens import Event

log = logging.getLogger("huanxin_partner")
_ABSENT = "absent"
_RENEWED = frozenset({"unbound", "kept", "pending", "refused", _ABSENT})
_TAKEN_BACK = frozenset({"restored", "irreversible", "pending", _ABSENT})


def _log(done: int, total: int) -> None:
    log.info("%s of %s numbers", f"{done:,}", f"{total:,}")


class BadAnswer(ValueError):
    """The store answered what can't be filed, a fault in the store. The platform would refuse the whole receipt."""


class Handler:
    """Handles events with a store and the platform. Numbers go through the store `chunk` at a time, receipts leave in
    parts of `part` lines; override `file` to answer in another way. `progress` is told (numbers done, numbers in all)."""

    def __init__(
        self, store: TieStore, platform: Platform, journal: Journal, *, chunk: int = 10_000, part: int = 100_000,
        progress: Callable[[int, int], None] = _log,
    ) -> None:  # fmt: skip
        self.store, self.platform, self.journal = store, platform, journal
        self.chunk, self.part, self.progress = chunk, part, progress

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

    def renew(self, event: Event) -> str:
        """Cut every tie bound before the notice's cut-off, and answer for each number of the notice.

        Numbers that were taken back from the notice are left alone, also if the retraction overtook it.
        """
        cutoff, spared = cutoff_of(event), self.journal.taken_back(notice_of(event))
        answers = []
        for chunk in self.chunks(event):
            asked = [number for number in chunk if number not in spared]
            answers += _checked(self.store.unbind(asked, cutoff), asked, _RENEWED)
        return self._filed(event, answers)

    def retract(self, event: Event) -> str:
        """Give back what was cut since the cut-off of the notice that is taken back in part."""
        cutoff, of = cutoff_of(event), retracted_notice(event)
        answers = []
        for chunk in self.chunks(event):
            self.journal.take_back(of, chunk)  # before anything is restored: the renewal may be half done, or come later
            answers += _checked(self.store.restore(chunk, cutoff), chunk, _TAKEN_BACK)
        return self._filed(event, answers)

    def recycled(self, event: Event) -> str:
        """RISC: the number has a new owner since `event_timestamp`; older ties are stale. Nobody waits for an answer."""
        answers = list(self.store.unbind([number_of(event)], cutoff_of(event)))
        return answers[0].outcome if answers else _ABSENT

    def inquire(self, event: Event) -> str:
        """Say of which numbers there is a tie now."""
        bound = (number for chunk in self.chunks(event) for number in chunk if self.store.bound(number))
        answers = [Answer(number=number, outcome="bound") for number in bound]
        return self._filed(event, answers)

    def _filed(self, event: Event, answers: list[Answer]) -> str:
        if not answers and number_file(event) is None:
            answers = [Answer(number=number_of(event), outcome=_ABSENT)]  # one number is answered by its name
        self.file(notice_of(event), answers)
        return f"{len(answers)} of {event.claims.get('count', 1)} numbers answered by name"

    def file(self, notice: str, answers: list[Answer]) -> None:
        """File the answers, in parts; the last says complete, so that every number without an answer is absent."""
        for start in range(0, max(1, len(answers)), self.part):
            last = start + self.part >= len(answers)
            self.platform.file_receipt(notice, answers[start : start + self.part], complete=last)

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


def _checked(answers: Iterable[Answer], asked: Sequence[str], allowed: frozenset[str]) -> list[Answer]:
    """The answers but for absent ones. Raises BadAnswer."""
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
    return [answer for answer in found.values() if answer.outcome != _ABSENT]


def _chunked(lines: IO[str], size: int) -> Iterator[list[str]]:
    next(lines)  # the heading
    while chunk := [line.strip() for line in islice(lines, size)]:
        yield chunk
