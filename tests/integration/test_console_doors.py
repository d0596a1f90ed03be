"""What the console tells and to whom: no whole number where it says that numbers are masked, no success that did not happen,
and an answer in words to whatever is sent."""

from __future__ import annotations

import gzip
import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huanxin.domain.errors import MOST_FAULTS
from huanxin.domain.operators import Role
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.store.access import operators
from huanxin.store.connect import partners
from huanxin.store.plan import holds
from huanxin.store.release import proposals
from huanxin.store.report import uploads
from huanxin.web.pages.console.forms import LONGEST
from operators import PASSWORD, operator, reported, signed_in
from ordering import plan_now, send_now
from town import RECYCLED, Town, settings_of, town

ONCE = 'class="once" role="status"'
WHOLE = "139000000"
TEMPLATES = Path(__file__).parents[2] / "src/huanxin/web/templates/console"
HOLD = {"source": "公安", "order": "1", "reason": "诈骗", "until": "2027-12-31", "review": "2027-01-31"}


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def li(place: Town) -> Iterator[httpx.Client]:
    """An operator who may do everything but decide and see to people."""
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as browser:
        yield browser


def upload(who: httpx.Client, content: bytes, name: str = "r.csv") -> httpx.Response:
    return reported(who, who.post("/console/reports", data={"carrier": "cmcc"}, files={"file": (name, content)}))


def gzip_of(heading: str, line: str) -> bytes:
    """A few kilobytes that unpack to more than a megabyte."""
    return gzip.compress((f"{heading}\n" + line * (1_200_000 // len(line))).encode())


def parquet_of(heading: str, line: str) -> bytes:
    """A few kilobytes that hold as many rows as a megabyte and a half of lines."""
    out = io.BytesIO()
    rows = {name: [value] * 50_000 for name, value in zip(heading.split(","), line.split(","), strict=True)}
    pq.write_table(pa.table(rows), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("packed", "line"),
    [
        (gzip_of, "\n"), (gzip_of, ",,\n"), (gzip_of, "x"), (gzip_of, "+8613900000001,cancelled,2026-11-01\n"),
        (parquet_of, "+8613900000001,cancelled,2026-11-01"),
    ],
    ids=["blank lines", "lines without values", "no line end", "good lines", "good rows"],
)  # fmt: skip
def test_a_small_file_that_unpacks_without_end_is_not_read_to_its_end(
    dsn: str, tmp_path: Path, packed: Callable[[str, str], bytes], line: str
) -> None:
    """700 kB of Parquet held 67 million rows: some megabytes more took all memory, and the server was gone for everybody. A
    gigabyte of gzip kept one of the two places for large files for days."""
    settings = settings_of(dsn, tmp_path).model_copy(update={"max_receipt_mb": 1})
    with (
        town(dsn, tmp_path, settings=settings) as place,
        closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as li,
    ):
        li.headers["Accept-Language"] = "en"
        report, numbers = packed("number,event,at", line), packed("number", line.split(",")[0] or "\n")
        assert max(len(report), len(numbers)) < 20_000
        most = r"1,048,5\d\d bytes, so nothing of it was taken; send it in parts"
        for told in (upload(li, report), hold(li, "list", numbers)):
            assert re.search(f"once unpacked, the file is longer than {most}", told.text)
        taken = upload(li, b"number,event,at\n+8613900000001,cancelled,2026-11-01\n")
        assert taken.url.path == "/console/reports/uploads/2", "the next one is taken as ever"
        assert list((settings.home / "uploads").iterdir()) == [], "nothing is left behind"


def hold(who: httpx.Client, name: str, content: bytes = b"number\n+8613900000001\n", /, **more: str) -> httpx.Response:
    return who.post("/console/holds", data=HOLD | more, files={"file": (name, content)})


@pytest.mark.parametrize(
    "content",
    [
        "+8613900000001,cancelled,2026-11-01\n+8613900000002,cancelled,2026-11-01\n",
        "number,event,at\n+8613900000001,+8613900000002,2026-11-01\n",
        "number,event,at\n+86 139 0000 0001x,opened,2026-11-01\n+86-139-0000-0001x,opened,2026-11-01\n",
        "number,event,at\n139.0000.0002,opened,1\n",
        "number,event,at\n+8613900000001,opened,139-0000-0002\n",
    ],
)
def test_a_refused_report_shows_no_whole_number_however_it_is_written(li: httpx.Client, content: str) -> None:
    refused = upload(li, content.encode())
    for page in (refused.text, li.get(f"{refused.url.path}?lang=en").text):
        plain = re.sub(r"[ .\-]", "", html.unescape(re.sub(r"<[^>]+>", "\n", page)))
        assert WHOLE not in plain
        assert "139****000" in plain
    assert WHOLE not in li.get("/console/reports").text


def test_a_refused_report_is_kept_as_it_was_sent(place: Town, li: httpx.Client) -> None:
    """What was masked in the record could never be read again, not even by whoever has the right to."""
    number = upload(li, f"number,event,at\n{WHOLE},OA-2026-1130,2026-11-01\n".encode()).url.path.rpartition("/")[2]
    with place.platform.database.transaction() as tx:
        kept = uploads.get(tx, int(number))
    assert kept
    assert (WHOLE in kept.shown[0][2], "OA-2026-1130" in kept.shown[0][2]) == (True, True)


def test_a_refused_hold_or_allocation_shows_no_whole_number(li: httpx.Client) -> None:
    allocation = li.post("/console/pool/allocation", data={"carrier": "cmcc"},
                         files={"file": ("a.csv", b"+8613900000001,+8613900000002\n")})  # fmt: skip
    for refused in (hold(li, "h.csv", b"+8613900000001\n+8613900000002\n"), allocation):
        assert refused.status_code == 422
        assert (WHOLE in refused.text, "139****0001" in refused.text) == (False, True)


def test_an_admin_reads_what_people_saw_and_not_the_numbers(place: Town, li: httpx.Client) -> None:
    found = {"number": RECYCLED, "purpose": "complaint", "ticket": "投诉 2026-11-02 +86 138 0013 8000"}
    assert RECYCLED in li.post("/console/numbers", data=found).text
    with closing(signed_in(place.url, place.platform, Role.ADMIN)) as admin:
        page = admin.get("/console/audit?kind=unmasked").text
        assert (RECYCLED.lstrip("+") in page, "138 0013 8000" in page) == (False, False)
        assert "138****8000" in page
        assert "投诉 2026-11-02" in page
        everybody = admin.get("/console/audit").text
        unknown = admin.get("/console/audit?login=nobody").text
        assert ("没有登录名 nobody" in unknown, "投诉" in unknown, "投诉" in everybody) == (True, False, True)
        assert "投诉" in admin.get("/console/audit?login=LI").text


def test_a_file_without_lines_to_mend_offers_none(li: httpx.Client) -> None:
    for content in (b"\x89PNG\r\n\x1a\n\xff\xfe\xfd", b"\x1f\x8bbroken", b"PAR1broken", b"no,heading\n"):
        refused = upload(li, content)
        assert (refused.status_code, "已拒收" in refused.text) == (200, True)
        assert ("/rejects" in refused.text, "下载问题行" in refused.text) == (False, False)
    assert "/rejects" in upload(li, b"number,event,at\n1,opened,2026-11-01\n").text


def test_a_workbook_whose_last_cell_is_far_away_ends_nothing(li: httpx.Client, tmp_path: Path) -> None:
    """Whoever presses Ctrl-End and a key makes such a one, of two kilobytes; the whole platform ended with it."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "number", "+8613900000001", "x"
    book.save(tmp_path / "h.xlsx")
    refused = hold(li, "h.xlsx", (tmp_path / "h.xlsx").read_bytes())
    assert (refused.status_code, "请导出为 CSV" in refused.text) == (422, True)


def test_a_look_up_that_failed_in_an_uploaded_workbook_is_named_by_its_row(li: httpx.Client, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["number"], ["+8613900000001"], ["=VLOOKUP(A9,B:C,2)"]):
        book.active.append(row)
    book.save(tmp_path / "h.xlsx")
    refused = hold(li, "h.xlsx", (tmp_path / "h.xlsx").read_bytes())
    assert (refused.status_code, "第 3 行：=VLOOKUP(A9,B:C,2) 是表格中的错误值" in refused.text) == (422, True)


@pytest.mark.parametrize("line", [b"x\n", b"+8613900000001,cancelled,yesterday\n"])
def test_a_file_of_nothing_but_bad_lines_is_not_read_to_its_end(li: httpx.Client, line: bytes) -> None:
    """A wrong export of a whole country has millions: each took a thousand bytes, and the platform ended with its memory."""
    refused = upload(li, b"number,event,at\n" + line * (MOST_FAULTS + 50_000))
    assert "超过 100,000 行不能采用" in refused.text
    assert "也没有再读下去" in hold(li, "h.csv", b"number,\n" + b"x\n" * (MOST_FAULTS + 50_000)).text
    allotted = li.post("/console/pool/allocation", data={"carrier": "cmcc"},
                       files={"file": ("a.csv", b"from,to\n" + b"x\n" * (MOST_FAULTS + 50_000))})  # fmt: skip
    assert "也没有再读下去" in allotted.text


def test_an_excel_workbook_is_read_at_every_door(li: httpx.Client, tmp_path: Path) -> None:
    def book(*rows: tuple[str, ...]) -> bytes:
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        made.save(tmp_path / "r.xlsx")
        return (tmp_path / "r.xlsx").read_bytes()

    bad = book(("清单",), ("number", "event", "at"), ("+8613900000001", "gone", "2026-11-01"))
    assert ">3</td>" in upload(li, bad, "r.xlsx").text, "the row of the sheet"
    assert "Excel" not in upload(li, b"PK\x03\x04 some other archive\xff\xff").text.split("<dl")[1].split("<h2")[0]
    allocation = li.post("/console/pool/allocation?lang=en", data={"carrier": "cmcc"},
                         files={"file": ("a.xlsx", book(("from", "to"), ("+8613900000000", "x")))})  # fmt: skip
    assert '<td class="n">2</td>' in allocation.text


@pytest.mark.parametrize(
    "address",
    ["/console/batches?before=x", "/console/batches/x", "/console/pool?page=z", "/console/batches?planning=x",
     "/console/reports?carrier=a%00b", "/console/breaches?kind=a%00b"],
)  # fmt: skip
def test_a_broken_address_leads_to_a_page_in_the_readers_language(li: httpx.Client, address: str) -> None:
    answer = li.get(address)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "没有任何改动" in answer.text or "无法保存" in answer.text
    assert li.get(address, headers={"Accept": "application/json"}).headers["content-type"] == "application/problem+json"


def test_a_page_before_the_first_is_the_first(li: httpx.Client) -> None:
    assert li.get("/console/pool?page=-1").status_code == 200


def test_what_no_form_sends_is_refused_with_the_reason(place: Town, li: httpx.Client) -> None:
    for field, value, said in (("reason", "a\0b", "NUL"), ("reason", "x" * 20_000, "500"), ("source", "x" * 201, "200")):
        refused = hold(li, "h.csv", **{field: value})
        assert (refused.status_code, said in refused.text) == (422, True), said
    with place.platform.database.transaction() as tx:
        assert holds.all_holds(tx) == []
    for name in ("号" * 300 + ".csv", "..", "../../x.csv"):
        assert hold(li, name).status_code == 200, name


def test_a_number_larger_than_any_id_is_refused_with_the_reason(place: Town) -> None:
    place.clock.forward(seconds=100 * 86_400)
    batch = plan_now(place.platform, by="test")
    assert batch
    with closing(signed_in(place.url, place.platform, Role.OPERATOR)) as li:
        large = li.post(f"/console/batches/{batch.id}", data={"do": "escalate", "partner": "9" * 23})
    assert (large.status_code, "数字太大" in large.text) == (422, True)


def test_the_limits_that_forms_state_hold_for_what_is_sent() -> None:
    stated = {
        (name, int(most))
        for file in ("batch", "numbers", "approvals", "holds")
        for name, most in re.findall(r'<input[^>]* name="(\w+)"[^>]* maxlength="(\d+)"',
                                     (TEMPLATES / f"{file}.html").read_text(encoding="utf-8"))
    }  # fmt: skip
    assert stated == set(LONGEST.items())


def test_success_is_told_once_and_never_by_an_address(place: Town, li: httpx.Client) -> None:
    assert ONCE not in li.get("/console/approvals?done=approved&count=99").text
    assert ONCE not in li.get("/console/holds?done=placed&count=99").text
    told = hold(li, "h.csv")
    assert (told.url.path, str(told.url.query)) == ("/console/holds", "b''")
    assert ONCE in told.text
    assert ONCE not in li.get("/console/holds").text, "a reload does not say it again"
    last = li.cookies.get("done")
    assert last is None
    sent = li.post("/console/holds/1/lift", data={"reason": "x"}, follow_redirects=False)
    assert ONCE not in li.get("/console/reports").text
    assert ONCE in li.get(sent.headers["location"]).text, "it waits for the page that it belongs to"
    forged = httpx.Client(base_url=place.url, cookies=dict(li.cookies) | {"done": "e30.e30.x"}, headers=li.headers)
    with closing(forged):
        assert ONCE not in forged.get("/console/holds").text


def test_a_partners_page_tells_success_once_too(place: Town) -> None:
    who = place.partners["晨星商城"]
    phone = place.phone().http
    phone.post("/partner/sign-in", data={"client_id": who.partner.client_id, "client_secret": who.client_secret})
    assert 'role="status"' not in phone.get("/partner/live/stream?done=changed").text
    assert 'role="status"' in phone.post("/partner/live/stream", data={"endpoint": ""}).text
    assert 'role="status"' not in phone.get("/partner/live/stream").text
    assert 'role="status"' not in phone.get("/partner/live/deliveries?done=recovered&count=9").text


def test_a_link_keeps_its_filters_over_the_sign_in(place: Town) -> None:
    operator(place.platform, Role.OPERATOR, login="wang")
    stranger = place.phone().http
    link = "/console/pool?carrier=cmcc&state=due&prefix=%2B86138"
    door = stranger.get(link)
    assert door.url.path == "/console/sign-in"
    to = re.search(r'name="to" value="([^"]*)"', door.text)
    assert to
    inside = stranger.post("/console/sign-in", data={"login": "wang", "password": PASSWORD, "to": html.unescape(to[1])})
    assert str(inside.url).removeprefix(place.url) == link


def test_what_nobody_foresaw_is_answered_with_a_reference_that_stands_in_the_log(
    li: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a wire came loose")

    monkeypatch.setattr(operators, "login_of", breaks)
    page = li.get("/console/holds")
    assert (page.status_code, "我们这边出了问题" in page.text) == (500, True)
    assert page.headers["content-security-policy"]
    program = li.get("/console/holds", headers={"Accept": "application/json"})
    assert program.headers["content-type"] == "application/problem+json"
    for reference in (re.search(r"er_[\w-]+", page.text), re.search(r"er_[\w-]+", program.text)):
        assert reference
        assert reference.group() in caplog.text
    assert "a wire came loose" in caplog.text
    assert "wire" not in page.text + program.text


def test_a_withdrawn_partner_whose_name_another_has_now_is_reminded_and_waived_and_told_apart(
    place: Town, li: httpx.Client
) -> None:
    """Two of one name stood in the choice alike, and a reminder to the one that was told went to the other."""
    former = place.partners["飞燕快递"].partner
    place.report("+8613800138050,cancelled,2026-08-20")
    batch = plan_now(place.platform, by="li")
    assert batch is not None
    send_now(place.platform, batch.id)
    with place.platform.act("li") as act:
        partners.withdraw(act.tx, former.id, reason="closed down", by="li", at=place.platform.now())
        successor = add_partner(act, NewPartner(name=former.name, kind=Kind.APP), https_only=False).partner
    address = f"/console/batches/{batch.id}"
    assert ONCE in li.post(address, data={"do": "remind", "partner": str(former.id)}).text
    send_now(place.platform, batch.id)
    li.headers["Accept-Language"] = "en"
    options = re.findall(r'<option value="(\d+)">飞燕快递( · withdrawn)? \(1\)', li.get(address).text)
    assert sorted(set(options)) == [(str(former.id), " · withdrawn"), (str(successor.id), "")]
    waived = {"do": "waive", "partner": str(former.id), "reason": "closed down"}
    assert ONCE in li.post(address, data=waived).text
    with place.platform.database.transaction() as tx:
        assert [one.partner_id for one in proposals.listed(tx)] == [former.id]


def test_a_day_is_written_as_the_form_says_and_in_no_other_way(li: httpx.Client) -> None:
    """The fourth day of week 52 is a day to Python, and was the last one of a hold."""
    told = hold(li, "list.csv", until="2027-W52-4")
    assert told.status_code == 422
    assert ONCE not in told.text
