"""Going through numbers one by one at the desk, to learn which of them an authority holds or whose owners came back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holding import hold
from huanxin.access import looking, tokens
from huanxin.acts import Platform
from huanxin.acts.desk import acknowledge, consult
from huanxin.acts.desk import looked_up as looked_up_
from huanxin.domain.disclosure import Told
from huanxin.domain.errors import BadInput, TooMany
from huanxin.domain.operators import Role
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.access import operators
from operators import browsing, operator
from ordering import looked_at, retracted
from selling import CLEAN, FIRST, HELD, LATE, REFUSED, SPARE, Shop, looked_up, served_shop

MANY = 600
"""Numbers that one person may look up within an hour (HUANXIN_LOOK_UPS_AN_HOUR)."""


@pytest.fixture
def served(dsn: str, tmp_path: Path) -> Iterator[tuple[Shop, httpx.Client]]:
    with served_shop(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def shop(served: tuple[Shop, httpx.Client]) -> Shop:
    return served[0]


@pytest.fixture
def url(served: tuple[Shop, httpx.Client]) -> str:
    return str(served[1].base_url).rstrip("/")


def alarms(platform: Platform) -> list[tuple[str, dict[str, object]]]:
    with platform.database.transaction() as tx:
        return [(one.login, one.detail) for one in operators.events(tx, kind=looking.ALARM)]


def alike(one: Told) -> tuple[object, ...]:
    """What a clerk is told of a number, but for the number."""
    return (one.carrier, one.grade, one.why, one.recycled, one.closed_on, one.freeze_days, one.sellable_from, one.asked,
            one.confirmed)  # fmt: skip


def test_held_taken_back_objected_and_unallotted_numbers_can_not_be_told_apart(shop: Shop) -> None:
    """Each reason that has words of its own gives away the others by elimination: a held number is a wanted man's."""
    back = SPARE[0]
    retracted(shop.platform, shop.batch, NumberSet.of([back]), reason="a wrong list", by="li")
    told = {one.number: alike(one) for one in looked_at(shop.platform, [HELD, LATE, back], seller="cmcc")}
    assert told[HELD] == told[LATE] == told[back]
    hold(shop.platform, [FIRST, REFUSED])
    unallotted = FIRST + 100_000_000  # of a range that is the carrier's too
    with shop.platform.database.transaction() as tx:
        facts.allocation(tx, carrier="cmcc", file_name="a.csv", ranges=[(FIRST, FIRST)], by="li", at=shop.platform.now())
    first, never = looked_at(shop.platform, [FIRST, unallotted], seller="cmcc")
    assert alike(first) == alike(never)
    held_too, before = looked_at(shop.platform, [REFUSED, REFUSED], seller="cmcc")
    assert held_too.why == before.why == "not_released", "and one that was not released yet reads as such, held or not"


def test_whoever_goes_through_numbers_is_stopped_recorded_and_noticed(shop: Shop, url: str) -> None:
    with browsing(url, shop.platform, Role.DESK, carrier="cmcc", login="curious") as clerk:
        for first in range(0, MANY, 50):
            numbers = "\n".join(f"+{8613801550000 + first + at}" for at in range(50))
            page = looked_up(clerk, numbers)
            assert page.status_code == 200
        stopped = looked_up(clerk, f"+{CLEAN}")
        assert stopped.status_code == 429
        assert int(stopped.headers["retry-after"]) <= 3600
        assert "每小时最多可查询 600 个号码" in stopped.text
        for way in ("/console/desk/choose", "/console/desk/sheet.pdf", "/console/desk/show"):
            assert clerk.get(way, params={"list": stopped.url.params["list"]}).status_code == 429, way
        assert [login for login, _ in alarms(shop.platform)] == ["curious"], "one alarm an hour, not one a number"
        shop.clock.forward(hours=1)
        assert looked_up(clerk, f"+{CLEAN}").status_code == 200
    with browsing(url, shop.platform, Role.ADMIN, login="guan") as admin:
        assert "告警：大量查询号码" in admin.get("/console/audit?kind=looked-up-many").text


def test_a_shops_software_has_the_same_limit_by_every_way(shop: Shop, url: str) -> None:
    person = operator(shop.platform, Role.DESK, carrier="cmcc", login="software")
    with shop.platform.act("test") as act:
        token = tokens.make_token(act, "software")
    looked_up_(shop.platform, MANY, by=person)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        asked = http.post("/answers/v1/disclosure", json={"number": f"+{CLEAN}"})
        assert (asked.status_code, asked.json()["status"]) == (429, 429)
        wrong = {"number": f"+{HELD}", "shown": "0" * 64, "method": "reference", "evidence": "1"}
        tried = http.post("/answers/v1/disclosure/acknowledgements", json={"acknowledgements": [wrong]})
        assert tried.status_code == 429, "the reasons of acknowledgements that are refused tell as much"
        good = shop.given(CLEAN)
        sent = {"number": f"+{CLEAN}", "shown": good.shown, "method": "signature", "evidence": good.evidence}
        assert http.post("/answers/v1/disclosure/acknowledgements", json={"acknowledgements": [sent]}).status_code == 201, (
            "a sale is no look-up"
        )


def test_whoever_asks_mostly_for_numbers_that_are_not_for_sale_is_noticed_before_the_limit(shop: Shop) -> None:
    clerk = operator(shop.platform, Role.DESK, carrier="cmcc", login="odd")
    for at in range(0, 100, 50):
        assert alarms(shop.platform) == []
        consult(shop.platform, [8613801900000 + at + one for one in range(50)], by=clerk)  # of ranges never used
    blocked = [HELD, LATE, REFUSED]
    for _ in range(40):
        consult(shop.platform, blocked, by=clerk)
    assert [login for login, _ in alarms(shop.platform)] == ["odd"]


def test_refused_acknowledgements_count_as_looked_up(shop: Shop) -> None:
    clerk = operator(shop.platform, Role.DESK, carrier="cmcc", login="clerk2")
    with pytest.raises(BadInput):
        acknowledge(shop.platform, [shop.given(CLEAN, shown="0" * 64)], by=clerk)
    looked_up_(shop.platform, MANY - 1, by=clerk)
    with pytest.raises(TooMany):
        consult(shop.platform, [CLEAN], by=clerk)


def test_two_at_once_do_not_go_beyond_the_limit(shop: Shop) -> None:
    clerk = operator(shop.platform, Role.DESK, carrier="cmcc", login="fast")
    looked_up_(shop.platform, MANY - 5, by=clerk)
    taken, barrier = [], threading.Barrier(10)

    def one() -> None:
        barrier.wait()
        try:
            consult(shop.platform, [CLEAN], by=clerk)
        except TooMany:
            return
        taken.append(1)

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 5


def test_an_operators_search_of_numbers_has_the_limit_too(shop: Shop, url: str) -> None:
    with browsing(url, shop.platform, Role.OPERATOR, login="searcher") as browser:
        assert browser.post("/console/numbers", data={"number": f"+{CLEAN}"}).status_code == 200
        with shop.platform.database.transaction() as tx:
            person = operators.by_login(tx, "searcher")
        assert person
        looked_up_(shop.platform, MANY - 1, by=person)
        assert browser.post("/console/numbers", data={"number": f"+{CLEAN}"}).status_code == 429
