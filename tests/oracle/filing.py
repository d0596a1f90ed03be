"""Rules of histories: a partner that exchanges files. It writes parts without waiting for what came of those before."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from oracle import parts
from oracle.answering import Answers, outcomes
from oracle.comparing import same
from oracle.machine import act, chosen, index, only_if
from oracle.world import Answer, Batch, Notice, Number, Part

TURN = timedelta(seconds=11)
"""A folder is looked into every ten seconds."""


class Files(Answers):
    """Notices and receipts in folders."""

    def in_files(self) -> list[tuple[Batch, Notice]]:
        return [(batch, one) for batch, one in self.notices() if one.partner.way == "files"]

    @precondition(lambda self: self.in_files())
    @act(
        which=index, said=outcomes, complete=st.booleans(), bad=st.sampled_from((False, False, True)),
        skips=st.sampled_from((0, 0, 0, 1)), replaces=st.integers(0, 3),
    )  # fmt: skip
    def partner_writes_part(
        self, which: int, said: list[tuple[int, str]], complete: bool, bad: bool, skips: int, replaces: int
    ) -> None:
        """The next receipt is put into the folder: perhaps one that was lost lies before it, or one that was refused."""
        batch, notice = chosen(self.in_files(), which)
        number = max(notice.parts, default=0) + 1 + skips
        only_if(number < 9)
        not_taken = [one for one in range(1, number) if one not in notice.parts or notice.parts[one].state != "taken"]
        instead = {0: [], 1: not_taken, 2: not_taken[:1], 3: [1] if number > 1 else []}[replaces]
        answers: dict[Number, Answer] = {}
        numbers = sorted(batch.stands_on)
        for at, outcome in said:
            answers[numbers[at % len(numbers)]] = (outcome, "debt" if outcome == "refused" else "", None)
        notice.parts[number] = Part(number, answers, complete, frozenset(instead), bad)
        self.driver.write_part(batch.key, notice.partner.key, notice.parts[number])
        self.step("part bad" if bad else "part")

    @precondition(lambda self: any(parts.unread(one) for _, one in self.in_files()))
    @act()
    def folders_are_read(self) -> None:
        self.pass_to(self.world.now + TURN)
        while self.stage.reader.one_job():
            self.pass_to(self.world.now + TURN)
        for batch, notice in self.in_files():
            parts.read(self.world, batch, notice)
            real = self.driver.results(batch.key, notice.partner.key)
            same("results of parts", real, {n: one.state for n, one in notice.parts.items() if one.state != "waiting"})
        self.step("folders read")
