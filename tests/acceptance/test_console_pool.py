"""The pool and the reports in a real browser: charts with tables, an upload that is watched, all without scripts too."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import SIZES, axe, fits, open_tab
from huanxin.figures import summaries
from operators import PASSWORD, operator
from town import Town, town

SHOTS = ("/console/pool", "/console/pool?state=frozen&prefix=1380013", "/console/reports")


def come_in(page: Page, made: Town, login: str) -> None:
    page.goto(f"{made.url}/console/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("form button.primary")
    page.wait_for_url("**/console/batches")
    page.goto(f"{page.url.rpartition('/')[0]}/pool")


def report(folder: Path, *lines: str) -> Path:
    path = folder / "晨报.csv"
    path.write_text("\n".join(["number,event,at", *lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("size", SIZES)
def test_the_pool_and_the_reports_are_read_filtered_and_uploaded_to(
    dsn: str, tmp_path: Path, browser: Browser, size: str
) -> None:
    with town(dsn, tmp_path) as made:
        with made.platform.database.transaction() as tx:
            summaries.refresh(tx, made.platform)
        login = operator(made.platform, "operator").login
        page, complaints = open_tab(browser, size, scheme="light" if size == "desk" else "dark")
        come_in(page, made, login)
        for address in SHOTS:
            page.goto(made.url + address)
            assert axe(page) == [], address
            assert fits(page), address
        page.goto(f"{made.url}/console/pool")
        expect(page.locator(".plot canvas").first).to_be_visible()
        page.click("#states ~ .scroll >> text=冷冻期 >> nth=0")
        page.wait_for_url("**state=frozen")
        page.goto(f"{made.url}/console/pool?lang=en")
        expect(page.locator("h1")).to_have_text("Pool")
        page.goto(f"{made.url}/console/reports?lang=zh")
        page.set_input_files("#file", report(tmp_path, "1380013810,opened,2026-11-02"))
        page.select_option("#carrier", "cmcc")
        page.click("form[data-upload] button")
        expect(page.locator("h1")).to_have_text("已拒收：此文件的内容均未收下")
        assert axe(page) == []
        assert fits(page)
        with page.expect_download() as saved:
            page.click("text=下载有误的行")
        mended = saved.value.path().read_text(encoding="utf-8-sig").replace("1380013810", "+8613800138100")
        again = tmp_path / "rejects.csv"
        again.write_text(mended, encoding="utf-8")
        page.set_input_files("#file", again)
        page.click("form[data-upload] button")
        expect(page.locator("h1")).to_have_text("要收下这份上报吗？")
        assert (axe(page), fits(page)) == ([], True)
        page.click("main button >> text=收下这份上报")
        expect(page.locator("h1")).to_contain_text("已收下")
        assert complaints == []
        page.context.close()
        if size == "desk":
            without_scripts(browser, made, login, tmp_path)


def without_scripts(browser: Browser, made: Town, login: str, folder: Path) -> None:
    page, _ = open_tab(browser, "desk", scripts=False)
    come_in(page, made, login)
    assert page.locator("table").count() >= 4, "the tables say what the charts show"
    page.goto(f"{made.url}/console/reports")
    page.set_input_files("#file", report(folder, "+8613800138200,opened,2026-11-02"))
    page.select_option("#carrier", "cmcc")
    page.click("form[data-upload] button")
    page.click("main button >> text=收下这份上报")
    expect(page.locator("h1")).to_contain_text("已收下")
    page.context.close()


@pytest.mark.parametrize(("scripts", "lang", "size"), [(True, "zh", "phone"), (True, "en", "desk"), (False, "zh", "desk")])
def test_an_upload_after_the_sign_in_has_ended_is_not_lost(
    dsn: str, tmp_path: Path, browser: Browser, scripts: bool, lang: str, size: str
) -> None:
    """The browser went to the sign-in, without a word, and the file that had been chosen was gone."""
    with town(dsn, tmp_path) as made:
        login = operator(made.platform, "operator").login
        page, _ = open_tab(browser, size, scripts=scripts, lang="zh-CN" if lang == "zh" else "en-GB")
        come_in(page, made, login)
        page.goto(f"{made.url}/console/reports")
        page.set_input_files("#file", report(tmp_path, "+8613800138300,opened,2026-11-02"))
        page.select_option("#carrier", "cmcc")
        made.clock.forward(hours=9)
        page.click("form[data-upload] button")
        if scripts:
            said = page.locator("form[data-upload] [role=status]")
            expect(said).to_contain_text("文件仍然选着" if lang == "zh" else "The file is still chosen")
            assert (axe(page), fits(page)) == ([], True)
            with page.context.expect_page() as opened:
                said.get_by_role("link").click()
            enter(opened.value, login)
            page.click("form[data-upload] button")
        else:
            expect(page.get_by_role("alert")).to_contain_text("刚才的内容没有发送")
            assert fits(page)
            enter(page, login)
            expect(page.locator("h1")).to_have_text("这份内容没有发送")
            expect(page.locator("main")).to_contain_text("晨报.csv")
            assert fits(page)
            page.get_by_role("button", name="现在发送").click()
        page.get_by_role("button", name="收下这份上报" if lang == "zh" else "Take the report").click()
        expect(page.locator("h1")).to_contain_text("已收下" if lang == "zh" else "Taken as report")
        page.context.close()


def enter(page: Page, login: str) -> None:
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.locator("main .button.primary").click()
    page.wait_for_load_state()
