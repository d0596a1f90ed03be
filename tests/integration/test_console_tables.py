"""Whatever table operators see, they can take along: whole, under the filters of the page, and with no number that the page
does not show."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from huanxin.acts.batches import decide
from huanxin.acts.desk import acknowledge
from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import masked
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.proposals import Outcome
from huanxin.store.access import operators
from huanxin.store.release import proposals
from huanxin.store.release.proposals import NewProposal
from huanxin.web.pages.console import sheets
from huanxin.web.pages.console.batches import views as batch_pages
from operators import operator, signed_in
from ordering import imported, plan_now, release_proposed, retracted
from selling import CLEAN, HELD, REFUSED, SPARE, WAIVED, Shop, served_shop

Table = list[dict[str, str]]
KEYS = ("unbound", "absent", "kept", "pending", "refused", "unanswered")
WHOLE = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)")
LATER = 8613800777000


@pytest.fixture(scope="module")
def place(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    with served_shop(module_dsn, tmp_path_factory.mktemp("shop")) as (shop, http):
        yield shop, str(http.base_url)


@pytest.fixture(scope="module")
def shop(place: tuple[Shop, str]) -> Shop:
    return place[0]


def seat(place: tuple[Shop, str], role: str, carrier: str | None = None) -> Iterator[httpx.Client]:
    with closing(signed_in(place[1], place[0].platform, role, carrier=carrier, login=f"the-{role}")) as client:
        client.headers["Accept-Language"] = "en"
        yield client


@pytest.fixture(scope="module")
def li(place: tuple[Shop, str]) -> Iterator[httpx.Client]:
    """An operator."""
    yield from seat(place, "operator")


@pytest.fixture(scope="module")
def wang(place: tuple[Shop, str]) -> Iterator[httpx.Client]:
    """A supervisor."""
    yield from seat(place, "supervisor")


@pytest.fixture(scope="module")
def guan(place: tuple[Shop, str]) -> Iterator[httpx.Client]:
    """An admin."""
    yield from seat(place, "admin")


@pytest.fixture(scope="module")
def clerk(place: tuple[Shop, str]) -> Iterator[httpx.Client]:
    """At the desk."""
    yield from seat(place, "desk", carrier="cmcc")


def lines(answer: httpx.Response) -> Table:
    assert answer.headers["content-type"].startswith("text/csv"), answer.text[:400]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def offered(page: httpx.Response) -> set[str]:
    """The tables that a page links to as CSV."""
    return {(re.findall(r"table=(\w+)", one) or [""])[0] for one in re.findall(r'href="([^"]*format=csv[^"]*)"', page.text)}


def test_every_table_of_a_batch_is_a_file_of_counts(shop: Shop, li: httpx.Client, wang: httpx.Client) -> None:
    """A supervisor takes the page into a meeting; who asks what stood there gets the same figures."""
    address = f"/console/batches/{shop.batch}"
    platform = shop.platform
    proposal = release_proposed(
        platform, shop.batch, reason="=1+1 for the shops", by=operator(platform, "supervisor"), clear=1
    )
    decide(platform, proposal, Outcome.DECLINED, note="not yet", by=operator(platform, "supervisor"))
    retracted(platform, shop.batch, NumberSet.of([SPARE[11]]), reason="wrongly cancelled", by="li")
    page = li.get(address)
    assert offered(page) == {"", "gate", "retractions", "freezes", "proposals", "releases"}
    told = {one["partner"]: one for one in lines(li.get(f"{address}?format=csv"))}
    refusing = lines(li.get(f"{address}?format=csv&table=partners&partners=refused"))
    assert 0 < len(refusing) < len(told), "the filter of the page is the filter of the file"
    assert all(int(one["refused"]) for one in refusing)
    gate = {one["state"]: int(one["numbers"]) for one in lines(li.get(f"{address}?format=csv&table=gate"))}
    assert gate["retracted"] == 1
    freezes = lines(li.get(f"{address}?format=csv&table=freezes"))
    assert sum(int(one["numbers"]) for one in freezes) == sum(int(next(iter(told.values()))[key]) for key in KEYS)
    back = lines(li.get(f"{address}?format=csv&table=retractions"))
    assert {one["partner"] for one in back} == set(told)
    assert {(one["reason"], one["numbers"]) for one in back} == {("wrongly cancelled", "1")}
    proposed = lines(li.get(f"{address}?format=csv&table=proposals"))
    assert [(one["reason"], one["outcome"], one["note"]) for one in proposed] == [
        ("'=1+1 for the shops", "declined", "not yet")
    ]
    released = lines(li.get(f"{address}?format=csv&table=releases"))
    assert sum(int(one["numbers"]) for one in released) == gate["released"]
    for table in ("partners", "late", "gate", "retractions", "freezes", "proposals", "releases"):
        assert not WHOLE.search(wang.get(f"{address}?format=csv&table={table}").text), (
            "a list of numbers has its own download"
        )


def test_a_table_that_a_page_does_not_have_is_named_with_those_that_it_has(shop: Shop, li: httpx.Client) -> None:
    """A mistyped address never passes for an empty table."""
    for address, there in ((f"/console/batches/{shop.batch}", "gate"), ("/console/reports", "refused")):
        answer = li.get(f"{address}?format=csv&table=nonsense")
        assert (answer.status_code, there in answer.text, "nonsense" in answer.text) == (404, True, True), address


def test_a_list_of_batches_does_not_end_at_a_page(shop: Shop, li: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year has more batches than a page: a sum over the file would have been too small, and nothing said so."""
    path = shop.folder / "more.csv"
    path.write_text(f"number,event,at\n+{LATER},cancelled,2026-09-01\n")
    imported(shop.platform, path, carrier="cmcc", by="test")
    planned = plan_now(shop.platform, by="test")
    assert planned
    monkeypatch.setattr(batch_pages, "MOST", 1)
    page = li.get("/console/batches")
    assert f'/console/batches/{shop.batch}"' not in page.text, "what is said of its lists names it"
    assert [one["batch"] for one in lines(li.get("/console/batches?format=csv"))] == [str(planned.id), str(shop.batch)]


def test_breaches_and_records_of_the_desk_come_whole_however_long_they_are(
    shop: Shop, li: httpx.Client, clerk: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them once ended at ten thousand lines, and nothing said so."""
    monkeypatch.setattr(sheets, "PIECE", 1)
    for number in SPARE[:3]:
        acknowledge(shop.platform, [shop.given(number)], by=shop.clerk)
    for number in SPARE[3:5]:
        shop.opened(number, name=f"opened-{number}.csv")
    records = lines(clerk.get("/console/desk/records?format=csv"))
    assert [one["number"] for one in records] == [masked(number) for number in SPARE[:3][::-1]]
    breaches = lines(li.get("/console/breaches?format=csv&kind=opened-without-disclosure"))
    assert len(breaches) == 2
    assert len(lines(li.get("/console/breaches?format=csv"))) > 2


def test_operators_and_what_they_did_are_files_in_which_admins_see_no_number(shop: Shop, guan: httpx.Client) -> None:
    """The rights of admins leave numbers out; a file that goes round by mail must not bring them back."""
    person = operator(shop.platform, "operator", "desk", carrier="cmcc", login="chen")
    with shop.platform.database.transaction() as tx:
        for at in range(3):
            detail = {"number": f"+{CLEAN}", "purpose": "complaint", "ticket": f"T-{at} of 138 0013 8000"}
            operators.note(tx, person.id, "unmasked", by="chen", at=shop.platform.now(), detail=detail)
    staff_of = {one["login"]: one for one in lines(guan.get("/console/people?format=csv"))}
    assert (staff_of["chen"]["roles"], staff_of["chen"]["carrier"], staff_of["chen"]["enabled"]) == (
        "desk operator",
        "cmcc",
        "True",
    )
    answer = guan.get("/console/audit?format=csv&login=chen&kind=unmasked")
    did = lines(answer)
    assert [(one["login"], one["what"]) for one in did] == [("chen", "unmasked")] * 3
    assert "T-2 of 138****8000" in did[0]["details"], "the ticket stays what it is"
    page = guan.get("/console/audit?login=chen").text
    assert all(words in page for words in ("what for: a complaint", "ticket: T-2", "roles: shop desk, operator")), "in words"
    for text in (answer.text, page):
        assert str(CLEAN)[2:] not in text
        assert "138 0013 8000" not in text
    assert offered(guan.get("/console/people")) == offered(guan.get("/console/audit")) == {""}


def test_who_did_what_comes_whole(shop: Shop, guan: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.platform.database.transaction() as tx:
        every = len(operators.events(tx, most=10_000))
    monkeypatch.setattr(sheets, "PIECE", 2)
    assert len(lines(guan.get("/console/audit?format=csv"))) == every > 4


def test_the_tables_of_supervision_are_files(shop: Shop, wang: httpx.Client) -> None:
    page = wang.get("/console/watch")
    assert offered(page) == {"", "breaches", "holds", "months"}
    assert lines(wang.get("/console/watch?format=csv&table=holds"))[0]["binding"] == "1"
    assert {one["kind"] for one in lines(wang.get("/console/watch?format=csv&table=breaches"))} > {"answered-after-release"}
    months = lines(wang.get("/console/watch?format=csv&table=months"))
    assert sum(int(one["noticed"]) for one in months) > 0
    assert months[0]["carrier"] == "cmcc"
    assert wang.get("/console/watch?format=csv&table=nonsense").status_code == 404
    assert {one["name"] for one in lines(wang.get("/console/watch?format=csv&table=partners"))}


def test_refused_uploads_are_a_file_beside_the_imports(li: httpx.Client) -> None:
    sent = {"file": ("半页.csv", b"number,event,at\n1380013810,opened,2026-11-02\n", "text/csv")}
    assert "半页.csv" in li.post("/console/reports", data={"carrier": "cmcc"}, files=sent).text
    refused = lines(li.get("/console/reports?format=csv&table=refused"))
    assert [(one["file"], one["carrier"], one["bad_lines"], one["by"]) for one in refused] == [
        ("半页.csv", "cmcc", "1", "the-operator")
    ]
    assert refused[0]["why"]
    for address in ("/console/reports", "/console/reports/uploads/1"):
        page = li.get(f"{address}?lang=en").text
        assert ("China Mobile" in page, ">cmcc<" in page) == (True, False), "by the name that people know"
    li.get("/console/reports?lang=zh")
    assert lines(li.get("/console/reports?format=csv&table=refused&carrier=cucc")) == []
    assert (
        len(lines(li.get("/console/reports?format=csv")))
        == len(lines(li.get("/console/reports?format=csv&table=imports")))
        > 1
    )


def test_a_number_in_somebodys_reason_is_masked_for_all(shop: Shop, wang: httpx.Client, guan: httpx.Client) -> None:
    """Regulators and admins, who see no number, read reasons too."""
    with shop.platform.database.transaction() as tx:
        one, another = (operator(shop.platform, "supervisor").id for _ in range(2))
        made = proposals.add(
            tx, NewProposal(kind="release", batch_id=shop.batch, count=1, reason="OA-2026-1130: asked for by 138 0013 8000"),
            by=one, at=shop.platform.now(),
        )  # fmt: skip
        proposals.end(tx, made, outcome="declined", note="call +8613900139000 first", count=0, by=another,
                      at=shop.platform.now())  # fmt: skip
    for reader, room in ((guan, f"batches/{shop.batch}"), (wang, "approvals")):
        for answer in (reader.get(f"/console/{room}"), reader.get(f"/console/{room}?format=csv&table=proposals")):
            told = answer.content.decode("utf-8-sig")
            assert "OA-2026-1130: asked for by 138****8000" in told, "the order's number is no phone number"
            assert "call 139****9000 first" in told, answer.url
            assert not WHOLE.search(told.replace(" 0013 ", "0013")), answer.url


def test_a_numbers_tables_are_taken_from_its_page_which_does_not_hold_the_number(shop: Shop, li: httpx.Client) -> None:
    """Whoever answers a complaint takes the tables along one by one, and types the number once."""
    page = li.post("/console/numbers", data={"number": f"+{REFUSED}"})
    assert not WHOLE.search(page.text)
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept
    form = {"kept": kept[1], "format": "csv"}
    tenures = lines(li.post("/console/numbers", data=form | {"table": "tenures"}))
    assert [(one["number"], one["ended_how"]) for one in tenures] == [(masked(REFUSED), "cancelled")]
    cases = lines(li.post("/console/numbers", data=form | {"table": "batches", "batch": str(shop.batch)}))
    assert {one["outcome"] for one in cases} >= {"refused"}
    assert {one["batch"] for one in cases} == {str(shop.batch)}
    assert all(one["receipt"].startswith("rc_") for one in cases if one["outcome"] != "unanswered")
    timeline = li.post("/console/numbers", data=form | {"table": "timeline"})
    assert lines(timeline) == lines(li.post("/console/numbers", data={"number": f"+{REFUSED}", "format": "csv"}))
    assert li.post("/console/numbers", data=form | {"table": "nonsense"}).status_code == 404
    whole = form | {"table": "tenures", "purpose": "complaint", "ticket": "T-9"}
    assert lines(li.post("/console/numbers", data=whole))[0]["number"] == f"+{REFUSED}"
    with shop.platform.database.transaction() as tx:
        assert operators.events(tx, kind="unmasked")[0].detail["ticket"] == "T-9", "taken whole without a record"


def test_the_page_of_a_number_that_is_kept_back_does_not_say_that_it_may_be_sold(li: httpx.Client) -> None:
    for number, kept_back in ((HELD, True), (REFUSED, True), (CLEAN, False)):
        page = li.post("/console/numbers?lang=en", data={"number": f"+{number}"}).text
        assert ("May be sold from" in page, "Kept back now" in page) == (not kept_back, kept_back), number


def test_a_number_that_was_typed_wrong_or_without_its_ticket_is_mended_not_typed_again(li: httpx.Client) -> None:
    for form in ({"number": "138 0013 80"}, {"number": f"+{REFUSED}", "purpose": "complaint", "ticket": ""}):
        page = li.post("/console/numbers", data=form)
        assert page.status_code == 422
        assert f'value="{form["number"]}"' in page.text


def test_what_one_operators_page_keeps_opens_for_nobody_else(shop: Shop, li: httpx.Client, wang: httpx.Client) -> None:
    page = li.post("/console/numbers", data={"number": f"+{WAIVED}"})
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept
    for form in ({"kept": kept[1]}, {"kept": "x.y.z"}):
        assert wang.post("/console/numbers", data=form | {"format": "csv"}).status_code == 422


def test_no_proposal_is_pushed_out_of_sight_by_those_after_it(shop: Shop, wang: httpx.Client) -> None:
    """A hundred partners times a few batches are soon that many; the one that nobody saw any more waited for ever."""
    platform = shop.platform
    one, another = operator(platform, "operator"), operator(platform, "supervisor")
    with platform.database.transaction() as tx:

        def propose(reason: str) -> int:
            return proposals.add(
                tx, NewProposal(kind="release", batch_id=shop.batch, count=1, reason=reason), by=one.id, at=platform.now()
            )

        oldest = propose("the one that waits")
        for turn in range(201):
            proposals.end(tx, propose(f"turn {turn}"), outcome="declined", note="no", count=0, by=another.id,
                          at=platform.now())  # fmt: skip
    with pytest.raises(Conflict, match="proposed already"):
        release_proposed(platform, shop.batch, reason="once more", by=another, clear=1)
    page = wang.get("/console/approvals").text
    assert f'action="/console/approvals/{oldest}"' in page
    assert ("turn 200<" in page, "turn 0<" in page, "all of them are in the CSV" in page) == (True, False, True)
    rows = lines(wang.get("/console/approvals?format=csv"))
    assert {"the one that waits", "turn 0", "turn 200"} <= {row["reason"] for row in rows}
