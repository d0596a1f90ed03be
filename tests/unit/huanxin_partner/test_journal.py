"""What was taken is not forgotten, and done once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.tokens import Event


def event(jti: str) -> Event:
    return Event(jti=jti, name="urn:x", claims={"notice": "n"}, subject={}, issued_at=1)


def test_a_replay_changes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.take(event("a"))
    assert not journal.take(event("a"))
    journal.finish("a", "unbound")
    assert not journal.take(event("a"))
    assert journal.next() is None
    assert (journal.waiting(), journal.outcome("a")) == (0, "unbound")
    journal.close()


def test_what_is_unfinished_is_there_after_a_restart(tmp_path: Path) -> None:
    before = Journal(tmp_path / "j.db")
    before.take(event("a"))
    before.take_back("n", ["+8613800138000"])
    after = Journal(tmp_path / "j.db")  # the first is never closed, as after SIGKILL
    assert after.next() == (event("a"), 0)
    assert after.taken_back("n") == {"+8613800138000"}
    assert after.taken_back("m") == frozenset()
    before.close()
    after.close()


def test_one_that_failed_lets_others_go_first(tmp_path: Path) -> None:
    now = [100.0]
    journal = Journal(tmp_path / "j.db", clock=lambda: now[0])
    journal.take(event("a"))
    now[0] = 101.0
    journal.take(event("b"))
    journal.put_off("a", 10, "the platform is away")
    assert journal.next() == (event("b"), 0)
    journal.finish("b", "")
    assert journal.next() is None
    assert journal.outcome("a") == "the platform is away"
    now[0] = 111.0
    assert journal.next() == (event("a"), 1)
    journal.close()


def test_an_event_that_a_clock_a_year_ahead_put_off_is_due_when_the_clock_is_right_again(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    journal = Journal(tmp_path / "j.db", clock=lambda: now[0])
    journal.take(event("ev_1"))
    now[0] += 365 * 86_400
    journal.put_off("ev_1", 300, "the shop's database is down")
    assert journal.next() is None
    now[0] -= 365 * 86_400
    assert journal.next() == (event("ev_1"), 1)


def test_a_file_of_real_events_takes_no_simulated_clock(tmp_path: Path) -> None:
    """Nor does whoever works on it: a year ahead, it would cut what is the next owner's."""
    real = Journal(tmp_path / "real.db")
    ways: list[Callable[[], object]] = [
        lambda: Journal(tmp_path / "real.db", clock=lambda: 0.0), lambda: Outbox(tmp_path / "real.db", clock=lambda: 0.0),
        lambda: Handler(cast(Any, None), cast(Any, None), real, clock=lambda: 0.0),
    ]  # fmt: skip
    for way in ways:
        with pytest.raises(ValueError, match="simulated clocks"):
            way()
    made_up = Journal(tmp_path / "made-up.db", clock=lambda: 0.0)
    assert made_up.simulated
    assert Journal(tmp_path / "made-up.db", clock=lambda: 1.0).next() is None
    Handler(cast(Any, None), cast(Any, None), made_up, clock=lambda: 0.0)
    Outbox(clock=lambda: 0.0).close()
