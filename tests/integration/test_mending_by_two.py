"""A report is mended by two people in the console: one proposes it, both see what it will do, another approves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from huanxin.domain.operators import Role
from huanxin.release.explain import explain
from huanxin.store.report import reports
from operators import reported, signed_in
from town import Town, town

NUMBER = "+8613800139999"


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def li(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, login="li")) as browser:
        browser.headers["Accept-Language"] = "en"
        yield browser


@pytest.fixture
def wang(place: Town) -> Iterator[httpx.Client]:
    with closing(signed_in(place.url, place.platform, Role.SUPERVISOR, login="wang")) as browser:
        browser.headers["Accept-Language"] = "en"
        yield browser


def taken(who: httpx.Client, place: Town, line: str) -> int:
    file = {"file": ("r.csv", f"number,event,at\n{line}\n".encode())}
    answer = reported(who, who.post("/console/reports", data={"carrier": "cmcc"}, files=file))
    assert answer.status_code == 200, answer.text
    with place.platform.read() as seen:
        return reports.latest(seen.tx)


def history(place: Town) -> tuple[str, ...]:
    with place.platform.read() as seen:
        return explain(seen, int(NUMBER[1:])).history


def test_a_report_is_withdrawn_once_a_second_person_approves(place: Town, li: httpx.Client, wang: httpx.Client) -> None:
    wrong = taken(li, place, f"{NUMBER},cancelled,2026-01-10")
    proposed = li.post("/console/reports/withdraw", data={"report": str(wrong), "reason": "the wrong month"})
    assert "Another supervisor has to approve it" in proposed.text
    assert history(place) == (f"2026-01-10 cancelled (cmcc, report {wrong}: r.csv)",)
    assert li.post("/console/approvals/1", data={"do": "approved", "note": ""}).status_code == 403
    shown = wang.get("/console/approvals/1/preview")
    assert shown.text.lstrip("\ufeff").startswith("number,what,batch")
    assert wang.post("/console/approvals/1", data={"do": "approved", "note": ""}).status_code == 200
    (line,) = history(place)
    assert f"report {wrong}: r.csv); taken back on " in line
    assert "by li and wang, report " in line
    assert "the wrong month" in line
    assert "taken back, since the report was wrong: cancelled" in wang.post("/console/numbers", data={"number": NUMBER}).text


def test_a_freeze_gets_shorter_by_a_correction_that_two_people_want(
    place: Town, li: httpx.Client, wang: httpx.Client
) -> None:
    taken(li, place, f"{NUMBER},cancelled,2026-06-10")
    said = f"number,event,at,instead_of\n{NUMBER},cancelled,2026-01-10,cancelled 2026-06-10\n".encode()
    proposed = li.post(
        "/console/reports/correct", data={"carrier": "cmcc", "reason": "a typo"}, files={"file": ("c.csv", said)}
    )
    assert "Another supervisor has to approve it" in proposed.text
    assert wang.post("/console/approvals/1", data={"do": "approved", "note": ""}).status_code == 200
    assert [line[:20] for line in history(place)] == ["2026-01-10 cancelled", "2026-06-10 cancelled"]


def test_what_can_not_be_mended_is_refused_before_anybody_has_to_decide(place: Town, li: httpx.Client) -> None:
    said = f"number,event,at,instead_of\n{NUMBER},,,cancelled 2026-06-10\n".encode()
    refused = li.post(
        "/console/reports/correct", data={"carrier": "cmcc", "reason": "a typo"}, files={"file": ("c.csv", said)}
    )
    assert refused.status_code == 422
    assert "is not on record of this number" in refused.text
    for report in ("999", "", "x", "9" * 40):
        answer = li.post("/console/reports/withdraw", data={"report": report, "reason": "wrong"})
        assert answer.status_code in (404, 422), report


def test_a_carriers_person_mends_only_its_own_reports(place: Town, li: httpx.Client) -> None:
    wrong = taken(li, place, f"{NUMBER},cancelled,2026-01-10")
    with closing(signed_in(place.url, place.platform, Role.OPERATOR, carrier="cucc", login="zhao")) as zhao:
        answer = zhao.post("/console/reports/withdraw", data={"report": str(wrong), "reason": "wrong"})
        assert answer.status_code == 403
