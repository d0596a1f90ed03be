"""What frees something is undone by two people: a hold is lifted for one number, a partner is no longer waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from huanxin.cli.main import app
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import parse
from huanxin.domain.operators import Role
from huanxin.notify.changing import off_board, rename, set_required
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.holds import Lifted, add_hold, lift_hold
from huanxin.store.connect import partners
from huanxin.store.plan import holds
from huanxin.store.release import proposals
from operators import signed_in
from ordering import plan_now, send_now
from town import PARTNERS, Town, town

ONE, OTHER, THIRD = (f"+861380013810{n}" for n in range(3))
SHOP = PARTNERS[0][0]


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        made.report(*(f"{one},cancelled,2026-08-20" for one in (ONE, OTHER, THIRD)))
        yield made


@pytest.fixture
def li(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as browser:
        browser.headers["Accept-Language"] = "en"
        yield browser


@pytest.fixture
def wang(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, Role.SUPERVISOR, login="wang")) as browser:
        browser.headers["Accept-Language"] = "en"
        yield browser


def hold(place: Town, *numbers: str) -> int:
    until = place.platform.today() + timedelta(days=200)
    with place.platform.act("li") as act:
        return add_hold(act, NumberSet.of([parse(one) for one in numbers]), source="court", order="No. 17",
                        reason="fraud", until=until, review_on=until).id  # fmt: skip


def binding(place: Town) -> dict[int, list[int]]:
    """The numbers that each hold binds now."""
    with place.platform.read() as seen:
        return {
            one.id: sorted(holds.numbers_of(seen.tx, one.id))
            for one in holds.all_holds(seen.tx)
            if one.binds(place.platform.today())
        }


def lifted(place: Town, hold_id: int, *numbers: str) -> Lifted:
    with place.platform.act("li") as act:
        return lift_hold(act, hold_id, reason="cleared", only=[parse(one) for one in numbers] or None)


def test_a_hold_is_lifted_for_one_number_and_goes_on_for_the_others(place: Town) -> None:
    """The authority clears one person. The others' numbers must not be free for a moment, nor lose the order's number."""
    placed = hold(place, ONE, OTHER, THIRD)
    done = lifted(place, placed, ONE)
    assert (done.count, binding(place)) == (1, {done.goes_on: [parse(OTHER), parse(THIRD)]})
    with place.platform.read() as seen:
        before, after = holds.all_holds(seen.tx)
    assert (after.order_number, after.until_day, after.replaces) == (before.order_number, before.until_day, placed)
    assert (before.goes_on, before.lift_reason, after.placed_at) == (after.id, "cleared", before.lifted_at)
    batch = plan_now(place.platform)
    assert batch is not None
    assert batch.count == 1, "what is free is planned, and nothing else"


def test_what_a_hold_does_not_name_or_was_lifted_before_is_refused(place: Town) -> None:
    placed = hold(place, ONE, OTHER)
    with pytest.raises(BadInput, match="1 of the numbers are not in hold"):
        lifted(place, placed, ONE, THIRD)
    assert binding(place) == {placed: [parse(ONE), parse(OTHER)]}
    lifted(place, placed, ONE)
    with pytest.raises(Conflict, match="was lifted by li"):
        lifted(place, placed, OTHER)
    assert lifted(place, placed + 1, OTHER).goes_on is None, "the last one ends it"
    assert binding(place) == {}


def test_in_the_console_two_people_lift_a_hold_for_one_number(place: Town, li: httpx.Client, wang: httpx.Client) -> None:
    placed = hold(place, ONE, OTHER)
    proposed = li.post(f"/console/holds/{placed}/lift", data={"reason": "cleared", "numbers": ONE})
    assert "Another supervisor has to approve it before anything changes." in proposed.text
    assert binding(place) == {placed: [parse(ONE), parse(OTHER)]}, "nothing is free by one person's word"
    assert li.post("/console/approvals/1", data={"do": "approved", "note": ""}).status_code == 403
    again = li.post(f"/console/holds/{placed}/lift", data={"reason": "cleared", "numbers": ONE})
    assert again.status_code == 409
    shown = wang.get("/console/approvals").text
    assert ("lift a hold" in shown, f"Hold {placed}" in shown) == (True, True)
    assert wang.post("/console/approvals/1", data={"do": "approved", "note": ""}).status_code == 200
    assert list(binding(place).values()) == [[parse(OTHER)]]
    with place.platform.read() as seen:
        (ended,) = (one for one in holds.all_holds(seen.tx) if one.lifted_at)
        assert proposals.listed(seen.tx)[0].freed == 1
    assert ended.lifted_by == "li, wang"
    page = li.get("/console/holds?state=all").text
    assert f"For the other numbers it goes on as hold {placed + 1}" in page


def test_in_the_console_two_people_no_longer_wait_for_a_partner(place: Town, li: httpx.Client, wang: httpx.Client) -> None:
    """What was asked of it before is waited for still: only a waiver frees that."""
    shop = place.partners[SHOP].partner
    batch = plan_now(place.platform)
    assert batch is not None
    send_now(place.platform, batch.id)
    proposed = li.post(f"/console/partners/{shop.id}", data={"do": "optional", "reason": "it closes down"})
    assert "Another supervisor has to approve it before anything changes." in proposed.text
    assert required(place)[SHOP]
    wang.post("/console/approvals/1", data={"do": "approved", "note": ""}).raise_for_status()
    assert not required(place)[SHOP]
    with place.platform.read() as seen:
        rows = seen.tx.execute("SELECT required FROM notice WHERE partner_id = %s", (shop.id,)).fetchall()
        (changed,) = partners.events_of(seen.tx, shop.id, kind="made-optional")
    assert (rows, changed.recorded_by, changed.detail) == ([(True,)], "li, wang", {"reason": "it closes down"})
    back = li.post(f"/console/partners/{shop.id}", data={"do": "required", "reason": "it stays"})
    assert "Its answers are waited for from the next notice on." in back.text, "which frees nothing: one person may"
    assert required(place)[SHOP]


def required(place: Town) -> dict[str, bool]:
    with place.platform.read() as seen:
        return {one.name: one.required for one in partners.all_partners(seen.tx)}


def test_a_partner_is_renamed_and_keeps_all_else(place: Town, li: httpx.Client) -> None:
    shop, other = place.partners[SHOP].partner, PARTNERS[1][0]
    taken = li.post(f"/console/partners/{shop.id}", data={"do": "renamed", "name": other, "reason": "merger"})
    assert (taken.status_code, "is there already" in taken.text) == (409, True)
    done = li.post(f"/console/partners/{shop.id}", data={"do": "renamed", "name": "晨光商城", "reason": "merger"})
    assert "It has its new name." in done.text
    with place.platform.read() as seen:
        now = partners.by_client_id(seen.tx, shop.client_id)
        (changed,) = partners.events_of(seen.tx, shop.id, kind="renamed")
    assert now is not None
    assert (now.id, now.name) == (shop.id, "晨光商城")
    assert (changed.detail["from"], changed.detail["to"]) == (SHOP, "晨光商城")
    place.partners[SHOP] = place.partners.pop(SHOP)
    assert httpx.post(f"{place.url}/oauth/token", data={"grant_type": "client_credentials"},
                      auth=(shop.client_id, place.partners[SHOP].client_secret)).status_code == 200  # fmt: skip


def test_who_leaves_is_told_nothing_more_and_waited_for_until_somebody_waives(place: Town, li: httpx.Client) -> None:
    shop = place.partners[SHOP].partner
    batch = plan_now(place.platform)
    assert batch is not None
    send_now(place.platform, batch.id)
    done = li.post(f"/console/partners/{shop.id}", data={"do": "off-boarded", "reason": "it closes down"})
    assert "Numbers wait for what it left unanswered." in done.text
    assert SHOP not in required(place)
    denied = httpx.post(f"{place.url}/oauth/token", data={"grant_type": "client_credentials"},
                        auth=(shop.client_id, place.partners[SHOP].client_secret))  # fmt: skip
    assert denied.status_code == 401
    with place.platform.read() as seen:
        rows = seen.tx.execute("SELECT required FROM notice WHERE partner_id = %s", (shop.id,)).fetchall()
        open_events = seen.tx.execute(
            "SELECT count(*) FROM delivery WHERE partner_id = %s AND next_at IS NOT NULL AND notice_id IS NOT NULL",
            (shop.id,),
        ).fetchone()
    assert (rows, open_events) == ([(True,)], (0,))
    assert "Batches with late answers" in li.get("/console/partners").text
    with pytest.raises(Conflict, match="is withdrawn already"), place.platform.act("li") as act:
        off_board(act, shop, reason="again")


def test_a_carriers_own_people_change_no_partner_of_all(place: Town) -> None:
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, carrier="cucc", login="zhao")) as zhao:
        shop = place.partners[SHOP].partner.id
        for what in ("optional", "required", "renamed", "off-boarded"):
            answer = zhao.post(f"/console/partners/{shop}", data={"do": what, "reason": "x", "name": "y"})
            assert answer.status_code == 403, what
        placed = hold(place, ONE)
        assert zhao.post(f"/console/holds/{placed}/lift", data={"reason": "x"}).status_code == 404


def test_nothing_changes_without_a_reason_or_twice(place: Town) -> None:
    shop = place.partners[SHOP].partner
    with place.platform.act("li") as act:
        with pytest.raises(BadInput):
            set_required(act, shop, required=False, reason=" ")
        with pytest.raises(BadInput):
            rename(act, shop, "x", reason="")
        with pytest.raises(BadInput):
            rename(act, shop, " ", reason="why")
        with pytest.raises(BadInput):
            off_board(act, shop, reason="")
        with pytest.raises(Conflict, match="is required already"):
            set_required(act, shop, required=True, reason="why")


def test_the_commands_do_the_same(place: Town, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DATABASE_URL": dsn, "MODE": "development", "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    placed = hold(place, ONE, OTHER)
    some = tmp_path / "some.csv"
    some.write_text(f"number\n{ONE}\n")
    assert f"goes on as hold {placed + 1}" in run("hold", "lift", str(placed), "--reason", "x", "--numbers", str(some))
    assert "no longer wait for" in run("partner", "optional", SHOP, "--reason", "x")
    assert "from the next one on" in run("partner", "required", SHOP, "--reason", "x")
    assert "is called 新名 from now on" in run("partner", "rename", SHOP, "新名", "--reason", "x")
    assert "has left" in run("partner", "off-board", "新名", "--reason", "x")
