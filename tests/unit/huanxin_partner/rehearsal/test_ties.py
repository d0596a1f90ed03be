"""In a rehearsal no real tie is touched, a debtor is refused, and what needs time gets its minute."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pytest

from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.ties import RehearsalTies
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event
from huanxin_partner.trial import load_magic_ties

REAL = "+8613800138000"
ISSUED = 1_795_496_880


@pytest.fixture
def store(tmp_path: Path) -> SqliteTies:
    path = tmp_path / "ties.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        db.execute("INSERT INTO users (phone, since) VALUES (?, '2020-01-01')", (REAL,))
    load_magic_ties(path, "users", "phone", "since")
    return SqliteTies(path, table="users", number_column="phone", bound_at_column="since")


def outcomes(answers: Iterator[Answer]) -> dict[str, str]:
    return {answer.number: answer.outcome for answer in answers}


def test_the_magic_numbers_play_their_part_on_a_real_table(store: SqliteTies) -> None:
    numbers = sorted({*magic.TIES, magic.NOBODY, REAL})
    first = RehearsalTies(store, issued_at=ISSUED, clock=lambda: ISSUED + 59)
    later = RehearsalTies(store, issued_at=ISSUED, clock=lambda: ISSUED + 60)
    found = outcomes(first.unbind(numbers, magic.CUTOFF))
    assert found == {
        magic.OLD: "unbound", magic.ON_CUTOFF: "kept", magic.AFTER_CUTOFF: "kept", magic.DEBT: "refused",
        magic.PENDING: "pending", magic.BEFORE_CUTOFF: "unbound", magic.RETRACTED: "unbound",
    }  # fmt: skip
    assert outcomes(later.unbind(numbers, magic.CUTOFF)) == found | {magic.PENDING: "unbound"}
    assert store.bound(magic.DEBT)
    assert outcomes(later.restore([magic.RETRACTED, REAL], magic.CUTOFF)) == {magic.RETRACTED: "restored"}


def test_a_real_number_in_a_rehearsal_is_left_alone(store: SqliteTies) -> None:
    ties = RehearsalTies(store, issued_at=ISSUED)
    assert outcomes(ties.unbind([REAL], magic.CUTOFF)) == {}
    assert not ties.bound(REAL)
    assert ties.bound(magic.OLD)
    assert store.bound(REAL)


class Filing:
    """A channel that keeps receipts."""

    def __init__(self, numbers: list[str]) -> None:
        self.asked, self.receipts = numbers, list[dict[str, str]]()

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[IO[str]]:
        del url, sha256
        yield cast(IO[str], iter(["number\n", *(f"{number}\n" for number in self.asked)]))

    def file_receipt(self, notice: str, answers: Any, *, complete: bool, key: str) -> dict[str, Any]:
        del notice, complete
        self.receipts.append(outcomes(answers))
        return {}


def event(**more: Any) -> Event:
    file = {"url": "http://x/n", "sha256": {"text/csv": "a" * 64}}
    payload = {"notice": "n1", "scope": "batch", "count": 2, "cutoff": magic.CUTOFF.isoformat(), "numbers": file} | more
    return Event(jti="j1", name="urn:huanxin:event:renewal", claims=payload, subject={}, issued_at=ISSUED)


def test_what_was_pending_is_answered_again_after_its_minute(tmp_path: Path, store: SqliteTies) -> None:
    now = float(ISSUED)
    filing, journal = Filing([magic.OLD, magic.PENDING]), Journal(tmp_path / "j.db", clock=lambda: now)
    handler = Handler(store, filing, journal, clock=lambda: now)
    handler.handle(event(rehearsal=True))
    assert filing.receipts == [{magic.OLD: "unbound", magic.PENDING: "pending"}]
    assert journal.next() is None  # not yet
    now += 60
    found = journal.next()
    assert found is not None
    handler.handle(found[0])
    assert filing.receipts[1:] == [{magic.OLD: "unbound", magic.PENDING: "unbound"}]
    journal.close()


def test_outside_a_rehearsal_a_magic_number_is_a_number_like_any(tmp_path: Path, store: SqliteTies) -> None:
    filing, journal = Filing([magic.DEBT, magic.PENDING]), Journal(tmp_path / "j.db")
    Handler(store, filing, journal).handle(event())
    assert filing.receipts == [{magic.DEBT: "unbound", magic.PENDING: "unbound"}]
    assert journal.waiting() == 0
    journal.close()
