"""What follows from a report, besides the events themselves: numbers taken back, news of new owners, breaches."""

from __future__ import annotations

from datetime import date

from oracle.days import first_sellable, today
from oracle.histories import FROZEN, OPENED, RECLAIMED, TRANSFERRED, Judged, Said, where
from oracle.outbox import tell_recycled
from oracle.renewal import batch_of, reclaimed
from oracle.world import Batch, Disclosure, Number, World

UNRELEASED, IN_FREEZE, UNDISCLOSED = "opened-without-release", "opened-in-freeze", "opened-without-disclosure"


def take(world: World, carrier: str, judged: Judged) -> list[Batch]:
    """Record a report that was taken; the batches from which reclaimed numbers have to be taken back, oldest first."""
    if world.first_report_at is None:
        world.first_report_at = world.now
    new_owners: list[tuple[Number, date]] = []
    for one in judged.taken:
        before = world.histories[one.number]
        sold = one.event == OPENED and where(before)[0] == FROZEN
        if sold:
            _find_breaches(world, before[-1], one)
        if sold or one.event == TRANSFERRED:
            new_owners.append((one.number, one.day))
        before.append(one)
    tell_recycled(world, carrier, new_owners)
    if not any(one.event == RECLAIMED for one in judged.taken):
        return []
    return [batch for batch in world.batches if batch.notices and reclaimed(world, batch)]


def _find_breaches(world: World, cancelled: Said, sale: Said) -> None:
    """A number was sold: too early, without a release of this freeze, or to a buyer who was not told."""
    assert world.first_report_at is not None
    number, batch = sale.number, batch_of(world, cancelled)
    unreleased = batch is not None and number not in batch.released
    if unreleased:
        world.breaches[UNRELEASED, number] += 1
    if sale.day < today(sale.carrier, world.first_report_at):
        return  # before the platform took its first report, nothing could be disclosed, or released outside of a batch
    if not unreleased:
        freeze = batch.freeze if batch else world.rules.freeze
        early = sale.day < first_sellable(cancelled.day, freeze)
        if early or batch is None:
            world.breaches[IN_FREEZE if early else UNRELEASED, number] += 1
    if not any(_covers(one, cancelled, sale) for one in world.disclosures):
        world.breaches[UNDISCLOSED, number] += 1


def _covers(one: Disclosure, cancelled: Said, sale: Said) -> bool:
    """Whether a disclosure is of this number and the tenure that ended last, by the carrier that sold, made before the sale:
    on its day, where the carrier gave the day only."""
    if (one.number, one.closed_on, one.carrier, one.withdrawn) != (sale.number, cancelled.day, sale.carrier, False):
        return False
    return one.at <= sale.at if sale.at else today(sale.carrier, one.at) <= sale.day
