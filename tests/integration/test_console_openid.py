"""Operators sign in at a certified OpenID provider in a process of its own: it says who they are, not what they may do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from clocks import Clock
from huanxin.access import people
from huanxin.acts import open_platform
from huanxin.domain.operators import Role
from huanxin.settings import Mode, OperatorsOidc, Settings
from huanxin.web.app import create_app
from openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, openid_provider
from operators import operator
from ordering import acting
from processes import free_port
from serving import served


@pytest.fixture
def place(dsn: str, tmp_path: Path, clock: Clock) -> Iterator[tuple[httpx.Client, OpenIdProvider]]:
    """A browser at a console that knows li, and chen, who is locked out; and a provider that knows more people."""
    clock.now = datetime.now(UTC)  # the provider has a clock of its own
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with openid_provider({"li": {}, "chen": {}, "mallory": {}}, [f"{url}/console/openid/back"]) as provider:
        setting = OperatorsOidc(
            issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, scope="openid", login_claim="sub",
            name="公司账号",
        )  # fmt: skip
        settings = Settings(
            home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test of the door", issuer=url,
            operators=setting,
        )  # fmt: skip
        with open_platform(settings, clock=clock) as platform:
            for login in ("li", "chen"):
                operator(platform, Role.ADMIN, login=login)
            with platform.database.transaction() as tx:
                people.set_enabled(acting(tx, now=clock(), by="test"), "chen", False)
            with (
                served(create_app(platform, settings, run_workers=False), port=port),
                httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30) as browser,
            ):
                yield browser, provider


def test_the_provider_says_who_somebody_is_and_this_platform_what_he_may_do(
    place: tuple[httpx.Client, OpenIdProvider],
) -> None:
    browser, provider = place
    assert "公司账号" in browser.get("/console/sign-in").text
    for person in ("mallory", "chen"):
        refused = provider.choose(browser, browser.get("/console/openid"), person)
        assert (refused.status_code, refused.url.path) == (403, "/console/openid/back"), person
        browser.cookies.clear()
    inside = provider.choose(browser, _begun(browser), "li")
    assert inside.url.raw_path == b"/console/audit?login=li&kind=roles", "with what the link said"


def _begun(browser: httpx.Client) -> httpx.Response:
    """Follow a link while signed out, and choose the provider at the door."""
    door = browser.get("/console/audit?login=li&kind=roles")
    link = re.search(r'href="(/console/openid[^"]*)"', door.text)
    assert link
    return browser.get(html.unescape(link[1]))


def test_an_answer_that_was_begun_in_another_browser_lets_nobody_in(place: tuple[httpx.Client, OpenIdProvider]) -> None:
    browser, provider = place
    begun = browser.get("/console/openid")
    browser.cookies.delete("operator-openid", domain="127.0.0.1")
    assert provider.choose(browser, begun, "li").status_code == 401
    assert browser.get("/console/people").url.path == "/console/sign-in"
