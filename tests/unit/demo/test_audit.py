"""The audit finds nothing in a batch that went well, and each thing that went wrong, once planted."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from huanxin.demo import audit as audit_module
from huanxin.demo import audit_reports
from huanxin.demo.audit import Audit, audit
from huanxin.demo.audit_reports import _OWNERS
from huanxin.domain.numbers import chinese_plan

TODAY = date(2026, 11, 24)
CUTOFF = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
RIPE, SOON, FRESH, HELD, RECLAIMED, SERVING = (f"+861380013800{tail}" for tail in range(6))
CUCC = "+8613000000007"

REPORT = f"""number,event,at
{RIPE},opened,2020-01-01
{RIPE},cancelled,2026-08-20
{RIPE},cancelled,2026-11-20
{SOON},cancelled,2026-09-02
{FRESH},cancelled,2026-11-01
{HELD},cancelled,2026-08-20
{RECLAIMED},cancelled,2026-08-20
{SERVING},opened,2020-01-01
{SERVING},reclaimed,2026-11-01
8.61E+12,cancelled,2026-08-20
+8613000000008,cancelled,2026-08-20
"""
LATER = f"number,event,at\n{RECLAIMED},reclaimed,2026-11-24T04:00:01Z\n"
OLD, NEW, CUT = "2026-01-01T00:00:00Z", "2026-11-24T04:00:00Z", "2026-11-24T05:00:00Z"

Tie = tuple[str, str, str | None]
CLEAN_TIES: list[Tie] = [
    (RIPE, OLD, CUT), (RIPE, NEW, None), (SOON, OLD, CUT), (FRESH, OLD, None), (HELD, OLD, None), (RECLAIMED, OLD, None),
    (SERVING, OLD, None), (CUCC, OLD, CUT),
]  # fmt: skip
CLEAN_ANSWERS = [("n1", RIPE, "pending"), ("n1", RIPE, "unbound"), ("n1", "", "complete")]
CLEAN_LISTS = {"cmcc": [(RIPE, "2026-11-19")], "cucc": [(CUCC, "2026-11-19")]}


class Case:
    """A small batch on disk that went well, unless a test says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.more_reports: list[tuple[str, Path]] = []
        self.ties: list[Tie] = list(CLEAN_TIES)
        self.answers = list(CLEAN_ANSWERS)
        self.lists: dict[str, list[tuple[str, str]]] = {key: list(rows) for key, rows in CLEAN_LISTS.items()}
        self.waivers: list[tuple[str, Any]] = []

    def text(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def report(self, carrier: str, text: str) -> None:
        path = self.text(f"more-{len(self.more_reports)}.csv", "number,event,at\n" + text)
        self.more_reports.append((carrier, path))

    def run(self, **more: Any) -> Audit:
        reports = [
            ("cmcc", self.text("cmcc.csv", REPORT)),
            ("cucc", self.text("cucc.csv", f"号码,事件,时间\n{CUCC[1:]},销户,2026-08-20\n")),
            ("cmcc", self.text("later.csv", LATER)),
            *self.more_reports,
        ]
        database(self.folder / "app.db", self.ties, self.answers)
        releases = [
            (carrier, self.text(f"release-{carrier}.csv", lines("number,sellable_from", rows)))
            for carrier, rows in self.lists.items()
        ]
        return audit(
            reports=reports, holds=[self.text("holds.csv", f"number\n{HELD}\n")], partners={"app": self.folder / "app.db"},
            releases=releases, cutoff=CUTOFF, today=TODAY, waivers=self.waivers, **more,
        )  # fmt: skip


def lines(header: str, rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def database(path: Path, ties: list[Tie], answers: list[tuple[str, str, str]]) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ties (id INTEGER PRIMARY KEY, number TEXT, bound_at TEXT, cut_at TEXT)")
        connection.execute("CREATE TABLE answers (notice TEXT, number TEXT, outcome TEXT, reason TEXT, at TEXT)")
        connection.executemany("INSERT INTO ties (number, bound_at, cut_at) VALUES (?, ?, ?)", ties)
        connection.executemany("INSERT INTO answers VALUES (?, ?, ?, '', '2026-11-24T05:00:00Z')", answers)
    connection.close()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def wrong(found: Audit) -> dict[str, int]:
    return {name: getattr(found, name) for name in ("wrongly_cut", "stale_left", "released_unclear") if getattr(found, name)}


def test_nothing_is_wrong_with_a_batch_that_went_well(case: Case) -> None:
    assert asdict(case.run()) == {
        "batch": 4, "ties_before": 7, "ties_cut": 3, "ties_kept": 1, "wrongly_cut": 0, "stale_left": 0, "waived_left": 0,
        "released": 2, "released_unclear": 0, "samples": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "tie",
    [
        pytest.param((RIPE, NEW, CUT), id="bound at the cut-off"),
        pytest.param((RIPE, "2026-11-24T04:00:00.000001Z", CUT), id="bound after it"),
        pytest.param((FRESH, OLD, CUT), id="not due"),
        pytest.param((HELD, OLD, CUT), id="held"),
        pytest.param((SERVING, OLD, CUT), id="in service"),
        pytest.param(("+8613900139000", OLD, CUT), id="unknown"),
        pytest.param((RECLAIMED, OLD, CUT), id="taken back and not restored"),
    ],
)
def test_a_wrong_cut_is_counted(case: Case, tie: Tie) -> None:
    case.ties.append(tie)
    found = case.run()
    assert wrong(found) == {"wrongly_cut": 1}
    assert len(found.samples) == 1
    assert tie[0][3:] not in found.samples[0]


def test_what_was_bound_anew_need_not_be_restored(case: Case) -> None:
    case.ties += [(RECLAIMED, OLD, CUT), (RECLAIMED, NEW, None)]
    assert wrong(case.run()) == {}


def test_a_cut_for_a_new_owner_is_right_only_if_the_tie_is_older_than_his_tenure(case: Case) -> None:
    case.report("cmcc", f"{SERVING},transferred,2026-11-24T04:30:00Z\n{RIPE},opened,2026-11-24T04:30:00Z\n")
    case.ties += [(SERVING, "2026-11-24T04:29:00Z", CUT), (RIPE, "2026-11-24T04:29:00Z", CUT)]
    assert wrong(case.run()) == {}
    (case.folder / "app.db").unlink()
    case.ties += [(SERVING, "2026-11-24T04:30:00Z", CUT)]
    assert wrong(case.run()) == {"wrongly_cut": 1}


def test_a_stale_tie_on_a_released_number_is_counted(case: Case) -> None:
    case.ties.append((RIPE, OLD, None))
    assert wrong(case.run()) == {"stale_left": 1}


@pytest.mark.parametrize("numbers", ["all", [RIPE]])
def test_a_waived_one_is_counted_apart(case: Case, numbers: Any) -> None:
    case.ties.append((RIPE, OLD, None))
    case.waivers = [("app", numbers)]
    found = case.run()
    assert wrong(found) == {}
    assert found.waived_left == 1


def test_a_waiver_covers_its_own_numbers_and_partner_only(case: Case) -> None:
    case.ties.append((RIPE, OLD, None))
    case.waivers = [("app", [SOON]), ("other", "all")]
    assert wrong(case.run()) == {"stale_left": 1}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((SOON, "2026-12-02"), id="in its freeze"),
        pytest.param((FRESH, "2027-01-31"), id="cancelled lately"),
        pytest.param((HELD, "2026-11-19"), id="held"),
        pytest.param((RECLAIMED, "2026-11-19"), id="taken back"),
        pytest.param((SERVING, "2026-11-19"), id="in service"),
        pytest.param(("+8613900139000", "2026-11-19"), id="unknown"),
        pytest.param((RIPE, "2026-11-19"), id="twice"),
    ],
)
def test_a_wrong_release_is_counted(case: Case, row: tuple[str, str]) -> None:
    case.ties = [tie for tie in case.ties if tie[2]]
    case.lists["cmcc"].append(row)
    found = case.run()
    assert wrong(found) == {"released_unclear": 1}
    assert found.released == 3


@pytest.mark.parametrize("day", ["2026-11-18", "2026-11-20", "soon"])
def test_a_wrong_day_is_counted(case: Case, day: str) -> None:
    case.lists["cmcc"] = [(RIPE, day)]
    assert wrong(case.run()) == {"released_unclear": 1}


def test_a_number_on_another_carrier_s_list_is_counted(case: Case) -> None:
    case.lists = {"ctcc": CLEAN_LISTS["cmcc"]}
    assert wrong(case.run()) == {"released_unclear": 1}


@pytest.mark.parametrize("outcome", ["pending", "refused"])
def test_a_number_that_a_partner_has_not_settled_is_counted(case: Case, outcome: str) -> None:
    case.answers.append(("n1", RIPE, outcome))
    assert wrong(case.run()) == {"released_unclear": 1}
    (case.folder / "app.db").unlink()
    assert wrong(case.run(optional={"app"})) == {}
    (case.folder / "app.db").unlink()
    case.waivers = [("app", [RIPE])]
    assert wrong(case.run()) == {}


def test_numbers_without_an_answer_are_counted_until_the_partner_is_through(case: Case) -> None:
    case.answers = [("n1", RIPE, "unbound")]
    assert wrong(case.run()) == {"released_unclear": 1}


def test_only_answers_to_this_batch_count(case: Case) -> None:
    assert wrong(case.run(notices={"app": "n1"})) == {}
    (case.folder / "app.db").unlink()
    assert wrong(case.run(notices={"app": "n2"})) == {"released_unclear": 2}


def test_the_audit_imports_nothing_of_the_platform() -> None:
    for module in (audit_module, audit_reports):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = {name for name in names if name.startswith("huanxin")}
        assert ours <= {"huanxin.demo.audit_reports"}


def test_its_table_of_ranges_is_that_of_the_plan() -> None:
    plan = chinese_plan()
    for leading in range(13000, 20000):
        national = str(leading)
        owner = plan.owner(int("86" + national))
        if owner:
            assert (_OWNERS.get(national[:3]) or _OWNERS.get(national[:4])) == owner, leading
