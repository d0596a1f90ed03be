"""What may be planned, what keeps a number back, and what may be released: number by number, as the rules read."""

from __future__ import annotations

from datetime import datetime, timedelta

from oracle.days import answers_due, earliest_today, first_sellable, midnight, today
from oracle.histories import FROZEN, OPENED, RECLAIMED, TRANSFERRED, Said, since, where
from oracle.outbox import RENEWAL, RETRACTION, tell
from oracle.world import Answer, Batch, Filed, Hold, Notice, Number, Partner, Retraction, Waived, World

UNSETTLED = ("pending", "refused")
EITHER = "in_service or withheld"


# Plan -----------------------------------------------------------------------------------------------------------------
def binds(hold: Hold, now: datetime) -> bool:
    """A hold binds to the end of its last day, wherever that comes last."""
    return not hold.lifted and earliest_today(now) <= hold.until


def held(world: World, number: Number) -> bool:
    return any(number in one.numbers and binds(one, world.now) for one in world.holds)


def batches_of(world: World, cancellation: Said) -> list[Batch]:
    """The batches that stand on a cancellation, oldest first: a number that was taken out by mistake is in two."""
    return [one for one in world.batches if one.stands_on.get(cancellation.number) is cancellation]


def batch_of(world: World, cancellation: Said) -> Batch | None:
    """The newest of them."""
    return next(reversed(batches_of(world, cancellation)), None)


def planned(world: World, cancellation: Said) -> bool:
    """Whether a number is in a batch of this tenure, and wasn't taken out of it since what was on record was wrong."""
    return any(not mended_out(batch, cancellation.number) for batch in batches_of(world, cancellation))


def mended_out(batch: Batch, number: Number) -> bool:
    return any(one.mended and number in one.numbers for one in batch.retractions)


def due(world: World, carrier: str | None = None) -> dict[Number, Said]:
    """Numbers that a plan takes now, each with the cancellation that it stands on."""
    found = {}
    for number, events in world.histories.items():
        if where(events)[0] != FROZEN:
            continue
        last = events[-1]
        soon = first_sellable(last.day, world.rules.freeze) <= today(last.carrier, world.now) + timedelta(
            days=world.rules.lead
        )
        if soon and carrier in (None, last.carrier) and not held(world, number) and not planned(world, last):
            found[number] = last
    return found


def plan(world: World, key: int, carrier: str | None) -> Batch:
    numbers = due(world, carrier)
    batch = Batch(
        key, numbers, world.now,
        answers_due(world.now, {one.carrier for one in numbers.values()}, world.rules.answer_days), world.rules.freeze,
    )  # fmt: skip
    world.batches.append(batch)
    return batch


def call_off(world: World, batch: Batch) -> None:
    """Nobody was told of it: it is as if it had never been planned."""
    world.batches.remove(batch)
    world.called_off.append(batch)


# Notify ---------------------------------------------------------------------------------------------------------------
def send(world: World, batch: Batch) -> None:
    for partner in world.there:
        if partner.key not in batch.notices:
            batch.notices[partner.key] = Notice(partner, partner.required, world.now, time_of(world, batch, batch.answer_by))
            tell(world, partner, RENEWAL, batch)
    tell_of_retractions(world, batch)


def time_of(world: World, batch: Batch, answer_by: datetime) -> datetime:
    """Until when a partner that is told now has to answer: its time begins when it is told."""
    carriers = {one.carrier for one in batch.stands_on.values()}
    return max(answer_by, answers_due(world.now, carriers, world.rules.answer_days))


def tell_of_retractions(world: World, batch: Batch) -> None:
    for retraction in batch.retractions:
        for notice in batch.notices.values():
            if notice.partner.key not in retraction.notices and not notice.partner.withdrawn:
                until = time_of(world, batch, retraction.answer_by)
                retraction.notices[notice.partner.key] = Notice(notice.partner, notice.required, world.now, until)
                tell(world, notice.partner, RETRACTION, retraction)


def taken_back(batch: Batch) -> set[Number]:
    return {number for one in batch.retractions for number in one.numbers}


def reclaimed(world: World, batch: Batch) -> frozenset[Number]:
    """Numbers of a batch that the owner whose cancellation it stands on took back, that nobody else has got since, and that
    no retraction names yet."""
    found = set()
    for number, cancellation in batch.stands_on.items():
        after = since(world.histories[number], cancellation) if cancellation in world.histories[number] else []
        if after and after[0].event == RECLAIMED and not any(one.event in (OPENED, TRANSFERRED) for one in after):
            found.add(number)
    return frozenset(found - taken_back(batch))


def retract(
    world: World, key: int, batch: Batch, numbers: frozenset[Number], *, ordered: bool, mended: bool = False
) -> None:  # fmt: skip
    carriers = {one.carrier for one in batch.stands_on.values()}
    due_by = answers_due(world.now, carriers, world.rules.answer_days)
    batch.retractions.append(Retraction(key, batch, numbers, ordered, due_by, world.now, mended))
    tell_of_retractions(world, batch)


# Answer ---------------------------------------------------------------------------------------------------------------
def answer_of(notice: Notice, number: Number) -> tuple[Answer | None, bool]:
    """What a partner's answer for a number is, and whether somebody waived it."""
    answer: Answer | None = None
    waived = False
    for entry in notice.entries:
        if isinstance(entry, Waived):
            waived = waived or (number in entry.numbers and not entry.withdrawn)
            continue
        if number in entry.said:
            answer = entry.said[number]
            waived = waived and answer[0] not in UNSETTLED
        elif entry.complete and answer is None:
            answer = ("absent", "", None)
    return answer, waived


def is_open(notice: Notice, number: Number) -> bool:
    answer, waived = answer_of(notice, number)
    return (answer is None or answer[0] in UNSETTLED) and not waived


def open_numbers(batch: Batch, partner: Partner) -> frozenset[Number]:
    return frozenset(number for number in batch.stands_on if is_open(batch.notices[partner.key], number))


def known_as(notice: Notice, content: dict[Number, Answer], *, complete: bool, key: str) -> list[Filed]:
    """The receipts on record that are the same as one that comes now: by its key, or without one by what it says."""
    filed = [one for one in notice.entries if isinstance(one, Filed)]
    if key:
        return [one for one in filed if one.idempotency == key]
    return [one for one in filed if says_the_same(one, content, complete=complete)]


def says_the_same(one: Filed, content: dict[Number, Answer], *, complete: bool) -> bool:
    return (list(one.content.items()), one.complete) == (list(content.items()), complete)


def heard_again(notice: Notice, first: Filed) -> dict[Number, Answer]:
    """What a receipt refused or put off, and another one has changed since: said again, it is news."""
    return {n: said for n, said in first.said.items() if said[0] in UNSETTLED and answer_of(notice, n)[0] != said}


def file(world: World, batch: Batch, notice: Notice, receipt: Filed) -> None:
    """Record a receipt. One that reopens a number which was released since its partner was told of it is a breach."""
    was_open = {number for number in batch.stands_on if is_open(notice, number)}
    notice.entries.append(receipt)
    for number, told in batch.released.items():
        if notice.required and notice.partner.key in told and is_open(notice, number) and number not in was_open:
            world.breaches["answered-after-release", number] += 1
            batch.objections.append((world.now, notice, number))


# Gate -----------------------------------------------------------------------------------------------------------------
def kept_open(batch: Batch, number: Number) -> bool:
    """Whether some partner whose answer is required keeps a number back; before anybody was asked, everybody does."""
    required = [one for one in batch.notices.values() if one.required]
    return not batch.notices or any(is_open(one, number) for one in required)


def refused(batch: Batch, number: Number) -> bool:
    for notice in batch.notices.values():
        answer, waived = answer_of(notice, number)
        if notice.required and answer is not None and answer[0] == "refused" and not waived:
            return True
    return False


def freeze_of(world: World, batch: Batch, number: Number) -> int:
    """Until it is released, the longer of its batch's freeze and today's; then the one that had ended."""
    return batch.released_under.get(number, max(batch.freeze, world.rules.freeze))


def freezing(world: World, batch: Batch, number: Number) -> bool:
    return number not in batch.released and world.now < freeze_ends(world, batch, number)


def ordered_back(batch: Batch, number: Number) -> bool:
    """Whether it was taken back for good."""
    return any(number in one.numbers for one in batch.retractions if one.ordered)


def has_left(world: World, batch: Batch, number: Number) -> bool:
    """Whether it was taken out of the freeze that the batch stands on, or never was in it, or out of the batch for good."""
    return ordered_back(batch, number) or not rests(world, batch, number)


def rests(world: World, batch: Batch, number: Number) -> bool:
    """Whether it is still in the freeze that the batch stands on."""
    events = world.histories[number]
    return bool(events) and events[-1] is batch.stands_on[number]


def is_clear(world: World, batch: Batch, number: Number) -> bool:
    return not (
        held(world, number) or has_left(world, batch, number) or kept_open(batch, number) or freezing(world, batch, number)
    )


def will_be_clear(world: World, batch: Batch, number: Number) -> bool:
    """Whether only the freeze keeps it back."""
    end = freeze_ends(world, batch, number)
    bound = any(number in one.numbers and binds(one, max(end, world.now)) for one in world.holds)
    return not (bound or has_left(world, batch, number) or kept_open(batch, number))


def releasable(world: World, batch: Batch) -> frozenset[Number]:
    return frozenset(n for n in batch.stands_on if n not in batch.released and is_clear(world, batch, n))


def release(world: World, batch: Batch) -> int:
    free = releasable(world, batch)
    batch.released_under.update({number: freeze_of(world, batch, number) for number in free})
    batch.released_at.update(dict.fromkeys(free, world.now))
    batch.released.update(dict.fromkeys(free, frozenset(batch.notices)))
    return len(free)


def off_sale(world: World, batch: Batch, number: Number) -> str:
    """Why a released number stands on its list no more: somebody has held it since, or it is withheld, as while its freeze
    runs after all; either may be said of one that was never cancelled. Empty if it does stand there."""
    if not rests(world, batch, number):
        return "in_service" if batch.stands_on[number] in world.histories[number] else EITHER
    objected = any(
        one.required and key in batch.released[number] and is_open(one, number) for key, one in batch.notices.items()
    )
    freezing = world.now < freeze_ends(world, batch, number)
    return "withheld" if objected or freezing or held(world, number) or ordered_back(batch, number) else ""


def on_sale(world: World, carrier: str) -> set[Number]:
    """What a carrier may sell of what was released to it."""
    return {
        number for batch in world.batches for number in batch.released
        if batch.stands_on[number].carrier == carrier and not off_sale(world, batch, number)
    }  # fmt: skip


# Explain --------------------------------------------------------------------------------------------------------------
def explained_by(world: World, number: Number) -> Batch | None:
    """The batch in which a frozen number is renewed; of one that isn't frozen, the last that it was in."""
    events = world.histories[number]
    if where(events)[0] == FROZEN:
        return batch_of(world, events[-1])
    return next((batch for batch in reversed(world.batches) if number in batch.stands_on), None)


def waits_for(world: World, of: Batch | Retraction, partner: int) -> tuple[int, int, bool]:
    """Of one partner: numbers without an answer, numbers with a pending one, and whether it is late."""
    notice = of.notices[partner]
    numbers, gone = (of.stands_on, taken_back(of)) if isinstance(of, Batch) else (of.numbers, set[Number]())
    outstanding = pending = 0
    for number in numbers:
        answer, waived = answer_of(notice, number)
        if waived or number in gone:
            continue
        outstanding += answer is None
        pending += answer is not None and answer[0] == "pending"
    return outstanding, pending, outstanding + pending > 0 and world.now >= notice.answer_by


def freeze_ends(world: World, batch: Batch, number: Number) -> datetime:
    """The instant from which a number may be sold, as far as its freeze goes. No correction makes it an earlier one than
    partners were told of."""
    cancelled = batch.stands_on[number]
    last = max(one.day for one in (cancelled, *batch.before.get(number, ())))
    return midnight(cancelled.carrier, first_sellable(last, freeze_of(world, batch, number)))
