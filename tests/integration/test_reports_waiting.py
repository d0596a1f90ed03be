"""A report that is uploaded is shown first, as it was understood, and taken only when whoever uploaded it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from huanxin.domain.operators import Role
from huanxin.store.report import reports, waiting
from huanxin.web.pages.console import waiting_reports
from huanxin.work.workers import Sweeper
from operators import reported, signed_in
from town import Town, settings_of, town

GOOD = "13900000001\t销户\t2026-11-01"
HEADING = "号码\t事件\t时间"


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def li(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as browser:
        yield browser


def upload(who: httpx.Client, *lines: str, name: str = "三月.txt", **fields: str) -> httpx.Response:
    content = "\r\n".join(["三月清单", HEADING, *lines, "合计\t1", ""]).encode("gb18030")
    return who.post("/console/reports", data={"carrier": "cmcc"} | fields, files={"file": (name, content)})


def taken(place: Town) -> int:
    """How many reports were taken since the town was made."""
    with place.platform.read() as seen:
        return len(reports.all_reports(seen.tx)) - 1


def waits(place: Town) -> int:
    with place.platform.database.transaction() as tx:
        return len(tx.execute("SELECT id FROM report_waiting").fetchall())


def test_a_report_is_shown_as_it_was_understood_and_taken_when_its_sender_says_so(place: Town, li: httpx.Client) -> None:
    asked = upload(li, GOOD)
    assert asked.url.path == "/console/reports/waiting/1"
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", asked.text))
    for said in ("要收下这份上报吗", "GB18030", "第 2 行，以制表符分列", "99999999999", "139****0001", "销户",
                 "9999-99-99", "Asia/Shanghai"):  # fmt: skip
        assert said in plain, said
    assert "13900000001" not in plain
    assert taken(place) == 0, "nothing is taken by looking"
    assert "三月.txt" in li.get("/console/reports").text, "it can be found again"
    done = reported(li, asked)
    assert "已收下" in done.text
    assert (taken(place), waits(place)) == (1, 0)
    assert li.get("/console/reports/waiting/1").status_code == 404
    assert "/uploads/" in upload(li, GOOD).url.path, "what was taken before is said at once"


def test_a_report_that_is_discarded_leaves_nothing(place: Town, li: httpx.Client) -> None:
    asked = upload(li, GOOD)
    assert li.post(f"{asked.url.path}/discard").url.path == "/console/reports"
    assert (taken(place), waits(place)) == (0, 0)
    with place.platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM report_waiting_piece").fetchone() == (0,)


def test_bad_lines_are_left_out_only_where_that_was_asked_for_and_shown_before(place: Town, li: httpx.Client) -> None:
    bad = "13900000002\t不明\t2026-11-01"
    refused = upload(li, GOOD, bad)
    assert "/uploads/" in refused.url.path
    assert ("文件怎样被理解" in refused.text, waits(place)) == (True, 0)
    asked = upload(li, GOOD, bad, skip_bad="yes")
    assert "/waiting/" in asked.url.path
    assert "第 4 行" in asked.text
    assert (taken(place), "已收下" in reported(li, asked).text, taken(place)) == (0, True, 1)


def test_nobody_else_takes_it_or_sees_it(place: Town, li: httpx.Client) -> None:
    """Two who upload at once would take each other's."""
    asked = upload(li, GOOD)
    (seen,) = re.findall('name="sha256" value="([0-9a-f]{64})"', asked.text)
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="wang")) as wang:
        assert wang.get(asked.url.path).status_code == 404
        assert wang.post(f"{asked.url.path}/take", data={"sha256": seen}).status_code == 404
        assert wang.post(f"{asked.url.path}/discard").status_code == 404
        assert "三月.txt" not in wang.get("/console/reports").text
    assert (taken(place), waits(place)) == (0, 1)


def test_what_is_taken_is_what_was_looked_at(place: Town, li: httpx.Client) -> None:
    """Whatever changes on the way, on the page or in the store, is not taken."""
    asked = upload(li, GOOD)
    other = upload(li, GOOD.replace("0001", "0003"))
    (seen,) = re.findall('name="sha256" value="([0-9a-f]{64})"', other.text)
    assert li.post(f"{asked.url.path}/take", data={"sha256": seen}).status_code == 409
    assert li.post(f"{asked.url.path}/take").status_code == 409
    with place.platform.database.transaction() as tx:
        tx.execute(
            "UPDATE report_waiting_piece SET content = other.content FROM report_waiting_piece other"
            " WHERE report_waiting_piece.waiting_id = 1 AND other.waiting_id = 2"
        )
    assert reported(li, asked).status_code == 409
    assert taken(place) == 0
    assert "已收下" in reported(li, other).text


def test_it_waits_some_hours_and_no_longer(place: Town, li: httpx.Client, tmp_path: Path, dsn: str) -> None:
    asked = upload(li, GOOD)
    place.clock.forward(hours=4)
    assert reported(li, asked).status_code == 404
    assert (taken(place), waits(place)) == (0, 1)
    Sweeper(platform=place.platform, settings=settings_of(dsn, tmp_path)).one_job()
    assert waits(place) == 0, "a worker lets it go"


def test_what_waits_takes_little_room(place: Town, li: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = upload(li, GOOD)
    for at in range(2, 5):
        assert "/waiting/" in upload(li, GOOD.replace("0001", f"000{at}")).url.path
    assert waits(place) == waiting_reports.MOST_WAITING, "the oldest of one person is gone"
    assert li.get(first.url.path).status_code == 404
    monkeypatch.setattr(waiting_reports, "_ROOM", 10)
    full = upload(li, GOOD.replace("0001", "0009"))
    assert (full.status_code, "没有空间" in full.text) == (429, True)
    assert waits(place) == waiting_reports.MOST_WAITING


def test_a_report_is_judged_anew_when_it_is_taken(place: Town, li: httpx.Client) -> None:
    """What came between may contradict it."""
    asked = upload(li, GOOD.replace("销户", "携出"))
    reported(li, upload(li, GOOD.replace("销户", "携出").replace("2026-11-01", "2026-10-01")))
    refused = reported(li, asked)
    assert "已拒收" in refused.text
    assert (taken(place), waits(place)) == (1, 0)


def test_a_first_day_is_shown_and_asked_for_as_well(place: Town, li: httpx.Client) -> None:
    lines = "number,state,since\n+8613900000001,in_service,\n+8613900000002,never_sold,\n"
    sent = {"file": ("first.csv", lines.encode())}
    asked = li.post("/console/reports", data={"carrier": "cmcc", "kind": "baseline"}, files=sent)
    assert "/waiting/" in asked.url.path
    assert ("never_sold" in asked.text, taken(place)) == (True, 0)
    assert "已收下" in reported(li, asked).text
    with place.platform.read() as seen:
        assert [one.kind for one in reports.all_reports(seen.tx)][-1] == "baseline"


def test_a_large_report_waits_in_pieces(place: Town, li: httpx.Client) -> None:
    lines = [f"139{at:08}\t销户\t2026-11-01" for at in range(100_000)]
    done = reported(li, upload(li, *lines))
    assert "100,000" in done.text.replace("，", ",") or "10 万" in done.text
    assert taken(place) == 1


def test_the_store_says_until_when_it_waits() -> None:
    assert waiting.KEPT.total_seconds() == 4 * 3600
