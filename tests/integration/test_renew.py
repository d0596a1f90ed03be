"""What citizens do on their pages, and what nobody may: in somebody else's name, twice, or with a date of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from huanxin.domain.numbers import parse
from huanxin.request.codes import CodeRules
from huanxin.store.request import requests, wishes
from huanxin.store.request.requests import Request
from huanxin.work.spelling import Speller
from town import FIRST, FROZEN, PORTED, RECYCLED, UNKNOWN, Phone, Town, town

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = CodeRules()


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def phone(place: Town) -> Phone:
    return place.phone()


def orders(place: Town, number: str = RECYCLED) -> list[Request]:
    with place.platform.database.transaction() as tx:
        return requests.of_number(tx, parse(number))


@pytest.mark.parametrize(
    "typed", ["13800138000", "138 0013 8000", "+86 138-0013-8000", "008613800138000", "１３８００１３８０００"]
)
def test_a_number_is_understood_however_people_write_it(place: Town, phone: Phone, typed: str) -> None:
    phone.http.post("/renew/sign-in", data={"number": typed})
    assert len(place.sms(RECYCLED)) == 1


@pytest.mark.parametrize("typed", ["", "12345", "<script>", "+1 212 555 0100", "13800138000 13800138001"])
def test_no_code_is_sent_to_what_is_no_number_of_a_carrier_here(place: Town, phone: Phone, typed: str) -> None:
    answer = phone.http.post("/renew/sign-in", data={"number": typed})
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM development_message").fetchone() == (0,)


def test_who_has_a_network_of_addresses_is_one_asker_all_the_same(place: Town) -> None:
    for turn in range(RULES.per_address_hour + 1):
        with httpx.Client(base_url=place.url, headers={"X-Forwarded-For": f"2001:db8:1:2::{turn:x}"}) as asker:
            last = asker.post("/renew/sign-in", data={"number": f"+86138001390{turn:02}"})
    assert last.status_code == 429
    with httpx.Client(base_url=place.url, headers={"X-Forwarded-For": "2001:db8:1:3::1"}) as neighbour:
        assert neighbour.post("/renew/sign-in", data={"number": "+8613800139099"}).status_code == 303


def test_the_owner_sees_the_day_and_that_there_was_somebody_and_no_more(phone: Phone) -> None:
    page = phone.sign_in().text
    assert "2026年10月1日" in page
    assert "以前有过机主" in page
    assert "2024" not in page, "the former owner's days are none of theirs"


@pytest.mark.parametrize(
    ("number", "says"), [(FIRST, "第一位机主"), (FROZEN, "没有在使用"), (PORTED, "携号转网"), (UNKNOWN, "还没有运营商报告")]
)
def test_a_number_that_can_not_be_renewed_gets_a_page_that_says_why_and_what_to_do(
    place: Town, phone: Phone, number: str, says: str
) -> None:
    page = phone.sign_in(number)
    assert says in page.text
    assert "您可以这样做" in page.text
    assert "/renew/choose" not in page.text
    phone.order()
    assert orders(place, number) == []


def test_who_signs_out_leaves_no_certificate_open_for_the_next_at_that_machine(phone: Phone) -> None:
    phone.sign_in()
    assert RECYCLED[-4:] in phone.http.post("/renew/certificate").text
    phone.http.post("/renew/sign-out")
    for address in ("/certificate", "/certificate.pdf", "/certificate.jwt"):
        assert phone.http.get(address).status_code == 403, address
    phone.sign_in(FIRST)
    assert phone.http.get("/certificate").status_code == 403


def test_one_click_orders_everywhere_and_the_second_click_nothing(place: Town, phone: Phone) -> None:
    phone.sign_in()
    first, second = phone.order(), phone.order()
    assert first.url.path == second.url.path
    assert "没有重复发送" in second.text
    assert len(orders(place)) == 1


def test_the_cut_off_is_the_carriers_whatever_the_form_says(place: Town, phone: Phone) -> None:
    phone.sign_in()
    phone.order(cutoff="2030-01-01T00:00:00Z", opened_on="2030-01-01", number=FIRST, purpose="leave", consent_text="x")
    (order,) = orders(place)
    assert order.cutoff == datetime(2026, 10, 1, tzinfo=SHANGHAI)
    assert order.purpose == "renew"
    assert "2026年10月1日" in order.consent_text
    assert orders(place, FIRST) == []


def test_the_owner_gets_the_certificate_of_his_number_and_a_stranger_does_not(place: Town, phone: Phone) -> None:
    assert phone.http.post("/renew/certificate").url.path == "/renew/sign-in"
    assert "领取证明" in phone.sign_in().text
    page = phone.http.post("/renew/certificate")
    assert page.url.path == "/certificate"
    assert RECYCLED[-4:] in page.text
    assert "2026-10-01" in page.text or "2026年10月1日" in page.text


def test_nothing_is_ordered_without_consent_or_without_a_partner(place: Town, phone: Phone) -> None:
    phone.sign_in()
    assert phone.order(consent="").status_code == 422
    assert phone.http.post("/renew/order", data={"consent": "yes"}).status_code == 422
    assert phone.http.post("/renew/order", data={"consent": "yes", "p": ["x", "-1", "9" * 30]}).status_code == 422
    assert orders(place) == []


def test_what_was_cut_what_was_not_there_and_what_was_his_own_read_the_same(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order("晨星商城", "飞燕快递", "银杏账单提醒").url.path
    for name, outcome in (("晨星商城", "unbound"), ("飞燕快递", "absent"), ("银杏账单提醒", "kept")):
        place.answer(name, outcome)
    lines = phone.http.get(page).text.split("<li id=")[1:]
    said = {line.split("</strong>", 1)[1].split("</li>")[0] for line in lines}
    assert len(said) == 1
    assert "已完成" in said.pop()


def test_a_label_has_two_clocks(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order("白鹭号码标记").url.path
    place.answer("白鹭号码标记", "unbound")
    assert "已同意去除，最迟 2026年11月29日" in phone.http.get(page).text


def test_a_refusal_says_what_to_do_and_may_be_asked_again(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order("晨星商城", "飞燕快递").url.path
    place.answer("晨星商城", "refused", "debt")
    place.answer("飞燕快递", "absent")
    shown = phone.http.get(page).text
    assert "这不是您的债务" in shown
    again = phone.http.post(f"{page}/again", data={"p": str(place.partners["晨星商城"].partner.id)})
    assert again.status_code == 200
    assert [len(_partners(place, order)) for order in orders(place)] == [1, 2]
    settled = phone.http.post(f"{page}/again", data={"p": str(place.partners["飞燕快递"].partner.id)})
    assert settled.status_code == 422
    assert len(orders(place)) == 2


def test_what_needs_the_owner_stands_before_what_does_not(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order("晨星商城", "飞燕快递").url.path
    place.answer("晨星商城", "absent")
    place.answer("飞燕快递", "refused", "debt")
    shown = phone.http.get(page).text
    assert shown.index("飞燕快递") < shown.index("晨星商城")


def _partners(place: Town, order: Request) -> list[str]:
    with place.platform.database.transaction() as tx:
        return [one.partner for one in requests.notices_of(tx, order.id)]


def test_an_answer_that_does_not_come_is_late_and_says_so(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order("晨星商城").url.path
    assert "最迟 2026年12月1日答复" in phone.http.get(page).text
    place.clock.forward(days=8)
    phone.sign_in()
    assert "没有答复" in phone.http.get(page).text


def test_the_order_of_another_number_is_not_shown(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order().url.path
    other = place.phone()
    other.sign_in(FIRST)
    for address in (page, f"{page}/events"):
        assert other.http.get(address).status_code == 404


def test_a_sign_in_from_before_the_number_changed_hands_is_worth_nothing(place: Town, phone: Phone) -> None:
    phone.sign_in()
    page = phone.order().url.path
    place.report(f"{RECYCLED},transferred,2026-11-23")
    after = phone.http.get(page)
    assert after.url.path == "/renew/sign-in"
    phone.order("晨星商城")
    assert len(orders(place)) == 1
    place.clock.forward(minutes=2)
    heir = place.phone()
    assert "2026年11月23日" in heir.sign_in().text
    assert heir.http.get(page).status_code == 404, "the orders of the former owner are their own"


def test_what_is_reported_late_of_those_before_takes_no_order_from_its_owner(place: Town, phone: Phone) -> None:
    """Its owner would never hear of their answers, since the order would be of a tenure that nobody has."""
    phone.sign_in()
    page = phone.order().url.path
    place.report(f"{RECYCLED},opened,2019-03-01", f"{RECYCLED},cancelled,2020-03-01", f"{RECYCLED},opened,2021-01-01",
                 f"{RECYCLED},cancelled,2022-01-01")  # fmt: skip
    assert phone.http.get(page).status_code == 200
    assert phone.http.get(page).url.path == page


def test_the_heir_of_the_same_day_does_not_see_what_the_former_owner_ordered_on_it(place: Town, phone: Phone) -> None:
    phone.sign_in(to="leave")
    phone.http.post("/leave/order", data={"p": [str(place.partners["晨星商城"].partner.id)], "consent": "yes"})
    (order,) = orders(place)
    place.report(f"{RECYCLED},transferred,2026-11-24")
    place.clock.forward(minutes=2)
    heir = place.phone()
    assert order.id not in heir.sign_in().text
    assert heir.http.get(f"/renew/orders/{order.id}").status_code == 404


def test_a_cookie_that_somebody_made_lets_nobody_in(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    asked = phone.http.cookies.get("owner")
    assert asked
    for forged in ("x.y.z", asked[:-4] + "AAAA", asked.split(".")[0] + "..", ""):
        stranger = place.phone(Cookie=f"owner={forged}")
        assert stranger.http.get("/renew").url.path == "/renew/sign-in"


def test_the_cookie_of_who_has_only_asked_for_a_code_lets_nobody_in(place: Town) -> None:
    thief = place.phone()
    thief.http.post("/renew/sign-in", data={"number": RECYCLED})
    stolen = place.phone(Cookie=f"owner={thief.http.cookies['asked']}")
    assert stolen.http.get("/renew").url.path == "/renew/sign-in"


def test_guessing_codes_ends_after_five_tries(place: Town, phone: Phone) -> None:
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    right = place.code(RECYCLED)
    for turn in range(5):
        wrong = f"{(int(right) + 1 + turn) % 1_000_000:06}"
        assert phone.http.post("/renew/code", data={"code": wrong}).status_code == 422
    assert phone.http.post("/renew/code", data={"code": right}).status_code == 422
    assert phone.http.get("/renew").url.path == "/renew/sign-in"


def test_the_code_of_his_own_number_opens_no_other(place: Town, phone: Phone) -> None:
    phone.http.post("/renew/sign-in", data={"number": FIRST})
    own = place.code(FIRST)
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    if own != place.code(RECYCLED):
        assert phone.http.post("/renew/code", data={"code": own}).status_code == 422


def test_asking_for_codes_without_pause_gets_a_page_that_says_when_to_come_back(phone: Phone) -> None:
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    answer = phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert "太频繁" in answer.text


@pytest.mark.parametrize("path", ["/renew/sign-in", "/renew/code", "/renew/order", "/renew/missing", "/leave/order",
                                  "/leave/ask", "/renew/sign-out", "/renew/orders/x/again"])  # fmt: skip
def test_a_form_of_another_site_orders_nothing(place: Town, phone: Phone, path: str) -> None:
    phone.sign_in()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = phone.http.post(path, data={"p": "1", "consent": "yes"}, headers=headers)
        assert answer.status_code == 403
    assert orders(place) == []


def test_opening_links_changes_nothing(place: Town, phone: Phone) -> None:
    phone.sign_in()
    for path in ("/renew", "/renew/choose?p=1&consent=yes", "/renew/order?p=1&consent=yes", "/leave/ask?consent=yes"):
        phone.http.get(path)
    assert orders(place) == []


def test_names_with_markup_are_shown_as_text(phone: Phone) -> None:
    phone.sign_in()
    shown = phone.http.get("/renew/choose").text
    assert "云雀音乐 &lt;b&gt;" in shown
    assert "云雀音乐 <b>" not in shown
    phone.http.post("/renew/missing", data={"name": "<img src=x onerror=alert(1)>"})
    assert "<img src=x" not in phone.http.get("/renew/missing").text


@pytest.mark.parametrize("query", ["飞燕", "feiyan", "FYKD", "ｆｙｋｄ"])
def test_partners_are_found_by_name_pinyin_and_initials_without_scripts_and_keep_their_ticks(
    place: Town, phone: Phone, query: str
) -> None:
    Speller(platform=place.platform).one_job()
    phone.sign_in()
    ticked = [str(place.partners[name].partner.id) for name in ("晨星商城", "飞燕快递")]
    page = phone.http.get("/renew/choose", params={"q": query, "seen": "1", "p": ticked}).text
    looked_for, _, chosen_as_well = page.partition("data-others")
    assert seen(looked_for) == ["飞燕快递"]
    assert seen(chosen_as_well) == ["晨星商城"], "what is sent is seen, with its tick"
    assert "向 2 家申请焕新" in page


def seen(page: str) -> list[str]:
    """The services that can be ticked on a part of the page."""
    picks = re.findall(r'<label class="pick" data-key[^>]*>.*?</label>', page)
    return [re.sub(r"<[^>]+>", "", one) for one in picks if " hidden>" not in one.partition(">")[0] + ">"]


def test_a_search_that_finds_nothing_still_shows_all_that_is_ordered(place: Town, phone: Phone) -> None:
    """It said that there is no such service, and ordered at all twelve."""
    phone.sign_in()
    page = phone.http.get("/renew/choose", params={"q": "没有这个"}).text
    assert len(seen(page.partition("data-others")[2])) == len(place.partners)
    assert "向 5 家申请焕新" in page
    assert seen(phone.http.get("/renew/choose", params={"q": "没有这个", "seen": "1"}).text) == []


def test_a_button_that_says_another_number_sends_nothing_and_says_what_is_chosen(place: Town, phone: Phone) -> None:
    """Without scripts it can't follow the ticks: it said twelve where one unticked ten."""
    phone.sign_in()
    for base, words in (("renew", "焕新"), ("leave", "解绑")):
        before = len(orders(place))
        chosen = [str(place.partners[name].partner.id) for name in ("飞燕快递", "晨星商城")]
        form = {"p": chosen, "consent": "yes", "count": "5"}
        asked = phone.http.post(f"/{base}/order", data=form)
        assert (asked.status_code, len(orders(place))) == (422, before)
        assert "还没有发送。您选了 2 家：晨星商城、飞燕快递" in asked.text
        assert f"向 2 家申请{words}" in asked.text
        assert phone.http.post(f"/{base}/order", data=form | {"count": "2"}).url.path.startswith("/renew/orders/")
        assert len(orders(place)) == before + 1


def test_a_wish_counts_once_a_number_and_keeps_no_number(place: Town, phone: Phone) -> None:
    phone.sign_in()
    for name in ("微信", " 微 信 ", "支付宝", "晨星商城", ""):
        phone.http.post("/renew/missing", data={"name": name})
    other = place.phone()
    other.sign_in(FIRST)
    other.http.post("/renew/missing", data={"name": "微信"})
    with place.platform.database.transaction() as tx:
        ranked = [(name, people) for name, people, _ in wishes.ranked(tx, 10)]
        stored = str(tx.execute("SELECT * FROM wished_partner").fetchall())
    assert ranked == [("微信", 2), ("支付宝", 1)]
    assert "13800138000" not in stored


def test_the_page_of_sms_exists_in_development_only(place: Town, phone: Phone) -> None:
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    assert place.code(RECYCLED) in phone.http.get("/dev/sms").text


def test_what_became_of_a_wish_is_told_once_and_by_no_address(phone: Phone) -> None:
    phone.sign_in()
    assert 'role="status"' not in phone.http.get("/renew/missing?done=counted").text
    assert 'role="status"' in phone.http.post("/renew/missing", data={"name": "微信"}).text
    assert 'role="status"' not in phone.http.get("/renew/missing").text


def asked(phone: Phone) -> str:
    """The page of a question who holds ties."""
    phone.sign_in(FIRST, "leave")
    return phone.http.post("/leave/ask", data={"consent": "yes"}).url.path


def test_what_is_counted_and_what_is_not_counted_yet_never_look_alike(place: Town, phone: Phone) -> None:
    """It said that no service holds a tie before any had answered, and whoever believed it left without cutting."""
    page = asked(phone)
    heads = []
    for name, outcome in (("", ""), ("晨星商城", "absent"), ("飞燕快递", "absent")):
        if name:
            place.answer(name, outcome, number=FIRST)
        text = phone.http.get(page).text
        heads.append(text.split("<h1>")[1].split("</h1>")[0])
        assert ("尚未计入" in text) == (len(heads) < 3)
    assert heads == ["还没有应用答复", "已答复的 1 家中，0 家绑着您的号码", "所问的应用都没有绑着您的号码"]


def test_who_did_not_answer_a_question_in_time_is_not_counted_as_without_a_tie(place: Town, phone: Phone) -> None:
    page = asked(phone)
    place.answer("晨星商城", "bound", number=FIRST)
    place.clock.forward(days=8)
    phone.sign_in(FIRST, "leave")
    text = phone.http.get(page).text
    assert "有 1 家没有按时答复，是否绑着您的号码尚不知道" in text
    assert "其余" not in text.split('role="status"')[1].split("</p>")[0], "nobody is waited for any more"
