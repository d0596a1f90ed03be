"""An event is given up for what the partner did, never for its age; and one that is not taken holds up no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws

from huanxin.store.notify import again, deliveries, new_owners, reminders
from huanxin.work.reminding import Escalator
from ordering import imported
from receiving import Receiver, receiving
from ssf_world import POLL, PUSH, Caller, World

NUMBERS = [f"+86138001380{n:02d}" for n in range(6)]
Report = Callable[..., Path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def pushed(world: World, receiver: Receiver) -> Caller:
    return world.partner(endpoint=receiver.url)


def push_all(world: World) -> None:
    pusher = world.pusher()
    while pusher.one_job():
        pass


def open_events(one: Caller) -> list[str]:
    return [event.event.rpartition(":")[2].rpartition("/")[2] for event in one.events() if event.next_at is not None]


def told(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return found


def change(one: Caller, **delivery: Any) -> None:
    body = {"stream_id": one.stream()["stream_id"], "delivery": delivery}
    one.call("PATCH", "/ssf/streams", json=body).raise_for_status()


def test_what_waited_for_a_paused_stream_has_its_fortnight_before_it(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    pushed.set_status("paused")
    send(*NUMBERS)
    world.clock.forward(days=20)
    pushed.set_status("enabled")
    receiver.status = 503
    push_all(world)
    receiver.status = 202
    world.clock.forward(minutes=1)
    push_all(world)
    assert [event.delivered_at is not None for event in pushed.events()] == [True]


def test_an_event_is_given_up_after_it_was_tried_in_vain_on_fourteen_days_and_recovered_as_if_it_were_new(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    """Days on which nobody tried, since the platform stood still or the clock jumped, are none."""
    receiver.status = 503
    send(*NUMBERS)
    for day in range(14):
        push_all(world)
        assert open_events(pushed) == ["renewal"], day
        world.clock.forward(days=40 if day == 3 else 1)
    push_all(world)
    assert open_events(pushed) == []
    with world.live.database.transaction() as tx:
        assert again.recover(tx, pushed.id, world.clock() - timedelta(days=300), world.clock()) == 1
    push_all(world)
    assert open_events(pushed) == ["renewal"]
    receiver.status = 202
    world.clock.forward(minutes=20)
    push_all(world)
    assert pushed.events()[0].delivered_at is not None


def test_an_event_refused_by_a_poll_on_its_fifteenth_day_is_given_again(
    world: World, music: Caller, send: Callable[..., int]
) -> None:
    send(*NUMBERS)
    world.clock.forward(days=15)
    (jti,) = music.poll()["sets"]
    assert music.poll(setErrs={jti: {"err": "invalid_key", "description": "our mistake"}}) == {"sets": {}}
    world.clock.forward(minutes=1)
    assert list(music.poll()["sets"]) == [jti]


def test_who_names_another_endpoint_does_not_wait_for_what_the_old_one_did(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    receiver.status = 503
    send(*NUMBERS)
    pushed.verify("too")
    for _ in range(12):
        push_all(world)
        world.clock.forward(minutes=16)
    push_all(world)
    before = len(receiver.got)
    push_all(world)
    assert len(receiver.got) == before, "it waits a quarter of an hour"
    with receiving() as other:
        change(pushed, method=PUSH, endpoint_url=other.url)
        push_all(world)
        assert len(other.got) == 2
    assert open_events(pushed) == []


def test_who_polls_from_now_on_does_not_wait_for_what_the_endpoint_did(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    receiver.status = 503
    send(*NUMBERS)
    for _ in range(12):
        push_all(world)
        world.clock.forward(minutes=16)
    push_all(world)
    change(pushed, method=POLL)
    assert len(pushed.poll()["sets"]) == 1


def test_an_endpoint_that_is_changed_while_a_push_is_on_its_way_is_not_made_to_wait_for_how_that_ends(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    """An endpoint that hangs has something on its way most of the time."""
    with receiving() as other:
        receiver.status = 503
        receiver.meanwhile = lambda _: change(pushed, method=PUSH, endpoint_url=other.url)
        send(*NUMBERS)
        assert world.pusher().one_job()
        assert world.pusher().one_job()
        assert (len(receiver.got), len(other.got)) == (1, 1)


@pytest.fixture
def opened_anew(world: World, report: Report) -> Callable[..., None]:
    """Numbers were cancelled and have new owners."""

    def make(numbers: list[str] = NUMBERS) -> None:
        closed, opened = (report(*(f"{number},{event}" for number in numbers), name=f"{event[:3]}.csv")
                          for event in ("cancelled,2026-08-01", "opened,2026-11-25"))  # fmt: skip
        imported(world.live, closed, carrier="cmcc", by="li")
        world.clock.forward(hours=24)
        imported(world.live, opened, carrier="cmcc", by="li")

    return make


def test_one_number_that_a_partner_refuses_to_hear_of_holds_up_no_other(
    world: World, receiver: Receiver, opened_anew: Callable[..., None]
) -> None:
    """Decision 8: one event that is never taken holds up its own subject and nothing else."""
    one = world.partner(endpoint=receiver.url, recycled=True)

    def judge(token: str) -> None:
        bad = told(token)["sub_id"]["phone_number"] == NUMBERS[2]
        receiver.status, receiver.body = (400, '{"err": "invalid_request", "description": "no"}') if bad else (202, "")

    receiver.meanwhile = judge
    opened_anew()
    for _ in range(3):
        push_all(world)
        world.clock.forward(minutes=1)
    heard = [told(token)["sub_id"]["phone_number"] for token in receiver.got]
    assert sorted(set(heard)) == NUMBERS
    assert {number: heard.count(number) for number in NUMBERS if number != NUMBERS[2]} == dict.fromkeys(
        (number for number in NUMBERS if number != NUMBERS[2]), 1
    )
    (refused,) = one.events()
    assert one.attempts(refused.jti)[0].answer == "invalid_request: no"
    receiver.meanwhile, receiver.status = lambda _: None, 202
    world.clock.forward(minutes=15)
    push_all(world)
    assert open_events(one) == []


def test_a_partner_that_refuses_each_number_is_told_fewer_and_fewer_and_one_that_is_down_is_told_none(
    world: World, receiver: Receiver, opened_anew: Callable[..., None]
) -> None:
    """Each refused number is a row: a country's numbers must not become one each because a partner is at fault."""
    one = world.partner(endpoint=receiver.url, recycled=True)
    receiver.status = 503
    opened_anew([f"+861380013{n:04d}" for n in range(3000)])
    for _ in range(60):
        push_all(world)
        world.clock.forward(minutes=1)
    assert 5 < len(one.events()) < 20
    change(one, method=PUSH, endpoint_url="http://127.0.0.1:9/e")
    before = len(one.events())
    for _ in range(10):
        push_all(world)
        world.clock.forward(minutes=16)
    assert len(one.events()) == before
    with receiving() as other:
        change(one, method=PUSH, endpoint_url=other.url)
        push_all(world)
        assert len({told(token)["sub_id"]["phone_number"] for token in other.got}) == 3000
    with world.live.database.transaction() as tx:
        assert (deliveries.waiting(tx), new_owners.claim_due(tx, world.clock(), "push")) == (0, None)


def test_news_of_a_number_wait_for_earlier_news_of_it(
    world: World, receiver: Receiver, opened_anew: Callable[..., None], report: Report
) -> None:
    one = world.partner(endpoint=receiver.url, recycled=True)
    receiver.status = 400
    opened_anew(NUMBERS[:1])
    push_all(world)
    world.clock.forward(seconds=0.5)
    later = report(f"{NUMBERS[0]},transferred,2026-11-25T09:00:00+08:00", name="later.csv")
    imported(world.live, later, carrier="cmcc", by="li")
    receiver.status, receiver.got = 202, []
    push_all(world)
    assert receiver.got == [], "the first is tried again in half a second"
    world.clock.forward(seconds=1)
    push_all(world)
    (first, second), events = (told(token)["jti"] for token in receiver.got), one.events()
    assert [event.jti for event in events] == [first, second]


def test_an_escalation_that_the_webhook_refuses_after_three_weeks_is_tried_again(world: World, receiver: Receiver) -> None:
    """The operator named the webhook late, or it was down for long."""
    with world.live.database.transaction() as tx:
        tx.execute("INSERT INTO batch (purpose, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by,"
                   " planned_at) VALUES ('renewal', 1, now(), now(), 90, 0, '{}', 'li', now())")  # fmt: skip
        reminders.add_escalation(tx, batch_id=1, body={"kind": "answers-late"}, at=world.clock())
    world.clock.forward(days=21)
    receiver.status = 503
    with httpx.Client() as client:
        job = Escalator(platform=world.live, client=client, url=receiver.url)
        assert job.one_job()
        receiver.status = 202
        world.clock.forward(minutes=1)
        assert job.one_job()
        assert not job.one_job()
