"""Disclosures over HTTP: a carrier's own shop software with a token, the pages of the desk, and who sees the breaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from huanxin.access import tokens
from huanxin.acts.desk import acknowledge
from huanxin.domain.numbers import masked
from huanxin.domain.operators import Operator, Role
from operators import browsing, operator, signed_in
from selling import CLEAN, FIRST, HELD, SIGNATURE, SPARE, WAIVED, Shop, looked_up, sealed, served_shop

CONTACT = "13900139000"


@pytest.fixture(scope="module")
def place(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, httpx.Client]]:
    with served_shop(module_dsn, tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def shop(place: tuple[Shop, httpx.Client]) -> Shop:
    return place[0]


@pytest.fixture(scope="module")
def desk(place: tuple[Shop, httpx.Client]) -> Iterator[httpx.Client]:
    """The browser of a clerk."""
    client = signed_in(str(place[1].base_url), place[0].platform, "desk", carrier="cmcc", login="clerk")
    with closing(client):
        yield client


@pytest.fixture(scope="module")
def api(place: tuple[Shop, httpx.Client]) -> Iterator[httpx.Client]:
    """A shop's software, which shows a clerk's token."""
    shop, http = place
    with httpx.Client(base_url=http.base_url, headers=bearer(shop, shop.clerk)) as client:
        yield client


def bearer(shop: Shop, person: Operator) -> dict[str, str]:
    with shop.platform.act("test") as act:
        token = tokens.make_token(act, person.login)
    return {"Authorization": f"Bearer {token}"}


def told(api: httpx.Client, number: int) -> dict[str, Any]:
    answer = api.post("/answers/v1/disclosure", json={"number": f"+{number}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def given(api: httpx.Client, number: int, contract: str) -> dict[str, str]:
    shown = told(api, number)["texts"]["en"]["sha256"]
    return {"number": f"+{number}", "shown": shown, "method": "reference", "evidence": contract}


def test_a_shops_software_shows_what_the_desk_shows_and_records_many_at_once(shop: Shop, api: httpx.Client) -> None:
    found = told(api, WAIVED)
    assert (found["grade"], found["asked"], found["confirmed"], found["open"]) == ("C", 2, 1, 1)
    assert (found["carrier"], found["closed_on"], found["for_sale"]) == ("cmcc", "2026-08-25", True)
    assert "not confirmed: 1" in found["texts"]["en"]["text"]
    held = told(api, HELD)
    assert (held["grade"], held["why"], held["reason"]["zh_CN"], held["texts"]) == (
        "blocked",
        "withheld",
        "现不可售，原因请询问运营商的操作员",
        None,
    )
    body = {"acknowledgements": [given(api, number, f"contract {number}") for number in (SPARE[0], SPARE[1], FIRST)]}
    taken = api.post("/answers/v1/disclosure/acknowledgements", json=body)
    assert (taken.status_code, taken.json()["new"], len(taken.json()["disclosures"])) == (201, 3, 3)
    again = api.post("/answers/v1/disclosure/acknowledgements", json=body)
    assert (again.status_code, again.json()) == (200, {"disclosures": taken.json()["disclosures"], "new": 0})
    assert told(api, SPARE[0])["why"] == "acknowledged"


def test_what_cannot_be_taken_is_refused_whole_as_a_problem_that_names_each_line(api: httpx.Client) -> None:
    good = given(api, SPARE[2], "contract")
    bad = [good | {"number": f"+{HELD}"}, good | {"number": f"+{SPARE[3]}", "evidence": ""}]
    answer = api.post("/answers/v1/disclosure/acknowledgements", json={"acknowledgements": [good, *bad]})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [one["line"] for one in answer.json()["errors"]] == [2, 3]
    assert "138****8003: it is not for sale: it is not on offer now" in answer.json()["errors"][0]["reason"]
    assert told(api, SPARE[2])["for_sale"]
    code = good | {"method": "code", "evidence": ""}
    for body, status in (({"acknowledgements": [code]}, 400), ({}, 400), ({"acknowledgements": []}, 400),
                         ({"acknowledgements": [good | {"number": "123"}]}, 422)):  # fmt: skip
        refused = api.post("/answers/v1/disclosure/acknowledgements", json=body)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json"), body
    assert api.post("/answers/v1/disclosure", json={"number": "13800138000"}).status_code == 422


def test_only_a_good_token_of_the_desk_opens_it_and_a_revoked_one_does_not(
    shop: Shop, place: tuple[Shop, httpx.Client]
) -> None:
    http, body = place[1], {"number": f"+{CLEAN}"}
    assert http.post("/answers/v1/disclosure", json=body).status_code == 401
    assert http.post("/answers/v1/disclosure", json=body, headers={"Authorization": "Bearer x"}).status_code == 401
    supervisor = bearer(shop, operator(shop.platform, "supervisor", login="lin"))
    assert http.post("/answers/v1/disclosure", json=body, headers=supervisor).status_code == 403
    clerk = operator(shop.platform, "desk", carrier="cucc")
    other = bearer(shop, clerk)
    assert http.post("/answers/v1/disclosure", json=body, headers=other).json()["why"] == "other_carrier"
    with shop.platform.act("test") as act:
        assert tokens.end_tokens(act, clerk.login) == 1
    assert http.post("/answers/v1/disclosure", json=body, headers=other).status_code == 401


def test_the_clerk_reads_scanned_numbers_as_a_table_and_as_csv(desk: httpx.Client) -> None:
    typed = f"+{CLEAN}\n139 0013 9000\nabc\n138-0013-8003"
    page = looked_up(desk, typed)
    assert page.status_code == 200
    assert all(word in page.text for word in ("B 二次使用，已全部确认", "abc", "现不可售", "2 / 2"))
    assert "晨星" not in page.text, "nobody sees which partners"
    assert not re.search(r"[0-9]{7}", str(page.url)), "a number would stand in logs and histories"
    rows = as_csv(desk, page).splitlines()
    assert rows[0].lstrip("\ufeff") == (
        "number,carrier,grade,why_not,recycled,closed_on,frozen_days,sellable_from,asked,confirmed,open"
    )
    assert rows[1] == f"+{CLEAN},cmcc,B,,True,2026-08-25,91,2026-11-24,2,2,0"
    scanned = as_csv(desk, looked_up(desk, f"tel:+{CLEAN}\r\nTEL:138-0013-8003\r\n"))
    assert [line.split(",")[0] for line in scanned.splitlines()[1:]] == [f"+{CLEAN}", f"+{HELD}"]
    offer = looked_up(desk, prefix="1380155")
    assert f"+{SPARE[5]}" in offer.text
    for refused, words in (({"prefix": "1"}, "号段为 3 至 10 位"), ({"numbers": "abc\n12 x"}, "<li><code>12 x</code></li>")):
        page = looked_up(desk, **refused)
        assert words in page.text.partition('id="found"')[2], "the page opens at what is wrong, not above it"


def test_a_table_goes_on_and_is_nobody_elses_to_open(shop: Shop, desk: httpx.Client) -> None:
    page = looked_up(desk, prefix="1380013", grade="A")
    after = page.text.split('name="after" value="')[1].split('"')[0]
    further = looked_up(desk, prefix="1380013", grade="A", after=after)
    assert ("+8613800130009" in page.text, "+8613800130010" in further.text) == (True, True)
    for made_up in ("x", "9" * 5_000, "..", after):
        assert desk.get("/console/desk", params={"list": made_up}).status_code == 422
    assert desk.post("/console/desk", data={"prefix": "1380013", "after": "8613800130009"}).status_code == 422
    other = browsing(str(desk.base_url), shop.platform, Role.DESK, carrier="cmcc", login="another")
    with other as clerk:
        assert clerk.get("/console/desk", params={"list": page.url.params["list"]}).status_code == 422


def as_csv(desk: httpx.Client, page: httpx.Response) -> str:
    return desk.get("/console/desk", params={"list": page.url.params["list"], "format": "csv"}).text


def test_the_buyer_acknowledges_by_a_code_on_his_own_phone_which_opens_nothing_else(
    shop: Shop, desk: httpx.Client, place: tuple[Shop, httpx.Client]
) -> None:
    one = sealed(desk, CLEAN)
    page = desk.get("/console/desk/choose", params=one).text
    shown = page.split('name="shown" value="')[1].split('"')[0]
    form = {"shown": shown, "phone": CONTACT}
    short = desk.post("/console/desk/choose", params=one, data=form | {"do": "send", "phone": "139 0013"})
    assert (short.status_code, 'value="139 0013"' in short.text) == (422, True), "they mend what they typed"
    assert short.text.index('role="alert"') > short.text.index("或用您自己手机"), "said where they type, not above the text"
    browser = httpx.Client(base_url=place[1].base_url, headers={"Accept": "text/html"}, follow_redirects=True)
    browser.post("/renew/sign-in", data={"number": CONTACT})
    shop.clock.forward(minutes=1.1)
    assert desk.post("/console/desk/choose", params=one, data=form | {"do": "send"}).status_code == 200
    sms = place[1].get("/dev/sms", headers={"Accept": "text/html"}).text
    assert "138****8000" in sms
    assert ("请勿告诉任何人" in sms, "告诉营业员" in sms) == (True, False)
    code = sms.split("验证码 ")[1][:6]
    with closing(browser):
        assert browser.post("/renew/code", data={"code": code}).status_code == 422, "the clerk could sign in as the buyer"
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert desk.post("/console/desk/choose", params=one, data=form | {"do": "code", "code": wrong}).status_code == 422
    done = desk.post("/console/desk/choose", params=one, data=form | {"do": "code", "code": code})
    assert (done.status_code, "/thanks/" in done.url.path) == (200, True)
    assert "请将屏幕交还营业员" in done.text
    assert not any(word in done.text for word in ("撤销", CONTACT, str(CLEAN))), "what is the clerk's is not on this screen"
    record = desk.get(done.url.path.replace("thanks", "records"))
    assert all(word in record.text for word in ("短信验证码", "2 家均已确认", shown))
    assert CONTACT not in record.text
    listed = desk.get("/console/desk/records").text
    assert (masked(CLEAN) in listed, str(CLEAN) in listed) == (True, False), "whole only in its own record"
    assert desk.get("/console/desk/records?format=csv").text.count(f"{masked(CLEAN)},cmcc,B,2,2,code,clerk") == 1
    withdrawn = desk.post(f"{record.url.path}/withdraw", data={"reason": "=took another"})
    assert "已撤销" in withdrawn.text
    assert "'=took another" in desk.get("/console/desk/records?format=csv").text, "no formula in a spreadsheet"


def test_the_disclosure_on_paper_is_a_pdf_and_a_blocked_number_has_none(desk: httpx.Client) -> None:
    sheet = desk.get("/console/desk/sheet.pdf", params=sealed(desk, SPARE[6]))
    assert (sheet.headers["content-type"], sheet.content[:5]) == ("application/pdf", b"%PDF-")
    assert str(SPARE[6]) not in sheet.headers["content-disposition"], "nor in the list of what was saved"
    assert desk.get("/console/desk/sheet.pdf", params=sealed(desk, HELD)).status_code == 409
    assert desk.get("/console/desk/sheet.pdf").status_code == 422


def test_who_looks_a_number_up_finds_the_disclosure_and_only_the_desk_its_signature(shop: Shop, desk: httpx.Client) -> None:
    """An operator proves what the buyer was told; the drawn name of a buyer stays with the desk."""
    number = SPARE[-1]
    made = acknowledge(shop.platform, [shop.given(number)], by=shop.clerk).ids[0]
    with closing(signed_in(str(desk.base_url), shop.platform, "operator", carrier="cmcc")) as looking:
        page = looking.post("/console/numbers", data={"number": f"{number}"}).text
        lines = looking.post("/console/numbers", data={"number": f"{number}", "format": "csv"}).text.splitlines()
    assert "已告知买家并经其确认" in page
    assert made in page
    assert f'href="/console/desk/records/{made}"' not in page
    assert SIGNATURE not in page
    line = next(line for line in lines if ",disclosed," in line)
    assert f"disclosure {made}; text " in line
    assert ",B," in line


def test_a_form_of_another_site_records_nothing(desk: httpx.Client) -> None:
    form, one = {"shown": "0" * 64, "do": "sign", "signature": SIGNATURE}, sealed(desk, SPARE[7])
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert desk.post("/console/desk/choose", params=one, data=form, headers=elsewhere).status_code == 403
    assert desk.post("/console/desk", data={"numbers": f"{CLEAN}"}, headers=elsewhere).status_code == 403
    assert desk.post("/console/desk/choose", params=one, data=form).status_code == 422, "nobody was shown this text"


def test_breaches_are_counts_for_the_regulator_and_masked_numbers_for_whose_role_allows_them(
    shop: Shop, place: tuple[Shop, httpx.Client]
) -> None:
    assert shop.opened(SPARE[8], SPARE[9]) == 2
    url = str(place[1].base_url)
    with (
        closing(signed_in(url, shop.platform, "regulator")) as regulator,
        closing(signed_in(url, shop.platform, "operator")) as person,
    ):
        listed = regulator.get("/console/breaches?kind=opened-without-disclosure")
        assert all(word in listed.text for word in ("未经告知即销售", "(2)", "中国移动的上报"))
        row = regulator.get("/console/breaches?format=csv&kind=opened-without-disclosure").text.splitlines()[1].split(",")
        assert row[2:5] == ["opened-without-disclosure", "2", "cmcc"]
        assert "您的角色不能查看" in regulator.get(f"/console/breaches/{row[0]}").text
        assert "138****5008" not in regulator.get(f"/console/breaches/{row[0]}?format=csv").text
        assert "138****5008" in person.get(f"/console/breaches/{row[0]}").text
        assert person.get(f"/console/breaches/{row[0]}?format=csv").text.splitlines()[1:] == ["138****5008", "138****5009"]
        late = person.get("/console/breaches?format=csv&kind=answered-after-release").text.splitlines()[1].split(",")
        assert "138****8004" in person.get(f"/console/breaches/{late[0]}").text
    with closing(signed_in(url, shop.platform, "operator", carrier="cucc")) as stranger:
        assert stranger.get(f"/console/breaches/{row[0]}").status_code == 404
        assert "opened" not in stranger.get("/console/breaches?format=csv").text.split("\n", 1)[1]
    with closing(signed_in(url, shop.platform, "desk", carrier="ctcc")) as clerk:
        assert clerk.get("/console/breaches").status_code == 403
