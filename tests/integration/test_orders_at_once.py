"""Answers and pushes that come at the same time: nobody's last answer is missed, no event is lost or overtakes another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.requests import answer_requests, order_request
from huanxin.answer.single import AnswerLine
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.domain.streams import Method
from huanxin.notify.calls import Calls
from huanxin.notify.partners import add_partner
from huanxin.notify.pushing import Pusher
from huanxin.outbound import HttpAnswer, NoAnswer, Outbound
from huanxin.request import sms
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.signing.keys import Signer
from huanxin.store import facts
from huanxin.store.notify import attempts, deliveries
from huanxin.store.request import requests
from huanxin.work.telling import Teller
from ordering import imported

NUMBERS = [f"+861380013800{place}" for place in range(3)]
Report = Callable[..., Path]


@pytest.fixture
def shops(platform: Platform, report: Report) -> list[Partner]:
    """Two partners that are pushed to, and three numbers that were sold again."""
    days = (("opened", "2024-01-05"), ("cancelled", "2026-06-01"), ("opened", "2026-10-01"))
    imported(
        platform, report(*(f"{number},{event},{day}" for number in NUMBERS for event, day in days)), carrier="cmcc",
        by="test",
    )  # fmt: skip
    made: list[Partner] = []
    for name in ("晨星商城", "飞燕快递"):
        with platform.act("test") as act:
            endpoint = f"http://{len(made)}.example/"
            made.append(add_partner(act, NewPartner(name=name, kind=Kind.APP, endpoint=endpoint), https_only=False).partner)
    return made


class Post(Outbound):
    """Takes down what is pushed; the hosts in `down` can't be reached."""

    def __init__(self) -> None:
        super().__init__(inner_allowed=True)
        self.pushed: list[str] = []
        self.down: set[str] = set()

    def post(self, url: str, content: str | bytes, headers: dict[str, str], longest: float | None = None) -> HttpAnswer:
        del content, headers, longest
        self.pushed.append(url)
        if any(host in url for host in self.down):
            raise NoAnswer("nobody is there")
        return HttpAnswer(status=202, text="")


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def pusher(platform: Platform, post: Post) -> Pusher:
    signer = Signer(issuer=platform.issuer, database=platform.database, passphrase="test", clock=platform.clock)
    return Pusher(database=platform.database, signer=signer, outbound=post, clock=platform.clock,
                  plan=platform.plan, passphrase="test", calls=Calls(soon=20.0))  # fmt: skip


def wish(platform: Platform, purpose: Purpose, shops: list[Partner], number: str = NUMBERS[0]) -> Wish:
    return Wish(
        purpose=purpose, number=parse(number), partner_ids=[one.id for one in shops], consent_text="I agree",
        channel="sms", language="zh_CN", shown_at=platform.now(),
    )  # fmt: skip


def ordered(platform: Platform, shops: list[Partner], number: str = NUMBERS[0]) -> Ordered:
    return order_request(platform, wish(platform, Purpose.RENEW, shops, number))


def test_of_two_last_answers_at_the_same_instant_one_is_the_last(
    platform: Platform, shops: list[Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an owner waits for ever for the message that everybody has answered."""
    order = ordered(platform, shops)
    both_in = threading.Barrier(2)
    record = facts.request_answers

    def together(*given: object) -> None:
        record(*given)  # type: ignore[arg-type]
        both_in.wait(10)

    monkeypatch.setattr(facts, "request_answers", together)

    def answer(shop: Partner) -> None:
        line = AnswerLine(line=2, notice=order.notices[shop.id], number=NUMBERS[0], outcome="unbound", reason="", until="")
        answer_requests(platform, shop, [line])

    threads = [threading.Thread(target=answer, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with platform.database.transaction() as tx:
        assert requests.all_done(tx) == [order.request.id]


def test_a_job_pushes_all_that_waits_for_one_partner(
    platform: Platform, shops: list[Partner], pusher: Pusher, post: Post
) -> None:
    for number in NUMBERS:
        ordered(platform, shops, number)
    assert pusher.one_job()
    assert len(post.pushed) == 3
    assert len(set(post.pushed)) == 1
    assert pusher.one_job()
    assert not pusher.one_job()
    assert len(post.pushed) == 6
    with platform.database.transaction() as tx:
        assert deliveries.waiting(tx) == 0


def test_a_partner_that_is_down_costs_one_attempt_and_none_of_its_events(
    platform: Platform, shops: list[Partner], pusher: Pusher, post: Post, clock: Clock
) -> None:
    post.down = {"0.example"}
    for number in NUMBERS:
        ordered(platform, shops, number)
    while pusher.one_job():
        pass
    assert sorted(post.pushed) == ["http://0.example/"] + ["http://1.example/"] * 3
    post.down = set()
    clock.forward(hours=1)
    while pusher.one_job():
        pass
    with platform.database.transaction() as tx:
        assert deliveries.waiting(tx) == 0
        assert all(one.delivered_at for one in attempts.latest(tx, shops[0].id))


def test_what_one_worker_holds_no_other_takes_and_it_is_free_when_that_one_dies(
    platform: Platform, shops: list[Partner]
) -> None:
    for number in NUMBERS:
        ordered(platform, shops[:1], number)
    with platform.database.transaction() as dying:
        held = deliveries.claim_due(dying, platform.now(), Method.PUSH, 2)
        with platform.database.transaction() as tx:
            others = deliveries.claim_due(tx, platform.now(), Method.PUSH, 9)
        assert len(held) == 2
        assert len(others) == 1
        assert others[0].jti not in {one.jti for one in held}
    with platform.database.transaction() as tx:
        assert len(deliveries.claim_due(tx, platform.now(), Method.PUSH, 9)) == 3


def test_of_one_number_the_next_event_waits_until_the_first_is_taken(platform: Platform, shops: list[Partner]) -> None:
    ordered(platform, shops[:1])
    order_request(platform, wish(platform, Purpose.LEAVE, shops[:1]))
    with platform.database.transaction() as tx:
        assert len(deliveries.claim_due(tx, platform.now(), Method.PUSH, 9)) == 1


def test_if_we_die_before_it_was_seen_that_all_have_answered_the_partner_that_asks_again_mends_it(
    platform: Platform, shops: list[Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without our confirmation a partner sends its answer again; else the owner would never be told."""
    order = ordered(platform, shops[:1])
    line = AnswerLine(line=2, notice=order.notices[shops[0].id], number=NUMBERS[0], outcome="unbound", reason="", until="")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(requests, "note_done", die)
        with pytest.raises(KeyboardInterrupt):
            answer_requests(platform, shops[0], [line])
    assert answer_requests(platform, shops[0], [line]).new == 0
    with platform.database.transaction() as tx:
        assert requests.all_done(tx) == [order.request.id]


def test_if_we_die_before_it_was_seen_that_all_have_answered_the_next_start_sees_it(
    platform: Platform, shops: list[Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the owner of an order is never told whose last partner had its confirmation and asks no more."""
    order = ordered(platform, shops)
    for shop in shops:
        line = AnswerLine(line=2, notice=order.notices[shop.id], number=NUMBERS[0], outcome="unbound", reason="", until="")
        with monkeypatch.context() as patched:
            patched.setattr(requests, "note_done", lambda *_: [])
            answer_requests(platform, shop, [line])
    teller = Teller(platform=platform, post=sms.Post(read=platform.read, gateway=sms.Nowhere()))
    assert teller.one_job()
    assert not teller.one_job()
    with platform.database.transaction() as tx:
        assert requests.all_done(tx) == [order.request.id]
