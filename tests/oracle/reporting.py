"""What follows from a report, besides the events themselves: numbers taken back, news of new owners, breaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from oracle.days import ZONES, first_sellable, midnight, today
from oracle.histories import FROZEN, OPENED, RECLAIMED, TRANSFERRED, Judged, Said, insert, where
from oracle.mending import Done, mend, returned
from oracle.outbox import tell_recycled
from oracle.renewal import batches_of, freeze_of, is_open
from oracle.world import Batch, Disclosure, Hold, Number, World

UNRELEASED, IN_FREEZE, UNDISCLOSED = "opened-without-release", "opened-in-freeze", "opened-without-disclosure"
IN_ERROR = "released-in-error"
WHILE_HELD, AFTER_STOP = "opened-while-held", "opened-after-stop"
OTHERS = (UNDISCLOSED, WHILE_HELD, AFTER_STOP)


def take(world: World, carrier: str, judged: Judged, report: int) -> Done:
    """Record a report that was taken, and what follows from it. Where it says something older than what is on record, all
    that stood on what was is set right as when a report is mended."""
    if world.first_report_at is None:
        world.first_report_at = world.now
    after = {number: list(world.histories[number]) for number in judged.late}
    late = [one for one in judged.taken if one.number in after]
    for one in judged.taken:
        one.report = report
        if one in late:
            insert(after[one.number], one)
    done = mend(world, after, late)
    record(world, carrier, judged.taken, done)
    return done


def record(world: World, carrier: str, new: list[Said], done: Done, wrong: Iterable[Said] = ()) -> None:
    """Put new events on record that are not yet, and judge them. `wrong`: what was said in their place, of another day
    perhaps: whoever was told of a new owner then isn't told again."""
    known = {(one.number, one.event) for one in wrong}
    new_owners: list[tuple[Number, date]] = []
    breaches: set[tuple[str, Number, object]] = set()
    mended = {one.number for one in new if one in world.histories[one.number]}
    for one in new:
        events = world.histories[one.number]
        before = events[: events.index(one) if one in events else insert(events, one)]
        sold = one.event == OPENED and where(before)[0] == FROZEN
        if sold:
            breaches |= set(_breaches(world, before[-1], one))
        if one.event == RECLAIMED and one.number not in mended:
            done.in_error |= {(batch.key, one.number) for batch in _released_in_error(world, before[-1], one)}
        if (sold or one.event == TRANSFERRED) and (one.number, one.event) not in known:
            new_owners.append((one.number, one.day))
    # What was sold out of a batch is named there, and not again for what else happened to it in the same report.
    of_batch = {number for _, number, batch in breaches if batch}
    world.breaches.update(
        (kind, number) for kind, number, batch in breaches if batch or kind in OTHERS or number not in of_batch
    )
    world.breaches.update((IN_ERROR, number) for _, number in done.in_error)
    tell_recycled(world, carrier, list(dict.fromkeys(new_owners)))  # once for each day, however often it passed on
    done.returned = returned(world, done)


def _released_in_error(world: World, cancelled: Said, reclaim: Said) -> list[Batch]:
    """The batches of which a number was released that had been back with its owner since an earlier day, as is said only
    now."""
    return [
        one for one in batches_of(world, cancelled)
        if (at := one.released_at.get(reclaim.number)) and reclaim.day < today(cancelled.carrier, at)
    ]  # fmt: skip


def _breaches(world: World, cancelled: Said, sale: Said) -> Iterator[tuple[str, Number, object]]:
    """A number was sold too early, without a release of this freeze, while held, though it was stopped after its release, or
    to a buyer who was not told: once in a report, of its batch or of none."""
    assert world.first_report_at is not None
    number = sale.number
    batch = _judged_by(world, cancelled, sale)
    if any(number in one.numbers and _after(sale, one.placed_at) and _bound(one, sale, world.now) for one in world.holds):
        yield WHILE_HELD, number, None
    if batch and number in batch.released and any(_after(sale, at) for at in _stops(batch, number)):
        yield AFTER_STOP, number, None
    unreleased = batch is not None and number not in batch.released
    if unreleased:
        yield UNRELEASED, number, batch
    if sale.day < today(sale.carrier, world.first_report_at) or _on_sale_already(world, cancelled):
        return  # before the platform took its first report, nothing could be disclosed, or released outside of a batch
    if not unreleased:
        freeze = freeze_of(world, batch, number) if batch else world.rules.freeze
        early = sale.day < first_sellable(cancelled.day, freeze)
        if early or batch is None:
            yield IN_FREEZE if early else UNRELEASED, number, None
        elif _before(sale, batch.released_at[number]):
            yield UNRELEASED, number, batch
    if not any(_covers(one, cancelled, sale) for one in world.disclosures):
        yield UNDISCLOSED, number, None


def _on_sale_already(world: World, cancelled: Said) -> bool:
    """Whether a number's freeze had ended when its carrier gave its state."""
    day = next((one.day for one in world.reports if one.key == cancelled.report and one.kind == "baseline"), None)
    return day is not None and first_sellable(cancelled.day, world.rules.freeze) <= day


def _judged_by(world: World, cancelled: Said, sale: Said) -> Batch | None:
    """Of the batches that stand on a cancellation the newest that had released the number when it was sold; or the first
    that released it at all; or the newest."""
    every = batches_of(world, cancelled)
    released = [one for one in every if sale.number in one.released]
    before = [one for one in released if not _before(sale, one.released_at[sale.number])]
    return next(reversed(before or released[:1] or every), None)


def _before(sale: Said, at: datetime) -> bool:
    """Whether a number was surely sold before an instant; clocks may be a minute apart."""
    return sale.at < at - timedelta(minutes=1) if sale.at else sale.day < today(sale.carrier, at)


def _after(sale: Said, at: datetime) -> bool:
    """Whether it was surely sold after an instant."""
    return sale.at > at + timedelta(minutes=1) if sale.at else sale.day > today(sale.carrier, at)


def _bound(hold: Hold, sale: Said, now: datetime) -> bool:
    """Whether a hold still bound what was sold, which nobody doubts; least of all while it binds still."""
    if hold.lifted_at and not _before(sale, hold.lifted_at):
        return False
    end = max(midnight(carrier, hold.until + timedelta(days=1)) for carrier in ZONES)
    return now < end or _before(sale, end)


def _stops(batch: Batch, number: Number) -> Iterator[datetime]:
    """When a number was taken back by an operator, or refused by a partner that refuses it still."""
    yield from (one.at for one in batch.retractions if one.ordered and number in one.numbers)
    yield from (at for at, notice, which in batch.objections if which == number and is_open(notice, number))


def _covers(one: Disclosure, cancelled: Said, sale: Said) -> bool:
    """Whether a disclosure is of this number and the tenure that ended last, by the carrier that sold, made before the sale:
    on its day, where the carrier gave the day only."""
    if (one.number, one.closed_on, one.carrier, one.withdrawn) != (sale.number, cancelled.day, sale.carrier, False):
        return False
    return one.at <= sale.at if sale.at else today(sale.carrier, one.at) <= sale.day
