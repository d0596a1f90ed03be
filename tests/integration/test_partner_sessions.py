"""How long a partner's browser stays signed in: as long as the secret that let it in is good, and no longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner, rotate_secret
from huanxin.settings import Mode, Settings
from huanxin.store.connect import partners
from huanxin.web.app import create_app
from serving import served

KEYS = "/partner/live/keys"
Open = Callable[[str], httpx.Client]


@pytest.fixture
def shop(platform: Platform) -> Registered:
    with platform.act("test") as act:
        return add_partner(act, NewPartner(name="晨星商城", kind=Kind.APP), https_only=False)


@pytest.fixture
def sign_in(platform: Platform, dsn: str, tmp_path: Path, shop: Registered) -> Iterator[Open]:
    """Opens a browser in which somebody signed in with a secret of the shop."""
    settings = Settings(
        home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test of sessions", workers=1
    )
    opened: list[httpx.Client] = []
    with served(create_app(platform, settings, run_workers=False)) as http:

        def signed_in(secret: str) -> httpx.Client:
            browser = httpx.Client(base_url=http.base_url, headers={"Accept": "text/html"}, timeout=30)
            opened.append(browser)
            shown = {"client_id": shop.partner.client_id, "client_secret": secret}
            assert browser.post("/partner/sign-in", data=shown).headers["location"] == "/partner/live"
            assert browser.get(KEYS).status_code == 200
            return browser

        yield signed_in
        for one in opened:
            one.close()


def led_out(browser: httpx.Client) -> bool:
    """Whether every page of the partner sends this browser to the sign-in, and its forms do nothing."""
    pages = [browser.get(KEYS), browser.get("/partner/live"), browser.post(f"{KEYS}/rotate", data={"hours": "0"})]
    return [one.headers.get("location") for one in pages] == ["/partner/sign-in"] * 2 + ["/partner/sign-in?unsent=lost"]


def new_secret(page: httpx.Response) -> str:
    shown = re.findall(r"[\w-]{43}", page.text)
    assert shown
    return str(shown[0])


def test_who_signed_in_with_a_stolen_secret_is_out_once_it_is_replaced(sign_in: Open, shop: Registered) -> None:
    """They could have replaced the secret for the eight hours of their sign-in, and have locked the partner out."""
    thief, owner = sign_in(shop.client_secret), sign_in(shop.client_secret)
    secret = new_secret(owner.post(f"{KEYS}/rotate", data={"hours": "0"}))
    assert led_out(thief)
    assert owner.get(KEYS).status_code == 200, "who replaced it goes on"
    assert owner.get("/partner", follow_redirects=True).url.path == "/partner/live"
    assert sign_in(secret).get(KEYS).status_code == 200
    assert thief.get("/partner").status_code == 200, "the way in is shown to everybody"


def test_while_the_old_secret_goes_on_so_does_who_signed_in_with_it(
    sign_in: Open, shop: Registered, platform: Platform, clock: Clock
) -> None:
    browser = sign_in(shop.client_secret)
    with platform.act("operator") as act:
        rotate_secret(act, shop.partner, overlap=timedelta(hours=1))
    clock.forward(minutes=59)
    assert browser.get(KEYS).status_code == 200
    clock.forward(minutes=2)
    assert led_out(browser)


def test_a_withdrawn_partner_is_out_at_once_in_its_browser_and_with_its_token(
    sign_in: Open, shop: Registered, platform: Platform
) -> None:
    browser = sign_in(shop.client_secret)
    auth = (shop.partner.client_id, shop.client_secret)
    token = browser.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    assert browser.get("/partner/v1/notices", headers=headers).status_code == 200
    with platform.database.transaction() as tx:
        partners.withdraw(tx, shop.partner.id, reason="test", by="operator", at=platform.now())
    assert led_out(browser)
    assert browser.get("/partner/v1/notices", headers=headers).status_code == 401


def test_what_a_partner_sends_after_eight_hours_is_offered_to_it_again(
    sign_in: Open, shop: Registered, clock: Clock
) -> None:
    browser = sign_in(shop.client_secret)
    clock.forward(hours=9)
    said = browser.post(f"{KEYS}/rotate", data={"hours": "5"})
    assert said.headers["location"] == "/partner/sign-in?unsent=kept"
    shown = {"client_id": shop.partner.client_id, "client_secret": shop.client_secret}
    assert browser.post("/partner/sign-in", data=shown).headers["location"] == "/partner/unsent"
    assert "这份内容没有发送" in browser.get("/partner/unsent").text
    assert new_secret(browser.post("/partner/unsent/send")) != shop.client_secret
    assert browser.get("/partner/unsent").headers["location"] == "/partner"


def test_a_thief_whose_secret_was_replaced_puts_no_form_before_the_owner(
    sign_in: Open, shop: Registered, clock: Clock
) -> None:
    """Offered as the owner's own, it would be sent by the owner."""
    thief, owner = sign_in(shop.client_secret), sign_in(shop.client_secret)
    secret = new_secret(owner.post(f"{KEYS}/rotate", data={"hours": "0"}))
    assert thief.post(f"{KEYS}/rotate", data={"hours": "0"}).headers["location"].endswith("unsent=lost")
    clock.forward(hours=9)
    assert thief.post(f"{KEYS}/rotate", data={"hours": "0"}).headers["location"].endswith("unsent=lost")
    shown = {"client_id": shop.partner.client_id, "client_secret": secret}
    assert owner.post("/partner/sign-in", data=shown).headers["location"] == "/partner/live"
