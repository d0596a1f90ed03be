"""Tables to take along: a spreadsheet reads the Chinese, the times and the numbers, and runs nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from huanxin.web.pages.console.sheets import as_csv


def test_what_somebody_typed_is_no_formula_and_a_number_stays_one() -> None:
    """A partner may call itself =HYPERLINK(...), and an operator opens the table in a spreadsheet."""
    typed = ("=HYPERLINK(1)", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "+8613800138000", "晨星", "")
    answer = as_csv("names", ("name",), [(one,) for one in typed])
    lines = bytes(answer.body).decode("utf-8-sig").split("\r\n")
    assert lines[1:5] == ["'=HYPERLINK(1)", "'+1+1", "'-2", "'@SUM(A1)"]
    assert lines[5:7] == ["'\t=1", '"\'\r=1"']
    assert lines[7:10] == ["+8613800138000", "晨星", '""']


@pytest.mark.parametrize("sign", "＝＋－＠")
def test_a_full_width_sign_begins_no_formula_either(sign: str) -> None:
    """Spreadsheets for East Asian languages read it as they do the plain one."""
    answer = as_csv("names", ("name",), [(f"{sign}1+1",)])
    assert bytes(answer.body).decode("utf-8-sig") == f"name\r\n'{sign}1+1\r\n"


def test_it_is_saved_under_its_name_with_the_mark_that_spreadsheets_look_for() -> None:
    at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    answer = as_csv("batches", ("id", "at", "day", "late", "none"), [(1, at, date(2026, 11, 24), False, None)])
    assert bytes(answer.body).startswith(b"\xef\xbb\xbfid,at,day,late,none\r\n")
    assert bytes(answer.body).endswith(b"1,2026-11-24T01:00:00+00:00,2026-11-24,False,\r\n")
    assert answer.headers["content-disposition"] == 'attachment; filename="batches.csv"'
    assert answer.headers["cache-control"] == "no-store"
