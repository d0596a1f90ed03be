"""The whole machine: all rules, and a push to go on, since what comes by chance rarely gets as far as a second owner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from oracle import owners, renewal, shop
from oracle.answering import outcomes
from oracle.delivering import Deliveries
from oracle.filing import Files
from oracle.histories import FROZEN, OPENED, SERVING, can_be_told, had_predecessor, where
from oracle.machine import NUMBERS, act, chosen, index, only_if
from oracle.owning import ANSWERS, Owners
from oracle.reminding import Reminders
from oracle.telling import Reports
from oracle.undoing import Undoing
from oracle.withdrawing import Mending

Step = Callable[[], None]


class Machine(Reports, Files, Reminders, Owners, Deliveries, Undoing, Mending):
    """Everybody."""

    @act(which=index, other=index)
    def go_on(self, which: int, other: int) -> None:
        """The next thing that would happen anyway, of those that are possible now."""
        chosen([*self.next_of_batches(None), *self.next_of_numbers(other), *self.next_of_orders()], which)()

    @act(which=index, but=st.sampled_from((None, None, "refused", "pending")))
    def batches_go_on(self, which: int, but: str | None) -> None:
        chosen(self.next_of_batches(but), which)()

    @act(which=index)
    def batches_go_on_well(self, which: int) -> None:
        chosen(self.next_of_batches(None)[:2], which)()

    @precondition(lambda self: not any(one.released for one in self.world.batches))
    @act()
    def comes_to_a_release(self) -> None:
        """All goes well, up to the first number that may be sold."""
        self.plan(of=None)
        self.send(which=0)
        self.everybody_answers(which=0, but=None)
        self.wait_for_the_freeze_and_release(which=0)

    @act(which=index, other=index)
    def numbers_go_on(self, which: int, other: int) -> None:
        chosen(self.next_of_numbers(other), which)()

    @act(which=index)
    def orders_go_on(self, which: int) -> None:
        chosen(self.next_of_orders(), which)()

    def next_of_batches(self, but: str | None) -> list[Step]:
        """What is nearest to a release comes first."""
        world, found = self.world, list[Step]()
        for place, batch in enumerate(one for one in world.batches if not one.released):
            if any(renewal.will_be_clear(world, batch, number) for number in batch.stands_on):
                found.append(partial(self.wait_for_the_freeze_and_release, which=place))
        for place, batch in enumerate(one for one in world.batches if one.notices):
            if not batch.released and any(renewal.kept_open(batch, number) for number in batch.stands_on):
                found.append(partial(self.everybody_answers, which=place, but=but))
        for place, (batch, notice) in enumerate(self.notices()):
            answered = any(renewal.answer_of(notice, number)[0] for number in batch.stands_on)
            if notice.required and answered and renewal.open_numbers(batch, notice.partner):
                found.append(partial(self.waive, which=place, only=False))
        for place, batch in enumerate(world.batches):
            if any(one.key not in batch.notices for one in world.there):
                found.append(partial(self.send, which=place))
        if renewal.due(world):
            found.append(partial(self.plan, of=None))
        return found

    @act(which=index, days=st.sampled_from((0, 1, 14)), when=st.integers(0, 5), later=st.sampled_from((2, 90, 1500)),
         lifted=st.booleans())  # fmt: skip
    def held_and_sold(self, which: int, days: int, when: int, later: int, lifted: bool) -> None:
        """An authority's order comes for a number on a release list; the shop, which has the list, sells it nevertheless."""
        histories = self.world.histories
        listed = [
            one for one in NUMBERS
            if where(histories[one])[0] == FROZEN and (batch := renewal.batch_of(self.world, histories[one][-1]))
            and one in batch.released
        ]  # fmt: skip
        only_if(listed)
        number = chosen(listed, which)
        self.place_hold(frozenset({number}), days)
        if lifted:
            self.pass_to(self.world.now + timedelta(minutes=later))
            self.lift_hold(self.world.holds[-1])
        self.pass_to(self.world.now + timedelta(minutes=later))
        carrier = self.reporter(number, other=False)
        line = self.line(number, OPENED, carrier, when)
        only_if(can_be_told(histories, carrier, [line]))
        self.report(carrier, [line], skip_bad=False)
        self.step("held and sold")

    @act(which=index, said=outcomes, outcome=st.sampled_from(ANSWERS))
    def folders_go_on(self, which: int, said: list[tuple[int, str]], outcome: str) -> None:
        """A partner that exchanges files answers in its folder, and that is read; or an owner orders there."""
        in_files = [place for place, one in enumerate(self.world.there) if one.way == "files"]
        if in_files and not self.orders_in_files():
            self.owner_orders(which=which, purpose="leave", who=1 << in_files[0])
        elif self.orders_in_files() and which % 2:
            self.partner_writes_answer_to_order(which=which // 2, outcome=outcome, bad="", skips=0, replaces=1)
        elif self.in_files():
            self.partner_writes_part(which=which // 2, said=said, complete=True, bad="", skips=0, replaces=1)
        self.folders_are_read()

    def next_of_orders(self) -> list[Step]:
        found: list[Step] = [
            partial(self.all_answer_order, which=place)
            for place, order in enumerate(one for one in self.world.orders if not owners.all_settled(one))
            if order.purpose != owners.INQUIRE
        ]
        if any(not one.over and one.look_at <= self.world.now for one in self.world.orders):
            found.append(self.owners_are_told)
        return found

    def next_of_numbers(self, other: int) -> list[Step]:
        found: list[Step] = []
        for place, number in enumerate(NUMBERS):
            events = self.world.histories[number]
            state = where(events)[0]
            if state == FROZEN and shop.case_of(self.world, number, None).why <= {"acknowledged"}:
                frozen = [one for one in NUMBERS if where(self.world.histories[one])[0] == FROZEN]
                found.append(partial(self.sold, which=frozen.index(number), told=other % 4 > 0, when=other % 3))
            if state == SERVING:
                renew = bool(had_predecessor(events)) and other % 3
                found += [
                    partial(
                        self.owner_orders, which=place, purpose="renew" if renew else "leave", who=other % 7 + 1
                    ),
                    partial(self.certify, which=place), partial(self.cancelled_long_ago, which=place),
                ]  # fmt: skip
        return found
