"""Reports as programs and people write them: what can be read is read, and what can't is refused with what to do. A
traceback, or a library's words, would leave a carrier's clerk with a file that nobody takes and nobody explains."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huanxin.answer.lines import parse_receipt
from huanxin.domain.answers import Purpose
from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.numbers import chinese_plan
from huanxin.numbersets import tables
from huanxin.numbersets.roster import Roster
from huanxin.plan.holds import read_numbers
from huanxin.report.lines import read_lines

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
        {"event": pa.array(["cancelled"]).dictionary_encode()}, {"at": pa.array([date(2026, 1, 1)], pa.date64())},
        {"at": pa.array([datetime(2026, 1, 1, 1, tzinfo=UTC)], pa.timestamp("ns"))},
        {"at": pa.array([datetime(2026, 1, 1, 1, tzinfo=UTC)], pa.timestamp("s", "Asia/Shanghai"))},
    ],
    ids=["view", "large", "bytes", "unsigned", "whole decimal", "dictionary", "date64", "nanoseconds", "zone"],
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
        ({"number": pa.array([float(NUMBER)])}, "stored as decimals.*export them as text"),
        ({"number": pa.array([NUMBER]).cast(pa.decimal128(22, 2))}, "stored as decimals"),
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
        ({"number": pa.array([2**64 - 1], pa.uint64())}, "not an E.164 number"),
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
        read_numbers(path)


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
