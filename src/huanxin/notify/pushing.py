"""Pushing events to partners (RFC 8935), until they have taken them: the job of a worker.

One job is one transaction: the events of one partner that are due, a few at a time. It holds their rows while it pushes;
if the worker dies, the rows are free again at once. A partner may then get events twice, with the same `jti`, which tells
it that it has them.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from huanxin.domain.clock import Clock
from huanxin.domain.streams import Method
from huanxin.notify.events import recycled
from huanxin.notify.keys import Signer
from huanxin.notify.notices import recycled_jti
from huanxin.notify.sealing import unseal
from huanxin.numbersets.sharded import SHARD_SIZE, values_of
from huanxin.outbound import Answer, Outbound, why_not
from huanxin.store import deliveries
from huanxin.store.database import Database, Tx
from huanxin.store.deliveries import Delivery, Feed, Met

ERRORS = (
    "invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied",
)  # fmt: skip
"""RFC 8935, section 2.4: why a partner refuses an event. It is tried again all the same: most are mended over there."""
_ANSWER_KEPT = 500  # characters of a partner's answer that are recorded
_FEED_STEP = 50  # events of a feed that one job sends
_TOGETHER = 64  # events of one partner that one job pushes at most
_ABREAST = 8  # of them that are on their way at the same time
_LONG_ENOUGH = 2.0  # seconds after which a job pushes no more, so that others see what it did


@dataclass(frozen=True, kw_only=True)
class Retries:
    """When to try again: doubling from `first` to `longest`, each time shortened at random by up to half; then give up."""

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)
    give_up_after: timedelta = timedelta(days=14)

    def next(self, attempts: int, now: datetime, since: datetime, chance: Callable[[], float]) -> datetime | None:
        """The instant of the next attempt after `attempts` have failed; None to give up."""
        if now - since > self.give_up_after:
            return None
        wait: timedelta = min(self.longest, self.first * (1 << min(attempts, 20)))
        return now + wait * (1 - chance() / 2)


@dataclass(frozen=True, kw_only=True)
class Pusher:
    """What a worker needs to push: the database, the signer, the way out, the clock, the zone of days, the
    passphrase of sealed secrets."""

    database: Database
    signer: Signer
    outbound: Outbound
    clock: Clock
    zone: ZoneInfo
    passphrase: str
    retries: Retries = Retries()
    chance: Callable[[], float] = random.random
    _abreast: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(4 * _ABREAST, thread_name_prefix="push"), repr=False
    )

    _turns: deque[int] = field(default_factory=deque, repr=False)  # partners that have something due
    _asking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def close(self) -> None:
        """Let what is on its way arrive."""
        self._abreast.shutdown()

    def one_job(self) -> bool:
        """Push what has waited longest; False if nothing is due."""
        with self.database.transaction() as tx:
            return self._push_events(tx) or self._push_feed(tx)

    def _push_events(self, tx: Tx) -> bool:
        """The first event goes alone. If the partner can't be reached, the others wait as long as it does, untried: one that
        is down costs one attempt, not sixty-four."""
        due = self._claim(tx)
        if not due:
            return False
        met, started = [self._push(due[0])], time.monotonic()
        unreachable = met[0].status is None
        rest = [] if unreachable else due[1:]
        lanes = [rest[lane::_ABREAST] for lane in range(min(_ABREAST, len(rest)))]
        for part in self._abreast.map(partial(self._push_some, started), lanes):
            met += part
        deliveries.record_attempts(tx, met, at=self.clock())
        if unreachable and len(due) > 1:
            deliveries.put_off(tx, [one.jti for one in due[1:]], met[0].next_at or self.clock() + self.retries.longest)
        return True

    def _claim(self, tx: Tx) -> list[Delivery]:
        """What is due for the partner whose turn it is. Whose turns come next is asked once for all that wait."""
        asked = False
        while True:
            with self._asking:
                if not self._turns:
                    if asked:
                        return []
                    self._turns.extend(deliveries.with_due(tx, self.clock(), Method.PUSH))
                    asked = True
                partner_id = self._turns.popleft() if self._turns else None
            if partner_id is None:
                return []
            if due := deliveries.claim_for(tx, partner_id, self.clock(), Method.PUSH, _TOGETHER):
                return due

    def _push_some(self, started: float, due: Sequence[Delivery]) -> list[Met]:
        """Push one after the other, on one connection, for as long as a job may last."""
        return [self._push(one) for one in due if time.monotonic() - started < _LONG_ENOUGH]

    def _push(self, due: Delivery) -> Met:
        status, answer = self._post(due, due.claims)
        delivered = _taken(status)
        next_at = None if delivered else self.retries.next(due.attempts, self.clock(), due.created_at, self.chance)
        return Met(jti=due.jti, status=status, answer=answer, next_at=next_at, delivered=delivered)

    def _push_feed(self, tx: Tx) -> bool:
        feed = deliveries.claim_due_feed(tx, self.clock(), Method.PUSH)
        if feed is None:
            return False
        offsets = values_of(feed.numbers).tolist()
        done = feed.done
        for offset in offsets[done : done + _FEED_STEP]:
            status, _ = self._post(
                feed, recycled_event(feed, feed.shard * SHARD_SIZE + offset, zone=self.zone, now=self.clock())
            )
            if not _taken(status):
                now = self.clock()
                next_at = self.retries.next(feed.attempts, now, now, self.chance)
                deliveries.advance_feed(tx, feed, done=done, attempts=feed.attempts + 1, next_at=next_at)
                return True
            done += 1
        next_at = self.clock() if done < len(offsets) else None
        deliveries.advance_feed(tx, feed, done=done, attempts=0, next_at=next_at)
        return True

    def _post(self, way: Delivery | Feed, claims: dict[str, Any]) -> tuple[int | None, str]:
        """The HTTP status (None if the partner could not be reached) and the partner's words, shortened."""
        assert way.endpoint is not None, "a stream that is pushed to has an endpoint"
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if way.sealed_authorization:
            headers["Authorization"] = unseal(way.sealed_authorization, self.passphrase)
        try:
            answer = self.outbound.post(way.endpoint, self.signer.event_token(claims, way.alg), headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, str(why_not(error))[:_ANSWER_KEPT]
        return answer.status, words(answer)[:_ANSWER_KEPT]


def words(answer: Answer) -> str:
    """What a partner said to an event: of a refusal its error code and description (RFC 8935, section 2.3)."""
    if answer.status != httpx.codes.BAD_REQUEST:
        return answer.text
    try:
        said = json.loads(answer.text)
    except ValueError:
        return answer.text
    code = said.get("err") if isinstance(said, dict) else None
    return f"{code}: {said.get('description', '')}" if code in ERRORS else answer.text


def recycled_event(feed: Feed, number: int, *, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """The claims of the event that tells of one number of a feed."""
    opened_at = datetime(feed.day.year, feed.day.month, feed.day.day, tzinfo=zone)
    jti = recycled_jti(report_id=feed.report_id, client_id=feed.client_id, number=number)
    return recycled(number, opened_at=opened_at, audience=feed.client_id, jti=jti, now=now)


def _taken(status: int | None) -> bool:
    """Whether a partner took an event: RFC 8935 says 202, some answer 200."""
    return status is not None and httpx.codes.is_success(status)
