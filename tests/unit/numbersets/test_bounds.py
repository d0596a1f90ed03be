"""Files that are small and take all memory, or all time, of whoever reads them carelessly: each is refused, in words, by a
process that goes on. 743 bytes took six gigabytes, and with them the platform of everybody."""

from __future__ import annotations

import gzip
import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import hostile
from huanxin.answer import single
from huanxin.answer.lines import longest, parse_receipt
from huanxin.domain.answers import Purpose
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import chinese_plan
from huanxin.numbersets import apart, parquet, tables
from huanxin.numbersets.roster import Roster
from huanxin.release.holds import read_numbers
from huanxin.report.rejects import rejects_of

NAMES = ("number", "outcome", "reason", "until")
COLUMNS = tables.Columns(names=NAMES, optional=frozenset({"reason", "until"}))
ROSTER = Roster(np.array([8613800138000]))
TOO_MUCH = "takes more memory or time than a list of numbers does"


def read(content: tables.Content, most: int | None = None) -> int:
    """How many lines a file has."""
    with tables.read(tables.inspect(content, most=most, workbooks=True), COLUMNS) as table:
        return sum(len(chunk.lines) for chunk in table.chunks)


def megabytes(of: int) -> int:
    return resource.getrusage(of).ru_maxrss >> 10


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (hostile.one_value(*NAMES), TOO_MUCH), (hostile.one_value(*NAMES, letters=60_000), "longer than 1,000 bytes"),
        (hostile.long_value(*NAMES, letters=1001), "longer than 1,000 bytes"),
        (hostile.many_columns(*NAMES), "has 3,004 columns; a list of numbers has 1,000"),
        (hostile.endless_footer(*NAMES), "damaged or no Parquet"), (hostile.deep_schema(*NAMES), "damaged or no Parquet"),
        (b",".join([b"number", b"outcome", *[b"x"] * 2000]) + b"\n", "has 2,002 columns"),
        (b"number,outcome," + b"x" * 70_000 + b"\n", "the first line is longer than 65,536 bytes"),
        (b"number,outcome\n" + b"8" * 1001 + b",kept\n", "longer than 1,000 bytes"),
        (hostile.zip_of_version_7_4(), "can't be read as an Excel workbook"),
        (hostile.zip_of_many_names(), "can't be read as an Excel workbook"),
        (hostile.zip_of_many_names(""), "holds 100,000 files"), (hostile.ods_of_one_cell_everywhere("number"), TOO_MUCH),
        (hostile.arrow_of_one_value(*NAMES), TOO_MUCH), (hostile.arrow_that_lies(), "damaged or no Parquet"),
    ],
    ids=["one value", "one value, shorter", "a long value", "columns", "footer", "lists in lists", "columns of CSV",
         "a heading", "a long cell", "ZIP 7.4", "names in a workbook", "names in a ZIP", "cells of ods",
         "one value of Arrow", "a lie of Arrow"],
)  # fmt: skip
def test_a_small_file_that_takes_all_memory_is_refused_in_little(content: bytes, why: str) -> None:
    before = megabytes(resource.RUSAGE_SELF)
    with pytest.raises(tables.BadTable, match=why):
        read(content)
    assert megabytes(resource.RUSAGE_SELF) - before < 200
    assert megabytes(resource.RUSAGE_CHILDREN) < 1700


def test_a_workbook_that_shows_one_long_text_everywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(hostile.one_string_everywhere())
    assert path.stat().st_size < 1_000_000
    with pytest.raises(BadInput, match=rf"{TOO_MUCH}|once unpacked, the file is longer"):
        read_numbers(path, chinese_plan())


def test_the_line_of_a_value_that_is_too_long_is_named() -> None:
    with pytest.raises(tables.BadTable) as refused:
        read(b"number,outcome\n" + b"8613800138000,kept\n" * 30 + b"8" * 2000 + b",kept\n")
    assert refused.value.line == 32


def test_a_receipt_of_nothing_but_bad_lines_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Lines with too few columns were counted nowhere: a gigabyte of them took minutes, and in a receipt of requests all
    memory, since each was kept."""
    path = tmp_path / "receipt"
    path.write_bytes(b"number,outcome\n" + b"x\n" * 2_000_000)
    with pytest.raises(BadInput, match="more than twice as many lines"):
        parse_receipt(tables.inspect(path), ROSTER, Purpose.RENEWAL, "Asia/Shanghai")
    with pytest.raises(BadInput, match="at most 10,000 lines"):
        single.read(tables.inspect(path))


def test_a_bad_line_however_long_is_kept_short_and_mended_by_nobody(tmp_path: Path) -> None:
    """A hundred of two megabytes were an answer of two hundred."""
    path = tmp_path / "receipt"
    path.write_bytes(b"number,outcome\n" + b"+8613800138000,kept," + b"x" * 100_000 + b"\n")
    with tables.read(tables.inspect(path), COLUMNS) as table:
        assert [len(chunk.lines) for chunk in table.chunks] == [0]
    ((_, _, text),) = table.ragged
    assert (len(text), text[-1]) == (1001, "…")


def test_a_receipt_may_be_as_long_as_its_notice_needs_and_no_longer() -> None:
    """What may come is known before any of it is unpacked: a notice of ten numbers needs no gigabyte."""
    assert longest(10) < 26_000_000
    assert longest(10_000_000) > 10_000_000 * len("+8613800138000,refused,legal_hold,2026-12-31\n") * 2


def test_a_reader_that_dies_on_its_way_gives_no_part_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames end with an empty one, or the file was not read to its end (rule 7)."""
    lines = hostile.parquet({name: pa.array(["8613800138000"] * 200_000) for name in NAMES})
    assert read(lines) == 200_000
    whole = apart._exactly

    def dies(stream: object, length: int, seen: list[int] = []) -> bytes:  # noqa: B006  # kept between calls
        seen.append(length)
        if len(seen) > 4:
            raise EOFError
        return whole(stream, length)  # type: ignore[arg-type]

    monkeypatch.setattr(apart, "_exactly", dies)
    with pytest.raises(tables.BadTable, match=TOO_MUCH):
        read(lines)


def test_a_reader_without_end_is_ended_by_the_processors_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("def frames(file):\n    while True:\n        pass\n    yield b''\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(apart, "_SECONDS", 1)
    with pytest.raises(tables.BadTable, match=TOO_MUCH):
        list(apart.frames("endless", b"", memory=1 << 30))


def test_readers_that_are_left_early_leave_their_places_to_others() -> None:
    """Three read at a time: a fourth that waited for ever would be the end of all receipts in Parquet."""
    lines = hostile.parquet({name: pa.array(["8613800138000"] * 200_000) for name in NAMES})

    def leave() -> None:
        with tables.read(tables.inspect(lines), COLUMNS) as table:
            next(table.chunks)
            raise BadInput("enough")

    kept = []
    for _ in range(apart._AT_ONCE + 1):
        with pytest.raises(BadInput) as left:
            leave()
        kept.append(left)  # and with it whatever was at work
    assert read(lines) == 200_000


def test_a_lie_about_rows_changes_nothing() -> None:
    """What a header says is the sender's word."""
    lines = hostile.parquet({name: pa.array(["8613800138000"] * 70_000) for name in NAMES})
    with pytest.raises(tables.BadTable, match="once unpacked"):
        read(lines, most=parquet._ROW * 60_000)


def test_a_gzip_file_inside_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "receipt.gz"
    path.write_bytes(gzip.compress(b"number,outcome\n" + b"\n" * 5_000_000))
    with pytest.raises(tables.BadTable, match="once unpacked, the file is longer than 1,048,576 bytes"):
        read(path, most=1 << 20)


def test_what_a_spreadsheet_cannot_read_is_still_written_for_whoever_mends_it() -> None:
    from huanxin.domain.errors import Fault

    bad = [Fault(line=2, reason="no", text=text) for text in ("a\rb,c", "x" * 140_000, '"open', "a\0b")]
    assert rejects_of(bad).count(b"no") == 4
