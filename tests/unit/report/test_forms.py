"""Reports as programs and people write them: what can be read is read, and what can't is refused with what to do. A
traceback, or a library's words, would leave a carrier's clerk with a file that nobody takes and nobody explains."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from huanxin.answer.lines import parse_receipt
from huanxin.domain.answers import Purpose
from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.numbers import Carrier, chinese_plan
from huanxin.numbersets import tables
from huanxin.numbersets.roster import Roster
from huanxin.release.holds import read_numbers
from huanxin.report.lines import read_lines
from huanxin.report.rejects import write_rejects

NUMBER = 8613800138000
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
PLAN = chinese_plan()


def read(path: Path) -> tuple[list[tuple[int, str]], list[Fault]]:
    """A report's good lines as (number, day), and its bad ones."""
    good: list[tuple[int, str]] = []
    bad: list[Fault] = []
    for lines, faults in read_lines(tables.inspect(path), carrier=PLAN.carriers["cmcc"], plan=PLAN, now=NOW):
        days = [date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat() for day in lines.day.tolist()]
        good += zip(lines.number.tolist(), days, strict=True)
        bad += faults
    return good, bad


def parquet(path: Path, **columns: pa.Array) -> Path:
    plain = {"number": pa.array([f"+{NUMBER}"]), "event": pa.array(["cancelled"]), "at": pa.array(["2026-01-01"])}
    path = path / "report.parquet"
    pq.write_table(pa.table(plain | columns), path)
    return path


@pytest.mark.parametrize(
    "columns",
    [
        {"number": pa.array([f"+{NUMBER}"], pa.string_view())}, {"number": pa.array([f"+{NUMBER}"], pa.large_string())},
        {"number": pa.array([str(NUMBER).encode()], pa.binary()), "event": pa.array([b"cancelled"], pa.large_binary()),
         "at": pa.array([b"2026-01-01"], pa.binary())},
        {"number": pa.array([NUMBER], pa.uint64())}, {"number": pa.array([NUMBER]).cast(pa.decimal128(20, 0))},
        {"number": pa.array([float(NUMBER)])}, {"number": pa.array([NUMBER]).cast(pa.decimal128(22, 2))},
        {"at": pa.array([20260101])}, {"at": pa.array([1767229200.0])}, {"at": pa.array([1767229200000])},
        {"event": pa.array(["cancelled"]).dictionary_encode()}, {"at": pa.array([date(2026, 1, 1)], pa.date64())},
        {"at": pa.array([datetime(2026, 1, 1, 1, tzinfo=UTC)], pa.timestamp("ns"))},
        {"at": pa.array([datetime(2026, 1, 1, 1, tzinfo=UTC)], pa.timestamp("s", "Asia/Shanghai"))},
    ],
    ids=["view", "large", "bytes", "unsigned", "whole decimal", "float", "decimal", "packed", "seconds", "milliseconds",
         "dictionary", "date64", "nanoseconds", "zone"],
)  # fmt: skip
def test_every_type_that_says_the_same_is_read(columns: dict[str, pa.Array], tmp_path: Path) -> None:
    assert read(parquet(tmp_path, **columns)) == ([(NUMBER, "2026-01-01")], [])


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"number": pa.array([[NUMBER]])}, r"column number is list<.*int64>; write it as text"),
        ({"event": pa.array([["cancelled"]])}, "column event is list"), ({"at": pa.array([True])}, "column at is bool"),
        ({"at": pa.array([["2026-01-01"]])}, "column at is list"),
        ({"event": pa.array([{"a": 1}])}, "column event is struct"),
        ({"number": pa.array([b"\xff\xfe8613"], pa.binary())}, "column number holds bytes that are no text"),
        ({"at": pa.array([0], pa.timestamp("s", "Mars/Olympus"))}, "column at is timestamp"),
    ],
)  # fmt: skip
def test_a_type_that_says_something_else_is_refused_with_what_to_write(
    columns: dict[str, pa.Array], why: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=why):
        read(parquet(tmp_path, **columns))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"number": pa.array([2**64 - 1], pa.uint64())}, "not a whole mobile number"),
        ({"at": pa.array([300_000_000_000], pa.timestamp("s"))}, "can't be read"),
        ({"at": pa.array([2**62], pa.timestamp("us"))}, "can't be read"),
        ({"at": pa.array([2**31 - 1], pa.int32()).cast(pa.date32())}, "can't be read"),
        ({"at": pa.array(["9999-12-31T23:59:59-12:00"])}, "can't be read"),
        ({"at": pa.array([b"yesterday"], pa.binary())}, "time 'yesterday' can't be read"),
    ],
)
def test_a_value_beyond_all_bounds_is_a_bad_line(columns: dict[str, pa.Array], why: str, tmp_path: Path) -> None:
    good, bad = read(parquet(tmp_path, **columns))
    assert good == []
    assert [fault.line for fault in bad] == [1]
    assert why in bad[0].reason


def test_days_where_numbers_belong_are_bad_lines(tmp_path: Path) -> None:
    two = {"event": pa.array(["cancelled"] * 2), "at": pa.array(["2026-01-01"] * 2)}
    good, bad = read(parquet(tmp_path, number=pa.array([date(2026, 1, 1), None]), **two))
    assert good == []
    assert len(bad) == 2


def test_receipts_and_holds_refuse_the_same_types(tmp_path: Path) -> None:
    """A partner's program got 500 for these, which says that the fault is ours and to try again."""
    path = tmp_path / "receipt.parquet"
    outcome = {"number": pa.array([f"+{NUMBER}"]), "outcome": pa.array(["pending"])}
    roster = Roster(np.array([NUMBER]))
    for until in (pa.array([["2026-12-01"]]), pa.array([300_000_000_000], pa.timestamp("s"))):
        pq.write_table(pa.table(outcome | {"until": until}), path)
        with pytest.raises(BadInput):
            parse_receipt(tables.inspect(path), roster, Purpose.RENEWAL, "Asia/Shanghai")
    pq.write_table(pa.table(outcome | {"until": pa.array([None], pa.float64())}), path)  # nobody filled the column
    assert parse_receipt(tables.inspect(path), roster, Purpose.RENEWAL, "Asia/Shanghai").lines == 1
    pq.write_table(pa.table({"number": pa.array([[NUMBER]])}), path)
    with pytest.raises(BadInput, match="write it as text"):
        read_numbers(path, PLAN)


def csv(path: Path, text: str) -> Path:
    path = path / "report.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_values_may_stand_in_quotes_with_spaces_around(tmp_path: Path) -> None:
    """As some databases export them: the CSV reader leaves quotes that do not begin the cell."""
    body = f'number,event,at\n"+{NUMBER}" , "cancelled" , "2026-01-01"\n "{NUMBER + 1}" ," Cancelled" , " 2026-01-02 "\n'
    good = [(NUMBER, "2026-01-01"), (NUMBER + 1, "2026-01-02")]
    assert read(csv(tmp_path, body)) == (good, [])
    good_then_bad, bad = read(csv(tmp_path, body + f' "+{NUMBER}" , "gone" , "2026-01-01"\n "" , "" , ""\n'))
    assert good_then_bad == good
    assert [(fault.line, fault.text) for fault in bad] == [(4, f"+{NUMBER},gone,2026-01-01")]
    path = csv(tmp_path, f'number, outcome, until\n "+{NUMBER}" , "pending" , ""\n')
    assert parse_receipt(tables.inspect(path), Roster(np.array([NUMBER])), Purpose.RENEWAL, "Asia/Shanghai").lines == 1


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_separator_separates_as_well(mark: str, tmp_path: Path) -> None:
    """As a German Excel and many databases write it; a cell in quotes may hold it."""
    text = f'number,event,at,note\n+{NUMBER},cancelled,2026-01-01,"a,b"\n'
    assert read(csv(tmp_path, text.replace(",", mark))) == ([(NUMBER, "2026-01-01")], [])


def test_a_separator_that_is_none_is_named(tmp_path: Path) -> None:
    """ "number is missing" sends people looking at the wrong thing."""
    path = csv(tmp_path, f"number,event,at\n+{NUMBER},cancelled,2026-01-01\n".replace(",", "\N{FULLWIDTH COMMA}"))
    with pytest.raises(BadInput, match=r"report\.csv, line 1: the columns are separated by full-width commas"):
        read(path)


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_program_that_sends_a_workbook_is_told_so(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"receipt.{suffix}"
    Workbook().save(path)
    if suffix == "xls":
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    with pytest.raises(tables.BadTable, match=r"Excel workbook; save it in Excel as CSV"):
        tables.inspect(path, workbooks=False)


def test_a_damaged_file_is_told_in_our_words_and_the_library_s_go_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page in Chinese that says "zlib inflate failed" helps nobody; whoever runs the server may need it."""
    path = parquet(tmp_path)
    path.write_bytes(b"PAR1" + b"\x00" * 64)
    with pytest.raises(BadInput) as refused:
        read(path)
    assert refused.value.said == "report.parquet: the file is damaged or no Parquet; export it again"
    assert refused.value.faults == ()
    assert "ArrowInvalid" in caplog.text
    path.write_bytes(gzip.compress(b"number,event,at\n" * 100)[:-12])
    with pytest.raises(tables.BadTable, match=r"^the file is damaged or cut short; send it again$"):
        tables.inspect(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "line",
    [f'"+{NUMBER},cancelled,2026-01-01', f'+{NUMBER},"cancelled,2026-01-01', f'"+{NUMBER}","cancelled","2026-01-01'],
    ids=["number", "event", "time"],
)
def test_a_quote_that_is_not_closed_is_named_with_its_line(line: str, end: str, tmp_path: Path) -> None:
    """It swallows the lines after it: a file of a million lines was "1 of 1 lines", with all of them quoted as one value."""
    good, quoted = f"+{NUMBER},cancelled,2026-01-01", f'"+{NUMBER}","cancelled","2026-01-01"'
    for after in ([good, good], [quoted, quoted]):
        path = csv(tmp_path, end.join(["number,event,at", good, quoted, line, *after, ""]))
        with pytest.raises(BadInput, match=r"^report\.csv, line 4: a quote"):
            read(path)


def test_a_cell_of_two_lines_is_no_open_quote(tmp_path: Path) -> None:
    path = csv(
        tmp_path, f'note,number,event,at\n"two\nlines",+{NUMBER},cancelled,2026-01-01\n5" pipe,{NUMBER},opened,2020-01-01'
    )
    assert read(path) == ([(NUMBER, "2026-01-01"), (NUMBER, "2020-01-01")], [])


def test_a_carriers_report_has_the_numbers_of_its_country_as_a_spreadsheet_has_them(tmp_path: Path) -> None:
    """Of 26 exports of billing systems one got in: none of them writes +86."""
    said = ["13800138000", "8613800138000", "008613800138000", "86-138-0013-8000", '"=""13800138000"""', "'13800138000",
            "138\u00a00013 8000", "１３８００１３８０００", "8.613800138000E+12", "13800138000.0",
            "\u200b13800138000"]  # fmt: skip
    lines = "".join(f"{one},cancelled,2026-01-{day:02}\n" for day, one in enumerate(said, start=1))
    good, bad = read(
        csv(tmp_path, f"number,event,at\n{lines}13800138,cancelled,2026-01-31\n1.38E+10,cancelled,2026-01-31\n")
    )
    assert good == [(NUMBER, f"2026-01-{day:02}") for day in range(1, len(said) + 1)]
    assert [(fault.line, fault.reason.split(";")[0]) for fault in bad] == [
        (len(said) + 2, "not a whole mobile number (8 digits)"),
        (len(said) + 3, "1.38E+10 is a number that a spreadsheet rounded"),
    ]


def test_a_report_has_the_times_of_its_spreadsheet(tmp_path: Path) -> None:
    said = ["2026/3/1", "2026-3-1 8:05", "2026-03-01 08:00", "2026年3月1日", "2026.3.1", "20260301", "20260301080000",
            "1772323200", "2026-03-01 08:00:00 +0800", "2026/3/1 下午 3:05", "2026/2/28 24:00"]  # fmt: skip
    lines = "".join(f"{NUMBER + row},cancelled,{one}\n" for row, one in enumerate(said))
    good, bad = read(csv(tmp_path, f"number,event,at\n{lines}{NUMBER},cancelled,46082\n"))
    assert good == [(NUMBER + row, "2026-03-01") for row in range(len(said))]
    assert [(fault.line, "can't be read; write it like" in fault.reason) for fault in bad] == [(len(said) + 2, True)]


def test_days_that_may_be_two_are_read_as_the_rest_of_the_file_shows(tmp_path: Path) -> None:
    """What shows it may stand a million lines further down. A file that shows both orders shows none."""
    many = "".join(f"+{NUMBER + row},cancelled,03/04/2026\n" for row in range(100_000))
    last = f"+{NUMBER - 1},cancelled,25/12/2025\n"
    good, bad = read(csv(tmp_path, f"number,event,at\n{many}{last}"))
    assert (len(good), bad, {day for _, day in good}) == (100_001, [], {"2026-04-03", "2025-12-25"})
    unclear = f"+{NUMBER},cancelled,03/04/2026\n"
    good, bad = read(csv(tmp_path, f"number,event,at\n{unclear}"))
    assert (good, [fault.line for fault in bad], "may be two days" in bad[0].reason) == ([], [2], True)
    both = f"+{NUMBER + 1},cancelled,12/25/2025\n"
    good, bad = read(csv(tmp_path, f"number,event,at\n{unclear}{last}{both}"))
    assert [fault.line for fault in bad] == [2]


def test_a_report_has_the_words_of_its_trade_and_a_word_that_does_not_say_which_event_is_refused_as_such(
    tmp_path: Path,
) -> None:
    said = "".join(f"{NUMBER + row},{event},2026/1/1\n" for row, event in enumerate(("拆机", "携号转网", "走了")))
    good, bad = read(csv(tmp_path, f"手机号,业务类型,操作时间\n{said}"))
    assert good == [(NUMBER, "2026-01-01")]
    assert "does not say whether the number came or went" in bad[0].reason
    assert "it is one of opened, cancelled" in bad[1].reason


def test_a_workbook_whose_cells_are_numbers_is_read_as_its_reader_sees_it(tmp_path: Path) -> None:
    """Days that are not formatted as days are numbers of days; numbers with seven zeros at their end were rounded."""
    book = Workbook()
    for row in (
        ("手机号", "状态", "日期"),
        (13800138000, "销户", 46023),
        (13800138001, "销户", 46023.5),
        (13810000000, "销户", 46023),
    ):
        book.active.append(row)
    book.save(tmp_path / "report.xlsx")
    good, bad = read(tmp_path / "report.xlsx")
    assert good == [(NUMBER, "2026-01-01"), (NUMBER + 1, "2026-01-01")]
    assert [(fault.line, "rounded" in fault.reason) for fault in bad] == [(4, True)]


def test_a_report_may_name_the_region_of_its_numbers(tmp_path: Path) -> None:
    """What 11 digits mean is the carrier's country's to say, unless who sends the file says another."""
    path = csv(tmp_path, "number,event,at\n021 123 4567,cancelled,2026-01-01\n")
    south = Carrier(code="south", name="South", zone=PLAN.carriers["cmcc"].zone, prefixes=("6421",))
    plan = chinese_plan({"south": south})
    for carrier in (south, PLAN.carriers["cmcc"].writing_in("NZ")):
        [(lines, faults)] = read_lines(tables.inspect(path), carrier=carrier, plan=plan, now=NOW)
        assert (lines.number.tolist(), faults) == ([64211234567], [])
    [(lines, faults)] = read_lines(tables.inspect(path), carrier=PLAN.carriers["cmcc"], plan=plan, now=NOW)
    assert (len(lines), len(faults)) == (0, 1)
    with pytest.raises(BadInput, match="XX is no region"):
        south.writing_in("XX")


def test_a_time_in_the_future_is_shown_as_it_was_written(tmp_path: Path) -> None:
    """In UTC it was another day, one that stands nowhere in the carrier's file."""
    _, bad = read(csv(tmp_path, f"number,event,at\n+{NUMBER},cancelled, 2099-01-05\n"))
    assert "(2099-01-05)" in bad[0].reason


def test_bad_lines_that_are_mended_in_a_spreadsheet_run_nothing_there(tmp_path: Path) -> None:
    path = csv(tmp_path, f"number,event,at\n+86 {str(NUMBER)[2:]},gone,2026-01-01\n+{NUMBER},=HYPERLINK(1),@SUM(1)\n")
    _, bad = read(path)
    write_rejects(path, bad)
    lines = path.read_text().splitlines()
    assert lines[1].startswith(f"+86 {str(NUMBER)[2:]},gone,"), "a number stays as it was written"
    assert lines[2].startswith(f"+{NUMBER},'=HYPERLINK(1),'@SUM(1),")


@pytest.mark.parametrize(("encoding", "last"), [("utf-16", "x"), ("gb18030", "号"), ("utf-8", "号")])
def test_a_file_that_ends_within_a_character_was_cut_and_is_refused_whole(tmp_path: Path, encoding: str, last: str) -> None:
    """What is left reads like a whole file with fewer lines."""
    path = tmp_path / "cut.csv"
    path.write_bytes(f"号码,event,at\n+{NUMBER},cancelled,2026-01-01\n{last}".encode(encoding)[:-1])
    with pytest.raises((BadInput, tables.BadTable), match="cut short"):
        read(path)


def test_a_rejects_file_that_nobody_mended_is_refused_again(tmp_path: Path) -> None:
    """Its surplus cells were dropped: what had been refused was taken, with whichever three cells came first."""
    path = csv(tmp_path, f"number,event,at\n+{NUMBER},cancelled,2026-01-01,2026-02-01\n+{NUMBER},cancelled\n")
    _, bad = read(path)
    write_rejects(path, bad)
    good, again = read(path)
    assert good == []
    assert [fault.line for fault in sorted(again, key=lambda fault: fault.line)] == [2, 3]
    path.write_text(path.read_text().replace(",2026-02-01", ""))
    assert read(path)[0] == [(NUMBER, "2026-01-01")]
