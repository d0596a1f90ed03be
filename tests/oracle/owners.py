"""Owners' orders, whom they ask and what owners are told; certificates and whether they are good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from oracle.days import answers_due, midnight, today
from oracle.histories import ELSEWHERE, Tenure, had_predecessor, holder, tenures, where
from oracle.outbox import INQUIRY, RENEWAL, tell
from oracle.world import Certificate, Number, Order, Partner, World

RENEW, LEAVE, INQUIRE, RETRACT = "renew", "leave", "inquire", "retract"
TAKEN_BACK = (-1, -1)
"""What an owner is told whose order went by a wrong day, in place of how many services are done and need them."""
LONGEST_PENDING = timedelta(days=30)
"""For so long after its time a partner may go on saying "pending"."""


def may_order(world: World, number: Number, purpose: str) -> bool:
    """The new owner may renew what a predecessor left who is known, or of whom nobody knows; whoever holds a number may
    leave it, or ask."""
    events = world.histories[number]
    held = holder(events)
    renewable = held is not None and held.opened_on is not None and had_predecessor(events) is not False
    return held is not None and (purpose != RENEW or renewable)


def cutoff(world: World, number: Number, purpose: str, shown_at: datetime) -> datetime:
    """Never a date that somebody types: the carrier's opening day for the new owner; for a leaver when they showed that the
    number is theirs."""
    held = holder(world.histories[number])
    assert held is not None
    if purpose == RENEW:
        assert held.opened_on is not None
        return midnight(held.opened_by, held.opened_on)
    return shown_at


def is_of_holder(world: World, one: Order) -> bool:
    """Whether whoever ordered holds the number now."""
    held = holder(world.histories[one.number])
    if held is None or (held.opened_on and one.at < midnight(held.opened_by, held.opened_on)):
        return False
    if one.opened_on is None:
        return len(tenures(world.histories[one.number])) == 1
    return (one.opened_on, one.of_day) == (held.opened_on, of_day(world, one.number, held))


def of_day(world: World, number: Number, held: Tenure) -> int:
    """Which of those that began on its day a tenure is that goes on."""
    return sum(one.opened_on == held.opened_on for one in tenures(world.histories[number]))


def of_tenure(world: World, number: Number, purpose: str) -> list[Order]:
    """The orders of whoever holds the number now, newest first."""
    mine = [one for one in world.orders if (one.number, one.purpose, one.taken_back) == (number, purpose, False)]
    return [one for one in reversed(mine) if is_of_holder(world, one)]


def waits_until(world: World, one: Order, partner: int) -> datetime | None:
    """The end of a partner's time, which begins when it is told; None if nothing more is waited for."""
    said = one.answers[partner]
    there = any(known.key == partner for known in world.there)
    if not there or partner in one.off or (said and said[-1][0] != "pending"):
        return None
    told_at = one.told_at.get(partner, one.at)
    due = max(one.answer_by, answers_due(told_at, [one.carrier], world.rules.answer_days))
    if not said or said[-1][2] is None:
        return due
    last = min(said[-1][2], today(one.carrier, due + LONGEST_PENDING))
    return max(due, midnight(one.carrier, last + timedelta(days=1)))


def not_asked_again(world: World, earlier: list[Order], partner: Partner) -> bool:
    """Whether a partner has an order of this owner under way, or answered one within the cool-down."""
    for order in earlier:
        if partner.key in order.answers and partner.key not in order.off:
            said = order.answers[partner.key]
            if not said or said[-1][0] == "pending":
                until = waits_until(world, order, partner.key)
                return until is not None and world.now < until
            return said[-1][0] != "refused" and said[-1][1] > world.now - world.rules.cool_down
    return False


def order(
    world: World, key: str, number: Number, purpose: str, asked: list[Partner], shown_at: datetime
) -> Order:  # fmt: skip
    held = holder(world.histories[number])
    assert held is not None
    due = answers_due(world.now, [held.carrier], world.rules.answer_days)
    made = Order(
        key, purpose, number, held.opened_on, of_day(world, number, held), held.carrier,
        cutoff(world, number, purpose, shown_at), world.now, due, {one.key: [] for one in asked}, due,
    )  # fmt: skip
    made.over = purpose == INQUIRE  # who only asks waits on the page
    world.orders.append(made)
    for partner in asked:
        if purpose != INQUIRE or partner.asks:
            tell(world, partner, INQUIRY if purpose == INQUIRE else RENEWAL, made)
    return made


def possible_answer(one: Order, outcome: str) -> str:
    """Of what partners answer to renewals, the like in answer to an order."""
    if one.purpose == INQUIRE:
        return "bound" if outcome == "unbound" else "absent"
    if one.purpose == RETRACT:
        return {"unbound": "restored", "kept": "irreversible", "refused": "absent"}.get(outcome, outcome)
    return outcome


def is_news(one: Order, partner: int, answer: tuple[str, date | None], key: str) -> bool:
    """Whether an answer changes anything: under a key once; without one it is a repeat if it was given before, unless it
    keeps the order open and something else was said since."""
    if key:
        return (partner, key) not in one.keys
    said = [(outcome, until) for outcome, _, until in one.answers[partner]]
    return answer not in said or (answer[0] in ("pending", "refused") and said[-1] != answer)


def answer(world: World, one: Order, partner: int, said: tuple[str, date | None], key: str) -> None:
    if is_news(one, partner, said, key):
        one.answers[partner].append((said[0], world.now, said[1]))
        if key:
            one.keys[partner, key] = said
    something_came(world, one)


def all_settled(one: Order) -> bool:
    """Whether everybody who was asked has said something final."""
    return all(key in one.off or (said and said[-1][0] != "pending") for key, said in one.answers.items())


def something_came(world: World, one: Order) -> None:
    """After an answer or a call-off somebody looks at an order that may be done."""
    if one.done_at is None and not one.over:
        if all_settled(one):
            one.done_at = world.now
        if one.done_at or one.answer_by <= world.now:
            one.look_at = world.now


def can_call_off(one: Order) -> list[int]:
    """Partners that were not told yet, and have not answered."""
    return [key for key, said in one.answers.items() if not said and key not in one.told_at and key not in one.off]


def call_off(world: World, one: Order, partners: list[int]) -> None:
    one.off |= set(partners)
    for partner in world.partners:
        for told in partner.told:
            if told.about is one and partner.key in partners:
                told.state = "dropped"


def look(world: World, one: Order) -> None:
    """What the worker does that looks after orders: their owners are told once, if the number is still theirs; of what went
    by a wrong day that it was taken back, and nothing more."""
    if one.over or one.look_at > world.now:
        return
    if one.taken_back:
        one.over = True
        return
    if one.purpose == RETRACT:
        _tell_owner(world, one, one.at, TAKEN_BACK)
        return
    if one.done_at is None:
        last = max(filter(None, (waits_until(world, one, key) for key in one.answers)), default=world.now)
        if world.now < last:
            one.look_at = last
            return
        one.done_at = world.now
    asked = [said for key, said in one.answers.items() if key not in one.off]
    done = sum(bool(said) and said[-1][0] not in ("refused", "pending") for said in asked)
    _tell_owner(world, one, one.done_at, (done, len(asked) - done) if asked else None)


def _tell_owner(world: World, one: Order, since: datetime, said: tuple[int, int] | None) -> None:
    """Tell whoever ordered, if they have the number; else wait until they do, but not for ever."""
    if said and is_of_holder(world, one):
        world.messages.append((one.number, one.key, *said))
        one.over = True
    elif not said or holder(world.histories[one.number]) or world.now - since > timedelta(days=200):
        one.over = True
    else:
        one.look_at = world.now + timedelta(days=1)


# Certificates ---------------------------------------------------------------------------------------------------------
@dataclass
class Stated:
    tenure: Tenure
    before: str


def can_state(world: World, number: Number) -> Stated | None:
    held = holder(world.histories[number])
    if held is None or held.opened_on is None:
        return None
    return Stated(held, "another_subscriber" if had_predecessor(world.histories[number]) else "nobody_reported")


def good_one(world: World, number: Number, stated: Stated) -> Certificate | None:
    """The certificate that says so already."""
    return next(
        (one for one in world.certificates
         if (one.number, one.opened_on, one.before) == (number, stated.tenure.opened_on, stated.before)
         and not one.revoked and one.expires_at > world.now),
        None,
    )  # fmt: skip


def in_dispute(world: World, number: Number, stated: Stated) -> bool:
    mine = [one for one in world.certificates if (one.number, one.opened_on) == (number, stated.tenure.opened_on)]
    return any(one.revoked == "dispute" for one in mine)


def issue(world: World, key: str, number: Number, stated: Stated) -> None:
    at = world.now.replace(microsecond=0)
    assert stated.tenure.opened_on is not None
    until = at + timedelta(days=world.rules.certificate_days)
    world.certificates.append(Certificate(key, number, stated.tenure.opened_on, stated.before, at, until))


def verdict(world: World, one: Certificate) -> str:
    """Whether a certificate is good, by what is on record now."""
    if one.revoked:
        return "revoked"
    events = world.histories[one.number]
    found = tenures(events)
    mine = [place for place, tenure in enumerate(found) if tenure.opened_on == one.opened_on]
    if not mine:
        return "corrected"
    if mine[-1] != len(found) - 1 or found[-1].closed_on is not None:
        return "ended"
    if where(events)[0] == ELSEWHERE:
        return "moved"
    before = "another_subscriber" if had_predecessor(events) else "nobody_reported"
    if before != one.before:
        return "corrected"
    return "expired" if one.expires_at <= world.now else "valid"
