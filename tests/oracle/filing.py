"""Rules of histories: a partner that exchanges files. It writes parts without waiting for what came of those before."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from oracle import owners, parts, renewal
from oracle.answering import outcomes
from oracle.comparing import same
from oracle.machine import act, chosen, index, only_if
from oracle.owning import ANSWERS
from oracle.retracting import Retractions
from oracle.world import Answer, Batch, Filed, Notice, Number, Order, Part

TURN = timedelta(seconds=11)
"""A folder is looked into every ten seconds."""


class Files(Retractions):
    """Notices and receipts in folders."""

    def in_files(self) -> list[tuple[Batch, Notice]]:
        return [(batch, one) for batch, one in self.notices() if one.partner.way == "files"]

    def orders_in_files(self) -> list[tuple[Order, Notice]]:
        """Owners' orders at partners that exchange files, with what those wrote."""
        ways = {one.key: one for one in self.world.partners if one.way == "files"}
        for order in self.world.orders:
            for key in ways.keys() & order.answers.keys():
                order.folders.setdefault(key, Notice(ways[key], False, order.at, order.answer_by))
        return [(order, one) for order in self.world.orders for one in order.folders.values()]

    @precondition(lambda self: self.in_files())
    @act(
        which=index, said=outcomes, complete=st.booleans(), bad=st.sampled_from(("", "", "", "line", "count")),
        skips=st.sampled_from((0, 0, 0, 1)), replaces=st.integers(0, 3),
    )  # fmt: skip
    def partner_writes_part(
        self, which: int, said: list[tuple[int, str]], complete: bool, bad: str, skips: int, replaces: int
    ) -> None:
        """The next receipt is put into the folder: perhaps one that was lost lies before it, or one that was refused."""
        batch, notice = chosen(self.in_files(), which)
        answers: dict[Number, Answer] = {}
        numbers = sorted(batch.stands_on)
        for at, outcome in said:
            answers[numbers[at % len(numbers)]] = (outcome, "debt" if outcome == "refused" else "", None)
        self.write(self.driver.notice(batch.key, notice.partner.key), notice, answers, complete, bad, skips, replaces)
        self.step(f"part bad {bad}" if bad else "part")

    @precondition(lambda self: self.orders_in_files())
    @act(
        which=index, outcome=st.sampled_from((*ANSWERS, "")), bad=st.sampled_from(("", "", "", "line", "count")),
        skips=st.sampled_from((0, 0, 0, 1)), replaces=st.integers(0, 3),
    )  # fmt: skip
    def partner_writes_answer_to_order(self, which: int, outcome: str, bad: str, skips: int, replaces: int) -> None:
        """Without an outcome it says that it is done and has nothing."""
        order, notice = chosen(self.orders_in_files(), which)
        outcome = outcome and owners.possible_answer(order, outcome)
        said: dict[Number, Answer] = {order.number: (outcome, "debt" if outcome == "refused" else "", None)}
        address = self.driver.order_notice(order.key, notice.partner.key)
        self.write(address, notice, said if outcome else {}, not outcome, bad, skips, replaces)
        self.step(f"part of order bad {bad}" if bad else "part of order", aside=True)

    def write(
        self, address: str, notice: Notice, said: dict[Number, Answer], complete: bool, bad: str, skips: int, replaces: int
    ) -> None:
        number = max(notice.parts, default=0) + 1 + skips
        only_if(number < 9)
        not_taken = [one for one in range(1, number) if one not in notice.parts or notice.parts[one].state != "taken"]
        instead = {0: [], 1: not_taken, 2: not_taken[:1], 3: [1] if number > 1 else []}[replaces]
        part = Part(number, said, complete, frozenset(instead), bad == "line", miscounted=bad == "count")
        notice.parts[number] = part
        self.driver.write_part(address, notice.partner.key, part)

    @precondition(lambda self: any(parts.unread(one) for _, one in [*self.in_files(), *self.orders_in_files()]))
    @act()
    def folders_are_read(self) -> None:
        self.pass_to(self.world.now + TURN)
        while self.stage.reader.one_job():
            pass  # the next partner's folder
        for batch, notice in self.in_files():
            parts.read(notice, list(batch.stands_on), partial(self.part_taken, batch, notice))
            self.results(self.driver.notice(batch.key, notice.partner.key), notice)
        for order, notice in self.orders_in_files():
            # An order is of one number: "done, and nothing to say" says that it is not there, whatever was refused before.
            parts.read(notice, [], partial(self.order_part_taken, order, notice))
            self.results(self.driver.order_notice(order.key, notice.partner.key), notice)
        self.step("folders read")

    def part_taken(self, batch: Batch, notice: Notice, part: Part) -> None:
        filed = Filed("", str(part.number), part.said, part.said, part.complete, self.world.now)
        renewal.file(self.world, batch, notice, filed)

    def order_part_taken(self, order: Order, notice: Notice, part: Part) -> None:
        (outcome, _, until), *_ = [*part.said.values(), ("absent", "", None)]
        owners.answer(self.world, order, notice.partner.key, (outcome, until), str(part.number))

    def results(self, address: str, notice: Notice) -> None:
        real = self.driver.results(address, notice.partner.key)
        same("results of parts", real, {n: one.state for n, one in notice.parts.items() if one.state != "waiting"})
