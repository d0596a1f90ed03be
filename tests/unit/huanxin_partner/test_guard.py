"""The login guard: a code that reaches a number's new owner doesn't open the former owner's account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from huanxin_partner.guard import may_enter
from huanxin_partner.journal import Journal
from huanxin_partner.tokens import Event
from partner_signing import NOW, RECYCLED, RENEWAL

NUMBER, OTHER = "+8613800138000", "+8613800138001"
OPENED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "j.db")) as made:
        yield made


def event(name: str, jti: str = "j1", **claims: Any) -> Event:
    return Event(jti=jti, name=name, claims=claims, subject={"phone_number": NUMBER}, issued_at=NOW)


def test_an_account_bound_before_the_number_changed_hands_stays_shut(journal: Journal) -> None:
    assert may_enter(journal, NUMBER, "2020-01-01")
    journal.take(event(RECYCLED, event_timestamp=int(OPENED.timestamp())))
    assert not may_enter(journal, NUMBER, "2020-01-01")
    assert not may_enter(journal, NUMBER, None)  # nobody knows when it was bound
    assert may_enter(journal, NUMBER, OPENED)
    assert may_enter(journal, NUMBER, "2026-11-01")  # on the day itself: perhaps after
    assert may_enter(journal, OTHER, "2020-01-01")


def test_what_counts_is_the_last_change_of_hands(journal: Journal) -> None:
    later = OPENED + timedelta(days=200)
    journal.take(event(RECYCLED, "j1", event_timestamp=int(later.timestamp())))
    journal.take(event(RECYCLED, "j2", event_timestamp=int(OPENED.timestamp())))
    assert not may_enter(journal, NUMBER, OPENED + timedelta(days=1))
    assert may_enter(journal, NUMBER, later + timedelta(days=1))


def test_a_new_owners_request_counts_until_it_is_taken_back(journal: Journal) -> None:
    journal.take(event(RENEWAL, notice="n1", cutoff=OPENED.isoformat()))
    assert not may_enter(journal, NUMBER, "2020-01-01")
    journal.take_back("n1", [NUMBER])
    assert may_enter(journal, NUMBER, "2020-01-01")
