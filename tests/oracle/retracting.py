"""Rules of histories: what partners answer when numbers are taken back. It stays on record, and releases nothing."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from oracle import renewal
from oracle.answering import outcomes
from oracle.comparing import same
from oracle.machine import act, chosen, index
from oracle.refusing import Refusals
from oracle.world import Answer, Filed, Notice, Number, Retraction

RESTORED = ("restored", "absent", "irreversible", "pending", "unbound", "kept")
POSSIBLE = RESTORED[:4]
"""The others answer a renewal."""


class Retractions(Refusals):
    """Answers to what was taken back."""

    def taken_back(self) -> list[tuple[Retraction, Notice]]:
        every = [one for batch in self.world.batches for one in batch.retractions]
        return [(one, notice) for one in every for notice in one.notices.values()]

    @precondition(lambda self: self.taken_back())
    @act(
        which=index, said=outcomes, complete=st.booleans(), keyed=st.booleans(),
        bad=st.sampled_from((False, False, False, True)),
    )  # fmt: skip
    def partner_answers_retraction(
        self, which: int, said: list[tuple[int, str]], complete: bool, keyed: bool, bad: bool
    ) -> None:
        retraction, notice = chosen(self.taken_back(), which)
        numbers, words = sorted(retraction.numbers), RESTORED if bad else POSSIBLE
        answers: dict[Number, Answer] = {
            numbers[at % len(numbers)]: (words[(at + which) % len(words)], "", None) for at, _ in said
        }
        self.answer_retraction(retraction, notice, answers, complete=complete, key=f"t{self.turn}" if keyed else "")
        self.step("answer to retraction")

    @precondition(lambda self: any(one.entries for _, one in self.taken_back()))
    @act(which=index)
    def partner_answers_retraction_again(self, which: int) -> None:
        """The reply was lost on the way."""
        filed = [(back, notice, one) for back, notice in self.taken_back() for one in notice.entries]
        retraction, notice, one = chosen(filed, which)
        key = one.idempotency if which % 2 else ""
        self.answer_retraction(retraction, notice, one.content, complete=one.complete, key=key)
        self.step("answer to retraction again")

    def answer_retraction(
        self, retraction: Retraction, notice: Notice, said: dict[Number, Answer], *, complete: bool, key: str
    ) -> None:
        lines = [f"+{number},{outcome},," for number, (outcome, *_) in said.items()]
        mine = notice.partner
        done = self.attempt(lambda: self.driver.receipt(retraction.key, mine.key, lines, complete=complete, idempotency=key))
        wrong = any(outcome not in POSSIBLE for outcome, *_ in said.values())
        silent = complete and any(
            number not in said and renewal.answer_of(notice, number)[0] is None
            for number in notice.refused & retraction.numbers
        )
        known = renewal.known_as(notice, said, complete=complete, key=key)
        bad = not known and (wrong or silent or not (said or complete))
        if self.refused("answer to retraction", done, expected=bool(bad or mine.withdrawn)):
            if wrong and not mine.withdrawn:
                notice.refused |= set(said)
            return
        news = said if not known else {} if key else renewal.heard_again(notice, known[0])
        same("answer to retraction is new", done.new, bool(news or not known))
        if done.new:
            notice.entries.append(Filed(done.receipt, key, said, news, complete, self.world.now))
