"""The lines of a receipt: whatever the order and wherever the reader cuts the file, the same answers and the same lines."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huanxin.answer.lines import MOST_ANSWERS, parse_receipt
from huanxin.domain.answers import Outcome, Purpose
from huanxin.domain.errors import BadInput
from huanxin.numbersets import delimited, tables
from huanxin.numbersets.roster import Roster

FIRST = 8613800138000
ROSTER = Roster(np.arange(FIRST, FIRST + 3000, 3, dtype=np.int64))
ANSWERS = ["unbound,,", "absent,,", "kept,,", "pending,,2026-12-01", "refused,debt,", "refused,debt,2027-01-01"]
lines = st.lists(st.tuples(st.integers(0, 999), st.sampled_from(ANSWERS)), max_size=60, unique_by=lambda line: line[0])


def parsed(path: Path, body: str, *, encoding: str = "utf-8") -> dict[tuple[str, str, str], set[int]]:
    path.write_bytes(body.encode(encoding))
    found = parse_receipt(tables.inspect(path), ROSTER, Purpose.RENEWAL, "Asia/Shanghai")
    return {(a.outcome.value, a.reason, str(a.until or "")): set(places) for a, places in found.answers.items()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=lines, block=st.integers(40, 300), end=st.sampled_from(["\n", "\r\n", "\r"]), last=st.booleans())
def test_a_receipt_says_the_same_wherever_the_reader_cuts_it(
    said: list[tuple[int, str]], block: int, end: str, last: bool, tmp_path: Path
) -> None:
    body = end.join(["number,outcome,reason,until", *(f"+{FIRST + 3 * place},{answer}" for place, answer in said)])
    expected: dict[tuple[str, str, str], set[int]] = {}
    for place, answer in said:
        outcome, reason, until = answer.split(",")
        expected.setdefault((outcome, reason, until), set()).add(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", block)
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030"):
            assert parsed(tmp_path / "receipt", body + end * last, encoding=encoding) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.dictionaries(st.integers(0, 59), st.sampled_from(["wrong", "ragged"]), min_size=1), block=st.integers(60, 400))
def test_a_refusal_names_every_bad_line_wherever_the_reader_cuts_the_file(
    bad: dict[int, str], block: int, tmp_path: Path
) -> None:
    rows = [f"+{FIRST + 3 * place},unbound,," for place in range(60)]
    for row, how in bad.items():
        rows[row] = f"+{FIRST + 1},unbound,," if how == "wrong" else "one,two,three,four,five"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", block)
        with pytest.raises(BadInput) as refused:
            parsed(tmp_path / "receipt", "\n".join(["number,outcome,reason,until", *rows, ""]))
    assert [fault.line for fault in refused.value.faults] == sorted(row + 2 for row in bad)
    assert refused.value.total == len(bad)


def test_of_many_bad_lines_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    """A file of ten million bad lines must not become ten million values in memory."""
    rows = [f"+{FIRST + 1},unbound,,"] * 500 + ["too,few"] * 500
    with pytest.raises(BadInput) as refused:
        parsed(tmp_path / "receipt", "\n".join(["number,outcome,reason,until", *rows]))
    assert (refused.value.total, len(refused.value.faults)) == (1000, 100)
    assert [fault.line for fault in refused.value.faults][::99] == [2, 101]


def test_days_are_read_whatever_their_form_and_blank_lines_say_nothing(tmp_path: Path) -> None:
    body = "number,outcome,reason,until\n" + "".join(
        f"+{FIRST + 3 * place},pending,,{until}\n"
        for place, until in enumerate(["2026-12-01", "2026-11-30T16:00:00Z", " 2026-12-01 ", "2026-12-01 08:00:00", ""])
    )
    found = parsed(tmp_path / "receipt", body + ",,,\n")
    assert found == {("pending", "", "2026-12-01"): {0, 1, 2, 3}, ("pending", "", ""): {4}}


@given(days=st.lists(st.dates(min_value=date(2000, 1, 1)), min_size=1, max_size=20, unique=True), block=st.integers(60, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_day_is_stored_as_it_was_written_however_far_it_lies(days: list[date], block: int, tmp_path: Path) -> None:
    """2099-12-31 is what people write for "until further notice"; what the partner signed for must stand on record."""
    rows = [f"+{FIRST + 3 * place},pending,,{day}" for place, day in enumerate([*days, date(2059, 9, 19), date.max])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", block)
        found = parsed(tmp_path / "receipt.csv", "\n".join(["number,outcome,reason,until", *rows, ""]))
    told = {place: until for (_, _, until), places in found.items() for place in places}
    assert told == {place: row.rpartition(",")[2] for place, row in enumerate(rows)}


@pytest.mark.parametrize("until", ["0000-01-01", "0226-11-20", "1999-12-31"])
def test_a_day_of_long_ago_is_a_slip_of_the_pen_and_refused(until: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        parsed(tmp_path / "receipt.csv", f"number,outcome,reason,until\n+{FIRST},refused,debt,{until}\n")
    assert [(fault.line, "2000-01-01" in fault.reason) for fault in refused.value.faults] == [(2, True)]


def test_too_many_different_days_are_refused(tmp_path: Path) -> None:
    """Each is a set on record: else one receipt could make millions of rows."""
    days = np.datetime64("2027-01-01") + np.arange(MOST_ANSWERS + 1) % 2000
    roster = Roster(np.arange(FIRST, FIRST + len(days), dtype=np.int64))
    path = tmp_path / "receipt"
    path.write_text("number,outcome,until\n" + "".join(f"+{FIRST + n},pending,{day}\n" for n, day in enumerate(days)))
    with pytest.raises(BadInput, match="different days"):
        parse_receipt(tables.inspect(path), roster, Purpose.RENEWAL, "Asia/Shanghai")


def test_one_endless_line_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 1000)
    with pytest.raises(BadInput, match="longer than 1,000 bytes"):
        parsed(tmp_path / "receipt", "number,outcome\n" + "8" * 5000)


def test_a_damaged_gzip_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "receipt.gz"
    path.write_bytes(gzip.compress(b"number,outcome\n" + b"+8613800138000,kept\n" * 1000)[:-9])
    with pytest.raises(tables.BadTable, match="cut short"):
        tables.inspect(path)


def test_a_hundred_thousand_lines_in_any_order_are_the_sets_they_say(tmp_path: Path) -> None:
    """The benchmark's receipt, small: several blocks, places by chance."""
    rng = np.random.default_rng(7)
    roster = Roster(np.sort(rng.choice(5_000_000, 100_000, replace=False)) + FIRST)
    order, codes = rng.permutation(len(roster)), rng.integers(0, 3, len(roster))
    words = ["unbound", "absent", "kept"]
    path = tmp_path / "receipt"
    path.write_text("number,outcome\n" + "".join(f"+{roster.numbers[p]},{words[codes[p]]}\n" for p in order))
    found = parse_receipt(tables.inspect(path), roster, Purpose.RENEWAL, "Asia/Shanghai")
    assert found.lines == 100_000
    assert {answer.outcome: list(places) for answer, places in found.answers.items()} == {
        Outcome(word): np.flatnonzero(codes == code).tolist() for code, word in enumerate(words)
    }
