"""Events that partners fetch themselves (RFC 8936): given again at each poll until they are acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from huanxin.domain.clock import Clock
from huanxin.domain.errors import NotFound
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.partners import Partner
from huanxin.domain.retries import Retries
from huanxin.domain.streams import Method, Status, Stream
from huanxin.notify.recycling import add_recycled, next_of, recycled_event, still_wanted
from huanxin.signing.keys import Signer
from huanxin.store.connect import rehearsals
from huanxin.store.database import Database, Tx
from huanxin.store.notify import deliveries, new_owners, streams
from huanxin.store.notify.deliveries import Delivery, Met

MOST_EVENTS = 100
"""The most events that one poll answers with."""
_ACKNOWLEDGED, _REFUSED = 200, 400  # how an attempt reads whose answer came with a later poll


@dataclass(frozen=True, kw_only=True)
class Polled:
    """The answer to a poll: signed events by their `jti`, oldest first, and whether more can be fetched at once."""

    sets: Mapping[str, str]
    more: bool


@dataclass(frozen=True, kw_only=True)
class Poller:
    """Answers polls: the database, the signer, the clock, the carriers, when a refused event is given again. In a
    rehearsal events may be answered with tokens that were made beforehand, to be refused."""

    database: Database
    signer: Signer
    clock: Clock
    plan: NumberingPlan
    retries: Retries = field(default_factory=Retries)
    chance: Callable[[], float] = random.random

    def poll(
        self, partner: Partner, *, most: int = MOST_EVENTS, acks: Sequence[str] = (), errors: Mapping[str, str] | None = None
    ) -> Polled:
        """Take note of what a partner acknowledges and refuses (`errors`: its words by `jti`), and give it at most `most`
        events. Of each subject one at a time, since the answer is an object and has no order. Raises NotFound if the
        partner has no stream that is polled."""
        wanted = min(most, MOST_EVENTS)
        with self.database.transaction() as tx:
            stream = _polled_stream(tx, partner)
            self._note(tx, partner, acks, errors or {})
            due = self._due(tx, partner, stream, wanted + 1) if wanted else []
            made = rehearsals.tokens(tx, [one.jti for one in due]) if self.signer.rehearsal else {}
        sets = {one.jti: made.get(one.jti) or self.signer.event_token(one.claims, one.alg) for one in due[:wanted]}
        return Polled(sets=sets, more=len(due) > wanted > 0)

    def _note(self, tx: Tx, partner: Partner, acks: Sequence[str], errors: Mapping[str, str]) -> None:
        """An event that is both acknowledged and refused is taken for refused: it is given again."""
        now, accepted = self.clock(), [jti for jti in acks if jti not in errors]
        if accepted:
            deliveries.acknowledge(tx, partner.id, accepted, status=_ACKNOWLEDGED, at=now)
        refused = deliveries.open_ones(tx, partner.id, list(errors)) if errors else []
        met = [
            Met(jti=one.jti, endpoint=one.endpoint, status=_REFUSED, answer=errors[one.jti], delivered=False,
                next_at=self.retries.next(one, now, self.chance))
            for one in refused
        ]  # fmt: skip
        deliveries.record_attempts(tx, met, at=now)

    def _due(self, tx: Tx, partner: Partner, stream: Stream, limit: int) -> list[Delivery]:
        enabled = stream.status == Status.ENABLED
        due = self._waiting(tx, partner, enabled=enabled, limit=limit)
        while enabled and len(due) < limit and self._make_recycled(tx, partner, limit - len(due)):
            due = self._waiting(tx, partner, enabled=True, limit=limit)
        return due

    def _waiting(self, tx: Tx, partner: Partner, *, enabled: bool, limit: int) -> list[Delivery]:
        found = deliveries.to_poll(tx, partner.id, self.clock(), enabled=enabled, limit=limit)
        return still_wanted(tx, partner.id, found)

    def _make_recycled(self, tx: Tx, partner: Partner, count: int) -> bool:
        """Make events of the next numbers of a feed, `count` at most; False if none waits."""
        now = self.clock()
        feed = new_owners.claim_due(tx, now, Method.POLL, partner.id)
        if feed is None:
            return False
        step, done = next_of(tx, feed, count)
        for number, _ in step:
            add_recycled(tx, partner.id, number, recycled_event(feed, number, plan=self.plan, now=now), at=now)
        new_owners.advance(tx, feed, done=done, attempts=0, next_at=now if done < len(feed.numbers) else None, at=now)
        return True


def _polled_stream(tx: Tx, partner: Partner) -> Stream:
    found = streams.of_partner(tx, partner.id)
    if found is None or found.method != Method.POLL:
        raise NotFound("you have no stream that is polled; create one with delivery.method urn:ietf:rfc:8936")
    return found
