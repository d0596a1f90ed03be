"""What a partner was told and what was taken back since: in their order, however often; and nothing that it left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws

from huanxin.store.notify import again, deliveries
from ordering import imported
from receiving import Receiver, receiving
from ssf_world import PUSH, Caller, World

NUMBERS = [f"+86138001380{n:02d}" for n in range(4)]
Report = Callable[..., Path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def push_all(world: World) -> None:
    pusher = world.pusher()
    while pusher.one_job():
        pass


def told(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return found


def heard(receiver: Receiver) -> list[str]:
    return [next(iter(told(token)["events"])).rpartition(":")[2] for token in receiver.got]


def numbers(tokens: list[str]) -> list[str]:
    return sorted(told(token)["sub_id"]["phone_number"] for token in tokens)


@pytest.fixture
def retracted(world: World, receiver: Receiver, send: Callable[..., int], report: Report) -> Caller:
    """A partner whose renewal was given up, and that has taken the retraction of one of its numbers."""
    one = world.partner(endpoint=receiver.url)
    receiver.status = 400
    send(*NUMBERS)
    for _ in range(15):
        push_all(world)
        world.clock.forward(days=1)
    receiver.status = 202
    back = report(f"{NUMBERS[0]},reclaimed,2026-11-25", name="back.csv")
    imported(world.live, back, carrier="cmcc", by="li")
    push_all(world)
    assert heard(receiver)[-1] == "retraction"
    receiver.got.clear()
    return one


def test_a_renewal_that_is_recovered_is_followed_by_its_retraction_once_more(
    world: World, retracted: Caller, receiver: Receiver
) -> None:
    """It came after it, and the partner cut the tie of somebody who has the number again."""
    with world.live.database.transaction() as tx:
        assert again.recover(tx, retracted.id, world.clock() - timedelta(days=30), world.clock()) == 2
    push_all(world)
    assert heard(receiver) == ["renewal", "retraction"]


def test_a_renewal_that_is_sent_again_by_hand_is_followed_by_its_retraction_too(
    world: World, retracted: Caller, receiver: Receiver
) -> None:
    renewal, _ = retracted.events()
    with world.live.database.transaction() as tx:
        again.send_again(tx, retracted.id, [renewal.jti], world.clock())
    push_all(world)
    assert heard(receiver) == ["renewal", "retraction"]
    receiver.got.clear()
    with world.live.database.transaction() as tx:
        again.send_again(tx, retracted.id, [retracted.events()[1].jti], world.clock())
    push_all(world)
    assert heard(receiver) == ["retraction"]


def unwanted(one: Caller, number: str) -> None:
    body = {"stream_id": one.stream()["stream_id"], "subject": {"format": "phone_number", "phone_number": number}}
    assert one.call("POST", "/ssf/subjects:remove", json=body).status_code == 204


def opened_anew(world: World, report: Report) -> None:
    closed, opened = (report(*(f"{number},{event}" for number in NUMBERS), name=f"{event[:3]}.csv")
                      for event in ("cancelled,2026-08-01", "opened,2026-11-25"))  # fmt: skip
    imported(world.live, closed, carrier="cmcc", by="li")
    world.clock.forward(hours=24)
    imported(world.live, opened, carrier="cmcc", by="li")


def test_a_number_that_is_taken_out_of_a_stream_is_not_pushed_though_it_waits(
    world: World, receiver: Receiver, report: Report
) -> None:
    one = world.partner(endpoint=receiver.url, recycled=True)
    receiver.status = 400
    opened_anew(world, report)
    assert world.pusher().one_job()  # the first number is an event of its own by now
    for number in (NUMBERS[0], NUMBERS[2]):
        unwanted(one, number)
    receiver.status, receiver.got = 202, []
    world.clock.forward(minutes=1)
    push_all(world)
    assert numbers(receiver.got) == [NUMBERS[1], NUMBERS[3]]
    with world.live.database.transaction() as tx:
        assert deliveries.waiting(tx) == 0


def test_a_number_that_is_taken_out_of_a_stream_is_not_polled_though_it_waits(world: World, report: Report) -> None:
    one = world.partner(recycled=True)
    opened_anew(world, report)
    assert len(one.poll(maxEvents=2)["sets"]) == 2
    for number in (NUMBERS[0], NUMBERS[3]):
        unwanted(one, number)
    polled = one.poll()
    assert numbers(list(polled["sets"].values())) == NUMBERS[1:3]
    assert one.poll(ack=list(polled["sets"])) == {"sets": {}}


def test_what_is_taken_out_of_a_stream_are_numbers_with_new_owners_and_not_notices(
    world: World, receiver: Receiver, send: Callable[..., int]
) -> None:
    one = world.partner(recycled=True)
    unwanted(one, NUMBERS[0])
    send(*NUMBERS)
    change = {"stream_id": one.stream()["stream_id"], "delivery": {"method": PUSH, "endpoint_url": receiver.url}}
    one.call("PATCH", "/ssf/streams", json=change)
    push_all(world)
    assert heard(receiver) == ["renewal"]
