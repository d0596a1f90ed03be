"""A carrier's sale system asks each night what it may sell. It must never offer a number that was taken back, nor lose one
that was released, whenever it asks, however it pages, and whatever is being recorded in that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from clocks import Clock
from holding import hold
from huanxin.access import tokens
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.inventory import look, next_page, write_files
from huanxin.domain.errors import Conflict
from huanxin.numbersets.sharded import NumberSet
from huanxin.release import inventory
from huanxin.release.gate import load_gate, release_batch
from huanxin.release.holds import lift_hold
from huanxin.release.listing import release_lists
from huanxin.release.waiving import waive
from huanxin.store.release import releases
from huanxin.work.inventories import Stocktaker
from operators import operator
from ordering import imported, plan_now, retracted, send_now
from selling import CLEAN, HELD, LATE, REFUSED, SPARE, WAIVED, Shop, open_shop, served_shop
from waiting import until

A, B, C, D = SPARE[:4]
RELEASED = {CLEAN, WAIVED, HELD, LATE, *SPARE}
TODAY = "2026-11-24"
URL = "/carrier/v1/inventory"


@pytest.fixture
def shop(platform: Platform, clock: Clock, tmp_path: Path) -> Shop:
    return open_shop(platform, clock, tmp_path)


@pytest.fixture
def served(dsn: str, tmp_path: Path) -> Iterator[tuple[Shop, httpx.Client]]:
    with served_shop(dsn, tmp_path) as found:
        yield found


@dataclass
class Machine:
    """A carrier's sale system: what it would sell, and how far it has read. It asks for few numbers at a time."""

    platform: Platform
    carrier: str = "cmcc"
    most: int = 3
    offered: set[int] = field(default_factory=set)
    after: str = ""
    news: list[tuple[int, str, str]] = field(default_factory=list)
    """what the last night brought"""

    def tonight(self) -> set[int]:
        """Read all that there is; what is offered then."""
        self.news, first, more = [], not self.after, True
        while more:
            page = next_page(self.platform, self.carrier, after=self.after, most=self.most)
            assert len(page.lines) <= self.most
            for one in page.lines:
                self.news.append((one.number, one.change, one.why))
                assert first or (one.number in self.offered) == (one.change == inventory.TAKEN_BACK), "each once, in order"
                assert (one.sellable_from != "") == (one.change == inventory.RELEASED)
                (self.offered.add if one.change == inventory.RELEASED else self.offered.discard)(one.number)
            self.after, more = page.onward, page.more
        return self.offered


def listed(shop: Shop, carrier: str = "cmcc") -> set[int]:
    """What the release lists of this instant offer."""
    found: set[int] = set()
    with shop.platform.read() as seen:
        for one in releases.all_releases(seen.tx):
            lists = release_lists(seen.tx, one, load_gate(seen, one.batch_id))
            found |= {int(number) for number in lists[carrier].for_sale["number"].to_pylist()} if carrier in lists else set()
    return found


def report(shop: Shop, *lines: str) -> None:
    path = shop.folder / f"{shop.clock.now:%d%H%M%S%f}.csv"
    path.write_text("\n".join(["number,event,at", *lines, ""]))
    imported(shop.platform, path, carrier="cmcc", by="li")


def lift(shop: Shop, hold_id: int) -> None:
    with shop.platform.act("li") as act:
        lift_hold(act, hold_id, reason="over")


def test_a_machine_that_asks_each_night_offers_what_the_lists_of_that_night_do(shop: Shop, clock: Clock) -> None:
    """Held, sold, given back, taken back, objected to, and on offer again; each change comes once, in the desk's words."""
    machine, late = Machine(shop.platform), Machine(shop.platform, most=50)
    assert machine.tonight() == RELEASED - {HELD, LATE}
    assert machine.tonight() == listed(shop)
    assert machine.news == []
    held = hold(shop.platform, [A, B])
    clock.forward(hours=1)
    report(shop, f"+{B},reclaimed,{TODAY}", f"+{C},opened,{TODAY}")
    retracted(shop.platform, shop.batch, NumberSet.of([D]), reason="wrong list", by="li")
    assert machine.tonight() == RELEASED - {HELD, LATE, A, B, C, D} == listed(shop)
    assert sorted(machine.news) == sorted(
        [(A, "taken_back", "withheld"), (D, "taken_back", "withheld")]
        + [(one, "taken_back", "in_service") for one in (B, C)]
    )
    lift(shop, held)
    lift(shop, 1)
    with shop.platform.act("li") as act:
        waive(act, shop.batch, partner_id=2, only=None, reason="settled")
    assert [one.count for one in release(shop.platform, by="li")] == [1], "REFUSED"
    assert machine.tonight() == (RELEASED | {REFUSED}) - {B, C, D} == listed(shop)
    assert sorted(machine.news) == sorted((one, "released", "") for one in (HELD, LATE, A, REFUSED))
    assert late.tonight() == machine.offered, "whoever comes later begins with what is so"


def test_what_a_hold_kept_is_offered_again_on_the_day_after_it_though_nobody_recorded_anything(
    shop: Shop, clock: Clock
) -> None:
    machine = Machine(shop.platform)
    hold(shop.platform, [A], until=date(2026, 11, 26))
    assert A not in machine.tonight()
    clock.forward(days=2)
    assert A not in machine.tonight()
    clock.forward(days=1)
    assert A in machine.tonight()
    assert machine.news == [(A, "released", "")]


def test_a_number_that_is_sold_and_rests_and_is_released_again_comes_as_three_changes_in_their_order(
    shop: Shop, clock: Clock
) -> None:
    machine = Machine(shop.platform)
    machine.tonight()
    shop.opened(A)
    clock.forward(days=1)
    report(shop, f"+{A},cancelled,2026-11-25")
    clock.forward(days=91)
    batch = plan_now(shop.platform)
    assert batch is not None
    send_now(shop.platform, batch.id)
    with shop.platform.act("li") as act:
        for partner in (1, 2):
            waive(act, batch.id, partner_id=partner, only=None, reason="silent")
    release(shop.platform, by="li")
    assert A in machine.tonight() & listed(shop)
    assert machine.news == [(A, "taken_back", "in_service"), (A, "released", "")]


def test_a_release_that_is_committed_late_is_not_skipped_nor_two_that_are_committed_in_one_instant(
    shop: Shop, clock: Clock
) -> None:
    """One was begun before the machine asked, and is on record only after; the other comes in the same instant."""
    report(shop, f"+{8613801666000},cancelled,2026-08-20")
    other = plan_now(shop.platform)
    assert other is not None
    send_now(shop.platform, other.id)
    with shop.platform.act("li") as act:
        for partner in (1, 2):
            waive(act, other.id, partner_id=partner, only=None, reason="silent")
        waive(act, shop.batch, partner_id=2, only=None, reason="settled")
    machine = Machine(shop.platform)
    before = set(machine.tonight())
    with shop.platform.act("li") as act:
        assert release_batch(act, shop.batch) is not None
        assert machine.tonight() == before, "not on record yet"
        second = Thread(target=lambda: release(shop.platform, by="wang", batch_id=other.id))
        second.start()  # it waits for the first
        assert machine.tonight() == before
    second.join()
    assert machine.tonight() == before | {REFUSED, 8613801666000}
    assert sorted(number for number, _, _ in machine.news) == [REFUSED, 8613801666000]


def test_machines_that_ask_at_once_see_each_change_once(shop: Shop) -> None:
    """Several servers answer, and each looks for what changed."""
    machines = [Machine(shop.platform, most=2) for _ in range(6)]
    for one in machines:
        one.tonight()
    hold(shop.platform, [A, B])
    retracted(shop.platform, shop.batch, NumberSet.of([C]), reason="wrong list", by="li")
    threads = [Thread(target=one.tonight) for one in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in machines:
        assert one.offered == listed(shop)
        assert sorted(number for number, _, _ in one.news) == [A, B, C]


def test_two_who_look_at_once_number_their_changes_one_after_the_other(shop: Shop) -> None:
    """Else one with a lower number could be committed after a machine has read a higher one, and never be seen."""
    machine = Machine(shop.platform)
    machine.tonight()
    hold(shop.platform, [A])
    other = Thread(target=look, args=(shop.platform,))
    with shop.platform.act("first") as act:
        inventory.note_changes(act, shop.batch)
        other.start()
        until(lambda: waiting(shop.platform) or not other.is_alive())
        assert other.is_alive(), "it waits for the first"
    other.join()
    machine.tonight()
    assert machine.news == [(A, "taken_back", "withheld")]


def waiting(platform: Platform) -> bool:
    """Whether somebody waits for a lock that another holds."""
    with platform.read() as seen:
        row = seen.tx.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    return row is not None and row[0] > 0


def test_what_changes_while_the_first_pages_are_read_is_not_lost_between_them_and_the_changes(shop: Shop) -> None:
    machine = Machine(shop.platform, most=4)
    page = next_page(shop.platform, "cmcc", after="", most=4)
    assert page.more
    first = {one.number for one in page.lines}
    assert first == {CLEAN, WAIVED, A, B}
    hold(shop.platform, [A, D])
    lift(shop, 1)
    look(shop.platform)
    machine.offered, machine.after = first, page.onward
    offered = set(first)
    while page.more:
        page = next_page(shop.platform, "cmcc", after=page.onward, most=4)
        for one in page.lines:
            (offered.add if one.change == "released" else offered.discard)(one.number)
    assert offered == listed(shop) == (RELEASED - {LATE, A, D})


def test_once_it_was_looked_nothing_is_read_again_until_a_fact_comes(shop: Shop, clock: Clock) -> None:
    """After a year of releases a question costs what the day brought."""
    with shop.platform.read() as seen:
        assert inventory.unseen(seen)[0] == [shop.batch]
    look(shop.platform)
    with shop.platform.read() as seen:
        assert inventory.unseen(seen)[0] == []
    report(shop, "+8613802000000,opened,2026-11-20")
    with shop.platform.read() as seen:
        assert inventory.unseen(seen)[0] == [], "of none of its numbers"
    hold(shop.platform, [A])
    with shop.platform.read() as seen:
        assert inventory.unseen(seen)[0] == [shop.batch]


def seat(shop: Shop, http: httpx.Client, *roles: str, carrier: str | None = "cmcc", login: str = "sales") -> httpx.Client:
    """A client of the API with a token of its own."""
    operator(shop.platform, *roles, login=login, carrier=carrier)
    with shop.platform.act("admin") as act:
        token = tokens.make_token(act, login)
    return httpx.Client(base_url=http.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_each_carrier_has_its_own_inventory_and_nobody_elses_by_a_credential_that_opens_nothing_more(
    served: tuple[Shop, httpx.Client],
) -> None:
    shop, http = served
    ours, theirs = seat(shop, http, "inventory"), seat(shop, http, "inventory", carrier="cucc", login="theirs")
    clerk, nobodys = seat(shop, http, "desk", login="desk"), seat(shop, http, "inventory", carrier=None, login="all")
    with closing(ours), closing(theirs), closing(clerk), closing(nobodys):
        answer = ours.get(URL, params={"limit": 5})
        assert answer.status_code == 200
        body = answer.json()
        assert (body["carrier"], len(body["changes"]), body["more"]) == ("cmcc", 5, True)
        one = body["changes"][0]
        assert (one["number"], one["change"], one["why"]) == (f"+{CLEAN}", "released", None)
        assert one["sellable_from"] == TODAY
        assert theirs.get(URL).json()["changes"] == []
        assert theirs.get(URL, params={"after": body["next"]}).status_code == 409, "a cursor of ours"
        assert clerk.get(URL).status_code == 403
        refused = nobodys.get(URL)
        assert (refused.status_code, "acts for no carrier" in refused.json()["detail"]) == (403, True)
        assert http.get(URL).status_code == 401
        assert ours.post("/answers/v1/disclosure", json={"number": f"+{CLEAN}"}).status_code == 403
        with shop.platform.act("admin") as act:
            tokens.end_tokens(act, "sales")
        assert ours.get(URL).status_code == 401


def test_a_night_without_news_is_answered_in_a_line_and_a_hostile_cursor_with_a_refusal(
    served: tuple[Shop, httpx.Client],
) -> None:
    shop, http = served
    with closing(seat(shop, http, "inventory")) as ours:
        last = ours.get(URL).json()["next"]
        answer = ours.get(URL, params={"after": last})
        assert (answer.json()["changes"], answer.json()["next"], answer.json()["more"]) == ([], last, False)
        same = {"If-None-Match": answer.headers["ETag"]}
        assert ours.get(URL, params={"after": last}, headers=same).status_code == 304
        hold(shop.platform, [A])
        news = ours.get(URL, params={"after": last}, headers=same)
        assert [(one["number"], one["why"]) for one in news.json()["changes"]] == [(f"+{A}", "withheld")]
        change, mark, lines = last.split("-")
        for cursor in ("x", "1", f"{change}-{mark}-{lines}-", f"{change}-{mark}-{'9' * 30}", f"{change}-{mark}-1;DROP"):
            assert ours.get(URL, params={"after": cursor}).status_code == 400, cursor
        for cursor in (
            f"{change}-ffffffff-{lines}", f"{'9' * 18}-{mark}-0", f"{change}-{mark}-{'9' * 9}", "0-0-0-5", "0-0-1",
        ):  # fmt: skip
            assert ours.get(URL, params={"after": cursor}).status_code == 409, cursor
        assert ours.get(URL, params={"after": f"{change}-{mark}-{'9' * 9}-{'9' * 18}"}).status_code == 200
        assert ours.get(URL, params={"limit": 0}).status_code == 400
        assert ours.get(URL, params={"limit": 10**9}).status_code == 400
        answers = [ours.get(URL, params={"after": last, "limit": 1}).status_code for _ in range(120)]
        assert (answers[-1], set(answers)) == (429, {200, 429})
        shop.clock.forward(minutes=2)
        assert ours.get(URL, params={"after": last}).status_code == 200
    with shop.platform.read() as seen:
        rows = seen.tx.execute("SELECT detail FROM operator_event WHERE kind = 'inventory-taken' ORDER BY id").fetchall()
    assert rows[0][0] == {"carrier": "cmcc", "numbers": len(RELEASED) - 2}, "who took whole numbers is on record"


def test_the_program_that_the_page_for_carriers_shows_keeps_its_list_right_even_over_a_restored_backup(
    served: tuple[Shop, httpx.Client],
) -> None:
    shop, http = served
    text = (Path(__file__).parents[2] / "docs/carriers/inventory.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(program, shown)  # our own page
    offered: dict[str, str] = {}
    with closing(seat(shop, http, "inventory")) as ours:
        after = shown["tonight"](ours, offered, "")
        hold(shop.platform, [A])
        after = shown["tonight"](ours, offered, after)
        assert offered == dict.fromkeys((f"+{one}" for one in listed(shop)), TODAY)
        offered["+8613800000001"] = TODAY
        change, _, lines = after.split("-")
        shown["tonight"](ours, offered, f"{change}-0000ffff-{lines}")
    assert offered == dict.fromkeys((f"+{one}" for one in listed(shop)), TODAY)


def read_in_order(folder: Path, done: set[str]) -> tuple[set[int], list[tuple[int, str]]]:
    """What a nightly job makes of the files that it has not read yet: what is offered, and what it read."""
    offered, news = set[int](), list[tuple[int, str]]()
    for path in sorted(folder.glob("changes-cmcc-*.csv")):
        for line in path.read_text().splitlines()[1:]:
            number, change, *_ = line.split(",")
            (offered.add if change == "released" else offered.discard)(int(number))
            if path.name not in done:
                news.append((int(number), change))
        done.add(path.name)
    return offered, news


def test_a_folder_says_the_same_a_file_of_changes_a_night_and_one_of_all(shop: Shop, clock: Clock, tmp_path: Path) -> None:
    folder, done = tmp_path / "inventory", set[str]()
    write_files(shop.platform, folder)
    assert read_in_order(folder, done)[0] == RELEASED - {HELD, LATE}
    made = write_files(shop.platform, folder)
    assert [one.name for one in made] == ["inventory-cmcc.csv"], "no file for a night without news"
    held = hold(shop.platform, [A, B])
    write_files(shop.platform, folder)
    assert read_in_order(folder, done) == (RELEASED - {HELD, LATE, A, B}, [(A, "taken_back"), (B, "taken_back")])
    lift(shop, held)
    report(shop, f"+{C},opened,{TODAY}")
    threads = [Thread(target=write_files, args=(shop.platform, folder)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    offered, news = read_in_order(folder, done)
    assert offered == listed(shop)
    assert sorted(news) == sorted([(A, "released"), (B, "released"), (C, "taken_back")]), "each once, whoever wrote it"
    whole = (folder / "inventory-cmcc.csv").read_text().splitlines()
    assert (whole[0], {int(line.split(",")[0]) for line in whole[1:]}) == ("number,sellable_from", offered)
    (folder / "changes-cmcc-000000009999.csv").write_text("number,change,why,sellable_from,at\n")
    with pytest.raises(Conflict, match="restored from a backup"):
        write_files(shop.platform, folder)


def test_a_worker_keeps_the_folder_fresh(shop: Shop, clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    worker = Stocktaker(platform=shop.platform, folder=folder)
    assert worker.one_job()
    assert not worker.one_job()
    hold(shop.platform, [A])
    clock.forward(minutes=1)
    assert worker.one_job()
    assert read_in_order(folder, set())[0] == listed(shop)
