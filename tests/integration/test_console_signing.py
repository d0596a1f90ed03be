"""The console's door over HTTP: who gets in, what each role may open, and what ends a sign-in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyotp
import pytest

from clocks import Clock
from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.operators import Role
from huanxin.settings import Mode, Settings
from huanxin.store.access import operators
from huanxin.web.app import create_app
from operators import PASSWORD, browsing, operator
from ordering import acting
from serving import served


@pytest.fixture
def url(platform: Platform, dsn: str, tmp_path: Path) -> Iterator[str]:
    settings = Settings(
        home=tmp_path / "home",
        database_url=dsn,
        mode=Mode.DEVELOPMENT,
        key_passphrase="a test of the door",
        totp_required=False,
    )
    with served(create_app(platform, settings, run_workers=False)) as http:
        yield str(http.base_url).rstrip("/")


@pytest.fixture
def stranger(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30) as client:
        yield client


def test_who_is_not_signed_in_is_led_to_the_door_and_back_afterwards(stranger: httpx.Client, platform: Platform) -> None:
    door = stranger.get("/console/people")
    assert door.url.path == "/console/sign-in"
    operator(platform, Role.ADMIN, login="an")
    to = re.search(r'name="to" value="([^"]*)"', door.text)
    assert to
    inside = stranger.post("/console/sign-in", data={"login": "an", "password": PASSWORD, "to": to[1]})
    assert inside.url.path == "/console/people"


@pytest.mark.parametrize("to", ["https://example.org/", "//example.org", "/partner", "/consoles", "/console/sign-in"])
def test_the_door_leads_nowhere_else(stranger: httpx.Client, platform: Platform, to: str) -> None:
    operator(platform, Role.ADMIN, login="an")
    answer = stranger.post("/console/sign-in", data={"login": "an", "password": PASSWORD, "to": to}, follow_redirects=False)
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_admins_see_and_change_who_may_do_what(url: str, platform: Platform, role: Role) -> None:
    with browsing(url, platform, role, login=role) as browser:
        assert browser.get("/console/people").status_code == 403
        assert browser.get("/console/audit").status_code == 403
        tried = browser.post(f"/console/people/{role}", data={"do": "roles", "roles": list(Role)})
        assert tried.status_code == 403
    with platform.database.transaction() as tx:
        assert people.named(tx, role).roles == {role}


def test_guessing_from_one_address_ends_and_holds_up_nobody_elsewhere(url: str, platform: Platform) -> None:
    """Comparing a password is slow and large on purpose: a few dozen guesses at once took the memory of a small machine, and
    every page waited for seconds."""
    operator(platform, Role.ADMIN, login="an")
    guesses = [{"login": f"nobody{turn}", "password": "x"} for turn in range(31)]
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}, timeout=60) as guesser:
        told = [guesser.post("/console/sign-in", data=one) for one in guesses]
        assert [one.status_code for one in told] == [401] * 30 + [429]
        assert "1 分钟内至多 30 次" in told[-1].text
    with httpx.Client(base_url=url, headers={"X-Forwarded-For": "192.0.2.7"}) as colleague:
        assert colleague.post("/console/sign-in", data={"login": "an", "password": PASSWORD}).status_code == 303


def test_an_admin_adds_somebody_who_chooses_a_password_before_anything_else(
    url: str, platform: Platform, stranger: httpx.Client
) -> None:
    with browsing(url, platform, Role.ADMIN, login="admin") as admin:
        added = admin.post("/console/people", data={"login": "chen", "name": "陈 <b>", "roles": ["admin"]})
        first = re.search(r"</?p>.*?<code>([^<]+)</code>", added.text, re.S)
        assert first
        assert "陈 &lt;b&gt;" in added.text
    assert stranger.post("/console/sign-in", data={"login": "chen", "password": first[1]}).url.path == "/console/me"
    assert stranger.get("/console/people").url.path == "/console/me"
    refused = stranger.post("/console/me/password", data={"old": first[1], "new": "short"})
    assert refused.status_code == 422
    assert stranger.post("/console/me/password", data={"old": first[1], "new": PASSWORD}).is_success
    assert stranger.get("/console/people").url.path == "/console/people"


def test_an_admin_who_makes_two_people_still_waits_for_a_third(url: str, platform: Platform, clock: Clock) -> None:
    """They read both first passwords, and could propose a waiver with one and approve it with the other."""
    socks = []
    with browsing(url, platform, Role.ADMIN, login="admin") as admin:
        for login, role in (("sock1", "operator"), ("sock2", "supervisor")):
            first = re.search(
                r"<code>([^<]+)</code>", admin.post("/console/people", data={"login": login, "roles": [role]}).text
            )
            assert first
            sock = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
            sock.post("/console/sign-in", data={"login": login, "password": first[1]})
            sock.post("/console/me/password", data={"old": first[1], "new": PASSWORD})
            socks.append(sock)
        assert "待确认" in admin.get("/console/people").text
    for sock in socks:
        assert "须由另一位" in sock.get("/console/me").text
        for page in ("/console/batches", "/console/approvals"):
            assert (answer := sock.get(page)).status_code in (200, 403)
            assert page == "/console/batches" or answer.status_code == 403
        assert sock.post("/console/approvals/people/sock2").status_code == 403
        sock.close()
    with browsing(url, platform, Role.SUPERVISOR, login="wang") as wang:
        assert "sock2" in wang.get("/console/approvals").text
        confirmed = wang.post("/console/approvals/people/sock2")
        assert "权限已生效" in confirmed.text
        assert "sock2" not in confirmed.text
        assert wang.post("/console/approvals/people/sock2").status_code == 409
    with browsing(url, platform, Role.ADMIN, login="auditor") as auditor:
        assert "身份已确认" in auditor.get("/console/audit?login=sock2").text


def test_an_admin_does_not_change_his_own_roles(url: str, platform: Platform) -> None:
    with browsing(url, platform, Role.ADMIN, login="admin") as admin:
        tried = admin.post("/console/people/admin", data={"do": "roles", "roles": ["admin", "supervisor"]})
        assert tried.status_code == 409
    with platform.database.transaction() as tx:
        assert people.named(tx, "admin").roles == {Role.ADMIN}


def test_an_admin_of_one_carrier_gives_nobody_what_is_another_carriers(url: str, platform: Platform) -> None:
    operator(platform, Role.SUPERVISOR, login="everywhere")
    operator(platform, Role.OPERATOR, carrier="cucc", login="theirs")
    operator(platform, Role.OPERATOR, carrier="cmcc", login="ours")
    with browsing(url, platform, Role.ADMIN, carrier="cmcc", login="admin") as admin:
        for login in ("everywhere", "theirs"):
            for do in ("password", "roles", "disable"):
                assert admin.post(f"/console/people/{login}", data={"do": do, "roles": ["admin"]}).status_code == 404
            for page in ("/console/people", "/console/people?format=csv", "/console/audit", "/console/audit?format=csv"):
                assert login not in admin.get(page).text, page
            assert "没有登录名" in admin.get(f"/console/audit?login={login}").text
        assert "all carriers" not in admin.get("/console/people?lang=en").text
        elsewhere = {"login": "sock", "roles": ["admin"], "carrier": "cucc"}
        assert admin.post("/console/people", data=elsewhere).status_code == 403
        assert admin.post("/console/people", data={"login": "mine", "roles": ["desk"]}).status_code == 200
        assert admin.post("/console/people/ours", data={"do": "roles", "roles": ["desk"]}).status_code == 200
        assert "ours" in admin.get("/console/audit").text
    with platform.database.transaction() as tx:
        assert people.named(tx, "everywhere").roles == {Role.SUPERVISOR}
        assert people.named(tx, "everywhere").enabled
        assert people.named(tx, "mine").carrier == "cmcc"
        assert people.named(tx, "ours").roles == {Role.DESK}


def test_who_is_locked_out_or_changes_the_password_is_out_everywhere(url: str, platform: Platform, clock: Clock) -> None:
    with browsing(url, platform, Role.ADMIN, login="chen") as phone:
        clock.forward(seconds=2)
        with platform.database.transaction() as tx:
            people.own_password(acting(tx, now=clock()), people.named(tx, "chen"), PASSWORD + " anew")
        assert phone.get("/console/people").url.path == "/console/sign-in"
    with browsing(url, platform, Role.ADMIN, login="wang") as desk:
        with platform.database.transaction() as tx:
            people.set_enabled(acting(tx, now=clock(), by="test"), "wang", False)
        assert desk.get("/console/people").url.path == "/console/sign-in"


def test_who_signed_in_just_before_the_password_was_changed_is_out_too(
    url: str, platform: Platform, stranger: httpx.Client, clock: Clock
) -> None:
    """A thief of the same second stayed in for eight hours."""
    with browsing(url, platform, Role.ADMIN, login="chen") as thief:
        clock.forward(milliseconds=300)
        with platform.database.transaction() as tx:
            people.own_password(acting(tx, now=clock()), people.named(tx, "chen"), PASSWORD + " anew")
        assert thief.get("/console/people").url.path == "/console/sign-in"
        clock.forward(milliseconds=300)
        stranger.post("/console/sign-in", data={"login": "chen", "password": PASSWORD + " anew"})
        assert stranger.get("/console/people").url.path == "/console/people", "who knows the new one gets in at once"


def test_with_an_authenticator_a_stolen_password_stops_at_the_second_step(
    url: str, platform: Platform, stranger: httpx.Client, clock: Clock
) -> None:
    with browsing(url, platform, Role.ADMIN, login="chen") as own:
        secret = re.search(r'name="secret" value="([A-Z2-7]+)"', own.get("/console/me").text)
        assert secret
        totp = pyotp.TOTP(secret[1])
        for wrong in ({"secret": secret[1], "code": "000000"}, {"secret": "no secret!", "code": "000000"}):
            assert own.post("/console/me/totp", data=wrong).status_code == 422
        assert own.post("/console/me/totp", data={"secret": secret[1], "code": totp.at(clock())}).is_success
    with platform.database.transaction() as tx:
        stored = operators.login_of(tx, people.named(tx, "chen").id).totp_secret
    assert stored is not None
    assert secret[1] not in stored, "the secret is sealed"
    link = "/console/audit?login=chen&kind=roles"
    half = stranger.post("/console/sign-in", data={"login": "chen", "password": PASSWORD, "to": link})
    assert half.url.path == "/console/sign-in/code"
    assert stranger.get("/console/people").url.path == "/console/sign-in", "half a sign-in opens nothing"
    assert stranger.post("/console/sign-in/code", data={"code": "000000"}).status_code == 401
    clock.forward(seconds=30)
    assert html.escape(link) in half.text
    inside = stranger.post("/console/sign-in/code", data={"code": totp.at(clock()), "to": link})
    assert inside.url.raw_path.decode() == link, "one lands where the link led, with its filters"


def test_where_a_second_factor_is_asked_for_nothing_opens_before_it_is_set_up(
    platform: Platform, dsn: str, tmp_path: Path
) -> None:
    settings = Settings(
        home=tmp_path / "home",
        database_url=dsn,
        mode=Mode.DEVELOPMENT,
        key_passphrase="a test of the door",
        totp_required=True,
    )
    with (
        served(create_app(platform, settings, run_workers=False)) as http,
        browsing(str(http.base_url).rstrip("/"), platform, Role.ADMIN) as browser,
    ):
        assert browser.get("/console/people").url.path == "/console/me"


def test_a_form_of_another_site_does_nothing_in_an_operators_name(url: str, platform: Platform) -> None:
    with browsing(url, platform, Role.ADMIN) as browser:
        foreign = {"Sec-Fetch-Site": "cross-site"}
        tried = browser.post("/console/people", data={"login": "evil", "roles": ["admin"]}, headers=foreign)
        assert tried.status_code == 403
    with platform.database.transaction() as tx:
        assert operators.by_login(tx, "evil") is None
