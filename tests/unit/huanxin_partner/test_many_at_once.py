"""Many orders of one number each, handled together: the same answers as one by one, and none lost or done twice."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from huanxin_partner.client import Platform, PlatformError
from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.receiver import Worker
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event

RENEWAL, INQUIRY = "urn:huanxin:event:renewal", "urn:huanxin:event:inquiry"
OLD, NEW, NONE = "+8613800138000", "+8613800138001", "+8613800138002"
CUTOFFS = {OLD: "2026-10-01T00:00:00Z", NEW: "2026-11-01T00:00:00Z", NONE: "2026-10-01T00:00:00Z"}


class FakePlatform:
    """Keeps receipts; refuses whole what names a notice of `bad`."""

    def __init__(self) -> None:
        self.many: list[dict[str, str]] = []
        self.single: list[str] = []
        self.bad: set[str] = set()

    def file_receipts(self, answers: Mapping[str, Answer], *, key: str) -> dict[str, Any]:
        if self.bad & answers.keys():
            raise PlatformError("line 2: there is no such notice")
        self.many.append({notice: answer.outcome for notice, answer in answers.items()})
        return {}

    def file_receipt(self, notice: str, answers: list[Answer], *, complete: bool, key: str) -> dict[str, Any]:
        assert complete
        if notice in self.bad:
            raise PlatformError("there is no such notice")
        self.single += [f"{notice} {answer.outcome}" for answer in answers]
        return {}


class Desk:
    """A partner with two accounts; its worker is not started."""

    def __init__(self, folder: Path, kind: type[Handler] = Handler) -> None:
        with closing(sqlite3.connect(folder / "shop.db")) as db:
            db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, phone TEXT, bound_at TEXT NOT NULL)")
            rows = [(OLD, "2024-01-01T00:00:00Z"), (NEW, "2026-11-01T00:00:00Z")]
            db.executemany("INSERT INTO accounts (phone, bound_at) VALUES (?, ?)", rows)
            db.commit()
        self.folder, self.platform = folder, FakePlatform()
        self.journal = Journal(folder / "j.db")
        store = SqliteTies(folder / "shop.db", table="accounts", number_column="phone", bound_at_column="bound_at")
        handler = kind(store, cast(Platform, self.platform), self.journal)
        self.worker = Worker(self.journal, handler)

    def phones(self) -> list[str | None]:
        with closing(sqlite3.connect(self.folder / "shop.db")) as db:
            return [phone for (phone,) in db.execute("SELECT phone FROM accounts ORDER BY id")]


def order(number: str, notice: str = "", name: str = RENEWAL) -> Event:
    claims = {"notice": notice or f"nr_{number[-1]}", "scope": "request", "count": 1, "cutoff": CUTOFFS[number]}
    subject = {"format": "phone_number", "phone_number": number}
    return Event(jti=f"j{claims['notice']}", name=name, claims=claims, subject=subject, issued_at=1)


def test_what_waits_is_answered_in_one_receipt_each_by_its_own_cut_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_all([order(number) for number in (OLD, NEW, NONE)])
    assert desk.worker.some_events()
    assert desk.platform.many == [{"nr_0": "unbound", "nr_1": "kept", "nr_2": "absent"}]
    assert desk.phones() == [None, NEW]
    assert not desk.worker.some_events()
    assert desk.journal.outcome("jnr_0") == "unbound"


def test_after_a_crash_between_the_receipt_and_the_journal_the_receipt_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_all([order(OLD), order(NEW)])

    def crash(_: Mapping[str, str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.journal, "finish_all", crash)
        with pytest.raises(KeyboardInterrupt):
            desk.worker.some_events()
    assert desk.worker.some_events()
    assert desk.platform.many == [{"nr_0": "unbound", "nr_1": "kept"}] * 2
    assert desk.phones() == [None, NEW]


def test_one_order_that_is_refused_keeps_no_other_from_its_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.platform.bad = {"nr_0"}
    desk.journal.take_all([order(OLD), order(NEW), order(NONE)])
    assert desk.worker.some_events()
    assert desk.worker.some_events()
    assert desk.platform.many == [{"nr_1": "kept", "nr_2": "absent"}]
    assert not desk.worker.some_events()
    assert desk.journal.waiting() == 1


def test_a_second_order_for_the_same_number_waits_for_the_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_all([order(OLD), order(NEW), order(OLD, "nr_9")])
    while desk.worker.some_events():
        pass
    assert desk.platform.many == [{"nr_0": "unbound", "nr_1": "kept"}, {"nr_9": "unbound"}]


def test_a_handler_that_answers_in_its_own_way_is_given_one_event_at_a_time(tmp_path: Path) -> None:
    """Else what it adds to an answer would be left out."""

    class Noting(Handler):
        noted: ClassVar[list[str]] = []

        def file(self, notice: str, answers: list[Answer]) -> None:
            self.noted.append(notice)
            super().file(notice, answers)

    desk = Desk(tmp_path, Noting)
    desk.journal.take_all([order(OLD), order(NEW)])
    while desk.worker.some_events():
        pass
    assert desk.platform.many == []
    assert Noting.noted == ["nr_0", "nr_1"]


def test_another_event_is_not_overtaken(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_all([order(OLD, "nr_7", INQUIRY), order(OLD), order(NEW)])
    assert desk.worker.some_events()
    assert desk.platform.single == ["nr_7 bound"]
    assert desk.worker.some_events()
    assert desk.platform.many == [{"nr_0": "unbound", "nr_1": "kept"}]


def test_numbers_taken_back_before_their_renewal_came_are_left_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_back("nr_0", [OLD])
    desk.journal.take_all([order(OLD), order(NEW)])
    assert desk.worker.some_events()
    assert desk.phones() == [OLD, NEW]


def test_events_that_come_at_the_same_time_are_all_journaled_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    new: list[bool] = []
    coming = [order(number, f"n{notice}") for number in (OLD, NEW) for notice in range(8)]  # each `jti` twice
    threads = [threading.Thread(target=lambda event: new.append(journal.take(event)), args=(event,)) for event in coming]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 8 + [True] * 8
    assert journal.waiting() == 8
    assert {event.claims["notice"] for event, _ in journal.due(100)} == {f"n{notice}" for notice in range(8)}


def test_many_cut_offs_are_one_transaction_of_the_store(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    store = SqliteTies(tmp_path / "shop.db", table="accounts", number_column="phone", bound_at_column="bound_at")
    wanted = {datetime(2026, 10, 1, tzinfo=UTC): [OLD], datetime(2026, 12, 1, tzinfo=UTC): [NEW]}
    assert [(one.number, one.outcome) for one in store.unbind_many(wanted)] == [(OLD, "unbound"), (NEW, "unbound")]
    assert desk.phones() == [None, None]
