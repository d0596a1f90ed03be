"""The pool and the reports in the console: what the people at a carrier see, upload, mend and may not see."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from huanxin.domain.lifecycle import Event
from huanxin.figures import summaries
from huanxin.settings import Mode, Settings
from huanxin.store.access import operators
from operators import reported, signed_in
from town import Town, town

CUCC = ("+8613000000001,cancelled,2026-11-01", "+8613000000002,opened,2026-11-01")
GOOD, BAD = "+8613800138100,opened,2026-11-02", "15400138101,opened,2026-11-02"
WHOLE = re.compile(r"\b(?:86)?1[3-9]\d{9}\b")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A town with two people at work: one for all carriers, one for cucc."""

    town: Town
    li: httpx.Client
    wang: httpx.Client

    def count(self) -> None:
        """What the worker does."""
        self.town.clock.forward(minutes=2)
        with self.town.platform.database.transaction() as tx:
            summaries.refresh(tx, self.town.platform)

    def csv(self, who: httpx.Client, address: str) -> list[dict[str, str]]:
        answer = who.get(address)
        assert answer.headers["content-type"].startswith("text/csv"), answer.text
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture
def desk(dsn: str, tmp_path: Path) -> Iterator[Desk]:
    settings = Settings(home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test", workers=2,
                        max_receipt_mb=1)  # fmt: skip
    with town(dsn, tmp_path, settings=settings) as made:
        made.report(*CUCC, carrier="cucc")
        with (
            closing(signed_in(made.url, made.platform, "operator")) as li,
            closing(signed_in(made.url, made.platform, "operator", carrier="cucc")) as wang,
        ):
            yield Desk(town=made, li=li, wang=wang)


def upload(
    who: httpx.Client, *lines: str, name: str = "报告.csv", heading: str = "number,event,at", **fields: str
) -> httpx.Response:
    content = "\n".join([heading, *lines, ""]).encode()
    return reported(who, who.post("/console/reports", data=fields, files={"file": (name, content, "text/csv")}))


def test_the_pool_is_the_same_on_the_page_and_in_its_files_under_every_filter(desk: Desk) -> None:
    assert "尚未统计" in desk.li.get("/console/pool").text
    desk.count()
    page = desk.li.get("/console/pool").text
    assert not WHOLE.search(page.replace("+8613900000000,+8613900009999", "")), "but for the example of an allocation"
    counts = {row["state"]: int(row["numbers"]) for row in desk.csv(desk.li, "/console/pool?format=csv&table=states")}
    assert counts == {
        "never_sold": 20_000 - 6, "in_service": 3, "elsewhere": 1, "frozen": 2, "held": 0, "due": 0, "renewing": 0,
        "clear": 0, "blocked": 0, "released": 0,
    }  # fmt: skip
    for table in ("prefixes", "regions", "carriers"):
        rows = desk.csv(desk.li, f"/console/pool?format=csv&table={table}")
        assert sum(int(row["capacity"]) for row in rows) == 20_000, table
        assert sum(int(row["frozen"]) for row in rows) == 2, table
    days = desk.csv(desk.li, "/console/pool?format=csv&table=days&prefix=%2B861380013")
    assert [(row["cancelled_on"], row["frozen"]) for row in days] == [("2026-10-01", "1")]
    ahead = desk.csv(desk.li, "/console/pool?format=csv&table=ahead&state=frozen")
    assert len(ahead) == 121
    assert [row["sellable_from"] for row in ahead if row["frozen"] != "0"] == ["2026-12-31", "2027-01-31"]
    assert "130****" not in desk.li.get("/console/pool?carrier=cmcc&prefix=1300").text
    assert "没有符合" in desk.li.get("/console/pool?carrier=cmcc&prefix=1300").text
    assert desk.li.get("/console/pool?prefix=hello&lang=en").text.count("so it was left out") == 1
    assert desk.li.get("/console/pool?format=csv&table=nonsense").status_code == 404


def test_an_operator_of_one_carrier_sees_and_uploads_that_carriers_only(desk: Desk) -> None:
    desk.count()
    rows = desk.csv(desk.wang, "/console/pool?carrier=cmcc&format=csv&table=prefixes")
    assert [(row["prefix"], row["carrier"], row["region"]) for row in rows] == [("1300000", "cucc", "山东")]
    assert {row["carrier"] for row in desk.csv(desk.wang, "/console/reports?carrier=cmcc&format=csv")} == {"cucc"}
    assert upload(desk.wang, GOOD, carrier="cmcc").status_code == 403
    refused = upload(desk.li, BAD, carrier="cmcc")
    assert desk.wang.get(refused.url.path).status_code == 404
    assert desk.wang.post(f"{refused.url.path}/rejects").status_code == 404
    taken = upload(desk.wang, "+8613000000003,opened,2026-11-02", carrier="cucc")
    assert taken.status_code == 200
    assert "/console/reports/uploads/" in taken.url.path


def test_a_refused_report_is_downloaded_mended_and_taken_and_whatever_else_is_sent_gets_an_answer(desk: Desk) -> None:
    refused = upload(desk.li, GOOD, BAD, "+8613800138102,opened", carrier="cmcc")
    assert "已拒收" in refused.text
    assert "不在任何已知运营商" in refused.text
    assert "is in no range of a known carrier" in desk.li.get(f"{refused.url.path}?lang=en").text
    assert "不在任何已知运营商" in desk.li.get(f"{refused.url.path}?lang=zh_CN").text
    assert "154****8101" in refused.text
    assert not WHOLE.search(refused.text), "whole numbers are in the file only"
    sent = desk.li.post(f"{refused.url.path}/rejects")
    lines = list(csv.reader(io.StringIO(sent.content.decode("utf-8-sig"))))
    assert lines[0] == ["number", "event", "at", "line", "reason"]
    assert [(line[:3], line[3]) for line in lines[1:]] == [
        (["15400138101", "opened", "2026-11-02"], "3"), (["+8613800138102", "opened", ""], "4"),
    ]  # fmt: skip
    assert [line[4] for line in lines[1:]] == ["154****8101 不在任何已知运营商的手机号段内", "有 2 栏，表头有 3 栏"]
    with desk.town.platform.database.transaction() as tx:
        noted = operators.events(tx, kind="unmasked")
    assert [event.detail["lines"] for event in noted] == [2]
    skipped = upload(desk.li, GOOD, BAD, carrier="cmcc", skip_bad="yes")
    assert "已收下，编号" in skipped.text
    lines[1][0] = "+8613800138101"
    mended = upload(desk.li, *(",".join(line) for line in lines[1:2]), heading=",".join(lines[0]), carrier="cmcc")
    assert "已收下，编号" in mended.text
    again = upload(desk.li, GOOD, BAD, carrier="cmcc", skip_bad="yes")
    assert "没有任何改变" in again.text
    listed = desk.csv(desk.li, "/console/reports?format=csv&carrier=cmcc")
    assert [(row["accepted"], row["rejected"], row["opened"]) for row in listed[:2]] == [("1", "0", "1"), ("1", "1", "1")]
    assert skipped.url.path in desk.li.get("/console/reports").text, "the rejects of an import are a click away"
    # What is no report at all is said to be so.
    assert "没有选择文件" in desk.li.post("/console/reports", data={"carrier": "cmcc"}, files={"x": ("", b"")}).text
    large = upload(desk.li, *([GOOD] * 40_000), carrier="cmcc")
    assert (large.status_code, "大于 1 MB" in large.text) == (413, True)
    assert desk.li.post("/console/reports", data={"carrier": "cmcc"}).status_code == 400
    assert not (desk.town.folder / "home/uploads").exists() or not list((desk.town.folder / "home/uploads").iterdir())
    assert "\\x" not in upload(desk.li, GOOD, carrier="cmcc", name="../../etc/报告.csv").text
    assert "报告.csv" in desk.li.get("/console/reports").text


def test_every_reason_of_a_refusal_is_whole_in_the_readers_language(desk: Desk) -> None:
    """Whoever mends a report reads why each line was refused without looking words up."""
    lines = [
        "+8613000000002,opened,2026-11-03", "+8613000000001,reclaimed,2026-10-01", "+8613000000009,reclaimed,2026-11-03",
        "+8613800138109,cancelled,2026-11-03", "+8612000000000,opened,2026-11-03", "+8613000000005,verkauft,2026-11-03",
        "+8613000000005,opened,gestern", "+8613000000005,opened,2027-11-03", "8.613E+12,opened,2026-11-03",
        "12,opened,2026-11-03",
    ]  # fmt: skip
    page = upload(desk.wang, *lines, carrier="cucc").text
    reasons = re.findall(r"<tr><td class=\"n\">.*?</td><td>(.*?)</td>", page)
    assert len(reasons) == len(lines)
    known = {"cucc", "cmcc", "verkauft", "gestern"} | set(Event)
    assert [one for one in reasons if set(re.findall(r"[A-Za-z_]{3,}", html.unescape(one))) - known] == []
    assert "10 行中有 10 行无法接受" in page
    table = desk.li.post("/console/pool/allocation", data={"carrier": "cucc"}, files={"file": ("x.csv", b"number\n1\n")})
    assert "首行必须列出各栏" in table.text


def test_the_pool_has_the_capacity_of_the_allocation_and_a_regulator_sees_its_figures_only(desk: Desk) -> None:
    def send(text: str) -> httpx.Response:
        return desk.li.post("/console/pool/allocation", data={"carrier": "cmcc"}, files={"file": ("a.csv", text.encode())})

    bad = send("from,to\n+8613000000000,+8613000009999\n")
    assert (bad.status_code, "按码号规划" in bad.text) == (422, True)
    assert send("from,to\n+8613800130000,+8613800139999\n+8613800140000,+8613800149999\n").status_code == 200
    desk.count()
    rows = desk.csv(desk.li, "/console/pool?format=csv&table=carriers")
    assert {row["carrier"]: row["capacity"] for row in rows} == {"cmcc": "20000", "cucc": "10000"}
    with closing(signed_in(desk.town.url, desk.town.platform, "regulator")) as watch:
        page = watch.get("/console/pool")
        assert page.status_code == 200
        assert 'enctype="multipart/form-data"' not in page.text
        assert watch.get("/console/reports").status_code == 403
        assert upload(watch, GOOD, carrier="cmcc").status_code == 403
