"""Sign-in at a carrier's provider in a real browser, to which the provider is another site: cookies come along."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, expect

from acceptance.browsing import axe, fits, keep_both, open_tab
from huanxin.settings import CarrierOidc
from openid_provider import CLIENT_ID, CLIENT_SECRET, openid_provider
from processes import free_port
from town import RECYCLED, settings_of, town


def test_a_subscriber_says_no_at_first_and_then_signs_in_with_his_carrier(
    browser: Browser, dsn: str, tmp_path: Path
) -> None:
    port = free_port()
    ours = f"http://127.0.0.1:{port}"
    people = {"owner": {"phone_number": RECYCLED, "phone_number_verified": True}}
    with openid_provider(people, [f"{ours}/renew/oidc/cmcc/back"]) as provider:
        one = CarrierOidc(issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        settings = settings_of(dsn, tmp_path).model_copy(update={"issuer": ours, "oidc": {"cmcc": one}})
        with town(dsn, tmp_path, settings=settings, port=port) as place:
            place.clock.now = datetime.now(UTC)  # the provider has a clock of its own
            page, complaints = open_tab(browser, "phone")
            page.goto(f"{ours}/renew/sign-in")
            assert axe(page) == []
            page.get_by_role("link", name="用中国移动账号登录").click()
            page.get_by_role("link", name="no").click()
            expect(page.locator("h1")).to_have_text("您没有用中国移动账号登录")
            assert axe(page) == []
            assert fits(page)
            before = list(complaints)
            keep_both(page, "people-carrier")  # loads the page again, where an answer counts once
            complaints[:] = before
            page.get_by_role("link", name="再用中国移动试一次").click()
            page.get_by_role("link", name="owner").click()
            expect(page.locator("h1")).to_have_text("您的号码以前有过机主")
            assert page.url == f"{ours}/renew"
            assert [one for one in complaints if "403" not in one] == []
            page.context.close()
