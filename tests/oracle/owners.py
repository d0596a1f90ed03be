"""Owners' orders, whom they ask and what owners are told; certificates and whether they are good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from oracle.days import midnight
from oracle.histories import CANCELLED, ELSEWHERE, Tenure, had_predecessor, holder, tenures, where
from oracle.outbox import INQUIRY, RENEWAL, tell
from oracle.world import Certificate, Number, Order, Partner, World

RENEW, LEAVE, INQUIRE = "renew", "leave", "inquire"


def may_order(world: World, number: Number, purpose: str) -> bool:
    """The new owner may renew what a known predecessor left; whoever holds a number may leave it, or ask."""
    events = world.histories[number]
    return holder(events) is not None and (purpose != RENEW or bool(had_predecessor(events)))


def cutoff(world: World, number: Number, purpose: str) -> datetime:
    """Never a date that somebody types: the carrier's opening day for the new owner, now for a leaver."""
    held = holder(world.histories[number])
    assert held is not None
    if purpose == RENEW:
        assert held.opened_on is not None
        return midnight(held.carrier, held.opened_on)
    return world.now


def of_tenure(world: World, number: Number, purpose: str) -> list[Order]:
    """The orders of whoever holds the number now, newest first."""
    held = holder(world.histories[number])
    mine = [one for one in world.orders if (one.number, one.purpose) == (number, purpose)]
    return [one for one in reversed(mine) if held and one.opened_on == held.opened_on]


def not_asked_again(world: World, earlier: list[Order], partner: Partner) -> bool:
    """Whether a partner has an order of this owner under way, or answered one within the cool-down."""
    for order in earlier:
        if partner.key in order.answers:
            said = order.answers[partner.key]
            if not said or said[-1][0] == "pending":
                return True
            return said[-1][0] != "refused" and said[-1][1] > world.now - world.rules.cool_down
    return False


def order(world: World, key: str, number: Number, purpose: str, asked: list[Partner]) -> Order:
    held = holder(world.histories[number])
    assert held is not None
    made = Order(key, purpose, number, held.opened_on, cutoff(world, number, purpose), world.now,
                 {one.key: [] for one in asked})  # fmt: skip
    world.orders.append(made)
    for partner in asked:
        if purpose != INQUIRE or partner.asks:
            tell(world, partner, INQUIRY if purpose == INQUIRE else RENEWAL, made)
    return made


def is_done(one: Order) -> bool:
    """Whether everybody who was asked has said something final. Whoever only asks waits on his page."""
    return one.purpose != INQUIRE and all(said and said[-1][0] != "pending" for said in one.answers.values())


def tell_owner(world: World, one: Order) -> None:
    needs = sum(said[-1][0] == "refused" for said in one.answers.values())
    world.messages.append((one.number, one.key, len(one.answers) - needs, needs))
    one.told = True


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
    found = [tenure for tenure in tenures(events) if tenure.opened_on == one.opened_on]
    if not found:
        return "corrected"
    if found[-1].closed_on is not None or (found[-1] is not tenures(events)[-1] and found[-1] != tenures(events)[-1]):
        return "ended"
    if where(events)[0] == ELSEWHERE:
        return "moved"
    assert events[-1].event != CANCELLED
    before = "another_subscriber" if had_predecessor(events) else "nobody_reported"
    if before != one.before:
        return "corrected"
    return "expired" if one.expires_at <= world.now else "valid"
