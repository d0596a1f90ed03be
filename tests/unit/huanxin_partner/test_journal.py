"""What was taken is not forgotten, and done once."""

from __future__ import annotations

from pathlib import Path

from huanxin_partner.journal import Journal
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
