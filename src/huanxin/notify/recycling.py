"""RISC identifier-recycled: the events of numbers with new owners, made one by one from the sets in which they wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from pyroaring import BitMap

from huanxin.domain.numbers import NumberingPlan, parse
from huanxin.domain.partners import IDENTIFIER_RECYCLED
from huanxin.notify.events import recycled
from huanxin.notify.notices import recycled_jti
from huanxin.numbersets.sharded import SHARD_SIZE, shard_of, values_of
from huanxin.store.database import Tx
from huanxin.store.notify import deliveries, streams
from huanxin.store.notify.deliveries import Delivery, NewDelivery
from huanxin.store.notify.new_owners import Feed


def next_of(tx: Tx, feed: Feed, count: int) -> tuple[list[tuple[int, int]], int]:
    """The next numbers of a feed, of `count` at most, each with how many are done after it; and how many are after all of
    them. Numbers that the partner took out of its stream since are passed over."""
    unwanted = streams.excluded(tx, feed.partner_id, [feed.shard]).shards.get(feed.shard, BitMap())
    last = min(feed.done + count, len(feed.numbers))
    places = enumerate(values_of(feed.numbers)[feed.done : last].tolist(), start=feed.done + 1)
    return [(feed.shard * SHARD_SIZE + place, after) for after, place in places if place not in unwanted], last


def recycled_event(feed: Feed, number: int, *, plan: NumberingPlan, now: datetime) -> dict[str, Any]:
    """The claims of the event that tells of one number of a feed. It was opened at the first instant of the day where the
    carrier is that reported it: a later one would cut ties that its new owner made that morning (rule 2)."""
    opened_at = datetime.combine(feed.day, time(), plan.carriers[feed.carrier].zone)
    jti = recycled_jti(report_id=feed.report_id, client_id=feed.client_id, number=number, day=feed.day)
    return recycled(number, opened_at=opened_at, audience=feed.client_id, jti=jti, now=now)


def add_recycled(tx: Tx, partner_id: int, number: int, claims: dict[str, Any], *, at: datetime) -> None:
    """Make one number of a feed an event of its own, which waits for nothing but earlier ones of the same number."""
    deliveries.add(
        tx,
        NewDelivery(
            jti=claims["jti"], partner_id=partner_id, notice_id=None, event=IDENTIFIER_RECYCLED, subject=str(number),
            claims=claims,
        ),
        at=at,
    )  # fmt: skip


def still_wanted(tx: Tx, partner_id: int, due: Sequence[Delivery]) -> list[Delivery]:
    """Those of a partner's events that are to be sent. Of numbers that it took out of its stream since they are given up."""
    about = {one.jti: parse(one.claims["sub_id"]["phone_number"]) for one in due if one.event == IDENTIFIER_RECYCLED}
    if not about:
        return list(due)
    out = streams.excluded(tx, partner_id, sorted({shard_of(number) for number in about.values()}))
    unwanted = [jti for jti, number in about.items() if number % SHARD_SIZE in out.shards.get(shard_of(number), ())]
    deliveries.give_up(tx, partner_id, unwanted)
    return [one for one in due if one.jti not in unwanted]
