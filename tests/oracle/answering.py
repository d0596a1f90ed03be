"""Rules of histories: what partners answer, what operators waive and release."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.acts.batches import release as release_clear
from huanxin.release.proposals import Outcome
from oracle import parts, renewal
from oracle.comparing import same
from oracle.machine import Histories, act, chosen, index, only_if
from oracle.world import Answer, Batch, Filed, Notice, Number, Partner, Proposal, Waived

OUTCOMES = ("unbound", "absent", "kept", "pending", "refused", "refused")

outcomes = st.lists(st.tuples(index, st.sampled_from(OUTCOMES)), min_size=0, max_size=3, unique_by=lambda one: one[0] % 4)


class Answers(Histories):
    """Receipts, waivers and releases."""

    def notices(self) -> list[tuple[Batch, Notice]]:
        return [(batch, one) for batch in self.world.batches for one in batch.notices.values()]

    def file(self, batch: Batch, notice: Notice, said: dict[Number, Answer], *, complete: bool, idempotency: str) -> None:
        """A partner files a receipt over HTTP."""
        lines = [f"+{n},{a[0]},{a[1]},{a[2] or ''}" for n, a in said.items()]
        strangers = [number for number in said if number not in batch.stands_on]
        result = self.attempt(
            lambda: self.driver.receipt(batch.key, notice.partner.key, lines, complete=complete, idempotency=idempotency)
        )
        known = renewal.known_as(notice, said, complete=complete, key=idempotency)
        another = any(idempotency and not renewal.says_the_same(one, said, complete=complete) for one in known)
        silent = not known and complete and parts.silent(notice, said, list(batch.stands_on))
        bad = not known and (strangers or silent or not (said or complete))
        if self.refused("receipt", result, expected=bool(bad or another or notice.partner.withdrawn)):
            return
        news = said if not known else {} if idempotency else renewal.heard_again(notice, known[0])
        same("receipt is new", result.new, bool(news or not known))
        if result.new:
            renewal.file(self.world, batch, notice, Filed(result.receipt, idempotency, said, news, complete, self.world.now))
        elif known[-1].key:  # else it came as a file
            same("receipt", result.receipt, known[-1].key)
        same("outstanding", result.outstanding,
             sum(renewal.answer_of(notice, number)[0] is None for number in batch.stands_on))  # fmt: skip

    @precondition(lambda self: self.notices())
    @act(which=index, said=outcomes, complete=st.booleans(), keyed=st.booleans())
    def partner_answers(self, which: int, said: list[tuple[int, str]], complete: bool, keyed: bool) -> None:
        batch, notice = chosen(self.notices(), which)
        numbers = sorted(batch.stands_on)
        answers: dict[Number, Answer] = {}
        for at, outcome in said:
            until = self.world.now.date() + timedelta(days=at) if outcome == "pending" and at % 2 else None
            answers[numbers[at % len(numbers)]] = (outcome, "debt" if outcome == "refused" else "", until)
        self.file(batch, notice, answers, complete=complete, idempotency=f"k{self.turn}" if keyed else "")
        self.step("receipt")

    @precondition(lambda self: any(one.entries for _, one in self.notices()))
    @act(which=index)
    def partner_sends_it_again(self, which: int) -> None:
        """The reply was lost on the way: the same receipt under the same key, or without one, is sent again."""
        batch, notice, one = chosen(self.filed(), which)
        key = one.idempotency if which % 3 else ""
        self.file(batch, notice, one.content, complete=one.complete, idempotency=key)
        self.step("receipt again")

    @precondition(lambda self: any(one.idempotency for *_, one in self.filed()))
    @act(which=index, said=outcomes)
    def partner_uses_a_key_twice(self, which: int, said: list[tuple[int, str]]) -> None:
        batch, notice, one = chosen(((b, n, one) for b, n, one in self.filed() if one.idempotency), which)
        numbers = sorted(batch.stands_on)
        answers: dict[Number, Answer] = {numbers[at % len(numbers)]: ("kept", "", None) for at, _ in said}
        self.file(batch, notice, answers, complete=True, idempotency=one.idempotency)
        self.step("key again")

    def filed(self) -> list[tuple[Batch, Notice, Filed]]:
        """Receipts that came over HTTP."""
        return [(b, n, one) for b, n in self.notices() for one in n.entries if isinstance(one, Filed) and one.key]

    @precondition(lambda self: any(not batch.released for batch in self.world.batches))
    @act(which=index, but=st.sampled_from((None, None, "refused", "pending")))
    def everybody_answers(self, which: int, but: str | None) -> None:
        """All partners of a batch say that they are done; one of them perhaps not with everything."""
        batch = chosen((one for one in self.world.batches if one.notices), which)
        for place, notice in enumerate(batch.notices.values()):
            said: dict[Number, Answer] = {}
            if but and place == which % len(batch.notices):
                said = {min(batch.stands_on): (but, "legal_hold" if but == "refused" else "", None)}
            self.file(batch, notice, said, complete=True, idempotency=f"all{self.turn}")
        self.step("all answer")

    # Waivers ----------------------------------------------------------------------------------------------------------
    @precondition(lambda self: self.notices())
    @act(which=index, only=st.booleans())
    def waive(self, which: int, only: bool) -> None:
        """By the command line: one person."""
        batch, notice = chosen(self.notices(), which)
        numbers = self.wanted(batch, which, only=only)
        done = self.attempt(lambda: self.driver.waive(batch.key, notice.partner.key, numbers))
        places = renewal.open_numbers(batch, notice.partner) & numbers
        if not self.refused("waiver", done, expected=not places):
            notice.entries.append(Waived(places, self.world.now))
        self.step("waive")

    def wanted(self, batch: Batch, which: int, *, only: bool) -> frozenset[Number]:
        numbers = sorted(batch.stands_on)
        return frozenset({numbers[which % len(numbers)]}) if only else frozenset(numbers)

    @precondition(lambda self: self.notices())
    @act(which=index, only=st.booleans(), by=st.sampled_from(("li", "wang")))
    def propose_waiver(self, which: int, only: bool, by: str) -> None:
        batch, notice = chosen(self.notices(), which)
        numbers = self.wanted(batch, which, only=only)
        places = renewal.open_numbers(batch, notice.partner) & numbers
        waiting = any(
            places <= one.numbers for one in self.world.proposals
            if not one.ended and one.batch is batch and one.partner is notice.partner
        )  # fmt: skip
        made = self.attempt(lambda: self.driver.propose_waiver(batch.key, notice.partner.key, numbers, by))
        if not self.refused("proposal", made, expected=not places or waiting):
            self.world.proposals.append(Proposal(made, "waiver", batch, notice.partner, places, by, len(notice.entries)))
        self.step("propose waiver")

    @precondition(lambda self: self.world.batches)
    @act(which=index, by=st.sampled_from(("li", "wang")))
    def propose_release(self, which: int, by: str) -> None:
        batch: Batch = chosen(self.world.batches, which)
        waiting = any(one.kind == "release" and one.batch is batch and not one.ended for one in self.world.proposals)
        made = self.attempt(lambda: self.driver.propose_release(batch.key, by))
        free = renewal.releasable(self.world, batch)
        if not self.refused("proposal", made, expected=not free or waiting):
            self.world.proposals.append(Proposal(made, "release", batch, None, free, by, 0))
        self.step("propose release")

    @precondition(lambda self: any(not one.ended for one in self.world.proposals))
    @act(
        which=index,
        by=st.sampled_from(("li", "wang")),
        outcome=st.sampled_from(("approved", "approved", "declined", "withdrawn")),
    )
    def decide(self, which: int, by: str, outcome: str) -> None:
        """Whoever proposed may not approve, and only they may withdraw."""
        one: Proposal = chosen((one for one in self.world.proposals if not one.ended), which)
        own = one.by == by
        allowed = own == (outcome == "withdrawn")
        freed: frozenset[Number] = frozenset()
        if outcome == "approved" and one.partner is None:
            freed = renewal.releasable(self.world, one.batch)
        elif outcome == "approved" and one.partner is not None:
            freed = self.still_waived(one, one.partner)
        done = self.attempt(lambda: self.driver.decide(one.key, Outcome(outcome), by))
        nothing = outcome == "approved" and not freed
        if self.refused(f"{outcome} {one.kind}", done, expected=not allowed or nothing):
            self.step("decide refused")
            return
        one.ended = True
        same("freed", done, len(freed))
        if one.partner is not None and freed:
            one.batch.notices[one.partner.key].entries.append(Waived(freed, self.world.now))
        elif freed:
            renewal.release(self.world, one.batch)
        self.step(f"{outcome} {one.kind}")

    def still_waived(self, one: Proposal, partner: Partner) -> frozenset[Number]:
        """What an approval covers: what was proposed, is open still, and of which the partner said nothing since."""
        notice = one.batch.notices[partner.key]
        since: list[Any] = notice.entries[one.seen :]
        return frozenset(
            number for number in one.numbers & renewal.open_numbers(one.batch, partner)
            if not any(isinstance(entry, Filed) and number in entry.said for entry in since)
        )  # fmt: skip

    # Release ----------------------------------------------------------------------------------------------------------
    @precondition(lambda self: self.world.batches)
    @act(which=index)
    def release(self, which: int) -> None:
        batch: Batch = chosen(self.world.batches, which)
        only_if(renewal.releasable(self.world, batch) or which % 3 == 0)
        made = release_clear(self.driver.platform, by="li", batch_id=batch.key)
        same("released", sum(one.count for one in made), renewal.release(self.world, batch))
        self.step("release" if made else "release nothing")

    @precondition(lambda self: any(not batch.released for batch in self.world.batches))
    @act(which=index)
    def wait_for_the_freeze_and_release(self, which: int) -> None:
        """What takes three months otherwise: on the first day on which something of a batch may be sold, it is released."""
        batch: Batch = chosen((one for one in self.world.batches if not one.released), which)
        ends = sorted(self.freeze_ends(batch))
        only_if(ends)
        if ends[0] > self.world.now:
            self.pass_to(ends[0])
        made = release_clear(self.driver.platform, by="li", batch_id=batch.key)
        same("released", sum(one.count for one in made), renewal.release(self.world, batch))
        self.step("freeze over, release" if made else "freeze over, nothing")

    def freeze_ends(self, batch: Batch) -> list[datetime]:
        """When the freeze ends of what nothing else will keep back; if that is nothing, of all."""
        clear = [number for number in batch.stands_on if renewal.will_be_clear(self.world, batch, number)]
        return [renewal.freeze_ends(self.world, batch, number) for number in clear or batch.stands_on]
