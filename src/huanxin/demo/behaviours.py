"""How demo partners differ from a plain one: the ways in which real partners are difficult."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from huanxin.demo.partner_store import AccountTies
from huanxin_partner import Answer, Event, Handler, Journal, Platform

_PART = 4_000


class Plain(Handler):
    """Cuts, and answers once; keeps a record of its own of what it said, for the audit."""

    def __init__(self, ties: AccountTies, platform: Platform, journal: Journal, *, delay: float) -> None:
        super().__init__(ties, platform, journal, chunk=100_000)
        self.ties, self.delay = ties, delay

    def file(self, notice: str, answers: list[Answer]) -> None:
        self.send(notice, answers, complete=True)

    def send(self, notice: str, answers: list[Answer], *, complete: bool, key: str = "") -> None:
        """File one receipt, and keep a record of it."""
        self.platform.file_receipt(notice, answers, complete=complete, key=key)
        self.ties.note_answers(notice, answers, complete=complete)


class Pending(Plain):
    """Says first that it needs time, and files the outcome a while later."""

    def file(self, notice: str, answers: list[Answer]) -> None:
        if all(answer.outcome not in ("unbound", "kept") for answer in answers):
            super().file(notice, answers)
            return
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        self.send(notice, [replace(answer, outcome="pending", until=tomorrow) for answer in answers], complete=True)
        time.sleep(self.delay)
        self.send(notice, answers, complete=False)


class Twice(Plain):
    """Sends every receipt twice, as if the first reply had been lost."""

    def send(self, notice: str, answers: list[Answer], *, complete: bool, key: str = "") -> None:
        key = key or uuid4().hex
        self.platform.file_receipt(notice, answers, complete=complete, key=key)
        super().send(notice, answers, complete=complete, key=key)


class Parts(Plain):
    """Answers in small parts, its numbers shuffled; says complete once every part is in."""

    def file(self, notice: str, answers: list[Answer]) -> None:
        shuffled = random.Random(notice).sample(answers, len(answers))
        for start in range(0, len(shuffled), _PART):
            self.send(notice, shuffled[start : start + _PART], complete=False)
        self.send(notice, shuffled[:1], complete=True)


class Silent(Plain):
    """Takes renewal notices and never answers them. It never cut anything, so it has nothing to give back."""

    def renew(self, event: Event) -> str:
        return f"notice {event.claims['notice']} was put aside"


HANDLERS: dict[str, type[Plain]] = {
    "plain": Plain, "debt": Plain, "late": Plain, "music": Plain, "down": Plain,
    "pending": Pending, "twice": Twice, "parts": Parts, "silent": Silent,
}  # fmt: skip
"""What the words of world_partners.BEHAVIOURS mean. `debt` refuses accounts with unpaid orders (AccountTies), `down`
answers 503 for a while (partner_server), `late` and `music` differ in their data only."""
