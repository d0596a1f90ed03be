"""Rules of histories: buyers, owners, their orders, their certificates."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.acts.desk import certify as certify_now
from huanxin.answer.single import Answered
from huanxin.disclose.desk import texts_of
from huanxin.domain.disclosure import ZH, digest
from oracle import owners, shop
from oracle.comparing import same
from oracle.days import ZONES
from oracle.histories import FROZEN, OPENED, SERVING, UNKNOWN, where
from oracle.machine import NUMBERS, Histories, act, chosen, index, only_if
from oracle.world import Certificate, Disclosure, Number, Order
from ordering import looked_at

ANSWERS = ("unbound", "absent", "kept", "pending", "refused")


class Owners(Histories):
    """What is sold, and what becomes of it."""

    # The desk ---------------------------------------------------------------------------------------------------------
    @act(which=index, carrier=st.sampled_from(("own", "own", *ZONES)))
    def buyer_acknowledges(self, which: int, carrier: str) -> None:
        vacant = [one for one in NUMBERS if where(self.world.histories[one])[0] in (FROZEN, UNKNOWN)]
        number = chosen(vacant if which % 4 else NUMBERS, which)
        self.acknowledge(number, shop.sellers_of(self.world, number)[0] if carrier == "own" else carrier)
        self.step("acknowledge")

    def acknowledge(self, number: Number, carrier: str) -> None:
        told = looked_at(self.driver.platform, [number], seller=carrier)[0]
        shown = digest(texts_of(told).get(ZH, ""))
        evidence = f"contract {self.turn}"
        case = shop.case_of(self.world, number, carrier)
        done = self.attempt(lambda: self.driver.acknowledge(number, shown, evidence, carrier))
        if not self.refused("acknowledgement", done, expected=bool(case.why)):
            self.world.disclosures.append(
                Disclosure(done.ids[0], number, carrier, case.closed_on, evidence, self.world.now, shown)
            )

    @precondition(lambda self: self.world.disclosures)
    @act(which=index)
    def acknowledged_again(self, which: int) -> None:
        """A shop that got no answer sends what it sent before, perhaps once the number is sold."""
        one: Disclosure = chosen((one for one in self.world.disclosures if not one.withdrawn), which)
        told = looked_at(self.driver.platform, [one.number], seller=one.carrier)[0]
        if shop.case_of(self.world, one.number, one.carrier).why:
            done = self.driver.acknowledge(one.number, one.shown, one.evidence, one.carrier)
            same("the same disclosure", (done.ids, done.new), ([one.key], 0))
        elif digest(texts_of(told).get(ZH, "")) != one.shown:  # mended: for sale again, after another tenure
            done = self.attempt(lambda: self.driver.acknowledge(one.number, one.shown, one.evidence, one.carrier))
            assert self.refused("acknowledgement of what is so no more", done, expected=True)
        self.step("acknowledge again", aside=True)

    @precondition(lambda self: any(not one.withdrawn for one in self.world.disclosures))
    @act(which=index)
    def buyer_goes_without(self, which: int) -> None:
        one: Disclosure = chosen((one for one in self.world.disclosures if not one.withdrawn), which)
        case = shop.case_of(self.world, one.number, one.carrier)
        sold = bool(case.why & {"in_service", "ported_out"}) or one.closed_on != case.closed_on
        done = self.attempt(lambda: self.driver.withdraw_disclosure(one.key, one.carrier))
        if not self.refused("withdrawal", done, expected=sold):
            one.withdrawn = True
        self.step("goes without")

    @act(which=index, told=st.booleans(), when=st.integers(0, 2))
    def sold(self, which: int, told: bool, when: int) -> None:
        """A number is sold, with a disclosure or without one, released or not."""
        frozen = [number for number in NUMBERS if where(self.world.histories[number])[0] == FROZEN]
        number = chosen(frozen, which)
        sellers = shop.sellers_of(self.world, number)
        carrier = sellers[which % len(sellers)]
        self.sell(number, carrier, told=told, when=when)
        self.step("sold")

    def sell(self, number: Number, carrier: str, *, told: bool, when: int) -> None:
        if told:
            self.acknowledge(number, carrier)
            self.pass_to(self.world.now + self.HOUR)
        line = self.line(number, OPENED, carrier, when)
        only_if(all(one.day < line.day for one in self.world.histories[number]))
        self.report(carrier, [line], skip_bad=False)

    def served(self, which: int) -> Number:
        """Mostly a number that somebody has."""
        having = [number for number in NUMBERS if where(self.world.histories[number])[0] == SERVING]
        number: Number = chosen(having if which % 4 else NUMBERS, which // 4)
        return number

    # Orders -----------------------------------------------------------------------------------------------------------
    @act(which=index, purpose=st.sampled_from(("renew", "renew", "leave", "inquire")), who=st.integers(1, 15))
    def owner_orders(self, which: int, purpose: str, who: int) -> None:
        number = self.served(which)
        asked = [one for place, one in enumerate(self.world.there) if who >> place & 1]
        only_if(asked)
        shown_at = self.world.now - which % 3 * self.HOUR
        ordered = self.attempt(lambda: self.driver.order(number, purpose, [one.key for one in asked], shown_at))
        if self.refused("order", ordered, expected=not owners.may_order(self.world, number, purpose)):
            self.step("order refused", aside=True)
            return
        earlier = owners.of_tenure(self.world, number, purpose)
        fresh = [one for one in asked if not owners.not_asked_again(self.world, earlier, one)]
        same("order is new", ordered.new, bool(fresh))
        if not fresh:
            same("the order that stands", ordered.request.id, earlier[0].key)
        else:
            same("cut-off", ordered.request.cutoff, owners.cutoff(self.world, number, purpose, shown_at))
            same("asked", set(ordered.notices), {one.key for one in fresh})
            owners.order(self.world, ordered.request.id, number, purpose, fresh, shown_at)
        self.step(f"order {purpose}", aside=True)

    @precondition(lambda self: self.world.orders)
    @act(which=index, outcome=st.sampled_from(ANSWERS), days=st.integers(-1, 60), keyed=st.booleans())
    def partner_answers_order(self, which: int, outcome: str, days: int, keyed: bool) -> None:
        order: Order = chosen(self.world.orders, which)
        partner = chosen(self.answering(order), which)
        self.answer_order(order, partner, outcome, days, key=f"o{self.turn}" if keyed else "")
        self.step("answer to order", aside=True)

    @precondition(lambda self: any(one.keys for one in self.world.orders))
    @act(which=index, other=st.booleans())
    def partner_uses_an_orders_key_twice(self, which: int, other: bool) -> None:
        """The reply was lost on the way, or another answer is sent under the key of the first."""
        order: Order = chosen((one for one in self.world.orders if one.keys), which)
        there = self.answering(order)
        (partner, key), (outcome, until) = chosen((one for one in order.keys.items() if one[0][0] in there), which)
        if other:
            outcome, until = ("absent" if outcome in ("unbound", "bound") else "kept"), None
            only_if(order.purpose not in (owners.INQUIRE, owners.RETRACT) or outcome == "absent")
        expected = (outcome, until) != order.keys[partner, key]
        done = self.attempt(lambda: self.say(order, partner, outcome, until, key))
        if not self.refused("answer under the key of another one", done, expected=expected):
            same("new answers", done.new, 0)
            owners.something_came(self.world, order)
        self.step("order's key again", aside=True)

    def answering(self, order: Order) -> list[int]:
        """Who was asked and is let in still."""
        return [one.key for one in self.world.there if one.key in order.answers]

    def answer_order(self, order: Order, partner: int, outcome: str, days: int = -1, key: str = "") -> None:
        outcome = owners.possible_answer(order, outcome)
        until = self.world.now.date() + timedelta(days=days) if outcome == "pending" and days >= 0 else None
        done = self.say(order, partner, outcome, until, key)
        same("answer is new", done.new, int(owners.is_news(order, partner, (outcome, until), key)))
        owners.answer(self.world, order, partner, (outcome, until), key)

    def say(self, order: Order, partner: int, outcome: str, until: date | None, key: str) -> Answered:
        reason = "debt" if outcome == "refused" else ""
        return self.driver.answer_order(order.key, partner, order.number, outcome, reason, until, key)

    @precondition(lambda self: self.world.orders)
    @act(which=index)
    def all_answer_order(self, which: int) -> None:
        order: Order = chosen((one for one in self.world.orders if not owners.all_settled(one)), which)
        for partner in self.answering(order):
            self.answer_order(order, partner, ANSWERS[which % 3])
        self.step("all answer order", aside=True)

    @precondition(lambda self: any(not one.over for one in self.world.orders))
    @act()
    def owners_are_told(self) -> None:
        """The worker that looks after orders finds every one that is done, or has waited long enough."""
        only_if(any(not one.over and one.look_at <= self.world.now for one in self.world.orders))
        while self.stage.teller.one_job():
            pass
        for order in self.world.orders:
            owners.look(self.world, order)
        self.step("owners told", aside=True)

    @precondition(lambda self: any(owners.can_call_off(one) for one in self.world.orders))
    @act(which=index, who=st.integers(1, 15))
    def owner_calls_off(self, which: int, who: int) -> None:
        order: Order = chosen((one for one in self.world.orders if owners.can_call_off(one)), which)
        wanted = [key for place, key in enumerate(order.answers) if who >> place & 1]
        expected = [key for key in owners.can_call_off(order) if key in wanted]
        same("called off", self.driver.call_off(order.key, wanted), expected)
        owners.call_off(self.world, order, expected)
        owners.something_came(self.world, order)
        self.step("call off", aside=True)

    # Certificates -----------------------------------------------------------------------------------------------------
    @act(which=index)
    def certify(self, which: int) -> None:
        number = self.served(which)
        stated = owners.can_state(self.world, number)
        expected = stated is None or (
            owners.good_one(self.world, number, stated) is None and owners.in_dispute(self.world, number, stated)
        )
        made = self.attempt(lambda: certify_now(self.driver.platform, number, self.stage.signer.signed, by="owner"))
        if self.refused("certificate", made, expected=expected) or stated is None:
            self.step("certify refused", aside=True)
            return
        good = owners.good_one(self.world, number, stated)
        same("states", (made.opened_on, made.before), (stated.tenure.opened_on, stated.before))
        if good:
            same("certificate", made.id, good.key)
        else:
            owners.issue(self.world, made.id, number, stated)
        self.step("certify", aside=True)

    @precondition(lambda self: any(not one.revoked for one in self.world.certificates))
    @act(which=index, reason=st.sampled_from(("holder", "dispute")))
    def revoke(self, which: int, reason: str) -> None:
        one: Certificate = chosen((one for one in self.world.certificates if not one.revoked), which)
        self.driver.revoke(one.key, reason)
        one.revoked = reason
        self.step("revoke", aside=True)
