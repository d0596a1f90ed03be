"""A company goes from nothing to live to a receipt by itself: real servers and processes, over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connecting import RECEIVER, Company, Served, numbers_in, receiving, served_platform, serving_file, settings_of
from huanxin_partner.rehearsal.words import SCENARIOS
from processes import free_port, started, until

BEFORE, AFTER = "2020-01-01T00:00:00Z", f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
NUMBERS = [f"+861380013900{n}" for n in range(6)]

CARELESS = """
import sys
from datetime import timedelta
from huanxin_partner import sqlite_ties
from huanxin_partner.cli import main

right = sqlite_ties.SqliteTies.unbind
sqlite_ties.SqliteTies.unbind = lambda self, numbers, cutoff: right(self, numbers, cutoff + timedelta(days=1))
sys.exit(main())
"""
"""A receiver that cuts the new owner's ties too."""


@pytest.fixture
def served(dsn: str, tmp_path: Path) -> Iterator[Served]:
    with served_platform(dsn, tmp_path / "home") as platform:
        yield platform


def test_from_nothing_to_live_to_a_receipt(served: Served, tmp_path: Path) -> None:
    port, live_port = free_port(), free_port()
    with serving_file(tmp_path / "site") as (domain, put):
        company = Company.registered(served, name="音乐 Musik", domain=domain, endpoint=f"http://127.0.0.1:{port}/events/")
        assert company.todo() == {"domain": "not-yet", "selftest": "not-yet", "admitted": "not-yet", "live": "not-yet",
                                  "live-endpoint": "not-yet"}  # fmt: skip
        refused = company.call("POST", "/domain-proof")
        assert refused.status_code == 409
        assert "answers 404" in refused.json()["detail"]
        put(company.account["challenge"]["text"])
        assert company.call("POST", "/domain-proof").status_code == 200
    assert company.call("POST", "/live", json={}).status_code == 409
    with receiving(tmp_path / "rehearsing", port, company.account["sandbox"]):
        run = company.tested()
    found = {one["scenario"]: (one["state"], one["mend"]) for one in run["scenarios"]}
    assert found == dict.fromkeys(SCENARIOS, ("passed", None))
    assert (run["state"], run["of"]) == ("passed", len(SCENARIOS))
    assert company.todo() == {"admitted": "not-yet", "live": "not-yet", "live-endpoint": "not-yet"}
    assert company.call("POST", "/live", json={}).status_code == 409  # a person decides

    served.order("partner", "admit", "音乐 musik", "--required", "--by", "li")
    answer = company.call("POST", "/live", json={"endpoint": f"http://127.0.0.1:{live_port}/events/"})
    assert answer.status_code == 201, answer.text
    live = answer.json()
    assert live["required"] is True
    assert company.todo() == {"live-endpoint": "not-verified"}
    assert company.call("POST", "/live", json={}).status_code == 409  # the secret is shown once

    ties = {NUMBERS[0]: BEFORE, NUMBERS[1]: AFTER}
    with receiving(tmp_path / "live", live_port, live, ties) as database:
        until(lambda: company.todo() == {})
        batch = sent_batch(served, tmp_path)
        until(lambda: numbers_in(database) == {NUMBERS[1]})
        until(lambda: receipts_of(served, batch) == 1)
    (told,) = served.order("partner", "accounts")["accounts"]
    assert (told["name"], told["state"], told["next"]) == ("音乐 Musik", "live", "")


def sent_batch(served: Served, folder: Path) -> int:
    """Six numbers whose freeze ends soon, reported, planned and sent by the operator."""
    day = f"{datetime.now(UTC) - timedelta(days=82):%Y-%m-%d}"
    report = folder / "report.csv"
    report.write_text("\n".join(["number,event,at", *(f"{number},cancelled,{day}" for number in NUMBERS), ""]))
    served.order("report", "import", str(report), "--carrier", "cmcc")
    batch = int(served.order("batch", "plan")["batch"])
    served.order("batch", "send", str(batch))
    return batch


def receipts_of(served: Served, batch: int) -> int:
    """Partners that have answered all numbers of a batch."""
    partners = served.order("batch", "status", str(batch))["partners"]
    return sum(one["outstanding"] == 0 for one in partners)


def test_a_company_whose_receiver_cuts_the_new_owners_ties_is_told_so_and_does_not_get_in(
    served: Served, tmp_path: Path
) -> None:
    port = free_port()
    with serving_file(tmp_path / "site") as (domain, put):
        company = Company.registered(served, name="careless", domain=domain, endpoint=f"http://127.0.0.1:{port}/events/")
        put(company.account["challenge"]["text"])
        assert company.call("POST", "/domain-proof").status_code == 200
    shop = receiving(tmp_path / "shop", port, company.account["sandbox"], command=CARELESS)
    with shop, ThreadPoolExecutor() as pool:
        by_company = pool.submit(company.tested)
        until(lambda: company.todo()["selftest"] == "running")
        assert "under way" in served.order("partner", "selftest", "careless", code=1)
        run = by_company.result()
    found = {one["scenario"]: one["mend"] for one in run["scenarios"] if one["state"] == "failed"}
    assert (found["on-cutoff"], found["after-cutoff"]) == ("boundary", "boundary")
    mend = next(one["how"] for one in run["scenarios"] if one["scenario"] == "on-cutoff")
    assert "strictly" in mend["en"]
    assert "严格小于" in mend["zh"]
    assert company.todo()["selftest"] == "failed"
    assert "selftest: mend" in served.order("partner", "admit", "careless", code=1)
    assert company.call("POST", "/live", json={}).status_code == 409
    assert served.order("partner", "list")["partners"] == []


def test_a_company_that_cannot_be_reached_polls_and_passes_too(served: Served, tmp_path: Path) -> None:
    """The forged signature among them: the sandbox serves it through the poll."""
    company = Company.registered(served, name="poller", domain="poller.example")
    with started(["-c", RECEIVER, "poll"], environment=settings_of(tmp_path / "shop", company.account["sandbox"])):
        told = served.order("partner", "selftest", "poller", "--by", "li")
    found = {one["scenario"]: (one["state"], one["mend"]) for one in told["scenarios"]}
    assert found == dict.fromkeys(SCENARIOS, ("passed", ""))
    assert told["state"] == "passed"
    assert "selftest" not in company.todo()


def test_a_self_test_that_a_crash_cut_short_is_known_to_be_interrupted_and_starts_again(dsn: str, tmp_path: Path) -> None:
    with listening() as endpoint:
        with served_platform(dsn, tmp_path / "home") as platform:
            company = Company.registered(platform, name="patient", domain="patient.example", endpoint=endpoint)
            run = company.call("POST", "/selftest").json()["run"]
            assert company.call("GET", f"/selftest/{run}").json()["state"] == "running"
        with served_platform(dsn, tmp_path / "home") as platform:  # the first one was killed
            company.platform = platform
            assert company.call("GET", f"/selftest/{run}").json()["state"] == "interrupted"
            assert company.todo()["selftest"] == "interrupted"
            assert company.call("POST", "/selftest").status_code == 202


@contextmanager
def listening() -> Iterator[str]:
    """A port that takes connections and never says a word: a test against it lasts long enough."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/events/"
