"""A carrier's subscriber signs in at their carrier's OpenID provider, a certified one in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from huanxin.acts import open_platform
from huanxin.domain.errors import BadSetting
from huanxin.settings import CarrierOidc, Settings, read_settings
from huanxin.web.app import create_app
from openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, openid_provider
from processes import free_port
from town import FIRST, PORTED, RECYCLED, Phone, Town, settings_of, town

THEIRS = "+8613012345678"  # of a range of cucc
PEOPLE: dict[str, dict[str, Any]] = {
    "owner": {"phone_number": RECYCLED, "phone_number_verified": True},
    "other": {"phone_number": THEIRS, "phone_number_verified": True},
    "ported": {"phone_number": PORTED, "phone_number_verified": True},
    "unverified": {"phone_number": RECYCLED, "phone_number_verified": False},
    "unsaid": {"phone_number": RECYCLED},
    "text": {"phone_number": RECYCLED, "phone_number_verified": "true"},
    "nameless": {"phone_number_verified": True},
    "national": {"phone_number": "13800138000", "phone_number_verified": True},
}
UNCONFIRMED = ("unverified", "unsaid", "text", "nameless", "national")
CARRIERS = ("cmcc", "cucc")


@pytest.fixture(scope="module")
def port() -> int:
    """Where our pages are: the provider sends browsers back to no other address."""
    return free_port()


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[OpenIdProvider]:
    back = [f"http://127.0.0.1:{port}/renew/oidc/{carrier}/back" for carrier in CARRIERS]
    with openid_provider(PEOPLE, back) as made:
        yield made


def with_providers(dsn: str, folder: Path, port: int, issuer: str, secret: str = CLIENT_SECRET) -> Settings:
    one = CarrierOidc(issuer=issuer, client_id=CLIENT_ID, client_secret=secret)
    changes = {"issuer": f"http://127.0.0.1:{port}", "oidc": dict.fromkeys(CARRIERS, one)}
    return settings_of(dsn, folder).model_copy(update=changes)


@pytest.fixture
def place(dsn: str, tmp_path: Path, port: int, provider: OpenIdProvider) -> Iterator[Town]:
    settings = with_providers(dsn, tmp_path, port, provider.issuer)
    with town(dsn, tmp_path, settings=settings, port=port) as made:
        made.clock.now = datetime.now(UTC)  # the provider has a clock of its own
        yield made


def back_from(
    phone: Phone, provider: OpenIdProvider, person: str, carrier: str = "cmcc", to: str = "renew"
) -> httpx.Response:
    """What somebody sees after they signed in as a person."""
    return provider.choose(phone.http, phone.http.get(f"/renew/oidc/{carrier}?to={to}"), person)


def test_a_subscriber_signs_in_with_his_carrier_and_without_an_sms(place: Town, provider: OpenIdProvider) -> None:
    phone = place.phone()
    asks = phone.http.get("/renew/sign-in")
    assert "用中国移动账号登录" in asks.text
    assert 'href="/renew/oidc/cmcc?to=renew"' in asks.text
    seen = back_from(phone, provider, "owner")
    assert (seen.status_code, seen.url.path) == (200, "/renew")
    assert "以前有过机主" in seen.text
    assert place.sms(RECYCLED) == []
    assert phone.order("晨星商城").status_code == 200
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT channel FROM request").fetchall() == [("oidc/cmcc",)]


def test_a_leaver_comes_back_to_where_he_wanted_to_go(place: Town, provider: OpenIdProvider) -> None:
    assert back_from(place.phone(), provider, "owner", to="leave").url.path == "/leave"
    assert back_from(place.phone(), provider, "owner", to="https://else.example").url.path == "/renew"


def test_whoever_the_carrier_does_not_vouch_for_is_not_let_in_and_reads_why(place: Town, provider: OpenIdProvider) -> None:
    theirs = 401, "这个账号的号码现在不属于中国移动", "not with China Mobile now"
    number = 401, "中国移动没有确认您的号码", "did not confirm your number"
    declined = 403, "您没有用中国移动账号登录", "did not sign in with China Mobile"
    expected = {"other": theirs, "ported": theirs, "": declined} | dict.fromkeys(UNCONFIRMED, number)
    for person, (status, *words) in expected.items():
        for language, said in zip(("zh-CN", "en"), words, strict=True):
            phone = place.phone(**{"Accept-Language": language})
            seen = back_from(phone, provider, person)
            assert (seen.status_code, said in seen.text) == (status, True), person
            assert phone.http.get("/renew").url.path == "/renew/sign-in"


def test_another_carriers_provider_may_vouch_for_its_own_numbers_only(place: Town, provider: OpenIdProvider) -> None:
    assert back_from(place.phone(), provider, "other", "cucc").url.path == "/renew"
    assert back_from(place.phone(), provider, "owner", "cucc").status_code == 401
    place.report(f"{RECYCLED},ported_out,2026-11-19")
    place.report(f"{RECYCLED},transferred,2026-11-20", carrier="cucc")
    assert back_from(place.phone(), provider, "owner", "cucc").url.path == "/renew"
    assert back_from(place.phone(), provider, "owner", "cmcc").status_code == 401


def caught(phone: Phone, provider: OpenIdProvider, person: str = "owner") -> tuple[str, str]:
    """The address that a person would come back to, not opened, and the cookie of the browser that began."""
    begun = phone.http.get("/renew/oidc/cmcc")
    cookie = phone.http.cookies.get("carrier", domain="127.0.0.1")
    assert cookie
    step = phone.http.get(f"{begun.url}?as={person}", follow_redirects=False)
    while "/back?" not in step.headers["location"]:
        step = phone.http.get(step.headers["location"], follow_redirects=False)
    return step.headers["location"], cookie


def test_an_answer_opened_in_another_browser_signs_nobody_in_there(place: Town, provider: OpenIdProvider) -> None:
    address, _ = caught(place.phone(), provider)
    victim = place.phone()
    assert "这次登录已失效" in victim.http.get(address).text, "no sign-in of their own"
    victim.http.get("/renew/oidc/cmcc")
    assert victim.http.get(address).status_code == 401, "another sign-in than their own"
    assert victim.http.get("/renew").url.path == "/renew/sign-in"


def test_an_answer_works_once_also_with_the_cookie_stolen(place: Town, provider: OpenIdProvider) -> None:
    phone = place.phone()
    address, cookie = caught(phone, provider)
    assert phone.http.get(address).url.path == "/renew"
    assert phone.http.get(address).status_code == 401
    thief = place.phone()
    thief.http.cookies.set("carrier", cookie, domain="127.0.0.1")
    assert thief.http.get(address).status_code == 401
    assert thief.http.get("/renew").url.path == "/renew/sign-in"


def test_an_answer_meant_for_one_carriers_door_opens_no_other(place: Town, provider: OpenIdProvider) -> None:
    phone = place.phone()
    address, _ = caught(phone, provider, "other")
    assert phone.http.get(address.replace("/cmcc/", "/cucc/")).status_code == 401
    assert phone.http.get("/renew").url.path == "/renew/sign-in"


def test_whoever_takes_too_long_begins_again(place: Town, provider: OpenIdProvider) -> None:
    phone = place.phone()
    address, _ = caught(phone, provider)
    place.clock.forward(minutes=16)
    assert "这次登录已失效" in phone.http.get(address).text


def test_a_carrier_without_a_provider_has_no_such_page(place: Town) -> None:
    assert place.phone().http.get("/renew/oidc/ctcc").status_code == 404
    assert place.phone().http.get("/renew/oidc/ctcc/back").status_code == 404


def test_a_provider_that_is_down_or_does_not_know_us_is_said_plainly(
    dsn: str, tmp_path: Path, port: int, provider: OpenIdProvider
) -> None:
    settings = with_providers(dsn, tmp_path, port, provider.issuer, secret="another")
    down = settings.oidc["cmcc"].model_copy(update={"issuer": f"http://localhost:{free_port()}"})
    settings.oidc["cucc"] = down
    with town(dsn, tmp_path, settings=settings, port=port) as made:
        made.clock.now = datetime.now(UTC)
        phone = made.phone()
        for seen in (back_from(phone, provider, "owner"), phone.http.get("/renew/oidc/cucc?to=leave")):
            assert seen.status_code == 503
            assert "登录暂时用不了" in seen.text
        assert 'href="/renew/sign-in?to=leave"' in seen.text
        assert phone.sign_in().url.path == "/renew", "the SMS works as ever"


def test_a_carrier_may_name_its_own_claims_and_put_them_into_the_id_token(dsn: str, tmp_path: Path, port: int) -> None:
    people = {"owner": {"groups": FIRST, "phone_number": RECYCLED, "phone_number_verified": True}}
    back = [f"http://127.0.0.1:{port}/renew/oidc/cmcc/back"]
    with openid_provider(people, back, in_id_token=True) as one:
        settings = with_providers(dsn, tmp_path, port, one.issuer)
        own = {"number_claim": "groups", "scope": "openid phone groups"}
        settings.oidc["cmcc"] = settings.oidc["cmcc"].model_copy(update=own)
        with town(dsn, tmp_path, settings=settings, port=port) as made:
            made.clock.now = datetime.now(UTC)
            phone = made.phone()
            assert "138****8001" in back_from(phone, one, "owner").text


def test_providers_are_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ISSUER": "https://id.example", "CLIENT_ID": "huanxin", "CLIENT_SECRET": "hidden",
                        "NUMBER_CLAIM": "msisdn"}.items():  # fmt: skip
        monkeypatch.setenv(f"HUANXIN_OIDC__CMCC__{name}", value)
    settings = read_settings()
    assert settings.oidc["cmcc"].number_claim == "msisdn"
    assert settings.oidc["cmcc"].verified_claim == "phone_number_verified"
    assert "hidden" not in repr(settings)


def test_a_provider_of_a_carrier_that_nobody_knows_is_refused_at_the_start(dsn: str, tmp_path: Path) -> None:
    setting = CarrierOidc(issuer="https://id.example", client_id="huanxin", client_secret="hidden")
    settings = settings_of(dsn, tmp_path).model_copy(update={"oidc": {"star": setting}})
    with open_platform(settings) as platform, pytest.raises(BadSetting, match="HUANXIN_OIDC__STAR"):
        create_app(platform, settings, run_workers=False)
