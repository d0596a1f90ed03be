"""Who is told what, and in which order: every event that has to be made for a partner, until the partner took it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from oracle.days import today
from oracle.world import Batch, Number, Order, Partner, Recycled, Retraction, Told, World

RENEWAL, RETRACTION, INQUIRY, REMINDER, RECYCLED = "renewal", "retraction", "inquiry", "reminder", "recycled"
PATIENCE = 14
"""On so many days an event is tried in vain before it is given up."""


def key_of(about: object) -> object:
    assert isinstance(about, Batch | Retraction | Order)
    return about.key


def subject_of(about: object) -> object:
    """Events of one subject reach a partner in their order: of a batch with its retractions, and of one number."""
    if isinstance(about, Order):
        return about.number
    return about.batch if isinstance(about, Retraction) else about


def tell(world: World, partner: Partner, event: str, about: object) -> None:
    """Make an event for a partner; while its stream is disabled it is on record and not sent."""
    partner.told.append(Told(event, about, world.now, "dropped" if partner.status == "disabled" else "open"))


def tell_recycled(world: World, carrier: str, sold: list[tuple[Number, date]]) -> None:
    """Numbers with a history that have a new owner: those who ask hear of what happened since the day they joined."""
    for partner in world.there:
        if partner.asks and partner.status != "disabled":
            partner.recycled += [Recycled(*one, carrier) for one in sold if one[1] >= today(carrier, partner.added_at)]


def set_status(partner: Partner, status: str) -> None:
    """`paused` keeps what is open, `disabled` gives it up; what is open when a stream goes on is tried anew."""
    partner.status = status
    for one in partner.waiting:
        if status == "disabled":
            one.state = "dropped"
        elif isinstance(one, Told):
            one.tried.clear()


def recover(partner: Partner, since: datetime) -> None:
    """Whatever was made since an instant and not taken is to be sent; what is sent again of a batch is followed by its
    retractions once more, whoever took them before."""
    again: list[object] = []
    for one in partner.told:
        off = isinstance(one.about, Order) and partner.key in one.about.off
        after = one.event == RETRACTION and isinstance(one.about, Retraction) and one.about.batch in again
        if (one.at >= since and one.state != "delivered" and not off) or after:
            again.append(subject_of(one.about))
            one.state = "open"
            one.tried.clear()


def taken(partner: Partner, event: str, key: object, now: datetime) -> None:
    """A partner took an event: it has to be the next of its subject."""
    mine = [one for one in partner.told if (one.event, key_of(one.about)) == (event, key)]
    assert mine, f"{partner.name} was sent {event} {key}, which was not made for it"
    one = next((told for told in mine if told.state == "open"), mine[-1])  # there may be several reminders
    assert one.state == "open" or (event, key) in partner.received, f"{partner.name} was sent {event} {key}: {one.state}"
    earlier = partner.told[: partner.told.index(one)]
    waiting = [e for e in earlier if e.state == "open" and subject_of(e.about) is subject_of(one.about)]
    assert not waiting, f"{partner.name} was sent {event} {key} before {waiting[0].event} {key_of(waiting[0].about)}"
    one.state = "delivered"
    if isinstance(one.about, Order):
        one.about.told_at.setdefault(partner.key, now)
        assert partner.key not in one.about.off, f"{partner.name} was sent {key}, which its owner called off"
    partner.received.append((event, key))


def tried_in_vain(partner: Partner, event: str, key: object, now: datetime) -> None:
    mine = [one for one in partner.told if (one.event, key_of(one.about)) == (event, key) and one.state == "open"]
    if mine:
        mine[0].tried.add(now.astimezone(UTC).date())


def may_be_given_up(one: Told) -> bool:
    """An event that was tried in vain on more days than anybody waits."""
    return len(one.tried) >= PATIENCE


def never_last(partner: Partner) -> list[Retraction]:
    """Retractions that did not come after the renewal that they take numbers back from: the partner would cut for good."""
    found = []
    for one in partner.told:
        if one.event == RETRACTION and isinstance(one.about, Retraction) and one.state == "delivered":
            last = {name: at for at, name in enumerate(partner.received)}
            if last.get((RENEWAL, one.about.batch.key), -1) > last[RETRACTION, one.about.key]:
                found.append(one.about)
    return found
