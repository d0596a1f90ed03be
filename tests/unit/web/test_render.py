"""The pages as HTML: what stands on them, in both languages, with nothing and with too much."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import page_samples as samples
from huanxin.figures.batch_body import OutcomeCounts, PartnerRow
from huanxin.web.pages import labels
from huanxin.web.pages.console.batches.views import figures_of
from huanxin.web.pages.render import (
    ERRORS,
    NAV,
    batch_page,
    batches_page,
    environment,
    error_page,
    error_view,
    help_page,
    home_page,
)
from huanxin.web.pages.report import write_report
from huanxin.web.pages.views import BatchesView, BatchView, ErrorView, HomeView
from huanxin.words.i18n import LANGUAGES
from huanxin.words.saying import sentence_of
from huanxin.words.sentences import Sentence

both = pytest.mark.parametrize("lang", LANGUAGES)


def charts_of(page: str) -> list[dict[str, Any]]:
    return [json.loads(data) for data in re.findall(r"data-chart>(.*?)</script>", page, re.S)]


@both
def test_home_leads_every_kind_of_visitor_on_and_each_page_leads_to_what_people_need(lang: str) -> None:
    page = home_page(lang, samples.home(), 10)
    for address in ("/renew", "/leave", "/verify", "/help", "/partner", "/docs", "/batches", "/leave/poster"):
        assert f'<a class="button{" primary" if address in ("/renew", "/leave") else ""}" href="{address}">' in page
    assert 'title="250,318,442"' in page
    for other in (help_page(lang), batches_page(lang, samples.latest(), 10), error_page(lang, error_view(404))):
        assert re.findall(r'<a href="(/\w+)"', other.partition("</nav>")[0]) == [address for address, _ in NAV]


@both
def test_help_says_what_is_never_done_and_all_its_links_lead_somewhere(lang: str) -> None:
    page = help_page(lang)
    assert set(re.findall(r'href="#(\w+)"', page)) - {"main"} == set(re.findall(r'<h2 id="(\w+)"', page))
    assert {"en": "never asks for money", "zh_CN": "不索要钱款"}[lang] in page


@both
def test_batches_are_listed_and_it_says_what_is_left_out(lang: str) -> None:
    page = batches_page(lang, samples.latest(), 10)
    assert page.count('<li class="card">') == 3
    assert "285" in page
    assert 'href="/batches/17"' in page


@both
def test_without_batches_it_says_how_to_begin(lang: str) -> None:
    assert "huanxin batch plan" in batches_page(lang, BatchesView(), 10)


def test_home_is_chinese_or_english() -> None:
    assert '<html lang="zh-CN">' in home_page("zh_CN", HomeView(), 10)
    assert "旧绑定" in home_page("zh_CN", HomeView(), 10)
    english = home_page("en", HomeView(), 10)
    assert '<html lang="en">' in english
    assert re.findall(r"[\u4e00-\u9fff]+", english) == ["中文"]


def in_console(lang: str, view: BatchView) -> str:
    """The figures of a batch as the console shows them."""
    body = '{% import "_parts.html" as parts with context %}{% include "console/_batch_figures.html" %}'
    return environment(lang).from_string(body).render(may_act=False, **figures_of(view, lang))


@both
def test_whoever_reads_a_batch_in_public_learns_how_far_it_is_and_nothing_of_a_few(lang: str) -> None:
    page = batch_page(lang, samples.public_batch(), 10, samples.CUTOFF)
    main = page.partition("<main")[2]
    assert {"en": "3 of 239 partners", "zh_CN": "239 家接入方中有 3 家"}[lang] in main
    assert re.findall(r'class="big">(.*?)</dd>', main)[2:] == ["&lt;10", "*"]
    assert 'href="/console/batches/17"' in main, "who is outstanding is for those who sign in"
    assert not any(name in main for name in ("Conch Music", "海螺音乐"))
    unsent = batches_page(lang, samples.latest(), 10)
    assert unsent.count('class="figures"') == 2, "of a batch that was not sent there is nothing to count"


@both
def test_batch_puts_the_open_partners_first(lang: str) -> None:
    late = PartnerRow(name="Slow Snail", kind="app", outstanding=50_000, absent=11_204)
    page = in_console(lang, samples.batch((*samples.batch().partners, late)))
    answers = charts_of(page)[0]
    assert answers["categories"][0] == "Slow Snail"


@both
def test_batch_of_very_many_partners_draws_some_and_lists_all(lang: str) -> None:
    rows = tuple(PartnerRow(name=f"P{n}", kind="app", absent=10) for n in range(239))
    page = in_console(lang, samples.batch(rows))
    assert len(charts_of(page)[0]["categories"]) == 10
    assert page.count('<th scope="row">P') == 239


@both
def test_batch_without_partners_says_what_to_do(lang: str) -> None:
    said = {"en": "once the batch is sent", "zh_CN": "批次发送后"}[lang]
    assert said in in_console(lang, samples.batch(()))


def test_outcomes_stand_in_their_fixed_order() -> None:
    order = ["unbound", "absent", "kept", "pending", "refused", "unanswered"]
    assert [key for key, _ in OutcomeCounts().parts] == order == list(labels.OUTCOMES)
    drawn = charts_of(in_console("en", samples.batch()))[0]["series"]
    assert [one["tone"] for one in drawn] == order


def test_names_are_escaped_in_the_table_and_in_the_chart() -> None:
    row = PartnerRow(name="</script><b>x", kind="app", absent=1)
    page = in_console("en", samples.batch((row,)))
    assert "<b>x" not in page
    assert charts_of(page)[0]["categories"] == ["</script><b>x"]


@both
@pytest.mark.parametrize("status", [400, 404, 418, 429, 500, 502, 503])
def test_every_error_says_what_happened_and_what_to_do(lang: str, status: int) -> None:
    page = error_page(lang, error_view(status, "a1b2"))
    assert str(status) in page
    assert "a1b2" in page
    assert page.count("<p") >= 4


def test_error_of_its_own_words() -> None:
    page = error_page("en", ErrorView(status=409, happened="That batch was released.", todo="Plan another."))
    assert "Plan another." in page


@pytest.mark.parametrize(
    ("said", "en", "zh"),
    [
        (Sentence("you proposed this, so another supervisor has to decide on it"),
         "You proposed this, so another supervisor has to decide on it.", "这是您提出的，须由另一位主管决定。"),
        (Sentence("%(login)s may not do this; it needs the role %(roles)s. Ask an admin of this platform", login="li",
                  roles="desk"),
         "li may not do this; it needs the role desk. Ask an admin of this platform.",
         "li 无权这样做，需要角色 desk。请联系本平台的管理员。"),
        ("Nothing was changed.", "Nothing was changed.", "没有任何改动。"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_what_programs_read_too_is_a_whole_sentence_on_a_page(said: Sentence | str, en: str, zh: str) -> None:
    assert (sentence_of(said, "en"), sentence_of(said, "zh_CN")) == (en, zh)


def test_errors_have_words_for_both_families() -> None:
    assert {400, 500} <= set(ERRORS)


@pytest.mark.parametrize(("lang", "tag"), [("zh_CN", "zh-CN"), ("en", "en")])
def test_the_report_is_one_file_that_asks_nothing_of_a_network(tmp_path: Path, lang: str, tag: str) -> None:
    path = tmp_path / "report.html"
    write_report(path, samples.report(), lang)
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f'<!doctype html>\n<html lang="{tag}">')
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert len(charts_of(page)) == 8
    assert "阿岚" in page
    assert "A Lan" in page


def test_a_report_that_found_wrong_says_so_in_its_headline(tmp_path: Path) -> None:
    good = samples.report()
    bad = replace(good, figures=replace(good.figures, wrongly_cut=3))
    write_report(tmp_path / "report.html", bad, "en")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the audit found" in page
    assert page.count('class="alarm"') == 2  # once in each language
