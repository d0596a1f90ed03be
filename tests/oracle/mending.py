"""Reports that were wrong: what is on record once they are mended, and what that sets right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from oracle import owners, renewal
from oracle.days import answers_due, first_sellable, midnight, today
from oracle.histories import (
    CANCELLED,
    ELSEWHERE,
    FROZEN,
    OPENED,
    SERVING,
    TRANSFERRED,
    Histories,
    Line,
    Said,
    insert,
    judge,
    possible,
    tenures,
    where,
)
from oracle.outbox import RETRACTION, tell
from oracle.world import Batch, Number, Order, World


@dataclass
class Done:
    """What a mend does about numbers: by batch, or of all."""

    back: list[tuple[Batch, frozenset[Number]]] = field(default_factory=list)
    """taken back for good"""
    returned: list[tuple[Batch, frozenset[Number]]] = field(default_factory=list)
    """taken back since their owners have their numbers again"""
    stays: set[tuple[int, Number]] = field(default_factory=set)
    stopped: set[tuple[int, Number]] = field(default_factory=set)
    in_error: set[tuple[int, Number]] = field(default_factory=set)
    revoked: set[Number] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)
    """that went by a day which was too late"""


def without(histories: Histories, wrong: list[Said]) -> Histories:
    """What is on record of the numbers of some events without those."""
    return {number: [one for one in histories[number] if one not in wrong] for number in {one.number for one in wrong}}


@dataclass(frozen=True)
class Correction:
    """One line of a correction. `wrong`: the event that was said instead, as it is named there (`at` None: by its day)."""

    number: Number
    wrong: Line | None
    right: Line | None


def found_wrong(histories: Histories, carrier: str, lines: list[Correction]) -> list[Said] | None:
    """The events on record that a correction calls wrong; None if one is not there, or may be several."""
    found: list[Said] = []
    for wrong in (one.wrong for one in lines if one.wrong):
        meant = [
            one for one in histories[wrong.number]
            if (one.event, one.carrier, one.day) == (wrong.event, carrier, wrong.day) and one not in found
            and wrong.at in (None, one.at)
        ]  # fmt: skip
        if len(meant) != 1:
            return None
        found += meant
    return found


def corrected(
    world: World, carrier: str, lines: list[Correction], *, two: bool
) -> tuple[Histories, list[Said], list[Said]] | None:  # fmt: skip
    """What is on record of the numbers of a correction after it, what is taken back, and what is put on record; None if it
    can't be."""
    wrong = found_wrong(world.histories, carrier, lines)
    if wrong is None:
        return None
    left = world.histories | without(world.histories, wrong)
    judged = judge(left, carrier, [one.right for one in lines if one.right], world.now)
    after = {one.number: list(left[one.number]) for one in lines}
    for one in judged.taken:
        insert(after[one.number], one)
    return None if judged.refused or not can_be(world, after, two=two) else (after, wrong, judged.taken)


def can_be(world: World, after: Histories, *, two: bool) -> bool:
    """Whether the rest of what is on record can be so; and no freeze ends earlier by what one person says."""
    for number, events in after.items():
        before = world.histories[number]
        if possible(before) and not possible(events):
            return False
        both_rest = where(before)[0] == where(events)[0] == FROZEN
        if both_rest and events[-1].day < before[-1].day and not two:
            return False
    return True


def mend(world: World, after: Histories, right: list[Said]) -> Done:
    """Put on record what is so of some numbers, and set right what stood on what was wrong. `right`: what of it is new."""
    before = {number: world.histories[number] for number in after}
    on_lists = {
        (batch.key, number) for batch in world.batches for number in batch.released
        if number in after and renewal.rests(world, batch, number)
    }  # fmt: skip
    in_error = [
        (batch, number) for batch in world.batches for number in batch.released
        if number in after and batch.stands_on[number] in before[number]
        and _was_right(batch, number, before[number]) and not _was_right(batch, number, after[number])
    ]  # fmt: skip
    theirs = [one for one in reversed(world.orders) if one.number in after and owners.is_of_holder(world, one)]
    world.histories.update(after)
    done = Done(in_error={(batch.key, number) for batch, number in in_error})
    for batch in world.batches:
        out = {number for number in batch.stands_on if number in after and _goes_out(world, batch, number, right, done)}
        if out:
            done.back.append((batch, frozenset(out)))
            done.stopped |= {(batch.key, number) for number in out} & on_lists
    done.stopped |= on_lists & {
        (batch.key, number) for batch, number in in_error
        if not renewal.rests(world, batch, number) or world.now < renewal.freeze_ends(world, batch, number)
    }  # fmt: skip
    for one in world.certificates:
        good = not one.revoked and one.expires_at > world.now
        if good and one.number in after and owners.verdict(world, one) == "corrected":
            one.revoked = "mistake"
            done.revoked.add(one.number)
    done.orders = [one for one in sorted(theirs, key=lambda one: one.number) if _goes_back(world, one)]
    return done


def _goes_back(world: World, one: Order) -> bool:
    """Have an order go on with its tenure; whether it went by a day too late, so that ties of its owner's may be gone."""
    events = world.histories[one.number]
    if where(events)[0] not in (SERVING, ELSEWHERE):
        return False
    last = tenures(events)[-1]
    now = last.opened_on, owners.of_day(world, one.number, last)
    if now == (one.opened_on, one.of_day):
        return False
    one.opened_on, one.of_day = now
    too_late = last.opened_on is None or midnight(last.opened_by, last.opened_on) < one.cutoff
    return one.purpose == owners.RENEW and too_late and not one.taken_back


def take_order_back(world: World, key: str, one: Order) -> None:
    """What nobody was told of is called off; whoever may have cut is told to give it back."""
    owners.call_off(world, one, owners.can_call_off(one))
    one.taken_back = True
    carrier = tenures(world.histories[one.number])[-1].carrier
    due = answers_due(world.now, [carrier], world.rules.answer_days)
    cut = {
        partner.key: partner for partner in world.there
        if partner.key in one.answers and partner.key not in one.off
        and not (one.answers[partner.key] and one.answers[partner.key][-1][0] == "absent")
    }  # fmt: skip
    back = Order(
        key, owners.RETRACT, one.number, one.opened_on, one.of_day, carrier, one.cutoff, world.now, due,
        {partner: [] for partner in cut}, world.now,
    )  # fmt: skip
    world.orders.append(back)
    for partner in cut.values():
        tell(world, partner, RETRACTION, back)


def _goes_out(world: World, batch: Batch, number: Number, right: list[Said], done: Done) -> bool:
    """Whether a number has to be taken back for good. If the cancellation that the batch stands on was wrong: unless a right
    one was put in its place after which it was frozen too when the batch was planned, or somebody else has got it since.
    If it rests after all: if partners were told that its owner is back."""
    if renewal.mended_out(batch, number):
        return False
    events, old, ordered = world.histories[number], batch.stands_on[number], renewal.ordered_back(batch, number)
    if old not in events:
        day = today(old.carrier, batch.planned_at)
        earlier = [one for one in events if one.day < day]
        if not (earlier and earlier[-1] in right and earlier[-1].event == CANCELLED and earlier[-1].carrier == old.carrier):
            return not ordered and not any(one.event in (OPENED, TRANSFERRED) and one.day >= day for one in events)
        batch.before.setdefault(number, []).append(old)
        batch.stands_on[number] = earlier[-1]
        if not ordered:
            done.stays.add((batch.key, number))
    return not ordered and renewal.rests(world, batch, number) and number in renewal.taken_back(batch)


def _was_right(batch: Batch, number: Number, events: list[Said]) -> bool:
    """Whether a number could be sold on the day of its release: nobody had it as that began, and its freeze was over."""
    day: date = today(batch.stands_on[number].carrier, batch.released_at[number])
    earlier = [one for one in events if one.day < day]
    if where(earlier)[0] != FROZEN:
        return False
    return first_sellable(earlier[-1].day, batch.released_under[number]) <= day


def returned(world: World, done: Done) -> list[tuple[Batch, frozenset[Number]]]:
    """What batches that were sent have to take back since owners have their numbers again."""
    gone = {(batch.key, number) for batch, numbers in done.back for number in numbers}
    found = [
        (batch, frozenset(one for one in renewal.reclaimed(world, batch) if (batch.key, one) not in gone))
        for batch in world.batches if batch.notices
    ]  # fmt: skip
    return [(batch, numbers) for batch, numbers in found if numbers]
