"""Pushing events to partners (RFC 8935), until they have taken them: the job of a worker.

One job is one transaction: the events of one partner that are due, a few at a time. It holds their rows while it pushes;
if the worker dies, the rows are free again at once. A partner that doesn't answer soon is waited for apart (notify.calls),
without transaction or worker: its rows are lent for half a minute. A partner may get events twice, with the same `jti`,
which tells it that it has them.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from huanxin.domain.clock import Clock
from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.retries import Retries
from huanxin.domain.shown import read_json
from huanxin.domain.streams import Method
from huanxin.notify.calls import Calls
from huanxin.notify.recycling import add_recycled, next_of, recycled_event, still_wanted
from huanxin.outbound import HttpAnswer, NoAnswer, Outbound, is_success, why_not
from huanxin.signing.keys import Signer
from huanxin.signing.sealing import unseal
from huanxin.store.database import Database, Tx
from huanxin.store.notify import deliveries, new_owners
from huanxin.store.notify.deliveries import Delivery, Met
from huanxin.store.notify.new_owners import Feed

log = logging.getLogger("huanxin.pushing")
ERRORS = (
    "invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied",
)  # fmt: skip
"""RFC 8935, section 2.4: why a partner refuses an event. It is tried again all the same: most are mended over there."""
_ANSWER_KEPT = 500  # characters of a partner's answer that are recorded
_FEED_STEP = 50  # events of a feed that one job sends
_TOGETHER = 64  # events of one partner that one job pushes at most
_ABREAST = 8  # of them that are on their way at the same time
_LONG_ENOUGH = 2.0  # seconds after which a job pushes no more, so that others see what it did
_A_LITTLE = 0.5  # seconds more, for the last of them to come back
_AT_ONCE = 3.0  # seconds for an answer of a partner that has just answered
_LENT = timedelta(seconds=30)
"""For which events are left to a call that takes long; if we die meanwhile, they wait as long. Twice what a call may take
(`Outbound.longest`), since the look-up of a name comes on top; if that is not enough, an event is sent twice."""


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
        default_factory=lambda: ThreadPoolExecutor(8 * _ABREAST, thread_name_prefix="push"), repr=False
    )
    calls: Calls = field(default_factory=Calls, repr=False)
    _turns: deque[int] = field(default_factory=deque, repr=False)  # partners that have something due
    _asking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def close(self) -> None:
        """Let what is on its way arrive."""
        self.calls.close()
        self._abreast.shutdown()

    def one_job(self) -> bool:
        """Push what has waited longest; False if nothing is due."""
        left: list[Callable[[], None]] = []
        with self.database.transaction() as tx:
            did = self._push_events(tx, left) or self._push_feed(tx, left)
        for leave in left:  # after the transaction: what comes back at once is recorded by this very thread
            leave()
        return did

    # Events -------------------------------------------------------------------------------------------------------
    def _push_events(self, tx: Tx, left: list[Callable[[], None]]) -> bool:
        """The first event goes alone. If the partner can't be reached, the others wait as long as it does, untried: one that
        is down costs one attempt, not sixty-four. If it doesn't answer soon, it is waited for apart."""
        due = self._claim(tx)
        if not due:
            return False
        partner_id = due[0].partner_id
        first = self.calls.call(partner_id, partial(self._push, due[0]))
        if isinstance(first, Future):
            deliveries.lend(tx, [one.jti for one in due], self.clock() + _LENT)
            left.append(partial(self.calls.leave, partner_id, first, lambda met: self._came_back(due, [met])))
            return True
        met, tried = [first], due
        if met[0].status is not None and len(due) > 1:
            part, late = self._push_abreast(tx, due[1:], left)
            met, tried = met + part, [one for one in due if one.jti not in late]
        self._record(tx, tried, met)
        return True

    def _push_abreast(self, tx: Tx, due: Sequence[Delivery], left: list[Callable[[], None]]) -> tuple[list[Met], set[str]]:
        """Push some events to a partner that has just answered, several at a time, for as long as a job may last: what
        became of them, and the ids of those that are left, since no answer came."""
        until = time.monotonic() + _LONG_ENOUGH
        lanes = [due[lane::_ABREAST] for lane in range(min(_ABREAST, len(due)))]
        calls = {self._abreast.submit(self._push_some, until, lane): lane for lane in lanes}
        hanging = self.calls.late(calls, _LONG_ENOUGH + _A_LITTLE)
        late = {one.jti for call in hanging for one in calls[call]}
        if late:
            deliveries.lend(tx, list(late), self.clock() + _LENT)
        for call in hanging:
            came_back = partial(self._came_back, calls[call])
            left.append(partial(self.calls.leave, due[0].partner_id, call, came_back))
        return [met for call in calls if call not in hanging for met in call.result()], late

    def _came_back(self, due: Sequence[Delivery], met: Sequence[Met]) -> None:
        """Record what became of events that were lent, and let the others of them be pushed."""
        with self.database.transaction() as tx:
            deliveries.return_lent(tx, [one.jti for one in due], self.clock())
            self._record(tx, due, met)
            deliveries.wake_workers(tx)

    def _record(self, tx: Tx, due: Sequence[Delivery], met: Sequence[Met]) -> None:
        """Record what became of some events; those that were not tried wait as long as one that found nobody there."""
        deliveries.record_attempts(tx, met, at=self.clock())
        nobody = next((one for one in met if one.status is None), None)
        tried = {one.jti for one in met}
        if nobody and (untried := [one.jti for one in due if one.jti not in tried]):
            until = nobody.next_at or self.clock() + self.retries.longest
            deliveries.put_off(tx, untried, until, endpoint=nobody.endpoint)

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
            if not self.calls.may_call(partner_id):
                continue
            due = deliveries.claim_for(tx, partner_id, self.clock(), Method.PUSH, _TOGETHER)
            if wanted := still_wanted(tx, partner_id, due):
                return wanted

    def _push_some(self, until: float, due: Sequence[Delivery]) -> list[Met]:
        """Push one after the other, on one connection, while the partner answers."""
        found: list[Met] = []
        for one in due:
            if time.monotonic() >= until or (found and found[-1].status is None):
                break
            found.append(self._push(one, _AT_ONCE))
        return found

    def _push(self, due: Delivery, longest: float | None = None) -> Met:
        status, answer = self._post(due, due.claims, longest)
        delivered = _taken(status)
        next_at = None if delivered else self.retries.next(due, self.clock(), self.chance)
        return Met(jti=due.jti, endpoint=due.endpoint, status=status, answer=answer, next_at=next_at, delivered=delivered)

    # Numbers with new owners ----------------------------------------------------------------------------------------
    def _push_feed(self, tx: Tx, left: list[Callable[[], None]]) -> bool:
        """Tell one partner of the next numbers of a feed. One that it refuses becomes an event of its own, and holds up no
        other: but the more it refuses one after the other, the longer the feed waits. If it can't be reached, the feed
        waits where it is; if it doesn't answer soon, it is `left` to be waited for apart."""
        feed = new_owners.claim_due(tx, self.clock(), Method.PUSH, but=self.calls.away())
        if feed is None:
            return False
        step, done = next_of(tx, feed, _FEED_STEP)
        behind = deliveries.open_subjects(tx, feed.partner_id, [str(number) for number, _ in step])
        until = time.monotonic() + _LONG_ENOUGH
        for number, after in step:
            claims = recycled_event(feed, number, plan=self.plan, now=self.clock())
            if str(number) in behind:  # of the same number it was told before, and has not taken that yet
                add_recycled(tx, feed.partner_id, number, claims, at=self.clock())
                feed = replace(feed, done=after)
                continue
            if time.monotonic() >= until:
                done = feed.done
                break
            said = self.calls.call(feed.partner_id, partial(self._post, feed, claims))
            if isinstance(said, Future):
                new_owners.advance(
                    tx, feed, done=feed.done, attempts=feed.attempts, next_at=self.clock() + _LENT, at=self.clock()
                )
                came_back = partial(self._feed_came_back, feed, number, after, claims)
                left.append(partial(self.calls.leave, feed.partner_id, said, came_back))
                return True
            feed, taken = self._told(tx, feed, number, after, claims, said)
            if not taken:
                return True
        rest = self.clock() if done < len(feed.numbers) else None
        new_owners.advance(tx, feed, done=done, attempts=feed.attempts, next_at=rest, at=self.clock())
        return True

    def _feed_came_back(
        self, feed: Feed, number: int, after: int, claims: dict[str, Any], said: tuple[int | None, str]
    ) -> None:
        with self.database.transaction() as tx:
            feed, taken = self._told(tx, feed, number, after, claims, said)
            if taken:
                rest = self.clock() if after < len(feed.numbers) else None
                new_owners.advance(tx, feed, done=after, attempts=0, next_at=rest, at=self.clock())
            deliveries.wake_workers(tx)

    def _told(
        self, tx: Tx, feed: Feed, number: int, after: int, claims: dict[str, Any], said: tuple[int | None, str]
    ) -> tuple[Feed, bool]:
        """Take note of what a partner said to one number of a feed: how the feed goes on, and whether at once."""
        status, answer = said
        if _taken(status):
            return replace(feed, done=after, attempts=0), True
        next_at = self.retries.after(feed.attempts, self.clock(), self.chance)
        done = feed.done if status is None else after
        if status is not None:
            add_recycled(tx, feed.partner_id, number, claims, at=self.clock())
            met = Met(jti=claims["jti"], endpoint=feed.endpoint, status=status, answer=answer, next_at=next_at,
                      delivered=False)  # fmt: skip
            deliveries.record_attempts(tx, [met], at=self.clock())
        rest = next_at if done < len(feed.numbers) else None
        new_owners.advance(tx, feed, done=done, attempts=feed.attempts + 1, next_at=rest, at=self.clock())
        return replace(feed, done=done, attempts=feed.attempts + 1), False

    # The call -------------------------------------------------------------------------------------------------------
    def _post(self, way: Delivery | Feed, claims: dict[str, Any], longest: float | None = None) -> tuple[int | None, str]:
        """The HTTP status (None if the partner could not be reached) and the partner's words, shortened. Whatever goes wrong
        is an answer: the attempt goes on record."""
        assert way.endpoint is not None, "a stream that is pushed to has an endpoint"
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        try:
            if way.sealed_authorization:
                headers["Authorization"] = unseal(way.sealed_authorization, self.passphrase)
            answer = self.outbound.post(way.endpoint, self.signer.event_token(claims, way.alg), headers, longest)
            return answer.status, words(answer)[:_ANSWER_KEPT]
        except NoAnswer as error:
            return None, str(why_not(error))[:_ANSWER_KEPT]
        except Exception as error:  # a fault of ours, which must not be tried a hundred times a second
            log.exception("an event could not be pushed to %s", way.endpoint)
            return None, f"the platform failed: {type(error).__name__}"


def words(answer: HttpAnswer) -> str:
    """What a partner said to an event: of a refusal its error code and description (RFC 8935, section 2.3)."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return answer.text
    try:
        said = read_json(answer.text)
    except ValueError:
        return answer.text
    code = said.get("err") if isinstance(said, dict) else None
    return f"{code}: {said.get('description', '')}" if code in ERRORS else answer.text


def _taken(status: int | None) -> bool:
    """Whether a partner took an event: RFC 8935 says 202, some answer 200."""
    return is_success(status)
