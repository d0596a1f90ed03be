"""The words of the trade: a file in them is read, and a word that could mean two things is not guessed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from huanxin.domain.errors import BadSetting
from huanxin.domain.lifecycle import REPORTED
from huanxin.domain.trade import BadWords, usual
from huanxin.numbersets.plain import word
from huanxin.numbersets.shape import BadTable, Columns
from huanxin.report.baseline import baseline_form
from huanxin.report.lines import NAMES, report_form
from huanxin.settings import read_settings

REPORT = Columns(names=NAMES, aliases=usual().aliases(NAMES))


@pytest.mark.parametrize(
    "header",
    [
        ["手机号", "状态", "变更时间"], ["手机号码", "业务类型", "操作时间"],
        ["用户号码", "事件类型", "日期"], ["MSISDN", "status", "date"],
        ["Phone", "Event Type", "Event_Time"], [" 号码 ", "\ufeff事件", '"时间"'], ["phone-number", "TYPE", "Timestamp"],
        ["number", "event", "at"], ["NUMBER", "EVENT", "AT"], ["手机号码*", "业务类型：", "办理时间"],
    ],
)  # fmt: skip
def test_columns_are_found_as_the_trade_calls_them(header: list[str]) -> None:
    assert REPORT.find(["序号", *header, "备注"]) == {1: "number", 2: "event", 3: "at"}


@pytest.mark.parametrize(
    ("header", "which"),
    [
        (["number", "number", "event", "at"], "number"), (["手机号", "用户号码", "事件", "时间"], "number"),
        (["手机号", "业务类型", "状态", "时间"], "event"), (["手机号", "事件", "操作时间", "日期"], "at"),
    ],
)  # fmt: skip
def test_two_columns_that_may_be_the_same_are_refused(header: list[str], which: str) -> None:
    """The first of them was taken, and the other number, or the day of the export, left out in silence."""
    with pytest.raises(BadTable, match=f"both may be {which}"):
        REPORT.find(header)
    assert set(REPORT.find(["号码", "number", "状态", "event", "日期", "at"])) == {1, 3, 5}, "a column's own name goes first"


WORDS = {
    "opened": "入网 新开户 开户 开通 Opened", "cancelled": "注销 拆机 销号 销户 cancelled Canceled CLOSED closed",
    "reclaimed": "复装 复机", "transferred": "过户",
    "ported_out": "携出 转出 port-out PORTED_OUT", "ported_in": "携入 转入 port-in PORTED_IN",
}  # fmt: skip


def test_events_are_known_as_the_trade_calls_them() -> None:
    codes = {word(one): code for one, code in report_form(usual()).codes.items()}
    for event, ways in WORDS.items():
        known = (
            {codes[word(one)] for one in ways.split()} if event != "ported_in" else {codes[word("携入")], codes["portedin"]}
        )
        assert known == {codes[word(event)]}, event
    assert set(WORDS) == set(REPORTED)


@pytest.mark.parametrize(("text", "why"), [("携转", "came or went"), ("携号转网", "came or went"), (" MNP ", "came or went"),
                                           ("停机", "ends no tenure"), ("预销户", "ends no tenure")])  # fmt: skip
def test_a_word_that_does_not_say_which_event_it_means_is_refused_with_that_reason(text: str, why: str) -> None:
    said = usual().why_not(text)
    assert said is not None
    assert why in said
    assert usual().why_not("销户") is None
    assert usual().why_not("Tuesday") is None


def test_no_word_of_the_trade_means_two_things() -> None:
    trade, forms = usual(), (NAMES, ("number", "state", "since"), ("from", "to"), (*NAMES, "instead_of"))
    tables = [
        dict(trade.events) | dict(trade.unclear),
        dict(trade.states),
        *({name: trade.headings[name] for name in form} for form in forms),
    ]
    for table in tables:
        every = [way for name, ways in table.items() for way in {word(name), *map(word, ways)}]
        assert sorted(every) == sorted(set(every))
    assert set(trade.events) == set(REPORTED)
    assert set(trade.states) == set(baseline_form(trade).known)


def test_an_installation_adds_words_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANXIN_WORDS", '{"events": {"cancelled": ["强拆"]}, "headings": {"number": ["机主号"]}}')
    plan = read_settings().plan()
    form = report_form(plan.words)
    assert form.codes["强拆"] == form.codes["cancelled"]
    assert form.columns.find(["机主号", "事件", "时间"]) == {0: "number", 1: "event", 2: "at"}
    assert "强拆" not in report_form(usual()).codes
    file = tmp_path / "huanxin.toml"
    file.write_text('[words.states]\nfrozen = ["锁定"]\n', encoding="utf-8")
    monkeypatch.delenv("HUANXIN_WORDS")
    monkeypatch.setenv("HUANXIN_CONFIG", str(file))
    states = baseline_form(read_settings().plan().words).codes
    assert states["锁定"] == states["frozen"]


@pytest.mark.parametrize(
    ("added", "why"),
    [
        ({"events": {"cancelled": ["复机"]}}, "复机 means reclaimed already"),
        ({"events": {"gone": ["x"]}}, "gone is none of the events"),
        ({"colours": {"red": ["x"]}}, "colours are no words"), ({"unclear": {"porting": ["x"]}}, "unclear are no words"),
    ],
)  # fmt: skip
def test_a_word_that_means_something_else_already_is_refused_at_the_start(
    added: dict[str, dict[str, list[str]]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadWords, match=why):
        usual().extended(added)
    monkeypatch.setenv("HUANXIN_WORDS", str(added).replace("'", '"'))
    with pytest.raises(BadSetting, match="HUANXIN_WORDS"):
        read_settings()
