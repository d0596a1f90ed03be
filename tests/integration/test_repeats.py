"""A receipt sent again: a retry after a lost reply changes nothing, and a partner that refuses again is heard. Taken for a
retry, its refusal was swallowed, and a number that a court kept was sold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pyroaring import BitMap

from answering import NUMBERS, Partner, World, answering
from clocks import Clock
from exchanging import Shop, cancelled, notice_of, planned, reader_of
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.requests import order_request
from huanxin.domain.answers import Outcome
from huanxin.domain.numbers import parse
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.waiving import waive
from huanxin.request.ordering import Purpose, Wish
from huanxin.store.answer.receipts import all_of_batch, standings
from huanxin.store.connect import partners
from huanxin.store.release import releases
from huanxin.store.request import requests
from ordering import imported, retracted, send_now

REFUSED, UNBOUND = [f"{NUMBERS[0]},refused,legal_hold,"], [f"{NUMBERS[0]},unbound,,"]
Report = Callable[..., Path]


@pytest.fixture
def world(platform: Platform, report: Report, tmp_path: Path) -> Iterator[World]:
    with answering(platform, report, tmp_path) as made:
        yield made


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def said(world: World, partner: Partner, place: int = 0) -> str:
    """What stands of a number at a partner; empty without an answer."""
    answers = world.gate().gate.standings[partner.id].answers
    return next((answer.outcome.value for answer, places in answers.items() if place in places), "")


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether the second was taken for the first."""
    return other.status_code == httpx.codes.OK and one.json()["receipt"] == other.json()["receipt"]


def test_who_refuses_again_is_heard_and_who_only_tries_again_changes_nothing(world: World) -> None:
    first = world.music.file(REFUSED)
    assert same(first, world.music.file(REFUSED))
    cut = world.music.file(UNBOUND)
    assert said(world, world.music) == "unbound"
    again = world.music.file(REFUSED)
    assert again.status_code == httpx.codes.CREATED
    assert (again.json()["accepted"], said(world, world.music)) == ({"refused": 1}, "refused")
    assert same(again, world.music.file(REFUSED))
    assert same(cut, world.music.file(UNBOUND)), "what opens a number is no news without a key: it may be a retry"
    assert said(world, world.music) == "refused"
    assert world.music.file(UNBOUND, headers=keyed("cut at last")).status_code == httpx.codes.CREATED
    assert said(world, world.music) == "unbound"


def test_a_key_names_one_receipt_whatever_was_filed_since(world: World) -> None:
    first = world.music.file(REFUSED, headers=keyed("1"))
    world.music.file(UNBOUND, headers=keyed("2"))
    assert same(first, world.music.file(REFUSED, headers=keyed("1"))), "its reply was lost, and it came again late"
    assert said(world, world.music) == "unbound"
    for other in (UNBOUND, [f"{NUMBERS[1]},refused,legal_hold,"]):
        told = world.music.file(other, headers=keyed("1"))
        assert (told.status_code, told.json()["type"]) == (409, "urn:huanxin:problem:conflict")
        assert "Idempotency-Key 1" in told.json()["detail"]
    assert world.music.file(REFUSED, complete=True, headers=keyed("1")).status_code == httpx.codes.CONFLICT
    assert (said(world, world.music), said(world, world.music, 1)) == ("unbound", "")
    with world.platform.database.transaction() as tx:
        assert len(partners.events_of(tx, world.music.id, kind="receipt-refused")) == 3, "its people see it on its pages"
    assert world.music.file(REFUSED, headers=keyed("3")).status_code == httpx.codes.CREATED
    assert said(world, world.music) == "refused"
    assert world.bank.file(UNBOUND, headers=keyed("1")).status_code == httpx.codes.CREATED, "keys are each partner's own"


def test_of_a_repeat_without_a_key_only_what_refuses_is_heard(world: World) -> None:
    """It may be a retry that came late: to open what was refused since would release it."""
    mixed = [f"{NUMBERS[0]},refused,debt,", f"{NUMBERS[1]},unbound,,", f"{NUMBERS[2]},pending,,2026-12-24"]
    world.music.file(mixed)
    world.music.file([f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,legal_hold,"])
    again = world.music.file(mixed)
    assert again.json()["accepted"] == {"refused": 1}
    assert [said(world, world.music, place) for place in range(3)] == ["refused", "refused", "pending"]
    world.music.file([f"{NUMBERS[2]},unbound,,"])
    assert world.music.file(mixed).json()["accepted"] == {"pending": 1}, "also if a part of it was heard again before"
    assert [said(world, world.music, place) for place in range(3)] == ["refused", "refused", "pending"]


def test_a_retry_undoes_no_waiver_and_a_refusal_after_another_answer_does(world: World) -> None:
    def waived() -> BitMap:
        return world.gate().gate.standings[world.music.id].waived_places()

    world.music.file(REFUSED)
    with world.platform.act("lin") as act:
        waive(act, world.batch, partner_id=world.music.id, only=NumberSet.of([parse(NUMBERS[0])]), reason="settled in court")
    world.music.file(REFUSED)
    assert waived() == BitMap([0])
    world.music.file(UNBOUND)
    world.music.file(REFUSED)
    assert not waived()


def test_of_a_retraction_too_what_is_put_off_again_is_heard(world: World) -> None:
    """Else a former owner's tie counts as given back while the partner still works on it."""
    world.music.file([], complete=True)
    retracted(world.platform, world.batch, NumberSet.of([parse(NUMBERS[0])]), reason="wrong list", by="li")
    notice = next(one["notice"] for one in world.music.notices() if one["purpose"] == "retraction")
    put_off, restored = [f"{NUMBERS[0]},pending,,"], [f"{NUMBERS[0]},restored,,"]
    world.music.file(put_off, notice=notice)
    given = world.music.file(restored, notice=notice)
    assert same(given, world.music.file(restored, notice=notice))
    assert world.music.file(put_off, notice=notice).status_code == httpx.codes.CREATED
    assert world.music.file(restored, notice=notice, headers=keyed("2")).status_code == httpx.codes.CREATED
    assert world.music.file(put_off, notice=notice, headers=keyed("2")).status_code == httpx.codes.CONFLICT


def test_by_files_each_number_is_a_key_of_its_own(platform: Platform, report: Report, tmp_path: Path, clock: Clock) -> None:
    """What is left again under the next number is news; a number whose result was cleared away is the same receipt."""
    cancelled(platform, report)
    shop = Shop.opened(platform, "shop", tmp_path)
    batch = planned(platform)
    send_now(platform, batch)
    notice = notice_of(platform, shop.partner, batch)
    reader = reader_of(platform)
    refused, unbound = [f"{NUMBERS[0]},refused,legal_hold,"], [f"{NUMBERS[0]},unbound,,"]
    receipts = []
    for part, lines in ((1, refused), (2, unbound), (3, refused)):
        shop.answer(lines, notice=notice, part=part, complete=False)
        clock.forward(seconds=11)
        reader.one_job()
        assert shop.result(notice, part)["accepted"]
    (shop.out / f"{notice}.2.result.json").unlink()
    clock.forward(seconds=11)
    reader.one_job()
    with platform.database.transaction() as tx:
        receipts = [one.counts for one in all_of_batch(tx, batch)]
        found = standings(tx, batch, BitMap(range(4)), shop.partner.id)[shop.partner.id]
    assert receipts == [{"refused": 1}, {"unbound": 1}, {"refused": 1}]
    assert found.refused() == BitMap([0])


# One owner's order ----------------------------------------------------------------------------------------------------
@pytest.fixture
def order(world: World, report: Report) -> str:
    """The notice of an order at the first partner."""
    sold = "+8613800138050"
    lines = [f"{sold},{event},{day}" for event, day in (("opened", "2024-01-05"), ("cancelled", "2026-06-01"),
                                                        ("opened", "2026-10-01"))]  # fmt: skip
    imported(world.platform, report(*lines, name="sold.csv"), carrier="cmcc", by="li")
    wish = Wish(purpose=Purpose.RENEW, number=parse(sold), partner_ids=[world.music.id], consent_text="I agree",
                channel="sms", language="en", shown_at=world.platform.now())  # fmt: skip
    return order_request(world.platform, wish).notices[world.music.id]


@pytest.mark.parametrize("way", ["one", "many"])
def test_an_order_is_answered_by_the_same_rule(world: World, order: str, way: str) -> None:
    def file(outcome: str, reason: str = "", key: str = "") -> httpx.Response:
        headers = world.music.headers | {"Content-Type": "text/csv"} | (keyed(key) if key else {})
        address, names, line = f"/notices/{order}/receipts", "", f"+8613800138050,{outcome},{reason}"
        if way == "many":
            address, names, line = "/receipts", "notice,", f"{order},{line}"
        return world.http.post(f"/partner/v1{address}", headers=headers, content=f"{names}number,outcome,reason\n{line}\n")

    def receipt(answer: httpx.Response) -> str:
        told = answer.json()
        return str(told["receipt"] if way == "one" else told["receipts"][order])

    def stands() -> str | None:
        with world.platform.database.transaction() as tx:
            found = requests.notice(tx, order)
        return found.outcome if found else None

    first = file("refused", "debt")
    assert (receipt(file("refused", "debt")), stands()) == (receipt(first), "refused")
    cut = file("unbound")
    again = file("refused", "debt")
    assert (again.status_code, stands()) == (201, "refused")
    assert receipt(again) not in (receipt(first), receipt(cut))
    assert (receipt(file("unbound")), stands()) == (receipt(cut), "refused"), "it may be a retry that came late"
    named = file("unbound", key="a")
    assert (named.status_code, stands()) == (201, "unbound")
    file("refused", "debt", key="b")
    assert (receipt(file("unbound", key="a")), stands()) == (receipt(named), "refused")
    assert file("absent", key="a").status_code == httpx.codes.CONFLICT
    assert stands() == "refused"
    assert (file("refused", "debt", key="c").status_code, file("unbound", key="d").status_code) == (201, 201)
    assert stands() == "unbound"


# Released numbers -----------------------------------------------------------------------------------------------------
def breached(world: World) -> list[tuple[str | None, int]]:
    with world.platform.database.transaction() as tx:
        return [(one.partner, one.count) for one in releases.breaches(tx)]


def test_a_released_number_that_is_reopened_is_one_breach_however_often_that_is_said(world: World) -> None:
    for one in (world.music, world.bank):
        one.file([], complete=True)
    release(world.platform, by="li")
    for day in ("24", "25", "26"):
        world.music.file([f"{NUMBERS[0]},pending,,2026-12-{day}"])
    world.music.file([f"{NUMBERS[0]},pending,,2026-12-26", f"{NUMBERS[1]},refused,debt,"], headers=keyed("more"))
    assert breached(world) == [("music", 1), ("music", 1)], "the second number is another"
    world.music.file([f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},unbound,,"])
    world.music.file(REFUSED)
    assert breached(world)[2:] == [("music", 1)], "closed and reopened is another"


def test_what_a_partner_says_that_was_told_after_the_release_is_no_breach_of_it(world: World, clock: Clock) -> None:
    """Its answer could not be waited for; and its first line made breaches of all that it had not answered yet."""
    for one in (world.music, world.bank):
        one.file([], complete=True)
    release(world.platform, by="li")
    late = world.joined("late")
    send_now(world.platform, world.batch)
    late.file([f"{NUMBERS[1]},absent,,"])
    late.file(REFUSED)
    late.file(UNBOUND)
    late.file([f"{NUMBERS[0]},pending,,"])
    assert breached(world) == []
    clock.forward(days=11)  # the two that were still frozen
    late.file([f"{number},absent,," for number in NUMBERS[4:]])
    release(world.platform, by="li")
    late.file([f"{NUMBERS[5]},refused,debt,"])
    assert breached(world) == [("late", 1)], "of those released since it was told, it is"
    assert said(world, late, 5) == Outcome.REFUSED
