"""An admin's day in a real browser: who may do what, and who did what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from acceptance.browsing import axe, fits, open_tab
from huanxin.access import people
from huanxin.domain.operators import Role
from operators import PASSWORD, operator
from town import Town, town

WORDS = {
    "zh": {
        "h1": "操作员", "add": "添加", "save": "保存 chen", "out": "禁止登录 chen", "locked": "已禁止登录",
        "leave": "退出登录",
    },
    "en": {
        "h1": "Operators", "add": "Add", "save": "Save chen", "out": "Lock out chen", "locked": "locked out",
        "leave": "Sign out",
    },
}  # fmt: skip


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.mark.parametrize(("size", "lang"), [("desk", "zh"), ("phone", "en")])
def test_an_admin_lets_somebody_in_widens_his_roles_and_locks_him_out(
    browser: Browser, place: Town, size: str, lang: str
) -> None:
    operator(place.platform, Role.ADMIN, login="an")
    words = WORDS[lang]
    page, complaints = open_tab(browser, size)
    page.goto(f"{place.url}/console/sign-in?to=/console/people&lang={lang}")
    page.fill("#login", "an")
    page.fill("#password", PASSWORD)
    page.locator("main .button.primary").click()
    expect(page.locator("h1")).to_have_text(words["h1"])
    page.fill("#login", "chen")
    page.fill("#name", "陈 <b>")
    page.locator("fieldset input[value=operator]").check()
    page.get_by_role("button", name=words["add"], exact=True).click()
    expect(page.locator("[role=status] code")).to_have_count(1)
    assert (axe(page), fits(page)) == ([], True)
    row = page.locator("tr").filter(has=page.get_by_role("rowheader", name="chen"))
    expect(row).to_contain_text("陈 <b>")
    row.locator("input[value=desk]").check()
    row.get_by_role("button", name=words["save"]).click()
    expect(page.locator("[role=status]")).to_have_count(1)
    with place.platform.database.transaction() as tx:
        assert people.named(tx, "chen").roles == {Role.OPERATOR, Role.DESK}
    row.get_by_role("button", name=words["out"]).click()
    expect(row).to_contain_text(words["locked"])
    row.get_by_role("link", name="chen").click()
    expect(page.locator("tbody tr")).to_have_count(4)  # let in, given a password, given roles, locked out
    assert (axe(page), fits(page)) == ([], True)
    assert page.request.get(f"{place.url}/console/desk").status == 403
    assert complaints == []
    page.goto(f"{place.url}/console/me")
    page.get_by_role("button", name=words["leave"], exact=True).click()
    page.goto(f"{place.url}/console/audit")
    expect(page.locator("#password")).to_have_count(1)
    page.context.close()
