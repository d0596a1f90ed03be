"""Pushing events to partners (RFC 8935), until they have taken them: the job of a worker.

One job is one transaction: the events of one partner that are due, a few at a time. It holds their rows while it pushes;
if the worker dies, the rows are free again at once. A partner may then get events twice, with the same `jti`, which tells
it that it has them.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from huanxin.domain.clock import Clock
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.shown import read_json
from huanxin.domain.streams import Method
from huanxin.notify.keys import Signer
from huanxin.notify.recycling import add_recycled, next_of, recycled_event, still_wanted
from huanxin.notify.retries import Retries
from huanxin.notify.sealing import unseal
from huanxin.outbound import Answer, Outbound, why_not
from huanxin.store import deliveries, feeds
from huanxin.store.database import Database, Tx
from huanxin.store.deliveries import Delivery, Met
from huanxin.store.feeds import Feed

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
class Pusher:
    """What a worker needs to push: the database, the signer, the way out, the clock, the carriers, the
    passphrase of sealed secrets."""

    database: Database
    signer: Signer
    outbound: Outbound
    clock: Clock
    plan: NumberingPlan
    passphrase: str
    retries: Retries = field(default_factory=Retries)
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
            until = met[0].next_at or self.clock() + self.retries.longest
            deliveries.put_off(tx, [one.jti for one in due[1:]], until, endpoint=due[0].endpoint)
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
            due = deliveries.claim_for(tx, partner_id, self.clock(), Method.PUSH, _TOGETHER)
            if wanted := still_wanted(tx, partner_id, due):
                return wanted

    def _push_some(self, started: float, due: Sequence[Delivery]) -> list[Met]:
        """Push one after the other, on one connection, for as long as a job may last."""
        return [self._push(one) for one in due if time.monotonic() - started < _LONG_ENOUGH]

    def _push(self, due: Delivery) -> Met:
        status, answer = self._post(due, due.claims)
        delivered = _taken(status)
        next_at = None if delivered else self.retries.next(due, self.clock(), self.chance)
        return Met(jti=due.jti, endpoint=due.endpoint, status=status, answer=answer, next_at=next_at, delivered=delivered)

    def _push_feed(self, tx: Tx) -> bool:
        """Tell one partner of the next numbers of a feed. One that it refuses becomes an event of its own, and holds up no
        other: but the more it refuses one after the other, the longer the feed waits. If it can't be reached, the feed
        waits where it is."""
        feed = feeds.claim_due(tx, self.clock(), Method.PUSH)
        if feed is None:
            return False
        step, done = next_of(tx, feed, _FEED_STEP)
        behind = deliveries.open_subjects(tx, feed.partner_id, [str(number) for number, _ in step])
        attempts, next_at = feed.attempts, self.clock()
        for number, after in step:
            claims = recycled_event(feed, number, plan=self.plan, now=self.clock())
            if str(number) in behind:  # of the same number it was told before, and has not taken that yet
                add_recycled(tx, feed.partner_id, number, claims, at=self.clock())
                continue
            status, answer = self._post(feed, claims)
            if not _taken(status):
                next_at = self.retries.after(attempts, self.clock(), self.chance)
                attempts += 1
                done = after - (status is None)
                if status is not None:
                    add_recycled(tx, feed.partner_id, number, claims, at=self.clock())
                    met = Met(jti=claims["jti"], endpoint=feed.endpoint, status=status, answer=answer, next_at=next_at,
                              delivered=False)  # fmt: skip
                    deliveries.record_attempts(tx, [met], at=self.clock())
                break
            attempts, next_at = 0, self.clock()
        rest = next_at if done < len(feed.numbers) else None
        feeds.advance(tx, feed, done=done, attempts=attempts, next_at=rest, at=self.clock())
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
        said = read_json(answer.text)
    except ValueError:
        return answer.text
    code = said.get("err") if isinstance(said, dict) else None
    return f"{code}: {said.get('description', '')}" if code in ERRORS else answer.text


def _taken(status: int | None) -> bool:
    """Whether a partner took an event: RFC 8935 says 202, some answer 200."""
    return status is not None and httpx.codes.is_success(status)
