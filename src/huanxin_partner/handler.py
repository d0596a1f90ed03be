"""What a partner does with an event: cut or restore ties in its own store, and file the receipt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import IO

from huanxin_partner.client import Platform
from huanxin_partner.ties import Answer, TieStore
from huanxin_partner.tokens import Event

RENEWAL = "urn:huanxin:event:renewal"
RETRACTION = "urn:huanxin:event:retraction"
INQUIRY = "urn:huanxin:event:inquiry"
IDENTIFIER_RECYCLED = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"


class Handler:
    """Handles events with a store and the platform. Numbers go through the store `chunk` at a time, receipts leave in
    parts of `part` lines; override `file` to answer in another way."""

    def __init__(self, store: TieStore, platform: Platform, *, chunk: int = 10_000, part: int = 100_000) -> None:
        self.store, self.platform = store, platform
        self.chunk, self.part = chunk, part

    def handle(self, event: Event) -> str:
        """Do what an event asks; what came of it, in words. May be called again after a crash."""
        if event.name == RENEWAL:
            return self.renew(event)
        if event.name == RETRACTION:
            return self.retract(event)
        if event.name == IDENTIFIER_RECYCLED:
            return self.recycled(event)
        if event.name == INQUIRY:
            number = event.subject["phone_number"]
            outcome = "bound" if self.store.bound(number) else "absent"
            self.platform.file_receipt(event.claims["notice"], [Answer(number=number, outcome=outcome)], complete=True)
            return outcome
        return f"event {event.name} is not handled here"

    def renew(self, event: Event) -> str:
        """Cut every tie bound before the notice's cut-off, and answer for each number of the notice."""
        cutoff = datetime.fromisoformat(event.claims["cutoff"])
        answers = [answer for chunk in self.chunks(event) for answer in self.store.unbind(chunk, cutoff)]
        self.file(event.claims["notice"], answers)
        return f"{len(answers)} of {event.claims.get('count', 1)} numbers had ties"

    def retract(self, event: Event) -> str:
        """Give back what was cut since the cut-off of the notice that is taken back in part."""
        cutoff = datetime.fromisoformat(event.claims["cutoff"])
        answers = [answer for chunk in self.chunks(event) for answer in self.store.restore(chunk, cutoff)]
        self.file(event.claims["notice"], answers)
        return f"{len(answers)} of {event.claims.get('count', 1)} numbers had ties"

    def recycled(self, event: Event) -> str:
        """RISC: the number has a new owner since `event_timestamp`; older ties are stale. Nobody waits for an answer."""
        since = datetime.fromtimestamp(event.claims.get("event_timestamp", event.issued_at), UTC)
        answers = list(self.store.unbind([event.subject["phone_number"]], since))
        return answers[0].outcome if answers else "absent"

    def file(self, notice: str, answers: list[Answer]) -> None:
        """File what has or had a tie, in parts; the last says complete, so that the rest is absent."""
        told = [answer for answer in answers if answer.outcome != "absent"]
        for start in range(0, max(1, len(told)), self.part):
            last = start + self.part >= len(told)
            self.platform.file_receipt(notice, told[start : start + self.part], complete=last)

    def chunks(self, event: Event) -> Iterator[list[str]]:
        """The numbers that an event names, a chunk at a time."""
        if event.claims.get("scope") != "batch":
            yield [event.subject["phone_number"]]
            return
        file = event.claims["numbers"]
        with self.platform.numbers(file["url"], file["sha256"]["text/csv"]) as lines:
            yield from _chunked(lines, self.chunk)


def _chunked(lines: IO[str], size: int) -> Iterator[list[str]]:
    next(lines)  # the heading
    while chunk := [line.strip() for line in islice(lines, size)]:
        yield chunk
