"""A cookie that somebody copied: it is worth nothing once its owner has signed out, or what let them in has changed.

Without this, whoever reads a shared computer's cookies once stays in somebody's console, order or certificate for hours
after they left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyotp
import pytest

from huanxin.access import people
from huanxin.domain.operators import Role
from operators import PASSWORD, operator
from ordering import acting
from town import HTML, RECYCLED, Town, town


@pytest.fixture(scope="module")
def place(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    with town(module_dsn, folder) as made:
        yield made


def copied(browser: httpx.Client) -> httpx.Client:
    """A thief's browser, with the cookies that this one has now."""
    return httpx.Client(base_url=browser.base_url, cookies=dict(browser.cookies), headers=HTML, timeout=30)


def let_in(thief: httpx.Client, address: str) -> bool:
    return thief.get(address).status_code == 200


@contextmanager
def at_work(place: Town, *roles: Role, login: str) -> Iterator[httpx.Client]:
    operator(place.platform, *roles, login=login)
    with httpx.Client(base_url=place.url, headers=HTML, timeout=30) as browser:
        browser.post("/console/sign-in", data={"login": login, "password": PASSWORD})
        yield browser


def test_an_operators_copied_cookie_ends_with_the_sign_out(place: Town) -> None:
    with at_work(place, Role.ADMIN, login="chen") as browser, copied(browser) as thief:
        assert let_in(thief, "/console/people")
        browser.post("/console/sign-out")
        assert not let_in(thief, "/console/people")


def test_other_sign_ins_of_the_same_person_go_on(place: Town) -> None:
    with at_work(place, Role.ADMIN, login="zhou") as browser, httpx.Client(base_url=place.url, headers=HTML) as other:
        other.post("/console/sign-in", data={"login": "zhou", "password": PASSWORD})
        browser.post("/console/sign-out")
        assert let_in(other, "/console/people")


def test_whose_roles_change_signs_in_anew(place: Town) -> None:
    with at_work(place, Role.ADMIN, login="wu") as browser:
        place.clock.forward(seconds=1)
        with place.platform.database.transaction() as tx:
            people.set_roles(acting(tx, now=place.clock(), by="test"), "wu", [Role.ADMIN, Role.REGULATOR])
        assert not let_in(browser, "/console/people")


def test_an_authenticator_ends_the_sign_ins_made_without_it_but_not_ones_own(place: Town) -> None:
    with at_work(place, Role.ADMIN, login="xu") as browser, copied(browser) as thief:
        secret = re.search(r'name="secret" value="([A-Z2-7]+)"', browser.get("/console/me").text)
        assert secret
        place.clock.forward(seconds=1)
        code = pyotp.TOTP(secret[1]).at(place.clock())
        assert browser.post("/console/me/totp", data={"secret": secret[1], "code": code}).status_code == 303
        assert not let_in(thief, "/console/people")
        assert let_in(browser, "/console/people")


def test_half_a_sign_in_is_worth_nothing_once_it_was_completed_or_ten_minutes_old(place: Town) -> None:
    """A copy of it would ask for a code only, where the password is to be asked for first."""
    with at_work(place, Role.ADMIN, login="he") as browser:
        secret = re.search(r'name="secret" value="([A-Z2-7]+)"', browser.get("/console/me").text)
        assert secret
        totp = pyotp.TOTP(secret[1])
        browser.post("/console/me/totp", data={"secret": secret[1], "code": totp.at(place.clock())})
        browser.post("/console/sign-out")
        place.clock.forward(seconds=60)
        for wait, completes in ((1, True), (601, False)):
            browser.post("/console/sign-in", data={"login": "he", "password": PASSWORD})
            with copied(browser) as thief:
                assert let_in(thief, "/console/sign-in/code")
                place.clock.forward(seconds=wait)
                if completes:
                    browser.post("/console/sign-in/code", data={"code": totp.at(place.clock())})
                    assert let_in(browser, "/console/people")
                assert not let_in(thief, "/console/sign-in/code")
            browser.post("/console/sign-out")


def test_an_owners_copied_cookie_ends_with_the_sign_out_and_the_certificate_with_it(place: Town) -> None:
    phone = place.phone()
    phone.sign_in()
    phone.http.post("/renew/certificate")
    pages = ("/renew", "/certificate", "/certificate.pdf", "/certificate.jwt")
    with copied(phone.http) as thief:
        assert all(let_in(thief, page) for page in pages)
        phone.http.post("/renew/sign-out")
        assert not any(let_in(thief, page) for page in pages)


def test_a_partners_copied_cookie_ends_with_the_sign_out(place: Town) -> None:
    shop = place.partners["晨星商城"]
    with httpx.Client(base_url=place.url, headers=HTML, timeout=30) as browser:
        browser.post("/partner/sign-in", data={"client_id": shop.partner.client_id, "client_secret": shop.client_secret})
        with copied(browser) as thief:
            assert let_in(thief, "/partner/live/keys")
            browser.post("/partner/sign-out")
            assert not let_in(thief, "/partner/live/keys")


def test_whoever_holds_the_number_no_more_sees_no_certificate_of_it(dsn: str, tmp_path: Path) -> None:
    """It shows the whole number, and it is somebody else's now."""
    with town(dsn, tmp_path) as place:
        phone = place.phone()
        phone.sign_in()
        phone.http.post("/renew/certificate")
        with copied(phone.http) as thief:
            assert let_in(thief, "/certificate")
            place.report(f"{RECYCLED},transferred,2026-11-23")
            for page in ("/certificate", "/certificate.pdf", "/certificate.jwt"):
                assert not let_in(thief, page)


def test_a_page_that_is_live_hears_nothing_more_once_its_owner_signed_out(dsn: str, tmp_path: Path) -> None:
    with town(dsn, tmp_path) as place:
        phone = place.phone()
        phone.sign_in()
        order = phone.order("晨星商城").url.path
        with (
            copied(phone.http) as thief,
            httpx.stream("GET", f"{place.url}{order}/events", headers=dict(thief.build_request("GET", "/").headers),
                         timeout=30) as stream,
        ):  # fmt: skip
            heard = stream.iter_lines()
            assert next(heard) == "event: rows"
            phone.http.post("/renew/sign-out")
            place.answer("晨星商城", "unbound")
            assert "event: end" not in list(heard), "the stream ended, and without the news of the answer"
