"""Reports come as they come. A line lost or misread here is a number sold too early, or never."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huanxin.acts import Platform
from huanxin.domain.errors import BadInput
from huanxin.numbersets.sharded import SHARD_SIZE, load, shard_of
from huanxin.report.importing import Imported
from huanxin.store.report import reports
from ordering import imported

Report = Callable[..., Path]
NUMBER = 8613800138000
LINES = (f"+{NUMBER},opened,2020-01-01T08:00:00+08:00", f"+{NUMBER},cancelled,2026-03-01T23:30:00+08:00")


def history(platform: Platform, number: int = NUMBER) -> list[tuple[str, str]]:
    with platform.database.transaction() as tx:
        found = reports.history(tx, shard=shard_of(number), holds_number=lambda stored: number % SHARD_SIZE in load(stored))
    return [(str(entry.day), entry.event) for entry in found]


EXPECTED = [("2020-01-01", "opened"), ("2026-03-01", "cancelled")]


@pytest.mark.parametrize(
    ("heading", "lines", "encoding", "end"),
    [
        ("number,event,at", LINES, "utf-8", "\n"),
        ("number,event,at", LINES, "utf-8-sig", "\r\n"),
        ("number,event,at", tuple(",".join(f'" {cell} "' for cell in line.split(",")) for line in LINES), "utf-8", "\n"),
        ("号码,省份,事件,时间", (f"{NUMBER},广东,开户,2020-01-01", f"{NUMBER},广东,销户,2026-03-01"), "gb18030", "\r\n"),
        ("at,number,event", tuple(",".join((at, n, e)) for n, e, at in (line.split(",") for line in LINES)), "utf-16", "\n"),
    ],
    ids=["plain", "spreadsheet", "quoted and spaced", "Chinese", "UTF-16, other order"],
)
def test_a_report_reads_the_same_in_every_form(
    platform: Platform, report: Report, heading: str, lines: tuple[str, ...], encoding: str, end: str
) -> None:
    done = imported(platform, report(*lines, heading=heading, encoding=encoding, end=end), carrier="cmcc", by="li")
    assert done.imported.accepted == 2
    assert history(platform) == EXPECTED


def test_gzip_and_parquet_read_like_csv(platform: Platform, tmp_path: Path) -> None:
    packed = tmp_path / "report.csv.gz"
    packed.write_bytes(gzip.compress("\n".join(["number,event,at", LINES[0]]).encode()))
    imported(platform, packed, carrier="cmcc", by="li")
    table = pa.table({
        "number": pa.array([NUMBER], pa.int64()), "event": ["cancelled"],
        "at": pa.array([datetime(2026, 3, 1, 15, 30, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "report.parquet")
    imported(platform, tmp_path / "report.parquet", carrier="cmcc", by="li")
    assert history(platform) == EXPECTED


def test_a_bad_file_is_refused_whole_and_each_line_says_why(platform: Platform, report: Report) -> None:
    path = report(
        *LINES,
        "8.61E+12,opened,2026-01-01",
        "1380013800,opened,2026-01-01",
        "",
        "+8613800138002,vanished,2026-01-01",
        "+8613800138003,opened,2099-01-01",
        "+8613800138004,opened,2026-02-30",
        "+8613000138005,opened,2026-01-01",
        "+8613800138006,reclaimed,2026-01-01",
        "+8613800138007,opened",
    )
    with pytest.raises(BadInput) as refused:
        imported(platform, path, carrier="cmcc", by="li")
    reasons = {fault.line: fault.reason for fault in refused.value.faults}
    assert sorted(reasons) == [4, 5, 7, 8, 9, 10, 11, 12]
    words = ("spreadsheet", "10 digits", "vanished", "future", "2026-02-30", "cucc", "cancellation", "2 columns")
    for line, word in zip(sorted(reasons), words, strict=True):
        assert word in reasons[line]
    assert history(platform) == []


@pytest.mark.parametrize("at", ["0226-11-20", "1986-12-31", "0001-01-01T00:00:00+08:00"])
def test_a_year_that_slipped_ends_no_freeze(platform: Platform, report: Report, at: str) -> None:
    """A cancellation of the year 226 would be sold tomorrow; and once on record no fact can be taken back."""
    good = f"+{NUMBER + 1},opened,2026-01-01"
    with pytest.raises(BadInput) as refused:
        imported(platform, report(good, f"+{NUMBER},cancelled,{at}"), carrier="cmcc", by="li")
    assert [(fault.line, f"{at} lies before 1987" in fault.reason) for fault in refused.value.faults] == [(3, True)]
    done = imported(platform, report(good, f"+{NUMBER},cancelled,{at}"), carrier="cmcc", by="li", skip_bad=True)
    assert (done.imported.accepted, history(platform, NUMBER + 1)) == (1, [("2026-01-01", "opened")])
    assert history(platform) == []


def test_a_number_that_is_cancelled_three_hundred_times_a_day_is_refused_by_line(platform: Platform, report: Report) -> None:
    events = ("cancelled", "reclaimed") * 150
    lines = [f"+{NUMBER},{event},2026-03-01T08:{n // 60:02}:{n % 60:02}+08:00" for n, event in enumerate(events)]
    with pytest.raises(BadInput) as refused:
        imported(platform, report(*lines), carrier="cmcc", by="li")
    assert [fault.line for fault in refused.value.faults] == list(range(258, 302))
    assert "more than 256 times" in refused.value.faults[0].reason


def test_skip_bad_takes_the_good_lines_and_hands_back_the_others(platform: Platform, report: Report) -> None:
    done = imported(platform, report(*LINES, "nonsense,opened,2026-01-01"), carrier="cmcc", by="li", skip_bad=True)
    assert [fault.line for fault in done.imported.faults] == [4]
    assert history(platform) == EXPECTED


def test_importing_twice_changes_nothing_even_under_another_name_or_with_more_lines(
    platform: Platform, report: Report
) -> None:
    imported(platform, report(*LINES), carrier="cmcc", by="li")
    assert imported(platform, report(*LINES, name="again.csv"), carrier="cmcc", by="li").imported.already
    more = imported(platform, report(*LINES, LINES[1], f"+{NUMBER + 1},opened,2026-01-01"), carrier="cmcc", by="li")
    assert (more.imported.known, more.imported.accepted) == (3, 1)
    assert history(platform) == EXPECTED


def test_cancelled_reclaimed_and_cancelled_on_one_day_keeps_its_order(platform: Platform, report: Report) -> None:
    day = "2026-03-01T{}:00:00+08:00"
    events = [("cancelled", "09"), ("reclaimed", "11"), ("cancelled", "15")]
    path = report(LINES[0], *(f"+{NUMBER},{event},{day.format(hour)}" for event, hour in reversed(events)))
    imported(platform, path, carrier="cmcc", by="li")
    assert [event for _, event in history(platform)] == ["opened", "cancelled", "reclaimed", "cancelled"]


def test_facts_can_not_be_edited_or_deleted(platform: Platform, report: Report) -> None:
    """Rule 6, held by the database itself against anyone who can write SQL."""
    imported(platform, report(*LINES), carrier="cmcc", by="li")
    for order in ("UPDATE report SET carrier = 'x'", "DELETE FROM report_set", "TRUNCATE report_set"):
        with pytest.raises(psycopg.errors.RaiseException, match="never edited"), platform.database.transaction() as tx:
            tx.execute(order)


def test_a_report_of_nothing_is_not_recorded(platform: Platform, report: Report) -> None:
    """An export that failed half way leaves the header: taken, it would say that nothing happened."""
    for lines in ((), (",,", "")):
        with pytest.raises(BadInput, match=r"no line after the header.*export it again"):
            imported(platform, report(*lines), carrier="cmcc", by="li")
    with platform.database.transaction() as tx:
        assert reports.all_reports(tx) == []


def at_once(platform: Platform, *paths: Path) -> list[Imported | BadInput]:
    """What came of reports that were all read before one of them was recorded."""
    together = Barrier(len(paths))

    def progress(step: str, _: int) -> None:
        if step.startswith("checking"):
            together.wait(timeout=30)

    def take(path: Path) -> Imported | BadInput:
        try:
            return imported(platform, path, carrier="cmcc", by="li", progress=progress).imported
        except BadInput as error:
            return error

    with ThreadPoolExecutor(len(paths)) as clerks:
        return list(clerks.map(take, paths))


def test_the_same_report_twice_at_once_is_one_report(platform: Platform, report: Report) -> None:
    """A clerk clicks twice: they were told that the platform broke."""
    path = report(*LINES)
    done = at_once(platform, path, path, path)
    assert all(isinstance(one, Imported) for one in done)
    assert sorted(one.already for one in done if isinstance(one, Imported)) == [False, True, True]
    assert history(platform) == EXPECTED


def test_reports_that_come_at_once_are_judged_one_after_the_other(platform: Platform, report: Report) -> None:
    """Each was judged by what was on record before both: a number ended twice, and nobody could say when its freeze ends."""
    imported(platform, report(LINES[0]), carrier="cmcc", by="li")
    one, another = (
        report(f"+{NUMBER},cancelled,2026-0{month}-01", name=f"{month}.csv") for month in (3, 5)
    )  # fmt: skip
    done = at_once(platform, one, another)
    assert sorted(type(came).__name__ for came in done) == ["BadInput", "Imported"]
    assert [event for _, event in history(platform)] == ["opened", "cancelled"]
